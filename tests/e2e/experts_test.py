"""A mixture whose experts are not all in memory: how it is set, what is told of it, and that it answers alike."""
import json

import pytest
import tiny_model
from conftest import model_server, running
from faults import refused, run
from support import MODELS, user

QUESTION = [user("Tell me about the old lighthouse on the hill.")]


@pytest.fixture(scope="module")
def model(state):
    file = state.folder / "mixture.gguf"
    tiny_model.make(MODELS / "qwen3_moe.gguf", file)
    return file


@pytest.fixture(scope="module")
def least(state, model):
    """Bytes of the experts that one token uses."""
    message = refused(dict(state.env, HEARTH_MODEL_EXPERTS="mapped", HEARTH_MODEL_EXPERT_MEMORY="1"), "model", "inspect", str(model),
                      says=["smaller than what one token uses", "raise model.expert_memory to at least "])
    return int(message.rsplit("to at least ", 1)[1].split(",")[0])


def answers(state, model, name, **settings):
    for started in running(model_server(state, model, name, **settings)):
        text = started.chat("default", QUESTION, temperature=0, max_tokens=48).json["choices"][0]["message"]["content"]
        return text, started.facts()


def test_it_answers_as_with_all_of_them_in_memory(state, model, least):
    whole, facts = answers(state, model, "resident")
    assert "experts" not in facts
    told, facts = answers(state, model, "cached", **{"model.experts": "mapped", "model.expert_memory": least})
    assert told == whole and told
    cache = facts["experts"]
    assert 0 < cache["in_memory"] < cache["all"] and cache["bytes"] <= least
    assert cache["predicted"]["tokens_per_second"] > 0 and 0 < cache["predicted"]["hit_rate"] < 1
    measured = cache["measured"]
    assert measured["tokens"] > 0 and 0 < measured["hit_rate"] < 1 and measured["bytes_read_per_token"] > 0 and measured["tokens_per_second"] > 0


def test_inspect_and_bench_tell_what_it_is_worth(state, env, model, least):
    few = dict(env, HEARTH_MODEL_EXPERTS="mapped", HEARTH_MODEL_EXPERT_MEMORY=str(least))
    told = json.loads(run(few, "model", "inspect", "--json", str(model)).stdout)["expert_cache"]
    assert told["predicted"] == {"hit_rate": pytest.approx(told["in_memory"] / told["all"], abs=0.1), "tokens_per_second": None, "by": "chance"}
    assert "experts in memory" in run(few, "model", "inspect", str(model)).stdout
    arguments = ["bench", "--model", str(model), "--prefill", "200", "--decode", "64", "--repeat", "3"]
    measured = json.loads(run(few, *arguments, "--json").stdout)["expert_cache"]["measured"]
    assert measured["tokens"] > 0 and measured["bytes_read_per_token"] > 0
    told = json.loads(run(few, "model", "inspect", "--json", str(model)).stdout)["expert_cache"]["predicted"]
    assert told["by"] == "traffic" and told["tokens_per_second"] > 0
    assert "MiB read a token" in run(few, *arguments).stdout
    assert json.loads(run(env, "model", "inspect", "--json", str(model)).stdout)["expert_cache"] is None
