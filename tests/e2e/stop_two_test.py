"""A stop through one server reaches a run on another, whatever it does just then. How fast: tests/bench/stop_bench.py."""
import os
import random
import signal
import subprocess
import time
import uuid

import pytest
from support import BINARY, check_trace, user
from two_servers import CHILDREN, MANY, STATES, Stopped, StoppedWithChildren, alive, two_servers


@pytest.fixture(scope="module")
def servers():
    with two_servers("stop-two") as both:
        yield both


@pytest.mark.parametrize("what", STATES)
def test_a_stop_ends_a_run_of_another_server_and_all_its_programs(servers, what):
    works, tells = servers
    for _ in range(2):
        stopped = Stopped(works, tells, what, random.uniform(0, 0.1))
        assert stopped.answer.status == 200 and stopped.answer.json["stopping"] is True
        assert stopped.state == "cancelled" and stopped.run["status"] == "cancelled"
        check_trace(stopped.run)
        assert not [step for step in stopped.run["steps"] if step["state"] == "intent"], "each step has an outcome"
        before = stopped.marks.read_text() if STATES[what] else ""
        time.sleep(0.3)
        assert not alive(works.mark)
        assert (stopped.marks.read_text() if STATES[what] else "") == before, "nothing takes effect any more"
        assert len(stopped.run["steps"]) < MANY
        assert tells.call("POST", f"/v1/runs/{stopped.run_id}/stop").json["stopping"] is False


@pytest.mark.parametrize("what", CHILDREN)
def test_a_stop_ends_what_a_run_has_spawned_whatever_it_does(servers, what):
    works, tells = servers
    stopped = StoppedWithChildren(works, tells, what, random.uniform(0, 0.1 if CHILDREN[what] else 0.6))
    assert stopped.answer.status == 200, stopped.answer.data
    assert set(stopped.states) == {"cancelled"}, stopped.states
    time.sleep(0.3)
    assert not alive(works.mark), "nothing of it begins any more"


@pytest.mark.parametrize("round", range(6))
def test_a_server_that_stood_still_begins_nothing_after_a_stop(servers, round):
    """It keeps its run by its connection, and hears of the stop when it goes on."""
    works, tells = servers
    folder = works.state.folder / uuid.uuid4().hex
    folder.mkdir()
    marks = folder / "marks"
    stream = works.stream("/v0/dev/chat", {"messages": [user("many calls")], "workspace": str(folder)})
    run_id = stream.next("run_started")["run_id"]
    works.wait_for(lambda: marks.exists() and marks.stat().st_size > 60, "the first marks", 30)
    time.sleep(random.uniform(0, 0.1))
    os.kill(works.process.pid, signal.SIGSTOP)
    try:
        answer = tells.call("POST", f"/v1/runs/{run_id}/stop")
        assert answer.status == 200 and answer.json["stopping"] is True
        time.sleep(0.3)  # what had begun has ended
        shown = tells.run(run_id)
        assert shown["status"] == "running" and shown["stop_asked"]
        if round == 0:
            told = subprocess.run([BINARY, "run", "stop", run_id], env=tells.env, capture_output=True, text=True, timeout=60)
            assert told.returncode == 0 and "has not ended it within 3 s" in told.stderr, told
        went_on = time.time_ns()
    finally:
        os.kill(works.process.pid, signal.SIGCONT)
    run = tells.wait_for(lambda: (one := tells.run(run_id))["finished"] and one, "the run's end", 20)
    stream.close()
    assert run["status"] == "cancelled" and len(run["steps"]) < MANY
    check_trace(run)
    time.sleep(0.3)
    assert max(int(line) for line in marks.read_text().split()) < went_on, "nothing takes effect any more"
    assert not [step for step in run["steps"] if step["state"] == "intent"], "each step has an outcome"
