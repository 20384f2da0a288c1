"""hearth run: begun at a terminal and left, shown from another one, over a server that goes away, steered, asked for a word, stopped, forked."""
import contextlib
import json
import os
import re
import signal
import subprocess
import time
import uuid

import pytest
import support
from conftest import running
from support import BINARY, Hearth, call, said
from terminal_test import Terminal

UNKNOWN = "01900000-0000-7000-8000-000000000000"
WORDS = " ".join(f"word{n}" for n in range(60))
SCRIPT = [
    {"when": "at length", "text": "First I look.", "tool_calls": [call("list_dir", path=".")]},
    {"when": "at length", "text": WORDS, "word_delay_ms": 40},
    {"when": "for ever", "text": " ".join(f"word{n}" for n in range(3000)), "word_delay_ms": 20},
    {"when": "in French", "text": "C'est fait."},
    {"when": "tidy", "text": "I tidy up.", "tool_calls": [call("bash", command="echo once >> done.txt")]},
    {"when": "tidy", "text": "It is tidy."},
    {"when": "work", "tool_calls": [call("bash", command="echo once >> once; sleep 1.5")]},
    {"when": "work", "text": "It is done."},
    {"when": "which folder", "tool_calls": [call("list_dir", path=".")]},
    {"when": "which folder", "text": "This one."},
    {"when": "hello", "text": "Hello."},
] + [{"when": "round and round", "tool_calls": [call("bash", command=f"echo {n}")]} for n in range(20)]


@pytest.fixture(scope="module")
def hearth():
    with contextlib.closing(support.State("run")) as state:
        yield from running(Hearth(state, "run_test", SCRIPT))


@pytest.fixture
def folder(hearth, request):
    path = hearth.state.folder / "run" / re.sub(r"\W", "_", request.node.name)
    path.mkdir(parents=True)
    (path / "note.txt").write_text("hi\n")
    return path


@pytest.fixture
def asks(hearth):
    """Programs wait for a word."""
    def rule(*arguments):
        subprocess.run([BINARY, "rule", *arguments], env=hearth.env, cwd="/", check=True, capture_output=True, timeout=60)
    found = lambda: next(probe["found"] for probe in hearth.call("GET", "/health").json["probes"] if probe["name"] == "rules")
    rule("set", "ask_before_programs", "ask", "--tool", "bash")
    hearth.wait_for(lambda: found().startswith("1 of the house"), "the rule", 5)
    yield
    rule("rm", "ask_before_programs")
    hearth.wait_for(lambda: found().startswith("0 of the house"), "no rule", 5)


def run(hearth, folder, *arguments, status=0, stdin=None, env=None):
    done = subprocess.run([BINARY, "run", *arguments], env=env or hearth.env, cwd=folder, input=stdin, capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL if stdin is None else None)
    assert done.returncode == status, f"exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def begun(hearth, folder, message, *arguments):
    """Its id."""
    return run(hearth, folder, message, "--detach", *arguments).stdout.strip()


def ended(hearth, run_id):
    return hearth.wait_for(lambda: (one := hearth.run(run_id))["finished"] and one["status"] != "waiting_person" and one, "the run's end", 20)


@contextlib.contextmanager
def terminal(hearth, folder, *arguments):
    opened = Terminal([BINARY, "run", *arguments], hearth.env, folder)
    try:
        yield opened
    finally:
        opened.kill()


def test_it_is_shown_to_its_end(hearth, folder):
    done = run(hearth, folder, "at length")
    assert done.stdout == f"First I look.{WORDS}\n"
    assert "· list_dir" in done.stderr and "→ " in done.stderr and "note.txt" in done.stderr
    run_id = re.search(r"run ([0-9a-f-]{36})", done.stderr)[1]
    assert hearth.run(run_id)["status"] == "answered"
    shown = run(hearth, folder, "show", run_id[:13]).stdout
    for line in (f"run       {run_id}", "agent     hearth/dev", "state     answered", "phase     done", "class     normal", "question  at length", "1 tool calls", run_id.replace("-", "") + ", whole"):
        assert line in shown, shown
    assert shown.endswith(f"\n{WORDS}\n")
    assert json.loads(run(hearth, folder, "show", "--json", run_id).stdout)["answer"] == WORDS
    assert run(hearth, folder, "follow", run_id).stdout == done.stdout, "a run that has ended is told again"
    listed = run(hearth, folder, "list", "--limit", "1").stdout
    assert run_id[:13] in listed and "at length" in listed
    assert [one["id"] for one in json.loads(run(hearth, folder, "list", "--limit", "1", "--json").stdout)] == [run_id]


def test_left_it_goes_on_and_is_come_back_to(hearth, folder):
    with terminal(hearth, folder, "at length") as opened:
        run_id = re.search(r"run ([0-9a-f-]{36})", opened.expect("(Ctrl-C leaves it going)"))[1]
        opened.expect("word5 ")
        opened.say("\x03")
        assert f"the run is left as it is: {run_id}" in opened.expect("ends it")
        assert opened.end() == 130
    assert hearth.run(run_id)["status"] == "running"
    with terminal(hearth, folder, "follow", run_id) as opened:
        shown = opened.expect("word59").replace("\r\n", "\n")
        assert "First I look." in shown and "· list_dir" in shown
        assert opened.end() == 0
    assert ended(hearth, run_id)["answer"] == WORDS


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_that_comes_back_is_waited_for(hearth, folder, how):
    process = subprocess.Popen([BINARY, "run", "at length"], env=hearth.env, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        heard = ""
        while "word9 " not in heard:
            heard += os.read(process.stdout.fileno(), 4096).decode()
        hearth.stop(how)
        time.sleep(0.5)
        hearth.start()
        rest, told = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, told
    assert heard + rest == f"First I look.{WORDS}\n", "nothing twice, and nothing left out"
    assert "no server answers now" in told and told.count("· list_dir") == 1


def test_words_are_added(hearth, folder):
    run_id = begun(hearth, folder, "work")
    hearth.wait_for(lambda: [step for step in hearth.run(run_id)["steps"] if step["kind"] == "tool"], "its first call")
    assert f"{run_id} reads it" in run(hearth, folder, "steer", run_id, "and answer in French").stdout
    done = run(hearth, folder, "follow", run_id)
    assert done.stdout.endswith("C'est fait.\n") and "› and answer in French" in done.stderr
    assert "added     and answer in French\n" in run(hearth, folder, "show", run_id).stdout
    late = run(hearth, folder, "steer", run_id, "too late", status=1)
    assert "the run is finished" in late.stderr and "begin a run in the same conversation" in late.stderr


def test_it_is_stopped_once(hearth, folder):
    run_id = begun(hearth, folder, "for ever")
    hearth.wait_for(lambda: hearth.run(run_id)["status"] == "running", "its beginning")
    assert run(hearth, folder, "stop", run_id).stdout == f"{run_id} is being stopped\n"
    assert ended(hearth, run_id)["status"] == "cancelled"
    again = run(hearth, folder, "stop", run_id, status=1)
    assert "has ended already: cancelled" in again.stderr and f"hearth run show {run_id}" in again.stderr
    assert "cancelled" in run(hearth, folder, "follow", run_id, status=130).stderr


def test_a_word_is_asked_for_at_the_terminal(hearth, folder, asks):
    with terminal(hearth, folder, "tidy") as opened:
        before = opened.expect("[y/n] ")
        assert "I tidy up." in before and 'bash {"command":"echo once >> done.txt"}' in before and "rule ask_before_programs" in before
        assert not (folder / "done.txt").exists()
        opened.say("y\n")
        assert "I tidy up." not in opened.expect("It is tidy.")
        assert opened.end() == 0
    assert (folder / "done.txt").read_text() == "once\n"


def test_where_nobody_can_be_asked_the_word_is_given_by_another_command(hearth, folder, asks):
    done = run(hearth, folder, "tidy", status=6)
    run_id = re.search(r"run ([0-9a-f-]{36})", done.stderr)[1]
    assert f"hearth run approve {run_id} grant" in done.stderr and "echo once >> done.txt" in done.stderr
    assert f"waits for your word; hearth run approve {run_id} grant, or deny" in run(hearth, folder, "show", run_id).stdout
    assert "echo once >> done.txt" in run(hearth, folder, "approve", run_id, status=6).stderr
    assert run(hearth, folder, "approve", run_id, "grant").stdout == f"bash is granted, once; the run {run_id} goes on\n"
    assert run(hearth, folder, "follow", run_id).stdout.endswith("It is tidy.\n")
    assert (folder / "done.txt").read_text() == "once\n"
    none = run(hearth, folder, "approve", run_id, "grant", status=1)
    assert "waits for no word: it is answered" in none.stderr and "hearth approval list" in none.stderr


def test_the_word_of_another_terminal(hearth, folder, asks):
    run_id = begun(hearth, folder, "tidy")
    hearth.wait_for(lambda: hearth.run(run_id)["status"] == "waiting_person", "its question")
    with terminal(hearth, folder, "approve", run_id) as opened:
        opened.expect("[y/n] ")
        opened.say("n\n")
        opened.expect("bash is denied")
        assert opened.end() == 0
    assert ended(hearth, run_id)["status"] in ("answered", "refused") and not (folder / "done.txt").exists()


@pytest.mark.parametrize("word, told", [("grant", "bash was granted elsewhere, by "), ("deny", "bash was denied elsewhere, by ")])
def test_a_terminal_that_asks_hears_of_the_word_that_was_given_elsewhere(hearth, folder, asks, word, told):
    run_id = begun(hearth, folder, "tidy")
    hearth.wait_for(lambda: hearth.run(run_id)["status"] == "waiting_person", "its question")
    with terminal(hearth, folder, "follow", run_id) as opened:
        opened.expect("[y/n] ")
        assert hearth.call("POST", f"/v1/runs/{run_id}/approve", {"decision": word}).json["decided"]["via"].startswith("key:")
        opened.expect(told)
        opened.expect("(key:")
        assert "[y/n]" not in opened.expect("It is tidy.")
        assert opened.end() == (0 if word == "grant" else 4), "a run whose call was denied ends as refused"
    assert (folder / "done.txt").exists() == (word == "grant")


def test_a_terminal_that_asks_hears_that_the_run_was_stopped(hearth, folder, asks):
    run_id = begun(hearth, folder, "tidy")
    hearth.wait_for(lambda: hearth.run(run_id)["status"] == "waiting_person", "its question")
    approval = hearth.run(run_id)["approval"]["id"]
    assert hearth.call("GET", f"/v1/approvals/{approval}").json["run_status"] == "waiting_person"
    with terminal(hearth, folder, "follow", run_id) as opened:
        opened.expect("[y/n] ")
        run(hearth, folder, "stop", run_id)
        opened.expect("the run was stopped, and waits for no word any more")
        assert opened.end() == 130


def test_a_fork_goes_on_behind_a_step(hearth, folder):
    run_id = begun(hearth, folder, "work")
    ended(hearth, run_id)
    done = run(hearth, folder, "fork", run_id, "--step", "1", "and answer in French")
    fork = hearth.run(re.search(r"run ([0-9a-f-]{36})", done.stderr)[1])
    assert done.stdout == "C'est fait.\n" and fork["forked_from"]["run"] == run_id
    assert said(fork) == [("user", "work"), ("user", "and answer in French"), ("assistant", "C'est fait.")]
    assert (folder / "once").read_text() == "once\n", "the command was not run again"
    assert f"fork of   {run_id} behind its step" in run(hearth, folder, "show", fork["id"]).stdout
    last = ended(hearth, run(hearth, folder, "fork", run_id, "--detach").stdout.strip())
    assert last["answer"] == "It is done." and last["forked_from"]["step"] == hearth.run(run_id)["steps"][-1]["id"]
    assert "has no step '99'" in run(hearth, folder, "fork", run_id, "--step", "99", status=1).stderr


def test_the_folder_the_agent_and_the_key(hearth, folder):
    inner = folder / "inner"
    inner.mkdir()
    (inner / "only.txt").touch()
    done = run(hearth, folder, "which folder", "--workspace", str(inner), "--read-only")
    assert "only.txt" in done.stderr
    assert run(hearth, folder, "hello", "--agent", "hearth").stdout == "Hello.\n"
    nobody = run(hearth, folder, "hello", "--agent", "hearth/nobody", status=1)
    assert "there is no agent or model 'hearth/nobody'" in nobody.stderr and "docs/agents.md" in nobody.stderr
    assert "hearth chat --agent default talks to it" in run(hearth, folder, "hello", "--agent", "default", status=2).stderr
    assert "works in no folder of a client's" in run(hearth, folder, "hello", "--agent", "hearth", "--workspace", ".", status=1).stderr
    assert "there is no folder '/nowhere'" in run(hearth, folder, "hello", "--workspace", "/nowhere", status=1).stderr
    key = str(uuid.uuid4())
    first = begun(hearth, folder, "hello", "--key", key)
    again = run(hearth, folder, "hello", "--key", key, "--detach")
    assert again.stdout.strip() == first and "was sent before" in again.stderr
    other = run(hearth, folder, "hello!", "--key", key, "--detach", status=1)
    assert key in other.stderr and first in other.stderr


def test_what_is_piped_in_follows_the_message(hearth, folder):
    run_id = run(hearth, folder, "hello", "--detach", stdin="and a text\n").stdout.strip()
    assert ended(hearth, run_id)["question"].startswith("hello\n\nand a text")


def test_how_it_ends_is_the_exit_status(hearth, folder):
    done = run(hearth, folder, "round and round", status=3)
    assert "no answer after 10 rounds" in done.stderr
    told = json.loads(run(hearth, folder, "round and round", "--json", status=3).stdout)
    assert told["status"] == "partial" and told["answer"] is not None
    assert json.loads(run(hearth, folder, "hello", "--detach", "--json").stdout)["object"] == "run"


@pytest.mark.parametrize("arguments, status, told", [
    (["what", "is", "here"], 2, "stands in quotes"), (["what", "is", "list"], 2, "stands in quotes"), (["shwo", "0190"], 2, "did you mean hearth run show?"), (["lst"], 2, "did you mean hearth run list?"),
    ([], 2, "there is no message"), ([" "], 2, "there is no message"), (["work", UNKNOWN], 2, "did you mean hearth run fork?"), (["show", "x"], 1, "'x' is no run's id"), (["show", UNKNOWN], 1, "there is no run"),
    (["follow", UNKNOWN], 1, "there is no run"), (["stop", UNKNOWN], 1, "hearth trace list"), (["stop", ""], 1, "there is no run ''"),
    (["steer", UNKNOWN, "x"], 1, "there is no run"), (["approve", UNKNOWN, "grant"], 1, "there is no run"), (["approve", "x", "perhaps"], 2, "perhaps"),
    (["show"], 2, "id is required"), (["show", "0190", "0191"], 2, "do not go together"), (["fork", UNKNOWN], 1, "there is no run"), (["hello", "--no-such"], 2, "--no-such"),
])
def test_what_is_wrong_is_told_with_the_remedy(hearth, folder, arguments, status, told):
    assert told in run(hearth, folder, *arguments, status=status).stderr


def test_a_server_that_is_away_is_named(hearth, folder):
    nowhere = dict(hearth.env, HEARTH_SERVER_SOCKET=str(folder / "no.sock"))
    for arguments in (["hello"], ["list"], ["show", UNKNOWN[:13]], ["follow", UNKNOWN[:13]], ["stop", UNKNOWN], ["steer", UNKNOWN, "x"], ["approve", UNKNOWN, "grant"], ["fork", UNKNOWN]):
        lost = run(hearth, folder, *arguments, status=1, env=nowhere)
        assert "no hearth server answers" in lost.stderr and "start it with deploy/run" in lost.stderr
