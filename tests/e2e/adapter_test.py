"""Low-rank adapters of the model here: each is a model of its own to whoever asks, and the model without them is as it was."""
import json
import random
import struct
from concurrent.futures import ThreadPoolExecutor

import pytest
import support
import tiny_model
from conftest import running, tiny_server
from faults import refused, run
from support import MODELS, Rostered, user

QUESTION = [user("Tell me about the old lighthouse on the hill.")]


def write_adapter(folder, seed, rank=8):
    """As PEFT has them, for the queries and values of llama_tied."""
    folder.mkdir()
    draw = random.Random(seed)
    header, data = {}, b""
    for layer in range(2):
        for name, outputs in (("q_proj", 96), ("v_proj", 32)):
            for part, rows, columns in (("A", rank, 96), ("B", outputs, rank)):
                values = struct.pack(f"<{rows * columns}f", *(draw.gauss(0, 0.2) for _ in range(rows * columns)))
                header[f"base_model.model.model.layers.{layer}.self_attn.{name}.lora_{part}.weight"] = {"dtype": "F32", "shape": [rows, columns], "data_offsets": [len(data), len(data) + len(values)]}
                data += values
    head = json.dumps(header).encode()
    (folder / "adapter_model.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + data)
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": rank, "lora_alpha": 2 * rank, "bias": "none", "target_modules": ["q_proj", "v_proj"]}))
    return folder


def settings(state, name, adapters):
    file = state.folder / f"{name}.gguf"
    tiny_model.make(MODELS / "llama_tied.gguf", file)
    return {"model.path": file, "model.profile": "exact", "model.adapters": adapters, "server.socket": state.folder / f"{name}.sock"}


@pytest.fixture(scope="module")
def server(state):
    folders = {name: write_adapter(state.folder / f"adapter-{name}", seed) for seed, name in enumerate(("poet", "clerk"))}
    adapters = ",".join(f"{name}={folder}" for name, folder in folders.items())
    yield from running(support.Hearth(state, "adapters", settings=settings(state, "adapters", adapters)))


@pytest.fixture(scope="module")
def plain(state):
    yield from running(tiny_server(state, "llama_tied", "adapters-plain"))


def said(server, model):
    answer = server.chat(model, QUESTION, temperature=0, max_tokens=32)
    assert answer.status == 200, answer.data
    return answer.json["choices"][0]["message"]["content"]


def test_each_is_a_model_of_its_own(server, plain):
    served = [model["id"] for model in server.call("GET", "/v1/models").json["data"]]
    assert {"default", "poet", "clerk"} <= set(served)
    texts = {model: said(server, model) for model in ("default", "poet", "clerk")}
    assert texts["default"] == said(plain, "default")
    assert len(set(texts.values())) == 3
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda model: (model, said(server, model)), [*texts, *texts]))
    assert together == [*texts.items(), *texts.items()]


def test_what_a_change_of_adapters_takes_is_measured(server):
    done = run(server.env, "bench", "--prefill", "16", "--decode", "8", "--repeat", "3", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["adapters"]
    assert len(told["switched_seconds"]) == len(told["stayed_seconds"]) == 3 * 3, "two adapters and the model as it is, three rounds"
    assert sorted(told["switched_seconds"])[4] < 1, "nothing is loaded for it"
    shown = run(server.env, "bench", "--prefill", "16", "--decode", "8", "--repeat", "1").stdout
    assert "after another adapter the first token of a known prompt comes after" in shown


@pytest.mark.parametrize("adapters, says", [("poet", "has 'poet', expected NAME=FOLDER"), ("po et=/x", "names 'po et'"), ("poet=/x, poet=/y", "names 'poet' twice"), ("default=/x", "another model's"), ("small=/x", "another model's")],
                         ids=["no folder", "blank", "twice", "the model's", "of a model beside"])
def test_names_that_do_not_fit_are_refused(state, adapters, says):
    made = Rostered(state, "adapters_refused", f"models:\n  small: {{path: {MODELS / 'qwen3_moe.gguf'}}}\n", script=[{"when": "", "text": "x"}], settings={"model.adapters": adapters})
    refused(made.env, "config", "check", says=["model.adapters", says])


def test_they_go_with_the_chosen_model_alone(server):
    other = str(MODELS / "qwen3_moe.gguf")
    assert run(server.env, "model", "inspect", other).returncode == 0
    measured = run(server.env, "bench", "--model", other, "--prefill", "16", "--decode", "4", "--repeat", "1", "--json")
    assert measured.returncode == 0 and "adapters" not in json.loads(measured.stdout), measured.stderr


def test_those_of_another_model_are_refused_before_a_start(server):
    env = dict(server.env, HEARTH_MODEL_PATH=str(MODELS / "qwen3_moe.gguf"))
    for words in (("config", "check"), ("model", "inspect")):
        done = run(env, *words)
        assert done.returncode == 1 and "self_attn.q_proj.lora_" in done.stderr, done.stdout + done.stderr
