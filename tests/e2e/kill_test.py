"""kill -9 at random moments: no accepted message is lost or left without an answer, nothing is doubled, what is in doubt says so."""
import contextlib
import json
import os
import random
import signal
import subprocess
import threading
import time

import pytest
import support
from conftest import running
from support import call, check_trace, said, user

KILLS = 16
TURNS_AT_A_TIME = 2
MARK = "echo {0} >> marks; sleep 0.15; echo {0} over >> marks"
SCRIPT = [
    {"when": "turn", "delay_ms": 60, "text": "First I look. ", "word_delay_ms": 25, "tool_calls": [call("bash", command=MARK.format("one"))]},
    {"when": "turn", "delay_ms": 60, "tool_calls": [call("bash", command=MARK.format("two")), call("list_dir", path=".")]},
    {"when": "turn", "delay_ms": 60, "text": "It took a while but now it is done, all of it.", "word_delay_ms": 25},
    {"when": "hello", "text": "Hello again."},
    {"when": "doubt", "tool_calls": [call("list_dir", path=".")]},
    {"when": "doubt", "tool_calls": [call("bash", command="touch began; sleep 20")]},
    {"when": "doubt", "text": "It may have been done."},
]
ANSWER = SCRIPT[2]["text"]
DOUBT = "\n\nIt is not known whether this took effect, and it was not repeated: bash "


@pytest.fixture(scope="module")
def hearth():
    """A state folder of its own: the postmaster outlives each kill."""
    with contextlib.closing(support.State("kill")) as state:
        yield from running(support.Hearth(state, "kill_test", SCRIPT))


class Turn:
    """One dev chat turn, and how much of it its client saw before the server died."""

    def __init__(self, hearth, text, folder, conversation, streamed):
        self.text, self.folder, self.streamed = text, folder, streamed
        self.conversation = conversation
        self.run_id = self.done = None
        self.events = []
        folder.mkdir(parents=True)
        body = {"messages": [user(text)], "workspace": str(folder), "stream": streamed}
        if conversation:
            body["conversation_id"] = conversation
        self.thread = threading.Thread(target=self.follow, args=(hearth, body))
        self.thread.start()

    def follow(self, hearth, body):
        try:
            if not self.streamed:
                self.finish(hearth.call("POST", "/v0/dev/chat", body).json)
                return
            for name, data in hearth.stream("/v0/dev/chat", body):
                self.events.append(name)
                if name == "run_started":
                    self.run_id, self.conversation = data["run_id"], data["conversation_id"]
                if name == "done":
                    self.finish(data)
        except (OSError, ValueError, support.http.client.HTTPException):
            pass  # the server was killed

    def finish(self, result):
        self.done, self.run_id, self.conversation = result, result["run_id"], result["conversation_id"]


def kill_and_restart(hearth, chance):
    """Half of the moments lie around acceptance, the others anywhere in the turn."""
    moment = chance.uniform(0, 0.06) if chance.random() < 0.4 else chance.uniform(0.06, 1.6)
    time.sleep(moment)
    hearth.stop(signal.SIGKILL)
    return moment


def all_runs(hearth):
    """Once none works any more."""
    listed = lambda: hearth.call("GET", "/v1/runs?limit=500").json["data"]
    hearth.wait_for(lambda: not {"running", "interrupted"} & {run["status"] for run in listed()}, "the end of what was interrupted", 20)
    return [hearth.run(run["id"]) for run in hearth.call("GET", "/v1/runs?limit=500").json["data"]]


def accepted(runs):
    """Each accepted message with its run and the answers that follow it: [(text, run, answers)].

    Every turn adds one message, so the n-th message of a conversation belongs to its n-th run."""
    out, conversations = [], {}
    for run in sorted(runs, key=lambda run: run["id"]):
        conversations.setdefault(run["conversation_id"], []).append(run)
    for theirs in conversations.values():
        asked = []
        for role, text in said(theirs[0]):
            if role == "user":
                asked.append((text, []))
            else:
                asked[-1][1].append(text)
        assert len(asked) == len(theirs), "as many messages as runs"
        out += [(text, run, answers) for (text, answers), run in zip(asked, theirs)]
    return out


def check_turn(turn, everything):
    found = [one for one in everything if one[0] == turn.text]
    assert len(found) <= 1, "the message is there once"
    if not found:
        assert turn.run_id is None, "an accepted message is there"
        return "not accepted"
    (_, run, answers), = found
    if turn.run_id:
        assert (run["id"], run["conversation_id"]) == (turn.run_id, turn.conversation)
    check_steps(run, turn)
    assert len(answers) == 1, "one answer, whole"
    if run["status"] == "answered":
        assert answers == [ANSWER]
        return "answered"
    assert not turn.done, "what was answered stays answered"
    assert run["status"] == "unknown_effect", run["status"] + run["error"]
    assert answers[0].startswith(ANSWER + DOUBT), answers
    return run["status"]


def check_steps(run, turn):
    assert run["chain"] == "whole"
    keys = [(step["kind"], step["name"], json.dumps(step["input"])) for step in run["steps"] if step["kind"] == "tool"]
    assert len(keys) == len(set(keys)), "no tool step twice"
    assert not [step for step in run["steps"] if step["state"] == "intent"], "each step has an outcome, unknown perhaps"
    spans = [span["id"] for span in run["spans"]]
    assert len(spans) == len(set(spans))
    marks = turn.folder / "marks"
    lines = marks.read_text().splitlines() if marks.exists() else []
    assert len(lines) == len(set(lines)), "no command ran twice"
    bash = {step["input"]["command"].split()[1]: step["state"] for step in run["steps"] if step["name"] == "bash"}
    for line in lines:
        assert line.split()[0] in bash, "what ran had been written down before"
    for mark, state in bash.items():
        if state == "done":
            assert mark in lines and mark + " over" in lines


def test_nothing_accepted_is_lost_and_nothing_is_doubled(hearth):
    seed = int(os.environ.get("HEARTH_KILL_SEED") or random.SystemRandom().randrange(1 << 30))
    print(f"HEARTH_KILL_SEED={seed}")
    chance = random.Random(seed)
    turns, conversations = [], []
    for kill in range(KILLS):
        fresh = []
        for n in range(TURNS_AT_A_TIME):
            old = conversations.pop(0) if conversations and chance.random() < 0.5 else None
            fresh.append(Turn(hearth, f"turn {kill}.{n} of {seed}", hearth.state.folder / f"work/{kill}.{n}", old, chance.random() < 0.7))
        moment = kill_and_restart(hearth, chance)
        for turn in fresh:
            turn.thread.join(20)
            assert not turn.thread.is_alive()
        hearth.start()
        turns += fresh
        everything = accepted(all_runs(hearth))
        outcomes = [check_turn(turn, everything) for turn in fresh]
        print(f"kill {kill} after {moment * 1000:.0f} ms: {', '.join(outcomes)}")
        conversations += [turn.conversation for turn in fresh if turn.conversation]
        assert hearth.dev("hello")["response"] == "Hello again."
    everything = accepted(all_runs(hearth))
    for turn in turns:
        check_turn(turn, everything)
    assert {text for text, _, _ in everything} <= {"hello"} | {turn.text for turn in turns}


def trace(hearth, *arguments):
    return subprocess.run([support.BINARY, "trace", "show", *arguments], env=hearth.env, capture_output=True, text=True, timeout=60)


def test_an_interrupted_run_is_shown_with_its_steps_and_what_is_in_doubt(hearth):
    folder = hearth.state.folder / "doubt"
    folder.mkdir()
    stream = hearth.stream("/v0/dev/chat", {"messages": [user("doubt")], "workspace": str(folder)})
    started = stream.next("run_started")
    hearth.wait_for((folder / "began").exists, "the program's start")
    assert "not finished: bash" in trace(hearth, started["run_id"]).stdout
    hearth.stop(signal.SIGKILL)
    hearth.start()
    has_root = lambda run: any(span["parent"] is None for span in run["spans"])
    run = hearth.wait_for(lambda: (run := hearth.run(started["run_id"]))["finished"] and has_root(run) and run, "the run's end", 5)
    check_trace(run)
    shown = trace(hearth, started["run_id"]).stdout
    assert all(f"  {span['kind']} {span['name']} " in shown for span in run["spans"] if span["parent"]), shown
    assert "tool list_dir" in shown and 'in doubt: bash {"command":"touch began; sleep 20"}' in shown, shown


@pytest.mark.parametrize("unknown", ["01900000-0000-7000-8000-000000000000", "no id"])
def test_a_run_that_is_not_there_is_named(hearth, unknown):
    done = trace(hearth, unknown)
    assert done.returncode == 1 and f"'{unknown}'" in done.stderr and "hearth trace show" in done.stderr, done.stderr


def test_the_programs_of_a_killed_server_die_with_it(hearth):
    folder = hearth.state.folder / "orphans"
    folder.mkdir()
    stream = hearth.stream("/v0/dev/chat", {"messages": [user("turn with a program")], "workspace": str(folder)})
    hearth.wait_for((folder / "marks").exists, "the program's start")
    hearth.stop(signal.SIGKILL)
    stream.close()
    time.sleep(0.5)
    assert (folder / "marks").read_text() == "one\n"
    hearth.start()
