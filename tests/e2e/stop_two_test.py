"""A stop through one server reaches a run on another, whatever it does just then. How fast: tests/bench/stop_bench.py."""
import random
import time

import pytest
from support import check_trace
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
