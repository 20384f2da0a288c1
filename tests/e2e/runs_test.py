"""POST /v1/runs: taken in, begun by whichever server is there, listened to, steered, forked; over kills and restarts."""
import contextlib
import json
import signal
import subprocess
import threading
import time
import uuid

import pytest
import support
from conftest import running
from support import Hearth, call, check_trace, ended, said

WORDS = "These are the words of an answer that takes its time, so that one can be killed while it is said."
SCRIPT = [
    {"when": "say it", "text": "First I look.", "tool_calls": [call("list_dir", path=".")]},
    {"when": "say it", "text": WORDS, "word_delay_ms": 60},
    {"when": "work", "tool_calls": [call("bash", command="echo once >> once; sleep 1.5")]},
    {"when": "work", "text": "It is done."},
    {"when": "in French", "text": "C'est fait."},
    {"when": "hello", "text": "Hello."},
]
DEV = {"agent": "hearth/dev"}


@pytest.fixture(scope="module")
def hearth():
    with contextlib.closing(support.State("runs")) as state:
        yield from running(Hearth(state, "runs_test", SCRIPT))


@contextlib.contextmanager
def another(hearth, name):
    other = Hearth(hearth.state, f"runs_test_{name}", SCRIPT, {"server.socket": hearth.state.folder / f"{name}.sock"})
    try:
        yield other
    finally:
        other.stop()


def begin(hearth, text, headers=None, **fields):
    answer = hearth.call("POST", "/v1/runs", {"input": text, **DEV, **fields}, headers)
    assert answer.status == 202, answer.data
    return answer.json


class Listener(threading.Thread):
    """Listens from an event on; `resumed` takes back what came after the event that it names."""

    def __init__(self, hearth, run_id, after=None):
        super().__init__(daemon=True)
        self.hearth, self.run_id, self.events, self.after, self.times = hearth, run_id, [], after, []
        self.start()

    def run(self):
        with contextlib.suppress(OSError, ValueError):
            self.listen()

    def listen(self):
        headers = {"Last-Event-ID": self.after} if self.after else {}
        connection, response = self.hearth.send("GET", f"/v1/runs/{self.run_id}/events", None, headers)
        with contextlib.closing(connection):
            assert response.status == 200, response.read()
            self.read(response)

    def read(self, response):
        event = {}
        for line in response:
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field in ("id", "event", "data"):
                event[field] = value
            elif event:
                self.hear(event["id"], event["event"], json.loads(event["data"]))
                event = {}

    def hear(self, event_id, name, data):
        self.times.append((event_id, name, time.monotonic()))
        self.after = event_id
        if name == "resumed":
            kept = number(data["after"])
            self.events = [event for event in self.events if number(event[0]) <= kept]
        else:
            self.events.append((event_id, name, data))

    def text(self):
        return "".join(data["text"] for _, name, data in self.events if name == "text")

    def over(self):
        return bool(self.events) and self.events[-1][1] == "done"

    def names(self):
        out = []
        for _, name, _ in self.events:
            if not out or out[-1] != name:
                out.append(name)
        return out


def number(event_id):
    return tuple(map(int, event_id.split(".")))


def until(condition, what, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(what)


def test_a_run_is_taken_in_and_told_to_the_end(hearth):
    run = begin(hearth, "say it", metadata={"from": "a test"})
    assert run["status"] in ("queued", "running") and run["object"] == "run" and run["metadata"] == {"from": "a test"}
    listener = Listener(hearth, run["id"])
    until(listener.over, "the end")
    assert listener.text() == "First I look." + WORDS
    assert listener.names() == ["run_started", "text", "tool_call", "tool_result", "text", "done"]
    done = ended(hearth, run["id"])
    assert done["answer"] == WORDS and done["status"] == "answered" and done["approval"] is None and done["urls"]["events"].endswith("/events")
    again = Listener(hearth, run["id"])
    until(again.over, "the end")
    assert again.text() == listener.text() and again.names() == listener.names(), "a finished run tells it again"
    assert hearth.call("GET", f"/v1/runs/{run['id']}/events", headers={"Last-Event-ID": again.after}).status == 204


def test_what_is_wrong_is_refused_by_name(hearth):
    for body, param in [({}, "input"), ({"input": ""}, "input"), ({"input": []}, "input"), ({"input": "x", "class": "slow"}, "class"),
                        ({"input": "x", "budget": {"seconds": 0}}, "budget"), ({"input": "x", "metadata": {"a": 1}}, "metadata"), ({"input": "x", "tools": [{}]}, "tools")]:
        answer = hearth.call("POST", "/v1/runs", body)
        assert answer.status == 400 and answer.error["param"] == param, answer.data
    assert hearth.call("POST", "/v1/runs", {"input": "x", "agent": "nobody"}).error["param"] == "agent"
    chat = hearth.call("POST", "/v1/keys", {"scopes": ["chat"]}).json["secret"]
    assert hearth.call("POST", "/v1/runs", {"input": "x", **DEV}, key=chat).status == 403
    assert hearth.call("GET", f"/v1/runs/{uuid.uuid4()}/events").status == 404
    run = begin(hearth, "hello")
    assert hearth.call("GET", f"/v1/runs/{run['id']}/events", headers={"Last-Event-ID": "x"}).status == 400


def test_the_same_key_is_the_same_run_also_after_a_restart(hearth):
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    run = begin(hearth, "hello", headers)
    again = hearth.call("POST", "/v1/runs", json.dumps({"agent": "hearth/dev", "input": "hello"}, indent=3), headers)
    assert again.status == 202 and again.json["id"] == run["id"] and again.headers["Idempotent-Replayed"] == "true"
    hearth.stop(signal.SIGKILL)
    hearth.start()
    assert begin(hearth, "hello", headers)["id"] == run["id"]
    other = hearth.call("POST", "/v1/runs", {"agent": "hearth/dev", "input": "hello!"}, headers)
    assert other.status == 409 and headers["Idempotency-Key"] in other.error["message"] and other.error["param"] == "Idempotency-Key"
    assert [run["question"] for run in hearth.call("GET", "/v1/runs?limit=100").json["data"]].count("hello!") == 0


def test_killed_between_acceptance_and_beginning_it_is_begun_by_the_next_server(hearth):
    taken = []
    for _ in range(6):
        taken.append(begin(hearth, "hello")["id"])
    hearth.stop(signal.SIGKILL)
    hearth.start()
    for run_id in taken:
        run = ended(hearth, run_id)
        assert run["status"] == "answered" and said(run) == [("user", "hello"), ("assistant", "Hello.")]


def test_killed_in_the_middle_a_listener_goes_on_where_it_was(hearth):
    run = begin(hearth, "say it")
    listener = Listener(hearth, run["id"])
    until(lambda: "words" in listener.text(), "the words")
    hearth.stop(signal.SIGKILL)
    listener.join(5)
    hearth.start()
    again = Listener(hearth, run["id"], listener.after)
    again.events = listener.events
    until(again.over, "the end")
    assert again.text() == "First I look." + WORDS
    whole = Listener(hearth, run["id"])
    until(whole.over, "the end")
    assert [event[1:] for event in whole.events if event[1] not in ("text", "tool_result")] == [event[1:] for event in again.events if event[1] not in ("text", "tool_result")]
    ended(hearth, run["id"])


def test_a_listener_at_another_server_hears_what_is_written(hearth):
    with another(hearth, "listening") as other:
        other.start()
        run = begin(hearth, "say it")
        holder = hearth
        until(lambda: hearth.run(run["id"])["status"] == "running", "its beginning")
        listeners = [Listener(server, run["id"]) for server in (hearth, other)]
        for listener in listeners:
            until(listener.over, "the end")
            assert listener.text() == "First I look." + WORDS
        assert listeners[0].names() == listeners[1].names()
        ended(holder, run["id"])


def test_words_from_a_second_client_are_read_by_the_next_step(hearth):
    with another(hearth, "steering") as other:
        other.start()
        run = begin(hearth, "work")
        listener = Listener(hearth, run["id"])
        until(lambda: "tool_call" in listener.names(), "the call")
        told = other.call("POST", f"/v1/runs/{run['id']}/steer", {"text": "And answer in French."})
        assert told.status == 200 and told.json["run_id"] == run["id"], told.data
        until(listener.over, "the end")
        done = ended(hearth, run["id"])
        assert said(done) == [("user", "work"), ("user", "And answer in French."), ("assistant", "C'est fait.")]
        assert [(one["text"], one["read"]) for one in done["inputs"]] == [("And answer in French.", True)]
        assert "input" in listener.names()
        late = other.call("POST", f"/v1/runs/{run['id']}/steer", {"text": "Too late."})
        assert late.status == 409 and "finished" in late.error["message"]
    for body in ({}, {"text": ""}, {"text": 1}, []):
        assert hearth.call("POST", f"/v1/runs/{run['id']}/steer", body).status == 400
    assert hearth.call("POST", f"/v1/runs/{uuid.uuid4()}/steer", {"text": "x"}).status == 404


def test_a_fork_repeats_nothing(hearth):
    folder = hearth.state.folder / "forked"
    folder.mkdir()
    run = begin(hearth, "work", workspace=str(folder))
    first = ended(hearth, run["id"])
    assert (folder / "once").read_text() == "once\n"
    step = first["steps"][1]
    assert step["name"] == "bash"
    answer = hearth.call("POST", f"/v1/runs/{run['id']}/fork", {"step": step["id"], "text": "And answer in French."})
    assert answer.status == 202, answer.data
    fork = ended(hearth, answer.json["id"])
    assert fork["forked_from"] == {"run": run["id"], "step": step["id"]}
    assert said(fork) == [("user", "work"), ("user", "And answer in French."), ("assistant", "C'est fait.")]
    assert (folder / "once").read_text() == "once\n", "the command was not run again"
    assert check_trace(fork)["attributes"]["forked_from"] == fork["forked_from"]
    assert hearth.run(run["id"])["status"] == "answered"
    for wrong in ({}, {"step": 99}, {"step": str(uuid.uuid4())}, {"step": []}):
        refused = hearth.call("POST", f"/v1/runs/{run['id']}/fork", wrong)
        assert refused.status == 400 and refused.error["param"] == "step", refused.data


def test_a_run_that_waits_for_nothing_takes_no_word(hearth):
    run = begin(hearth, "hello")
    ended(hearth, run["id"])
    assert hearth.call("POST", f"/v1/runs/{run['id']}/approve", {"decision": "grant"}).status == 409
    assert hearth.call("POST", f"/v1/runs/{run['id']}/approve", {"decision": "maybe"}).status == 400
    assert hearth.call("POST", f"/v1/runs/{uuid.uuid4()}/approve", {"decision": "grant"}).status == 404


def test_a_key_without_the_scope_directs_no_coder(hearth):
    run = begin(hearth, "hello")
    assert hearth.call("GET", f"/v1/runs/{run['id']}/events", key="hk_wrong").status == 401
    chat = hearth.call("POST", "/v1/keys", {"scopes": ["chat"]}).json["secret"]
    assert hearth.call("POST", f"/v1/runs/{run['id']}/steer", {"text": "Do more."}, key=chat).status == 403
    assert hearth.call("POST", f"/v1/runs/{run['id']}/fork", {"step": 0}, key=chat).status == 403
    assert hearth.call("POST", f"/v1/runs/{run['id']}/approve", {"decision": "grant"}, key=chat).status == 403
    span = ended(hearth, run["id"])["spans"][0]["id"]
    assert hearth.call("POST", f"/v1/runs/{run['id']}/replay", {"span_id": span, "prompt": "dev_system@1"}, key=chat).status == 403


def test_the_same_key_is_the_same_run_also_when_its_folder_is_gone(hearth, tmp_path):
    headers, folder = {"Idempotency-Key": str(uuid.uuid4())}, tmp_path / "away"
    folder.mkdir()
    order = {"input": "hello", **DEV, "workspace": str(folder)}
    run = hearth.call("POST", "/v1/runs", order, headers).json
    ended(hearth, run["id"])
    folder.rmdir()
    again = hearth.call("POST", "/v1/runs", order, headers)
    assert again.status == 202 and again.json["id"] == run["id"] and again.headers["Idempotent-Replayed"] == "true"
    assert hearth.call("POST", "/v1/runs", order).status == 404


def test_nothing_is_taken_in_without_the_database_and_nothing_half(hearth):
    subprocess.run([hearth.state.binary, "db", "stop"], env=hearth.state.env, check=True, capture_output=True)
    try:
        key = str(uuid.uuid4())
        refused = hearth.call("POST", "/v1/runs", {"input": "hello", **DEV}, {"Idempotency-Key": key})
        assert refused.status == 503 and refused.headers["Retry-After"], refused.data
    finally:
        subprocess.run([hearth.state.binary, "db", "start"], env=hearth.state.env, check=True, capture_output=True)
    hearth.wait_for(lambda: hearth.call("GET", "/health").status == 200, "health")
    run = begin(hearth, "hello", {"Idempotency-Key": key})
    assert ended(hearth, run["id"])["status"] == "answered"
