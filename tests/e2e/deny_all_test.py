"""Nothing leaves but through the outbox, whatever emits it: what reached the other side is what lies there as delivered, and where a rule
lets nothing out, nothing of all that would leave does."""
import collections
import json
import shutil
import time

import pytest
from channels_test import fresh, house, pair
from support import command, outbox
from trace_test import sql

pytestmark = pytest.mark.skipif(not shutil.which("psql"), reason="needs psql")


def reached(server):
    """How many messages each channel has taken in."""
    return {name: len(channel.messages() if name == "file" else channel.api.sent) for name, channel in server.channels.items()}


def delivered(server):
    """The same as the outbox has it. An edit is no message of its own."""
    rows = collections.Counter(row["bridge"] for row in outbox(server) if row["state"] == "delivered")
    return {name: rows[name] for name in server.channels}


def rules(server):
    return next(probe["found"] for probe in server.call("GET", "/health").json["probes"] if probe["name"] == "rules")


def emit(server, job):
    """All that speaks by itself or is spoken to."""
    files, owners = server.channels["file"], server.channels["telegram"]
    owners.write("Please remember: the milk is out")  # a question
    files.write("Good evening!", "dora")
    files.write("Stop!", "emil")
    files.write("hello", "stranger")                  # a code
    command(server, "schedule", "run", job["id"])
    assert server.call("POST", "/v0/admin/batch/nightly", {}).status in (200, 202)
    waiting = server.wait_for(lambda: json.loads(command(server, "pair", "list", "--json"))["waiting"], "a stranger", 15)
    command(server, "pair", "approve", waiting[0]["code"], "--person", "Dora")
    question = server.wait_for(lambda: json.loads(command(server, "approval", "list", "--json")), "what waits for a word", 20)[0]
    command(server, "approval", "grant", question["id"])


def test_what_speaks_by_itself_is_kept_in_too():
    script = [{"when": "the milk", "text": "I have seen to it.", "tool_calls": [{"name": "remember", "arguments": {"text": "The milk is out"}}]}, {"when": "", "text": "Good evening to you."}]
    with house("deny_all", script, {"agents.discipline": "free", "heartbeat.minutes": 1, "heartbeat.channel": "file"}) as server:
        server.start()
        for channel, sender, person in (("telegram", "42", "owner"), ("file", "ada", "owner"), ("file", "dora", "Dora"), ("file", "emil", "Emil")):
            pair(server, server.channels[channel], sender, person)
        for channel, sender in (("telegram", "42"), ("file", "ada")):
            answered = fresh(server.channels[channel], 1, sender)
            server.channels[channel].write("Good evening!", sender)
            server.wait_for(answered, "an answer", 20)
        job = json.loads(command(server, "schedule", "add", "@monthly", "Is all well?", "--channel", "telegram", "--json"))
        assert reached(server) == delivered(server)
        command(server, "rule", "set", "ask_first", "ask", "--tool", "remember")
        command(server, "rule", "set", "silence", "deny", "--tool", "reply")
        server.wait_for(lambda: rules(server).startswith("2 of the house"), "the rules", 5)
        server.stop()
        # The heartbeat has something to tell, and nobody has just talked.
        sql(server.state, "update schedule set next_at = date_trunc('second', clock_timestamp()) - interval '1 hour', missed = 'skip'; delete from heartbeat;"
            "update run set started_at = started_at - interval '1 hour', finished_at = finished_at - interval '1 hour'")
        left, rows = {name: channel.left() for name, channel in server.channels.items()}, len(outbox(server))
        server.start()
        emit(server, job)
        written = lambda: outbox(server)[:len(outbox(server)) - rows]
        emitters = lambda: {row["emitter"].split(":")[0] for row in written()}
        server.wait_for(lambda: emitters() >= {"start", "approval", "pairing", "heartbeat", "run", "file"}, "all that would have left", 60)
        runs = lambda: sum(row["emitter"].startswith("run:") for row in written())
        server.wait_for(lambda: runs() >= 3, "the answers, and what was scheduled", 20)
        server.wait_for(lambda: all(row["state"] == "failed" for row in written()), "that nothing of it did", 20)
        time.sleep(1)
        assert {name: channel.left() for name, channel in server.channels.items()} == left
        assert all("The rule" in row["error"] for row in written())
