"""hearth model convert: a file that serves as its source does, and what it refuses."""
import json
import os
import shutil

import pytest
import tiny_model
from conftest import model_server, running, tiny_server
from faults import refused, run, small_disk
from support import MODELS, user


@pytest.fixture(scope="module")
def converted(state):
    file = state.folder / "qwen3_moe.hearth"
    done = run(state.env, "model", "convert", str(MODELS / "qwen3_moe.gguf"), str(file))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{file}: ") and " for the kernels of " in done.stdout
    return file


def test_it_is_told_apart_and_chosen(env, converted):
    told = json.loads(run(env, "model", "inspect", "--json", str(converted)).stdout)
    source = json.loads(run(env, "model", "inspect", "--json", str(MODELS / "qwen3_moe.gguf")).stdout)
    same = ("name", "architecture", "format", "parameters", "active_parameters", "layers", "vocabulary", "experts", "trained_context", "tokenizer", "template", "loads")
    assert {key: told[key] for key in same} == {key: source[key] for key in same}
    assert told["container"] == "converted for " + told["needs"]["target"] and told["needs"]["laid_out_bytes"] == 0
    assert source["needs"]["laid_out_bytes"] > 0
    assert run(env, "model", "use", str(converted)).returncode == 0
    assert json.loads(run(env, "model", "inspect", "--json").stdout)["container"] == told["container"]
    assert json.loads(run(env, "bench", "--prefill", "16", "--decode", "8", "--json").stdout)["decode_tps"] > 0


def test_it_answers_as_its_source_does(state):
    source, file = state.folder / "llama_convert", state.folder / "llama.hearth"
    shutil.copytree(MODELS / "llama_tied", source)
    (source / "chat_template.jinja").write_text(tiny_model.TEMPLATE)
    config = json.loads((source / "config.json").read_text())
    config["max_position_embeddings"] = tiny_model.CONTEXT
    (source / "config.json").write_text(json.dumps(config))
    assert run(state.env, "model", "convert", str(source), str(file)).returncode == 0
    shutil.rmtree(source)
    question = [user("Tell me about the old lighthouse on the hill.")]
    texts = []
    for started in running(model_server(state, file, "converted")):
        texts.append(started.chat("default", question, temperature=0, max_tokens=32).json["choices"][0]["message"]["content"])
    for started in running(tiny_server(state, "llama_tied", "converted-twin")):
        texts.append(started.chat("default", question, temperature=0, max_tokens=32).json["choices"][0]["message"]["content"])
    assert texts[0] == texts[1] and texts[0]


def test_it_answers_by_the_target_that_it_was_made_for(env, converted):
    settings = dict(env, HEARTH_MODEL_TARGET="ref")
    message = refused(settings, "model", "inspect", str(converted), says=[str(converted), "those of ref", "hearth model convert"])
    assert "hearth model list" not in message


def test_a_full_disk_is_told_before_anything_is_written(env):
    with small_disk(2) as folder:
        refused(env, "model", "convert", str(MODELS / "qwen3_moe.gguf"), str(folder / "model.hearth"), says=["has room for", "another disk"])
        assert os.listdir(folder) == []


@pytest.mark.parametrize("arguments, says, status", [
    (["/no/such.gguf", "out.hearth"], "/no/such.gguf", 1),
    ([str(MODELS / "bert_minilm.gguf"), "out.hearth"], "is an encoder", 1),
    ([str(MODELS / "qwen3_moe.gguf"), "/dev/null/out"], "/dev/null", 1),
    ([str(MODELS / "qwen3_moe.gguf"), "/etc/passwd"], "is there already", 1),
])
def test_what_cannot_be_converted_is_named(env, arguments, says, status):
    refused(env, "model", "convert", *arguments, says=[says], status=status)


def test_a_server_copies_its_model_and_starts_from_the_copy(state):
    server, folder = tiny_server(state, "llama_tied", "copied"), state.folder / "state/laid-out"
    server.env["HEARTH_MODEL_COPY"] = "always"
    folder.mkdir(parents=True)
    (folder / "of-another-model.hearth").write_text("HearthM1")
    question = [user("Tell me about the old lighthouse on the hill.")]
    texts = []

    def asked(until):
        texts.append(server.chat("default", question, temperature=0, max_tokens=32).json["choices"][0]["message"]["content"])
        server.wait_for(until, "the copy")

    def made():
        return server.log.read_text().count("the next start maps them")

    for _ in running(server):
        asked(lambda: made() == 1)
    assert (folder / "of-another-model.hearth").exists()
    [copy] = folder.glob("llama_tied-*")
    whole = copy.read_bytes()
    assert copy.name.startswith("llama_tied-") and os.stat(copy).st_size > 1 << 20
    for _ in running(server):
        asked(lambda: True)
    assert copy.read_bytes() == whole and made() == 1 and "left aside" not in server.log.read_text()
    copy.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    for _ in running(server):
        asked(lambda: made() == 2)
    assert "the model's copy is left aside" in server.log.read_text() and copy.read_bytes() == whole
    assert texts[0] == texts[1] == texts[2] and texts[0]
