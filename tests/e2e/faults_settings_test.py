"""A setting that is wrong: named with its place and a remedy, before anything is made."""
import pathlib

import pytest
from faults import refused
from support import MODELS


@pytest.mark.parametrize("arguments,variables,says", [
    (["--set", "server.port=eighty", "serve"], {}, ["server.port", "'eighty'", "the command line", "0 to 65535"]),
    (["chat", "hello"], {"HEARTH_SERVER_PORT": "70000"}, ["server.port", "'70000'", "HEARTH_SERVER_PORT"]),
    (["doctor"], {"HEARTH_MODEL_PROFILE": "quick"}, ["model.profile", "'quick'", "fast,exact"]),
    (["bench"], {"HEARTH_SERVER_PROT": "80"}, ["HEARTH_SERVER_PROT", "did you mean HEARTH_SERVER_PORT?"]),
    (["--set", "server.prot=80", "config", "check"], {}, ["'server.prot'", "did you mean 'server.port'?"]),
    (["--set", "server.port", "serve"], {}, ["--set wants name=value", "server.port=8081"]),
    (["--set", "state.folder=", "serve"], {}, ["state.folder"]),
    (["--settings", "/", "bench"], {}, ["settings file /", "folder"]),
    (["--settings", "/nonexistent.yaml", "serve"], {}, ["/nonexistent.yaml"]),
    (["--set", "server=8091", "serve"], {}, ["'server'", "is a section", "server.port"]),
    (["srve"], {}, ["'hearth srve'", "did you mean hearth serve?"]),
    (["db", "frob"], {}, ["'hearth db frob'", "hearth db --help"]),
    (["--set", "server.port=0", "trace", "shwo"], {}, ["'hearth trace shwo'", "did you mean hearth trace show?"]),
    (["frob", "--help"], {}, ["'hearth frob'", "hearth --help"]),
])
def test_a_wrong_setting_is_named_with_its_place(env, arguments, variables, says):
    refused(dict(env, **variables), *arguments, says=says, status=2)


@pytest.mark.parametrize("text,says", [
    ("server:\n  port: 99999\n", ["server.port", "'99999'", "hearth.yaml"]),
    ("server:\n  prot: 80\n", ["'server.prot'", "did you mean 'server.port'?"]),
    ("server: [1\n", ["hearth.yaml, line "]),
    ("just words\n", ["hearth.yaml, line 1"]),
    ("server: 8091\n", ["'server'", "hearth.yaml", "is a section", "server.port"]),
    ("log: {level: info}\nserver:\n\tport: 8091\n", ["hearth.yaml, line 3", "allows no tabs"]),
])
@pytest.mark.parametrize("command", [["serve"], ["config", "check"]])
def test_a_wrong_settings_file_is_named(env, tmp_path, text, says, command):
    file = tmp_path / "hearth.yaml"
    file.write_text(text)
    settings = {k: v for k, v in env.items() if k != "HEARTH_SERVER_PORT"}
    refused(settings, "--settings", str(file), *command, says=says, status=2)


@pytest.mark.parametrize("command", [["serve"], ["config", "check"]])
def test_an_address_of_another_machine_is_named_with_the_port(env, command):
    refused(dict(env, HEARTH_SERVER_PORT="8099"), "--set", "server.host=192.0.2.7", *command, says=["192.0.2.7:8099", "server.host"])


def test_a_target_that_is_none_is_named_with_its_setting(env):
    settings = {k: v for k, v in env.items() if k != "HEARTH_BACKEND_SCRIPT"}
    refused(dict(settings, HEARTH_MODEL_PATH=str(MODELS / "llama_tied.gguf")), "--set", "model.target=sse", "config", "check", says=["model.target", "'sse'", "ref"])


def test_a_host_that_is_none_is_refused_before_anything_is_made(env):
    refused(env, "--set", "server.host=nonsense", "serve", says=["server.host", "'nonsense'", "127.0.0.1"])
    assert not (pathlib.Path(env["HEARTH_STATE_FOLDER"]) / "pg").exists()
