"""A person's word from the command line. What asks for one are tools that reach beyond the machine (tests/agents/approval_test.cpp)."""
import subprocess

import pytest

SCRIPT = [{"when": "", "text": "All is well."}]
UNKNOWN = "01900000-0000-7000-8000-000000000000"


def approval(hearth, *words):
    return subprocess.run([hearth.state.binary, "approval", *words], env=dict(hearth.env, HEARTH_SERVER_PORT=str(hearth.port)), capture_output=True, text=True, timeout=60)


def test_nothing_waits(hearth):
    listed = approval(hearth, "list")
    assert (listed.returncode, listed.stdout) == (0, "nothing waits for your word\n"), listed.stderr
    assert approval(hearth, "list", "--json").stdout == "[]\n"
    assert hearth.call("GET", "/v1/approvals").json == {"object": "list", "data": []}


@pytest.mark.parametrize("word", ["grant", "deny"])
@pytest.mark.parametrize("wanted", [UNKNOWN, "0190", "x"])
def test_what_nobody_asked_is_said_not_to_be_there(hearth, word, wanted):
    told = approval(hearth, word, wanted)
    assert told.returncode == 1 and f"there is no approval {wanted}" in told.stderr.replace("'", ""), told.stderr


def test_a_word_that_is_none_is_refused(hearth):
    for body in ({}, {"decision": "maybe"}, {"decision": 1}, []):
        answer = hearth.call("POST", f"/v1/approvals/{UNKNOWN}", body)
        assert answer.status == 400 and answer.error["param"] == "decision", answer.data
    assert hearth.call("POST", f"/v1/approvals/{UNKNOWN}", {"decision": "grant"}).status == 404
