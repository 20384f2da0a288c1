"""A run whose server is killed goes on by itself: after a restart, or in another server on the same database."""
import contextlib
import signal
import time

import pytest
import support
from conftest import running
from support import Hearth, call, ended, said, user

SOON = 5  # seconds after the server is ready
DOUBT = "\n\nIt is not known whether this took effect, and it was not repeated: bash "
WORDS = "These are the words of an answer that takes its time, so that one can be killed while it is said."
TALK = "An answer of three seconds. " * 12
SCRIPT = [
    {"when": "run it", "tool_calls": [call("list_dir", path=".")]},
    {"when": "run it", "tool_calls": [call("bash", command="echo begun >> begun; sleep 20; echo ended >> ended")]},
    {"when": "run it", "text": "It was run."},
    {"when": "say it", "text": "First I look.", "tool_calls": [call("bash", command="echo once >> once"), call("list_dir", path=".")]},
    {"when": "say it", "text": WORDS, "word_delay_ms": 60},
    {"when": "talk", "tool_calls": [call("bash", command="echo once >> once")]},
    {"when": "talk", "text": TALK, "word_delay_ms": 50},
    {"when": "what was", "text": "It was that."},
]


@pytest.fixture(scope="module")
def hearth():
    with contextlib.closing(support.State("resume")) as state:
        yield from running(Hearth(state, "resume_test", SCRIPT))


def folder_of(hearth, name):
    folder = hearth.state.folder / name
    folder.mkdir()
    return folder


def begin(hearth, text, folder, until):
    """A run that has come so far; its id and its conversation."""
    stream = hearth.stream("/v0/dev/chat", {"messages": [user(text)], "workspace": str(folder)})
    started = stream.next("run_started")
    until(stream)
    return started["run_id"], started["conversation_id"]


def in_a_program(hearth, folder):
    return lambda stream: hearth.wait_for((folder / "begun").exists, "the program's start")


def in_words(stream):
    while "answer" not in stream.next("text")["text"]:
        pass


def expect_words_once(run, folder):
    assert run["status"] == "answered" and run["error"] == ""
    assert said(run) == [("user", "say it"), ("assistant", WORDS)]
    assert (folder / "once").read_text() == "once\n"
    assert [(step["name"], step["state"]) for step in run["steps"]] == [("default", "done"), ("bash", "done"), ("list_dir", "done"), ("default", "done")]


def test_killed_in_the_middle_of_a_program_the_run_ends_and_says_what_is_in_doubt(hearth):
    folder = folder_of(hearth, "program")
    run_id, conversation = begin(hearth, "run it", folder, in_a_program(hearth, folder))
    hearth.stop(signal.SIGKILL)
    hearth.start()
    run = ended(hearth, run_id, SOON)
    assert run["status"] == "unknown_effect"
    assert [(step["name"], step["state"]) for step in run["steps"]] == [("default", "done"), ("list_dir", "done"), ("default", "done"), ("bash", "unknown"), ("default", "done")]
    told = run["steps"][3]["outcome"]["text"]
    assert "Do not repeat it" in told and "with tools that only read" in told
    (_, asked), (_, answered) = said(run)
    assert asked == "run it" and answered.startswith("It was run." + DOUBT) and answered.count("not known") == 1
    assert (folder / "begun").read_text() == "begun\n" and not (folder / "ended").exists()
    later = hearth.dev("what was that?", conversation_id=conversation)
    assert later["response"] == "It was that."
    assert [role for role, _ in said(hearth.run(later["run_id"]))] == ["user", "assistant"] * 2


def test_killed_in_the_middle_of_its_words_the_run_says_them_once(hearth):
    folder = folder_of(hearth, "words")
    run_id, _ = begin(hearth, "say it", folder, in_words)
    hearth.stop(signal.SIGKILL)
    hearth.start()
    expect_words_once(ended(hearth, run_id, SOON), folder)


def test_the_response_of_a_killed_servers_run_ends_with_it(hearth):
    folder = folder_of(hearth, "response")
    stream = hearth.stream("/v1/responses", {"model": "hearth/dev", "input": "say it", "workspace": str(folder)})
    begun = stream.next("response.created")["response"]
    path, run_id = f"/v1/responses/{begun['id']}", begun["metadata"]["hearth_run_id"]
    while "answer" not in stream.next("response.output_text.delta")["delta"]:
        pass
    assert hearth.call("GET", path).json["status"] == "in_progress"
    hearth.stop(signal.SIGKILL)
    hearth.start()
    expect_words_once(ended(hearth, run_id, SOON), folder)
    response = hearth.call("GET", path).json
    assert response["status"] == "completed" and response["hearth"]["state"] == "answered"
    assert [item["content"][0]["text"] for item in response["output"]] == [WORDS]
    later = hearth.call("POST", "/v1/responses", {"model": "hearth/dev", "input": "what was that?", "previous_response_id": begun["id"]})
    assert later.status == 200 and later.json["output"][0]["content"][0]["text"] == "It was that.", later.data


def test_a_server_that_is_stopped_leaves_its_runs_to_the_next_one(hearth):
    folder = folder_of(hearth, "stopped")
    stream = hearth.stream("/v0/dev/chat", {"messages": [user("say it")], "workspace": str(folder)})
    run_id = stream.next("run_started")["run_id"]
    in_words(stream)
    hearth.stop()
    assert stream.next("done")["state"] == "interrupted", "the client hears it"
    hearth.start()
    expect_words_once(ended(hearth, run_id, SOON), folder)


def test_another_server_takes_over_from_one_that_is_killed(hearth):
    folder = folder_of(hearth, "two")
    other = Hearth(hearth.state, "resume_test_other", SCRIPT, {"server.socket": hearth.state.folder / "other.sock"})
    try:
        other.start()
        run_id, _ = begin(other, "talk", folder, in_words)
        time.sleep(1.5)
        assert hearth.run(run_id)["status"] == "running" and run_id not in hearth.log.read_text(), "whose it is, stays its own"
        other.stop(signal.SIGKILL)
        run = ended(hearth, run_id, SOON + 3)
        assert run["status"] == "answered" and said(run) == [("user", "talk"), ("assistant", TALK)]
        assert run_id in hearth.log.read_text() and (folder / "once").read_text() == "once\n"
    finally:
        other.stop()
