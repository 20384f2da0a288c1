"""A setting that is wrong: named with its place and a remedy, before anything is made."""
import json
import pathlib

import pytest
from faults import refused, run
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
    (["directive", "list", "--key", ""], {}, ["--key is given empty"]),
    (["run", "--agent", "", "hello"], {}, ["--agent is given empty"]),
    (["chat", "--agent", "", "hello"], {}, ["--agent"]),
    (["--settings", "", "serve"], {}, ["--settings is given empty"]),
    (["rule", "set", "few", "ask", "--tool", "bash", "--after-calls", "-1"], {}, ["--after-calls", "-1 not in range 1 to 1000000000"]),
    (["rule", "set", "few", "ask", "--tool", "bash", "--after-calls", "99999999999999999999"], {}, ["--after-calls", "99999999999999999999"]),
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


BROKEN = "log: {level: info}\nroster:\n  oscar: {chain: [\n"  # ends within a list


def test_a_file_that_is_no_yaml_stops_what_uses_the_broken_part_alone(env, tmp_path):
    file = tmp_path / "hearth.yaml"
    file.write_text(BROKEN)
    of_file = ["--settings", str(file)]
    for command in (["db", "status"], ["model", "list"], ["model", "inspect", str(MODELS / "llama_tied.gguf")], ["db", "roles"]):
        done = run(env, *of_file, *command)
        assert "hearth.yaml" not in done.stderr and (done.returncode == 0 or command[0] == "db"), (command, done.stderr)
    found = {probe["name"]: probe for probe in json.loads(run(env, *of_file, "doctor", "--json").stdout)}
    assert found["settings file"]["health"] == "FAILED" and found["settings file"]["found"].startswith(f"{file}, line ") and found["settings file"]["remedy"]
    for command in (["serve"], ["config", "check"], ["config", "show"]):
        refused(env, *of_file, *command, says=[f"{file}, line "], status=2)
    file.write_text("database:\n  url: [\n")
    for command in (["db", "status"], ["chat", "hello"]):
        refused(env, *of_file, *command, says=[f"{file}, line "], status=2)
    assert run(env, *of_file, "model", "inspect", str(MODELS / "llama_tied.gguf")).returncode == 0


def test_doctor_names_the_line_of_agents_that_cannot_be_read(env, tmp_path):
    file = tmp_path / "agents.yaml"
    file.write_text("agents:\n  - name: [\n")
    found = {probe["name"]: probe for probe in json.loads(run(dict(env, HEARTH_AGENTS_FILE=str(file)), "doctor", "--json").stdout)}
    assert found["agents"]["health"] == "FAILED" and found["agents"]["found"].startswith(f"{file}, line "), found["agents"]


@pytest.mark.parametrize("command", [["serve"], ["config", "check"]])
def test_an_address_of_another_machine_is_named_with_the_port(env, command):
    refused(dict(env, HEARTH_SERVER_PORT="8099"), "--set", "server.host=192.0.2.7", *command, says=["192.0.2.7:8099", "server.host"])


def test_a_target_that_is_none_is_named_with_its_setting(env):
    settings = {k: v for k, v in env.items() if k != "HEARTH_BACKEND_SCRIPT"}
    refused(dict(settings, HEARTH_MODEL_PATH=str(MODELS / "llama_tied.gguf")), "--set", "model.target=sse", "config", "check", says=["model.target", "'sse'", "ref"])


def test_a_host_that_is_none_is_refused_before_anything_is_made(env):
    refused(env, "--set", "server.host=nonsense", "serve", says=["server.host", "'nonsense'", "127.0.0.1"])
    assert not (pathlib.Path(env["HEARTH_STATE_FOLDER"]) / "pg").exists()
