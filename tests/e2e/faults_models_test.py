"""A model file that cannot be loaded: named with a remedy."""
import hashlib
import json
import os

import pytest
import tiny_model
from faults import ROOT, doctor, refused, run
from support import MODELS, Hearth, user


def damaged(folder, kind):
    whole = (MODELS / "llama_tied.gguf").read_bytes()
    file = folder / f"{kind}.gguf"
    if kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind != "absent":
        file.write_bytes({"truncated": whole[:-1000], "head": whole[:100], "empty": b"", "magic": b"GGML" + whole[4:], "text": b"not a model\n",
                          "noise": os.urandom(5000), "unreadable": whole}[kind])
    if kind == "unreadable":
        file.chmod(0)
    return str(file)


@pytest.mark.parametrize("kind", ["truncated", "head", "empty", "magic", "text", "noise", "folder", "pipe", "absent", "unreadable"])
def test_a_damaged_model_is_named_with_a_remedy(env, tmp_path, kind):
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o711)
    file = damaged(tmp_path, kind)
    prefix = ("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups") if kind == "unreadable" and ROOT else ()
    settings = {k: v for k, v in env.items() if k != "HEARTH_BACKEND_SCRIPT"}
    settings["HEARTH_MODEL_PATH"] = file
    remedy = {"absent": "hearth model pull", "truncated": "put a whole one there", "unreadable": "read it"}.get(kind, "→")
    refused(settings, "bench", says=[file, remedy], prefix=prefix, seconds=20)
    refused(settings, "model", "inspect", file, says=[file], prefix=prefix, seconds=20)
    if prefix:
        return
    refused(settings, "serve", says=[file, remedy], seconds=20)
    probe = doctor(settings, "model")
    assert probe["health"] == "FAILED" and file in probe["found"] and probe["remedy"]


def test_a_model_larger_than_memory_is_refused_with_the_numbers(env):
    settings = {k: v for k, v in env.items() if k != "HEARTH_BACKEND_SCRIPT"}
    settings.update(HEARTH_MODEL_PATH=str(MODELS / "llama_tied.gguf"), HEARTH_MODEL_MEMORY_MIB="1")
    for command in (["serve"], ["bench"], ["model", "inspect"], ["model", "inspect", "--json"]):
        refused(settings, *command, says=["for weights", "the limit is 1 MiB", "available are", "smaller model"], seconds=20)
    described = lambda: json.loads(run(settings, "model", "inspect", "--json").stdout)
    assert described()["architecture"] == "llama" and described()["loads"] is False, "what it is can still be said"
    assert run(settings, "model", "inspect").stdout.splitlines()[1].split()[:2] == ["architecture", "llama,"]
    settings["HEARTH_MODEL_MEMORY_MIB"] = "200"
    assert run(settings, "model", "inspect").returncode == 0 and described()["loads"] is True
    settings["HEARTH_MODEL_MEMORY_MIB"] = "1"
    assert "the limit is 1 MiB" in doctor(settings, "model")["found"]


def test_a_damaged_model_is_told_and_fetched_again(env, tmp_path):
    whole = (MODELS / "llama_tied.gguf").read_bytes()
    catalogue, models = tmp_path / "models.yaml", tmp_path / "state/models"
    catalogue.write_text("models:\n  - {name: tiny, file: tiny.gguf, bytes: %d, sha256: %s, sources: [{url: 'http://127.0.0.1:1/x'}, {path: %s}]}\n"
                         % (len(whole), hashlib.sha256(whole).hexdigest(), MODELS / "llama_tied.gguf"))
    settings = {k: v for k, v in env.items() if k != "HEARTH_BACKEND_SCRIPT"}
    settings.update(HEARTH_STATE_FOLDER=str(tmp_path / "state"), HEARTH_MODEL_CATALOGUE=str(catalogue))
    first = run(settings, "model", "pull", "tiny")
    assert first.returncode == 0 and "trying the next source" in first.stderr and "hearth: " not in first.stderr, first.stderr
    assert " here " in run(settings, "model", "list").stdout
    (models / "tiny.gguf").write_bytes(whole[:-1000])
    listed = run(settings, "model", "list")
    assert " damaged " in listed.stdout and " here " not in listed.stdout and "hearth model pull tiny" in listed.stderr
    assert "hearth model pull tiny fetches it again" in refused(settings, "bench", says=["tiny.gguf"], seconds=20)
    for wrong in (whole[:-1000], whole[:-1] + bytes([whole[-1] ^ 1])):
        (models / "tiny.gguf").write_bytes(wrong)
        assert run(settings, "model", "pull", "tiny").returncode == 0
        assert (models / "tiny.gguf").read_bytes() == whole


def test_a_model_that_is_cut_while_it_serves_ends_answers_and_not_the_server(state):
    file = state.folder / "cut.gguf"
    tiny_model.make(MODELS / "llama_tied.gguf", file)
    server = Hearth(state, "cut_model", settings={"model.path": file, "model.profile": "exact", "server.socket": state.folder / "cut.sock"}).start()
    try:
        before, whole = server.chat("default", [user("once")], max_tokens=4, temperature=0), file.read_bytes()
        os.truncate(file, 100)
        ended = server.chat("default", [user("once")], max_tokens=4, temperature=0)
        assert ended.status == 503 and f"{file}: was cut after it was loaded" in ended.error["message"], ended.data
        file.write_bytes(whole)
        assert server.chat("default", [user("once")], max_tokens=4, temperature=0).json["choices"] == before.json["choices"]
    finally:
        server.stop()
