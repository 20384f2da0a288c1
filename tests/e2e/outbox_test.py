"""What the owner says of what leaves: silence, a word first, quiet hours, caps; and how long the outbox knows what was said."""
import contextlib
import hashlib
import json
import shutil
import time

import pytest
import support
from channels_test import ANSWER, SCRIPT, Files
from support import Hearth, command, outbox, sql


@pytest.fixture(scope="module")
def hearth():
    with contextlib.closing(support.State("outbox")) as state:
        files = Files(state.folder / "files")
        server = Hearth(state, "outbox", SCRIPT, {**files.settings, "outbox.chats_per_hour": 2, "outbox.keep_days": 30})
        server.files = files
        command(server, "person", "add", "Clara")
        try:
            server.start()
            files.write("hello")
            server.wait_for(lambda: files.sent(), "a code", 15)
            code, = [one["code"] for one in json.loads(command(server, "pair", "list", "--json"))["waiting"]]
            command(server, "pair", "approve", code, "--person", "Clara")
            server.wait_for(lambda: len(files.sent()) == 2, "a welcome", 15)
            yield server
        finally:
            server.stop()


def written(server, text="Good evening!"):
    """Somebody writes; the row of its answer."""
    before = len(outbox(server))
    server.files.write(text)
    server.wait_for(lambda: len(outbox(server)) == before + 1, "an answer", 20)
    return outbox(server)[0]


def newest(server):
    return outbox(server)[0]


def found(server, name):
    return next(probe["found"] for probe in server.call("GET", "/health").json["probes"] if probe["name"] == name)


def test_nothing_leaves_in_silence_and_all_of_it_afterwards(hearth):
    assert "is no time of the day" in command(hearth, "outbox", "silence", "--until", "25:00", status=1)
    assert "nothing leaves until 20" in command(hearth, "outbox", "silence", "--until", "07:30")
    assert "nothing leaves;" in command(hearth, "outbox", "silence")
    hearth.wait_for(lambda: found(hearth, "outbox").startswith("nothing leaves"), "the word of it", 5)
    left = hearth.files.left()
    assert written(hearth)["state"] == "queued"
    time.sleep(2.5)
    assert newest(hearth)["state"] == "queued" and hearth.files.left() == left
    assert "leave again" in command(hearth, "outbox", "resume")
    hearth.wait_for(lambda: newest(hearth)["state"] == "delivered", "the end of silence", 10)
    assert hearth.files.left() == left + 1 and "there was no silence" in command(hearth, "outbox", "resume")
    assert found(hearth, "outbox") == "messages leave"


def test_a_rule_that_asks_asks_the_owner(hearth):
    command(hearth, "rule", "set", "ask_first", "ask", "--tool", "reply", "--reason", "I read it first.")
    hearth.wait_for(lambda: found(hearth, "rules").startswith("1 of the house"), "the rule", 5)
    left, first = hearth.files.left(), written(hearth)
    assert first["state"] == "prepared" and "I read it first." in first["error"] and first["rule"] == "ask_first"
    second = written(hearth)
    time.sleep(2)
    assert hearth.files.left() == left
    command(hearth, "outbox", "allow", first["id"])
    assert "waits for a word" in command(hearth, "outbox", "allow", first["id"], status=1)
    command(hearth, "outbox", "deny", second["id"])
    hearth.wait_for(lambda: {row["id"]: row["state"] for row in outbox(hearth)}[first["id"]] == "delivered", "the word's effect", 10)
    assert hearth.files.left() == left + 1 and newest(hearth)["state"] == "failed" and "kept it in" in newest(hearth)["error"]
    command(hearth, "rule", "rm", "ask_first")
    hearth.wait_for(lambda: not found(hearth, "rules").startswith("1 of the house"), "the rule's end", 5)


@pytest.mark.skipif(not shutil.which("psql"), reason="needs psql")
def test_the_owner_says_how_what_is_unknown_ended(hearth):
    row_of = lambda one: {row["id"]: row for row in outbox(hearth)}[one["id"]]
    arrived, lost = written(hearth), written(hearth)
    hearth.wait_for(lambda: row_of(lost)["state"] == "delivered", "both", 10)
    assert "need say how it ended" in command(hearth, "outbox", "sent", arrived["id"], status=1)
    sql(hearth.state, "update outbox set state = 'unknown', error = 'it broke off' where emitter like 'run:%'")
    assert "counts as delivered" in command(hearth, "outbox", "sent", arrived["id"])
    assert (row_of(arrived)["state"], row_of(arrived)["told"]) == ("delivered", "sent") and row_of(arrived)["told_by"]
    copy = hearth.files.folder / "outbox" / f"{lost['id']}.json"
    copy.unlink()
    assert "is sent again" in command(hearth, "outbox", "unsent", lost["id"], "--again")
    hearth.wait_for(copy.exists, "it again", 10)
    assert f"{row_of(lost)['told_by']} says: again" in command(hearth, "outbox", "list")
    for row in outbox(hearth):
        if row["state"] == "unknown":
            assert "counts as failed" in command(hearth, "outbox", "unsent", row["id"])
    assert "unknown" not in {row["state"] for row in outbox(hearth)}


@pytest.mark.skipif(not shutil.which("psql"), reason="needs psql")
def test_quiet_hours_hold_back_what_answers_nobody(hearth):
    assert "no time zone" in command(hearth, "person", "quiet", "Clara", "00:00-23:59", "--zone", "Europe/Atlantis", status=1)
    assert "are no hours" in command(hearth, "person", "quiet", "Clara", "late", "--zone", "UTC", status=1)
    assert "gets answers alone" in command(hearth, "person", "quiet", "Clara", "00:00-23:59", "--zone", "Europe/Berlin")
    assert written(hearth)["state"] in ("queued", "in_flight", "delivered")
    hearth.wait_for(lambda: newest(hearth)["state"] == "delivered", "an answer to who has just written", 10)
    command(hearth, "outbox", "silence")
    late = written(hearth)
    sql(hearth.state, "update channel_heard set heard_at = heard_at - interval '2 hours'")
    command(hearth, "outbox", "resume")
    hearth.wait_for(lambda: newest(hearth)["waits"] == "quiet hours", "the reason", 10)
    assert newest(hearth)["id"] == late["id"] and newest(hearth)["state"] == "queued"
    assert "has no quiet hours" in command(hearth, "person", "quiet", "Clara", "none")
    hearth.wait_for(lambda: newest(hearth)["state"] == "delivered", "the morning", 10)


@pytest.mark.skipif(not shutil.which("psql"), reason="needs psql")
def test_few_hear_what_nobody_has_asked_for(hearth):
    command(hearth, "outbox", "silence")
    before = len(outbox(hearth))
    for n in range(4):
        hearth.files.put(f"stranger{n}.json", {"from": f"stranger{n}", "text": "hello"})
    hearth.wait_for(lambda: len(outbox(hearth)) == before + 4, "their codes", 20)
    sql(hearth.state, "update channel_heard set heard_at = heard_at - interval '2 hours'; update outbox set changed_at = changed_at - interval '2 hours'")
    command(hearth, "outbox", "resume")
    hearth.wait_for(lambda: [row["state"] for row in outbox(hearth)[:4]].count("delivered") == 2, "two of them", 20)
    time.sleep(2)
    rows = outbox(hearth)[:4]
    assert sorted(row["state"] for row in rows) == ["delivered", "delivered", "queued", "queued"] and {row["waits"] for row in rows if row["state"] == "queued"} == {"chats an hour"}
    answered = written(hearth)
    hearth.wait_for(lambda: {row["id"]: row["state"] for row in outbox(hearth)}[answered["id"]] == "delivered", "an answer, which counts for none of that", 20)


@pytest.mark.skipif(not shutil.which("psql"), reason="needs psql")
def test_the_outbox_forgets_what_was_said_and_knows_that_it_was_that(hearth):
    rows = [row for row in outbox(hearth) if row["state"] == "delivered" and row["emitter"].startswith("run:")]
    assert rows and all(row["digest"] == "" for row in rows)
    sql(hearth.state, "update outbox set changed_at = changed_at - interval '31 days'")
    hearth.stop()  # it is seen to once an hour, and at the start
    hearth.start()
    old = {row["id"] for row in rows}
    hearth.wait_for(lambda: all(row["digest"] for row in outbox(hearth) if row["id"] in old), "that", 20)
    assert hashlib.sha256(ANSWER.encode()).hexdigest() in {row["digest"] for row in outbox(hearth)}
