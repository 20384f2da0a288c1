"""What `hearth config check` and `hearth doctor` find before a server is started, and that serve finds the same."""
import os
import pathlib
import re
import socket

import pytest
from faults import doctor, refused, run
from support import MODELS


@pytest.mark.parametrize("settings,says", [
    ({"server.host": "nonsense"}, ["server.host", "'nonsense'"]),
    ({"server.certificate": "/etc/hostname"}, ["server.certificate", "set both"]),
    ({"server.certificate": "/nonexistent.pem", "server.certificate_key": "/nonexistent.key"}, ["/nonexistent.pem", "server.certificate"]),
    ({"upstream.url": "ftp://x", "upstream.model": "m"}, ["upstream.url", "'ftp://x'"]),
    ({"upstream.url": "http://x/v1", "upstream.model": "m", "upstream.key_file": "/nonexistent.key"}, ["upstream.key_file", "/nonexistent.key"]),
    ({"backend.intake": "big"}, ["backend.intake", "'big'", "'default'"]),
    ({"model.name": "hearth"}, ["model.name", "'hearth'", "agent"]),
    ({"database.owner_url": "postgresql://h/x"}, ["database.owner_url", "database.url"]),
])
def test_what_serve_refuses_the_check_refuses(env, settings, says):
    set_by = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    checked = refused(env, *set_by, "config", "check", says=says)
    assert refused(env, *set_by, "serve", says=says, seconds=20) == checked
    assert not (pathlib.Path(env["HEARTH_STATE_FOLDER"]) / "pg").exists()


def test_fine_settings_are_said_to_be(env):
    assert run(env, "config", "check").stdout == "the settings are usable\n"


def changed(folder, key, skip, text):
    """The tiny model (embeddings of 320 tokens in F16; 160 in F32 take as much) with `text` in place of what lies `skip` bytes after the end of `key`."""
    data = bytearray((MODELS / "llama_tied.gguf").read_bytes())
    at = data.index(key) + len(key) + skip
    data[at:at + len(text)] = text
    file = folder / "changed.gguf"
    file.write_bytes(data)
    return str(file)


@pytest.mark.parametrize("key,skip,text,says", [
    (b"tokenizer.ggml.pre", 12, b"gpt-9", ['"gpt-9" is not known', "tokenizer.ggml.pre"]),
    (b"token_embd.weight", 12, b"\xa0" + bytes(11), ["embeddings of only 160"]),
])
def test_an_unusable_tokenizer_is_named_before_anything_is_made(env, tmp_path, key, skip, text, says):
    file = changed(tmp_path, key, skip, text)
    settings = {k: v for k, v in env.items() if k != "HEARTH_BACKEND_SCRIPT"}
    settings["HEARTH_MODEL_PATH"] = file
    for command in (["serve"], ["bench"], ["model", "inspect", file], ["config", "check"]):
        refused(settings, *command, says=[file, *says], seconds=20)
    probe = doctor(settings, "model")
    assert probe["health"] == "FAILED" and says[0] in probe["found"] and probe["remedy"]
    assert not (pathlib.Path(env["HEARTH_STATE_FOLDER"]) / "pg").exists()


def test_doctor_says_what_the_machine_can_carry(env):
    settings = {k: v for k, v in env.items() if k != "HEARTH_BACKEND_SCRIPT"}
    settings.update(HEARTH_MODEL_PATH=str(MODELS / "llama_tied.gguf"), HEARTH_MODEL_MEMORY_MIB="200")
    found = doctor(settings, "capacity")["found"]
    assert found.startswith("200 MiB for weights, KV cache and scratch")
    tokens, largest = re.search(r"fit (\d+) tokens of context.* a model file of about (\d+) MiB", found).groups()
    assert int(tokens) > 512 and 0 < int(largest) < 200
    settings["HEARTH_MODEL_PATH"] = "/nonexistent.gguf"
    assert doctor(settings, "capacity")["found"].startswith("200 MiB for") and doctor(settings, "capacity")["health"] == "ok"
    assert doctor(settings, "GPU")["found"]


def test_doctor_names_who_holds_the_port(env):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        probe = doctor(dict(env, HEARTH_SERVER_PORT=port), "server")
    assert probe["health"] == "FAILED" and "127.0.0.1:" + port in probe["found"] and f"(pid {os.getpid()})" in probe["found"]
    assert "HEARTH_SERVER_PORT" in probe["remedy"]
    free = doctor(dict(env, HEARTH_SERVER_PORT=port), "server")
    assert free["health"] == "warning" and f"127.0.0.1:{port} is free" in free["found"]
