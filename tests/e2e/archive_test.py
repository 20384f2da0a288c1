"""What was said lies in an archive, too, and what was well answered can be exported; neither says anything of what was forgotten."""
import json
import os
import pathlib
import signal
import subprocess
import time

import support
from support import call, memory

PASS = '{"why": "It says what was asked.", "verdict": "pass"}'
FAIL = '{"why": "It says nothing.", "verdict": "fail"}'
SECRET = "the spare key lies in the teapot of porcelain"
SCRIPT = [
    {"when": "The person asked:\nWhat is the weather", "text": FAIL},
    {"when": "Judge the answer", "text": PASS},
    {"when": "keep it well", "tool_calls": [call("remember", text=SECRET)]},
    {"when": "keep it well", "text": "I keep in mind that " + SECRET + "."},
    {"when": "paint", "text": "Take marine green."},
    {"when": "", "text": "All is well."},
]
SETTINGS = {"backend.critic": "default"}


def segment_of(house, question):
    return next(one["segment"] for one in json.loads(memory(house, "why", question, "--json")) if one["kind"] == "segment")


def judged(house, run):
    return any(span["name"] == "critic" for span in house.run(run)["spans"])


def repositories(house):
    return list(pathlib.Path(house.state.folder).glob("**/archive/*.git"))


def git(repository, *arguments):
    return subprocess.run(["git", "-c", "safe.directory=*", "-C", repository, *arguments], capture_output=True, text=True, check=True).stdout


def test_what_was_said_is_archived_once_and_shown_by_its_id(house):
    run, conversation = house.say("Which paint do we take for the archive's boat?")
    segment = segment_of(house, "What did we say of the paint of the archive's boat?")
    made = json.loads(memory(house, "archive", "--json"))
    assert made["segments"] >= 1 and made["commits"] >= 1  # two where a run of another file ended meanwhile
    assert "already" in memory(house, "archive")
    shown = memory(house, "archive", "show", segment)
    assert "marine green" in shown and conversation in shown and run in shown
    [repository] = repositories(house)
    assert oct(os.stat(repository).st_mode)[-3:] == "700"
    listed = git(repository, "log", "--name-only", "--format=%s")
    assert f"{segment}.md" in listed
    text = git(repository, "show", f"main:segments/{segment[-2:]}/{segment}.md")
    assert f"id: {segment}" in text and "marine" not in text
    health = house.call("GET", "/v1/memory/health").json["archive"]
    assert health["held"] >= 1 and health["open"] == 0
    assert "there is nothing" in memory(house, "archive", "show", "01900000-0000-7000-8000-000000000000", fails=True)


def test_a_server_that_is_killed_while_it_archives_loses_and_doubles_nothing(house):
    for i in range(3):
        house.say(f"Number {i} of what is said before a kill")
    [repository] = repositories(house)
    before = int(git(repository, "rev-list", "--count", "main"))
    asked = subprocess.Popen([house.state.binary, "memory", "archive"], env=house.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.08)
    house.stop(signal.SIGKILL)
    asked.wait(60)
    house.start()
    memory(house, "archive")
    assert house.call("GET", "/v1/memory/health").json["archive"]["open"] == 0
    assert int(git(repository, "rev-list", "--count", "main")) == before + 1
    git(repository, "fsck", "--strict")


def test_what_was_well_answered_is_exported_once_and_nothing_else(house, tmp_path):
    good = [house.say("Which paint is best for oars?")[0] for _ in range(2)]
    bad, _ = house.say("What is the weather of tomorrow?")
    for run in (*good, bad):
        house.wait_for(lambda: judged(house, run), "the verdict", 20)
    file = tmp_path / "pairs.jsonl"
    memory(house, "export", str(file))
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert oct(os.stat(file).st_mode)[-3:] == "600"
    [pair] = [one for one in lines if "oars" in one["messages"][0]["content"]]
    assert pair["messages"] == [{"role": "user", "content": "Which paint is best for oars?"}, {"role": "assistant", "content": "Take marine green."}]
    assert pair["metadata"]["run_id"] == good[1] and pair["metadata"]["verdict"] == "pass" and pair["metadata"]["model"] and pair["metadata"]["why"] == "It says what was asked."
    assert not any("weather" in one["messages"][0]["content"] for one in lines)
    assert "let no answer" in memory(house, "export", str(file), "--until", "2020-01-01", fails=True)
    assert "soon" in memory(house, "export", str(file), "--since", "soon", fails=True)


def test_neither_says_what_was_forgotten(house, tmp_path):
    run, conversation = house.say("Please remember, keep it well: " + SECRET)
    house.say("And which lamp burns in the hallway?", conversation)
    house.wait_for(lambda: judged(house, run), "the verdict", 20)
    told, other = segment_of(house, "what did we say about the teapot of porcelain?"), segment_of(house, "what did we say of the lamp in the hallway?")
    memory(house, "archive")
    assert SECRET in memory(house, "archive", "show", told)
    fact = next(one for one in json.loads(memory(house, "list", "--json")) if one["text"] == SECRET)
    gone = json.loads(memory(house, "forget", fact["id"], "--yes", "--json"))
    assert gone["counts"]["archive_keys"] >= 1 and gone["counts"]["trace_details"] >= 1
    assert "forgotten" in memory(house, "archive", "show", told, fails=True)
    memory(house, "archive")
    assert "forgotten" in memory(house, "archive", "show", told, fails=True)
    assert "lamp burns" in memory(house, "archive", "show", other)
    memory(house, "export", str(tmp_path / "after.jsonl"))
    assert "teapot" not in (tmp_path / "after.jsonl").read_text()
    assert house.run(run)["chain"] == "whole" and all(span["attributes"] == {"forgotten": True} for span in house.run(run)["spans"])
    assert "teapot" not in support.dump(house.state)
