"""Stopping: by POST /v1/runs/{id}/stop, and by going away."""
import contextlib
import shutil
import signal
import subprocess
import time

import pytest
from support import Hearth, call, check_trace, database_of, said, user

SLOWLY = " ".join(f"word{n}" for n in range(2000))
SCRIPT = [
    {"when": "talk for long", "text": SLOWLY, "word_delay_ms": 20},
    {"when": "think for long", "delay_ms": 60_000, "text": "Late."},
    {"when": "run for long", "tool_calls": [call("bash", command="echo begun > begun; sleep 25; echo ended > ended")]},
    {"when": "run for long", "text": "It ran."},
    {"when": "hello", "text": "Hello."},
]


def stop(hearth, run_id):
    answer = hearth.call("POST", f"/v1/runs/{run_id}/stop")
    assert answer.status == 200
    return answer.json


def ended(hearth, run_id, seconds=3):
    """The run once it has a final state; within so many seconds."""
    return hearth.wait_for(lambda: (run := hearth.run(run_id))["finished"] and run, "the run's end", seconds)


@pytest.mark.parametrize("path,body", [
    ("/v0/dev/chat", {}), ("/v1/chat/completions", {"model": "hearth/dev"}), ("/v1/chat/completions", {"model": "hearth"}),
], ids=["dev chat", "hearth/dev", "hearth"])
def test_a_run_stops_in_the_middle_of_its_answer(hearth, path, body):
    stream = hearth.stream(path, dict(body, messages=[user("talk for long")]))
    events = iter(stream)
    while "word" not in str(next(events)):
        pass
    run_id = newest_run(hearth)
    began = time.monotonic()
    assert stop(hearth, run_id)["stopping"] is True
    list(events)  # the stream ends
    assert time.monotonic() - began < 3
    run = ended(hearth, run_id)
    assert run["status"] == "cancelled"
    check_trace(run)
    (_, asked), (_, answered) = said(run)
    assert asked == "talk for long"
    assert SLOWLY.startswith(answered.strip()) and len(answered) < len(SLOWLY), "what was said is kept"
    assert stop(hearth, run_id)["stopping"] is False, "what has ended cannot be stopped"


def newest_run(hearth):
    return hearth.call("GET", "/v1/runs?limit=1").json["data"][0]["id"]


def test_a_run_stops_while_the_model_is_silent(hearth):
    stream = hearth.stream("/v0/dev/chat", {"messages": [user("think for long")]})
    run_id = stream.next("run_started")["run_id"]
    stop(hearth, run_id)
    assert stream.next("done")["state"] == "cancelled"
    assert said(ended(hearth, run_id)) == [("user", "think for long")]


def test_a_run_stops_its_program(hearth, state):
    folder = state.folder / "long"
    folder.mkdir()
    stream = hearth.stream("/v0/dev/chat", {"messages": [user("run for long")], "workspace": str(folder)})
    run_id = stream.next("run_started")["run_id"]
    stream.next("tool_call")
    hearth.wait_for((folder / "begun").exists, "the program's start")
    began = time.monotonic()
    stop(hearth, run_id)
    assert stream.next("done")["state"] == "cancelled"
    assert time.monotonic() - began < 5
    run = ended(hearth, run_id)
    step = [step for step in run["steps"] if step["kind"] == "tool"][0]
    assert "[cancelled]" in step["outcome"]["text"]
    assert not (folder / "ended").exists()


def test_another_key_of_the_same_person_may_stop_a_run_and_a_stranger_may_not(hearth):
    stream = hearth.stream("/v0/dev/chat", {"messages": [user("talk for long")]})
    run_id = stream.next("run_started")["run_id"]
    assert hearth.call("POST", f"/v1/runs/{run_id}/stop", key="hk_wrong").status == 401
    other = hearth.call("POST", "/v1/keys", {"scopes": ["chat"]}).json["secret"]
    assert hearth.call("POST", f"/v1/runs/{run_id}/stop", key=other).json["stopping"] is True
    assert stream.next("done")["state"] == "cancelled"


def metric(hearth, name):
    lines = hearth.call("GET", "/metrics").data.decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name + "{"))


def test_leaving_stops_a_streamed_bare_request(hearth):
    calls, words = metric(hearth, "hearth_model_calls_total"), metric(hearth, "hearth_output_tokens_total")
    stream = hearth.stream("/v1/chat/completions", {"model": "default", "messages": [user("talk for long")]})
    events = iter(stream)
    for _ in range(5):
        next(events)
    assert metric(hearth, "hearth_model_calls_total") == calls
    stream.close()
    hearth.wait_for(lambda: metric(hearth, "hearth_model_calls_total") == calls + 1, "the call's end", 3)
    assert 3 <= metric(hearth, "hearth_output_tokens_total") - words < 200, "the rest was not generated"


def test_leaving_stops_a_bare_request_that_waits_for_its_whole_answer(hearth):
    calls = metric(hearth, "hearth_model_calls_total")
    connection = hearth.connect("POST", "/v1/chat/completions", {"model": "default", "messages": [user("think for long")]})
    time.sleep(0.3)
    connection.close()
    hearth.wait_for(lambda: metric(hearth, "hearth_model_calls_total") == calls + 1, "the call's end", 3)


def test_leaving_stops_the_engine(tiny):
    ends = {str(tiny.tokens.index(text)): -100 for text in ("<|eos|>", "<|im_end|>")}
    words = metric(tiny, "hearth_output_tokens_total")
    stream = tiny.stream("/v1/chat/completions", {"model": "default", "messages": [user("Talk.")], "max_tokens": 15000, "logit_bias": ends})
    events = iter(stream)
    for _ in range(3):
        next(events)
    assert tiny.facts()["running"] == 1
    stream.close()
    tiny.wait_for(lambda: tiny.facts()["running"] == 0, "the engine's rest", 3)
    tiny.wait_for(lambda: metric(tiny, "hearth_output_tokens_total") > words, "the call's end", 3)
    assert metric(tiny, "hearth_output_tokens_total") - words < 14000


def test_an_agent_goes_on_without_its_client_unless_told_otherwise(hearth):
    for headers, state in [({}, None), ({"X-Hearth-On-Disconnect": "cancel"}, "cancelled")]:
        stream = hearth.stream("/v0/dev/chat", {"messages": [user("talk for long")]}, headers)
        run_id = stream.next("run_started")["run_id"]
        stream.next("text")
        stream.close()
        if state:
            assert ended(hearth, run_id)["status"] == state
        else:
            time.sleep(1)
            assert hearth.run(run_id)["status"] == "running"
            stop(hearth, run_id)
            assert ended(hearth, run_id)["status"] == "cancelled"


def test_an_idle_server_ends_at_once(hearth):
    hearth.dev("hello")
    idle = hearth.connect("GET", "/health")
    idle.getresponse().read()
    began = time.monotonic()
    hearth.stop()
    assert hearth.process.returncode == 0
    assert time.monotonic() - began < 2
    hearth.start()


@contextlib.contextmanager
def locked_runs(state):
    """Nothing can be written of any run."""
    with subprocess.Popen(["psql", "-qAt", "-v", "ON_ERROR_STOP=1", database_of(state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as psql:
        psql.stdin.write("begin; lock table run in access exclusive mode;\n\\echo locked\n")
        psql.stdin.flush()
        assert psql.stdout.readline() == "locked\n"
        yield
        psql.stdin.close()


@pytest.mark.skipif(not shutil.which("psql"), reason="needs psql")
def test_a_run_that_cannot_be_left_in_time_is_given_up_without_a_crash(hearth, state):
    server = Hearth(state, "given-up", SCRIPT, {"server.socket": state.folder / "given-up.sock"})
    server.env["MALLOC_PERTURB_"] = "165"  # what is freed is overwritten, so that whoever still uses it crashes
    try:
        stream = server.start().stream("/v0/dev/chat", {"messages": [user("talk for long")]})
        run_id = stream.next("run_started")["run_id"]
        stream.next("text")
        with locked_runs(state):
            server.process.send_signal(signal.SIGTERM)
            time.sleep(4)  # a second more than a stop waits for its runs
            assert server.process.poll() is None, "the statement that waits is awaited"
        assert server.process.wait(20) == 0
        server.process.stdout.close()
        assert hearth.run(run_id)["status"] in ("interrupted", "running"), "whichever server goes on with it"
    finally:
        server.stop()
