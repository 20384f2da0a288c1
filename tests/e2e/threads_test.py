"""Threads: two people beside each other, a message into a running thread by curl, children, and what is stopped with whom; the database's own account of it all."""
import contextlib
import json
import pathlib
import signal
import subprocess
import time
import uuid

import pytest
import support
from conftest import running
from support import Hearth, call, ended, said
from two_servers import LOOP, alive

MARK = "m" + uuid.uuid4().hex[:12]
SCRIPT = [
    {"when": "[From the thread", "text": "Together that is all."},
    {"when": "share the folder", "tool_calls": [call("bash", command="echo ripe > p.txt")]},
    {"when": "share the folder", "tool_calls": [call("spawn_thread", task="look at p.txt")]},
    {"when": "share the folder", "text": "I wait for it."},
    {"when": "look at p.txt", "tool_calls": [call("read_file", path="p.txt")]},
    {"when": "look at p.txt", "text": "I have seen it."},
    {"when": "divide it", "tool_calls": [call("spawn_thread", task="count the apples"), call("spawn_thread", task="count the pears")]},
    {"when": "divide it", "text": "I wait for them."},
    {"when": "have it run on", "tool_calls": [call("spawn_thread", task="never end"), call("spawn_thread", task="never end either")]},
    {"when": "have it run on", "text": "I wait for them."},
    {"when": "never end", "tool_calls": [call("bash", command=f"setsid sh -c '{LOOP}' {MARK} & sh -c '{LOOP}' {MARK}")]},
    {"when": "apples", "text": "There are 3 apples."},
    {"when": "pears", "text": "There are 5 pears."},
    {"when": "in French", "text": "C'est fait."},
    {"when": "work", "tool_calls": [call("bash", command="sleep 1.5; echo once >> once")]},
    {"when": "work", "text": "It is done."},
    {"when": "", "text": "All is well."},
]
FREE = {"agents.discipline": "free"}
DEV = {"agent": "hearth/dev"}
AUTHORIZED = '-H "Authorization: Bearer $(cat ~/.config/hearth/key)"'
# As docs/api.md has them.
BEGIN = f"""curl -d '{{"agent": "hearth/dev", "input": "Count the files here.", "thread": {{"rule": "steer", "label": "files"}}}}' {AUTHORIZED} http://127.0.0.1:8080/v1/runs"""
STEER = f"""curl -d '{{"agent": "hearth/dev", "input": "And tell me the largest.", "conversation": "CONVERSATION"}}' {AUTHORIZED} http://127.0.0.1:8080/v1/runs"""


@pytest.fixture(scope="module")
def hearth():
    with contextlib.closing(support.State("threads")) as state:
        yield from running(Hearth(state, "threads_test", SCRIPT, FREE))


def begin(hearth, text, key=None, **fields):
    answer = hearth.call("POST", "/v1/runs", {"input": text, **DEV, **fields}, key=key)
    assert answer.status == 202, answer.data
    return answer.json


def thread(hearth, thread_id):
    answer = hearth.call("GET", f"/v1/threads/{thread_id}")
    assert answer.status == 200, answer.data
    return answer.json


def works(hearth, run_id):
    hearth.wait_for(lambda: [step for step in hearth.run(run_id)["steps"] if step["kind"] == "tool"], "its first call")


def another_person(hearth):
    """A key of hers."""
    name = f"Eve {uuid.uuid4().hex[:8]}"
    hearth.state.command("person", "add", name)
    return hearth.state.command("key", "new", "--person", name, "--scopes", "chat,dev", "--quiet").strip()


def test_two_people_in_two_threads_never_see_each_others(hearth):
    keys = [hearth.key, another_person(hearth)]
    secrets = ["my first secret: work", "her other secret: work"]
    runs = [begin(hearth, secret, key) for secret, key in zip(secrets, keys)]
    hearth.wait_for(lambda: all(hearth.call("GET", run["urls"]["self"], key=key).json["status"] == "running" for run, key in zip(runs, keys)), "both at once")
    for me, she in ((0, 1), (1, 0)):
        key, theirs = keys[me], runs[she]
        listed = hearth.call("GET", "/v1/threads?limit=500", key=key)
        assert [one["id"] for one in listed.json["data"]].count(runs[me]["conversation_id"]) == 1
        everything = listed.data + hearth.call("GET", "/v1/runs?limit=500", key=key).data + hearth.call("GET", f"/v1/threads/{runs[me]['conversation_id']}", key=key).data
        assert theirs["id"].encode() not in everything and theirs["conversation_id"].encode() not in everything and secrets[she].encode() not in everything
        for method, path in [("GET", ""), ("POST", "/stop")]:
            assert hearth.call(method, f"/v1/threads/{theirs['conversation_id']}{path}", key=key).status == 404
            assert hearth.call(method, f"/v1/runs/{theirs['id']}{path}", key=key).status == 404
        assert hearth.call("POST", f"/v1/runs/{theirs['id']}/steer", {"text": "Mine."}, key=key).status == 404
        assert hearth.call("POST", "/v1/runs", {"input": "mine", "conversation": theirs["conversation_id"], **DEV}, key=key).status == 404
    for run, key, secret in zip(runs, keys, secrets):
        done = ended(hearth, run["id"], key=key)
        assert said(done) == [("user", secret), ("assistant", "It is done.")]


def curl(hearth, folder, command):
    (folder / ".config/hearth").mkdir(parents=True, exist_ok=True)
    (folder / ".config/hearth/key").write_text(hearth.key)
    done = subprocess.run(command.replace(":8080", f":{hearth.port}"), shell=True, env=dict(hearth.env, HOME=str(folder)), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_message_is_steered_into_a_running_thread_by_curl(hearth, tmp_path):
    run = curl(hearth, tmp_path, BEGIN.replace("Count the files here.", "work"))
    works(hearth, run["id"])
    steered = curl(hearth, tmp_path, STEER.replace("CONVERSATION", run["conversation_id"]).replace("And tell me the largest.", "And answer in French."))
    assert steered["id"] == run["id"] and steered["joined"] is True
    done = ended(hearth, run["id"])
    assert said(done) == [("user", "work"), ("user", "And answer in French."), ("assistant", "C'est fait.")]
    of = thread(hearth, run["conversation_id"])
    assert (of["state"], of["rule"], of["label"], of["run_id"], [one["id"] for one in of["runs"]]) == ("idle", "steer", "files", None, [run["id"]])


def test_whoever_waits_for_an_answer_gets_that_of_the_run_that_reads_it(hearth):
    run = begin(hearth, "work", thread={"rule": "steer"})
    works(hearth, run["id"])
    answer = hearth.dev("And answer in French.", conversation_id=run["conversation_id"])
    assert answer["run_id"] == run["id"] and answer["response"] == "C'est fait." and answer["state"] == "answered"


def test_the_rule_decides(hearth):
    first = begin(hearth, "work", thread={"rule": "refuse"})
    where = {"conversation": first["conversation_id"]}
    works(hearth, first["id"])
    for refused in (hearth.call("POST", "/v1/runs", {"input": "hello", **DEV, **where}), hearth.call("POST", "/v0/dev/chat", {"messages": [support.user("hello")], "conversation_id": first["conversation_id"]})):
        assert refused.status == 409 and refused.error["code"] == "conflict", refused.data
        assert first["conversation_id"] in refused.error["message"] and f"/v1/runs/{first['id']}/stop" in refused.error["message"]
    second = begin(hearth, "hello", **where, thread={"rule": "interrupt"})
    assert ended(hearth, second["id"])["status"] == "answered" and hearth.run(first["id"])["status"] == "cancelled"
    third = begin(hearth, "work", **where, thread={"rule": "queue"})
    works(hearth, third["id"])
    fourth = begin(hearth, "hello", **where)
    assert fourth["status"] == "queued" and "joined" not in fourth
    done = ended(hearth, fourth["id"])
    assert ended(hearth, third["id"])["finished"] <= done["started"] or said(done)[-2:] == [("user", "hello"), ("assistant", "All is well.")]
    for wrong in ({"rule": "maybe"}, {"rule": 1}, {"label": "x" * 201}, []):
        answer = hearth.call("POST", "/v1/runs", {"input": "hello", "thread": wrong, **DEV})
        assert answer.status == 400 and answer.error["param"] == "thread", answer.data


def test_children_work_and_tell_what_came_of_it(hearth):
    run = begin(hearth, "divide it")
    done = ended(hearth, run["id"])
    assert done["answer"] == "Together that is all." and done["status"] == "answered", done["error"]
    reports = [text for role, text in said(done) if "[From the thread" in text]
    assert sum("There are 3 apples." in text for text in reports) == 1 and sum("There are 5 pears." in text for text in reports) == 1
    children = thread(hearth, run["conversation_id"])["children"]
    assert [(one["state"], one["label"], one["depth"], one["parent"]["run"]) for one in children] == [("ended", "count the apples", 1, run["id"]), ("ended", "count the pears", 1, run["id"])]
    for child in children:
        only, = thread(hearth, child["id"])["runs"]
        messages = said(ended(hearth, only["id"]))
        assert messages[0] == ("user", child["label"]) and len(messages) == 2
        closed = hearth.call("POST", "/v1/runs", {"input": "more", "conversation": child["id"], **DEV})
        assert closed.status == 409 and child["id"] in closed.error["message"]


def test_a_child_works_in_the_folder_of_its_parent(hearth):
    run = begin(hearth, "share the folder")
    ended(hearth, run["id"])
    child, = thread(hearth, run["conversation_id"])["children"]
    only, = thread(hearth, child["id"])["runs"]
    assert [span["body"]["result"].count("ripe") for span in ended(hearth, only["id"])["spans"] if span["kind"] == "tool"] == [1]


def test_what_asks_for_less_leave_is_not_read_by_a_run_that_has_more(hearth):
    run = begin(hearth, "work on it", thread={"rule": "steer"})
    works(hearth, run["id"])
    joined = begin(hearth, "also this", conversation=run["conversation_id"])
    assert joined["id"] == run["id"] and joined["joined"]
    for wish in ({"read_only": True}, {"write_tier": "prompts"}, {"budget": {"output_tokens": 100}}):
        other = begin(hearth, "hello", conversation=run["conversation_id"], **wish)
        assert other["id"] != run["id"] and "joined" not in other, wish
    assert ended(hearth, run["id"])["status"] == "answered"


@contextlib.contextmanager
def with_children(hearth):
    """A run on one server whose children's programs run there or on another."""
    other = Hearth(hearth.state, "threads_test_other", SCRIPT, {**FREE, "server.socket": hearth.state.folder / "other.sock"})
    try:
        other.start()
        run = begin(hearth, "have it run on")
        hearth.wait_for(lambda: len(alive(MARK)) >= 4, "the programs of both", 30)
        yield run, other
    finally:
        other.stop()


@pytest.mark.parametrize("what", ["runs", "threads"])
def test_a_stop_through_another_server_ends_children_and_their_programs_first(hearth, what):
    with with_children(hearth) as (run, other):
        asked = time.monotonic()
        stopped = other.call("POST", f"/v1/{what}/{run['id'] if what == 'runs' else run['conversation_id']}/stop")
        assert stopped.status == 200 and stopped.json["stopping"] is True
        hearth.wait_for(lambda: not alive(MARK), "the death of their programs", 10)
        assert time.monotonic() - asked < 3
        assert ended(hearth, run["id"])["status"] == "cancelled"
        of = thread(hearth, run["conversation_id"])
        assert [one["state"] for one in of["children"]] == ["cancelled", "cancelled"]
        for child in of["children"]:
            only, = thread(hearth, child["id"])["runs"]
            assert ended(hearth, only["id"])["status"] == "cancelled"
        again = hearth.call("POST", "/v1/runs", {"input": "hello", "conversation": run["conversation_id"], **DEV})
        assert (of["state"], again.status) == (("idle", 202) if what == "runs" else ("cancelled", 409)), again.data


def test_killed_while_three_threads_run_each_goes_on(hearth):
    runs = [begin(hearth, "work"), begin(hearth, "divide it"), begin(hearth, "hello there, work")]
    hearth.wait_for(lambda: hearth.run(runs[0]["id"])["status"] == "running", "its beginning")
    hearth.stop(signal.SIGKILL)
    hearth.start()
    for run in runs:
        assert ended(hearth, run["id"], seconds=30)["status"] in ("answered", "unknown_effect")
        assert thread(hearth, run["conversation_id"])["state"] == "idle"
    children = thread(hearth, runs[1]["conversation_id"])["children"]
    assert [(one["state"], one["label"]) for one in children] == [("ended", "count the apples"), ("ended", "count the pears")]


def command(hearth, *words):
    return subprocess.run([hearth.state.binary, "thread", *words], env=dict(hearth.env, HEARTH_SERVER_PORT=str(hearth.port)), capture_output=True, text=True, timeout=60)


def test_the_command_line_shows_and_stops_them(hearth):
    run = begin(hearth, "work", thread={"label": "my line"})
    listed = command(hearth, "list")
    assert listed.returncode == 0 and f"{run['conversation_id']}  running" in listed.stdout and "my line" in listed.stdout, listed.stderr
    shown = command(hearth, "show", run["conversation_id"])
    assert f"run {run['id']}" in shown.stdout, shown.stderr
    stopped = command(hearth, "stop", run["conversation_id"])
    assert stopped.stdout == f"{run['conversation_id']} is cancelled\n", stopped.stderr
    assert ended(hearth, run["id"])["status"] == "cancelled"
    assert json.loads(command(hearth, "show", run["conversation_id"], "--json").stdout)["state"] == "cancelled"
    for word in ("show", "stop"):
        for unknown in (str(uuid.uuid4()), "x"):
            told = command(hearth, word, unknown)
            assert told.returncode == 1 and "there is no thread" in told.stderr


def test_the_page_has_these_commands():
    page = (pathlib.Path(support.ROOT) / "docs/api.md").read_text()
    assert BEGIN in page and STEER in page
