"""Rules of the house, and a person who is asked for a word by them: in the terminal, over a restart, and where nobody is."""
import contextlib
import json
import subprocess

import pytest
import support
from conftest import running
from support import BINARY, Hearth, call
from terminal_test import terminal  # noqa: F401 (a fixture)

SCRIPT = [
    {"when": "tidy", "text": "I tidy up.", "tool_calls": [call("bash", command="echo once >> done.txt")]},
    {"when": "tidy", "text": "It is tidy."},
    {"when": "twice", "tool_calls": [call("bash", command="echo first >> done.txt")]},
    {"when": "twice", "text": "And now the other.", "tool_calls": [call("bash", command="echo second >> done.txt")]},
    {"when": "twice", "text": "Both are told."},
    {"when": "long", "tool_calls": [call("bash", command="echo once >> done.txt")]},
    {"when": "long", "text": " ".join(f"word{n}" for n in range(500)), "word_delay_ms": 20},
]


@pytest.fixture(scope="module")
def hearth():
    with contextlib.closing(support.State("rules")) as state:
        yield from running(Hearth(state, "rule_test", SCRIPT))


def rule(hearth, *arguments, status=0):
    done = subprocess.run([BINARY, "rule", *arguments], env=hearth.env, cwd="/", capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def in_force(hearth, rules):
    """Waits until the server has read so many of the house."""
    found = lambda: next(probe["found"] for probe in hearth.call("GET", "/health").json["probes"] if probe["name"] == "rules")
    hearth.wait_for(lambda: found().startswith(f"{rules} of the house"), f"{rules} rules", 5)


@pytest.fixture
def asks(hearth):
    rule(hearth, "set", "ask_before_programs", "ask", "--tool", "bash", "--reason", "Programs wait for me.")
    in_force(hearth, 1)
    yield
    rule(hearth, "rm", "ask_before_programs")
    in_force(hearth, 0)


@pytest.fixture
def folder(hearth, request):
    path = hearth.state.folder / "rules" / request.node.name
    path.mkdir(parents=True)
    return path


def asked(terminal, command):
    before = terminal.expect("[y/n] ")
    assert f'bash {{"command":"{command}"}}' in before and "Programs wait for me. (rule ask_before_programs)" in before, before
    return before


def newest(hearth):
    return hearth.run(hearth.call("GET", "/v1/runs?limit=1").json["data"][0]["id"])


def ended(hearth):
    return hearth.wait_for(lambda: (run := newest(hearth))["status"] != "waiting_person" and run["finished"] and run, "the run's end", 10)


def done_in(folder):
    file = folder / "done.txt"
    return file.read_text() if file.exists() else ""


def test_yes_lets_it_happen_once_and_the_run_goes_on(hearth, asks, terminal, folder):
    terminal.say("tidy\n")
    terminal.expect("I tidy up.")
    asked(terminal, "echo once >> done.txt")
    assert done_in(folder) == ""
    terminal.say("perhaps\n")
    terminal.expect("[y/n] ")
    terminal.say("y\n")
    shown = terminal.expect("It is tidy.")
    assert "I tidy up." not in shown and "· bash" not in shown, "what was told before is not told again"
    terminal.expect("> ")
    assert done_in(folder) == "once\n"
    run = ended(hearth)
    assert run["status"] == "answered"
    called = [span for span in run["spans"] if span["kind"] == "tool"]
    assert [span["attributes"]["rule"] for span in called] == ["ask_before_programs"]
    assert called[0]["attributes"]["facts"]["approval"]["word"] == "granted"


def test_no_goes_on_without(hearth, asks, terminal, folder):
    terminal.say("tidy\n")
    asked(terminal, "echo once >> done.txt")
    terminal.say("No\n")
    terminal.expect("It is tidy.")
    assert done_in(folder) == ""
    assert "approval" in json.dumps([span["attributes"] for span in ended(hearth)["spans"]])


def test_each_program_is_asked_for(hearth, asks, terminal, folder):
    terminal.say("twice\n")
    asked(terminal, "echo first >> done.txt")
    terminal.say("yes\n")
    between = asked(terminal, "echo second >> done.txt")
    assert between.count("And now the other.") == 1
    assert done_in(folder) == "first\n"
    terminal.say("y\n")
    assert "And now the other." not in terminal.expect("Both are told.")
    assert done_in(folder) == "first\nsecond\n"


def test_what_was_typed_before_is_no_answer(hearth, asks, terminal, folder):
    terminal.say("tidy\ny\ny\n")
    asked(terminal, "echo once >> done.txt")
    assert done_in(folder) == ""
    terminal.say("n\n")
    terminal.expect("It is tidy.")


def test_a_server_that_comes_back_goes_on_with_the_word(hearth, asks, terminal, folder):
    terminal.say("tidy\n")
    asked(terminal, "echo once >> done.txt")
    hearth.stop()
    terminal.say("y\n")
    terminal.expect("no server answers now")
    hearth.start()
    terminal.expect("It is tidy.", 20)
    assert done_in(folder) == "once\n"


def test_an_interruption_at_the_question_leaves_the_run_at_rest(hearth, asks, terminal, folder):
    terminal.say("tidy\n")
    asked(terminal, "echo once >> done.txt")
    terminal.say("\x03")
    terminal.expect("hearth: waiting_person")
    terminal.expect("> ")
    run = newest(hearth)
    assert run["status"] == "waiting_person"
    done = subprocess.run([BINARY, "approval", "grant", run["approval"]["id"]], env=hearth.env, cwd="/", capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert ended(hearth)["status"] == "answered" and done_in(folder) == "once\n"


def test_an_interruption_after_the_word_stops_the_run(hearth, asks, terminal, folder):
    terminal.say("long\n")
    asked(terminal, "echo once >> done.txt")
    terminal.say("y\n")
    terminal.expect("word5 ")
    terminal.say("\x03")
    terminal.expect("[stopped]", 5)
    terminal.expect("> ")
    assert ended(hearth)["status"] == "cancelled"


def test_where_nobody_can_be_asked_it_is_said_how_to_answer(hearth, asks, folder):
    done = subprocess.run([BINARY, "chat", "tidy"], env=hearth.env, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    run = newest(hearth)
    assert done.returncode == 6 and f"hearth approval grant {run['approval']['id']}" in done.stdout, done.stdout + done.stderr
    assert hearth.call("POST", f"/v1/runs/{run['id']}/approve", {"decision": "deny"}).status == 200
    assert ended(hearth)["status"] == "refused" and done_in(folder) == ""


def test_a_rule_that_denies_is_told_and_traced(hearth, folder):
    rule(hearth, "set", "no_programs", "deny", "--permission", "execute", "--role", "owner,member", "--reason", "Not in this house.")
    in_force(hearth, 1)
    subprocess.run([BINARY, "chat", "tidy"], env=hearth.env, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    run = ended(hearth)
    assert done_in(folder) == ""
    refused = next(span for span in run["spans"] if span["kind"] == "tool")
    assert refused["attributes"]["rule"] == "no_programs" and "Not in this house." in refused["body"]["result"]
    listed = rule(hearth, "list").stdout
    assert "no_programs" in listed and "Not in this house." in listed and "workspace_reads" in listed
    ours = [one for one in json.loads(rule(hearth, "list", "--json").stdout) if not one["shipped"]]
    assert [(one["name"], one["verdict"], one["roles"]) for one in ours] == [("no_programs", "deny", ["owner", "member"])]
    rule(hearth, "rm", "no_programs")
    in_force(hearth, 0)
    assert "hearth rule list" in rule(hearth, "rm", "no_programs", status=1).stderr


@pytest.mark.parametrize("arguments, told", [
    (["x", "deny", "--tool", "bsh"], "bash"), (["x", "deny", "--person", "Nobody"], "Nobody"), (["x", "allow"], "tools or permissions"),
    (["x", "deny", "--hours", "22-7"], "22:00-07:00"), (["x", "deny", "--role", "king"], "king"), (["a rule", "deny"], "name of a rule"),
])
def test_a_rule_that_cannot_be_is_refused(hearth, arguments, told):
    assert told in rule(hearth, "set", *arguments, status=1).stderr
    assert [one for one in json.loads(rule(hearth, "list", "--json").stdout) if not one["shipped"]] == []
