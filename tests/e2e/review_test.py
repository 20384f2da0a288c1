"""The heartbeat and the review of failures: what is wrong is said once, and is one issue however often it happens."""
import json
import shutil
import time

import pytest
import support
from conftest import running
from support import Hearth, user
from telegram_test import answered, command, house
from trace_test import sql
from upstream_test import upstream  # noqa: F401  (a fixture)

SCRIPT = [{"when": "", "text": "Good evening to you."}]


def test_failures_are_one_issue_with_its_runs(upstream, request):  # noqa: F811
    own = support.State("review")
    request.addfinalizer(own.close)
    upstream.refusal = 403
    settings = {"upstream.url": f"http://127.0.0.1:{upstream.server_port}/v1", "upstream.model": "m", "heartbeat.minutes": 1}
    for server in running(Hearth(own, "review", settings=settings)):
        for _ in range(3):
            server.chat("hearth", [user("hi")])
        failed = [run["id"] for run in server.call("GET", "/v1/runs?limit=10").json["data"] if run["status"] == "no_backend"]
        assert len(failed) == 3
        assert json.loads(command(server, "review", "run", "--json"))["new"] == 1
        issue, = json.loads(command(server, "review", "list", "--json"))
        assert issue["state"] == "needs-triage" and issue["count"] == 3 and sorted(issue["runs"]) == sorted(failed) and len(issue["first_build"]) == 16
        assert "0 failures" in command(server, "review", "run")
        assert failed[0] in command(server, "review", "show", issue["id"])
        assert "deployed it is with the next build" in command(server, "review", "mark", issue["id"], "deployed", status=1)
        assert "fixed-locally" in command(server, "review", "mark", issue["id"], "fixed-locally")
        assert "closed" in command(server, "review", "close", issue["id"])
        assert command(server, "review", "list") == "there are none\n"
        assert len(json.loads(command(server, "review", "list", "--all", "--json"))) == 1
        server.wait_for(lambda: "have failed on one day" in command(server, "heartbeat"), "the heartbeat", 90)
        seen = [one for one in json.loads(command(server, "heartbeat", "--json")) if one["kind"] == "runs_failed"]
        assert len(seen) == 1 and not seen[0]["told"], "there is no channel"


def test_a_kind_that_there_is_not_is_refused(hearth):
    assert "heartbeat.silence holds 'noise'" in command(hearth, "--set", "heartbeat.silence=noise", "config", "check", status=1)


@pytest.mark.skipif(not shutil.which("psql"), reason="needs psql")
def test_the_owner_is_told_once():
    with house("heartbeat", settings={"heartbeat.minutes": 1, "heartbeat.channel": "telegram"}) as server:
        server.start()
        server.bot.write("hello", sender=43)
        server.wait_for(lambda: server.bot.texts(43), "a code", 15)
        code, = [one["code"] for one in json.loads(command(server, "pair", "list", "--json"))["waiting"]]
        owner = next(one["name"] for one in json.loads(command(server, "person", "list", "--json")) if one["role"] == "owner")
        command(server, "pair", "approve", code, "--person", owner)
        answered(server, "Good evening!", sender=43)
        server.bot.sent.clear()
        # As if the talk had been a while ago, and the run of it had failed.
        sql(server.state, "update run set state = 'failed', started_at = started_at - interval '10 minutes', finished_at = finished_at - interval '10 minutes'")
        said = "A run of hearth has failed (hearth run list)."
        server.wait_for(lambda: said in server.bot.texts(43), "the heartbeat", 90)
        time.sleep(75)
        assert server.bot.texts(43) == [said]
