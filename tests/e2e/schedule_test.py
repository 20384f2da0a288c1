"""Schedules, end to end: what comes due is done once, whatever stops or is killed, and what comes of it is told once."""
import contextlib
import json
import random
import re
import shutil
import signal
import time

import pytest
import support
from conftest import running
from support import Hearth
from telegram_test import answered, command, house, outbox
from trace_test import sql

pytestmark = pytest.mark.skipif(not shutil.which("psql"), reason="needs psql")

SCRIPT = [
    {"when": "news", "text": "Sure! Two trains are late.\n\nWould you like me to look for others?"},
    {"when": "disk", "text": "NOTHING"},
    {"when": "for long", "delay_ms": 1500, "text": "Done at last."},
    {"when": "look around", "tool_calls": [support.call("glob_files", pattern="*")]},
    {"when": "look around", "text": "I could not."},
    {"when": "", "text": "Good evening to you."},
]


def schedule(server, *words, **more):
    return command(server, "schedule", *words, **more)


def add(server, when, what, *more):
    return json.loads(schedule(server, "add", when, what, *more, "--json"))


def shown(server, job):
    return json.loads(schedule(server, "show", job["id"], "--json"))


def come_due(state, ago="0 seconds", jobs=None):
    """As if time had passed."""
    which = "" if jobs is None else " and id in (" + ", ".join(f"'{job['id']}'" for job in jobs) + ")"
    sql(state, f"update schedule set next_at = date_trunc('second', clock_timestamp()) - interval '{ago}' where ended_at is null{which}")


def fires(state, where="true"):
    """state, run and outcome of each, in order."""
    out = sql(state, f"select f.state, coalesce(f.run_id::text, ''), f.outcome from schedule_fire f where {where} order by instant")
    return [line.split("|") for line in out.splitlines()]


@pytest.fixture(scope="module")
def own():
    made = support.State("schedule")
    yield made
    made.close()


@pytest.fixture
def hearth(own):
    sql(own, "delete from schedule_fire; delete from schedule")
    yield from running(Hearth(own, "schedule", SCRIPT))


def test_a_schedule_is_made_in_words_and_merged_with_one_of_the_same(hearth):
    job = add(hearth, "every weekday at 8am", "What is in the news?", "--zone", "Europe/Paris")
    assert (job["cron"], job["zone"], job["state"], job["merged"]) == ("0 8 * * 1-5", "Europe/Paris", "waiting", False)
    assert job["next_there"].endswith(" 08:00") and job["next_there"][:3] in ("Mon", "Tue", "Wed", "Thu", "Fri")
    again = add(hearth, "0 8 * * 1-5", "what is in the  news", "--zone", "Europe/Paris")
    assert again["merged"] and again["id"] == job["id"]
    other = add(hearth, "0 8 * * 1-5", "what is in the news", "--zone", "UTC")
    assert not other["merged"]
    alternate = add(hearth, "every other day at 08:00", "what is in the news", "--zone", "UTC")
    assert re.fullmatch(r"0 8 \* \* \* 2d@1970-01-0[56]", alternate["cron"])
    wrong = schedule(hearth, "add", "every weekday at 8", "news", status=1)
    assert "08:00 or 20:00" in wrong and "every weekday at 20:00" in wrong
    assert "'whenever' is not understood" in schedule(hearth, "add", "whenever", "news", status=1)
    assert "no time zone 'Mars/Olympus'" in schedule(hearth, "add", "@daily", "news", "--zone", "Mars/Olympus", status=1)
    assert "no agent hearth/nobody" in schedule(hearth, "add", "@daily", "news", "--agent", "hearth/nobody", status=1)
    assert "nobody has written to you from 'telegram'" in schedule(hearth, "add", "@daily", "news", "--channel", "telegram", status=1)
    assert "is paused" in schedule(hearth, "pause", job["id"][:20]) and shown(hearth, job)["state"] == "paused"
    assert "goes on" in schedule(hearth, "resume", job["id"]) and shown(hearth, job)["state"] == "waiting"
    listed = schedule(hearth, "list")
    assert "every weekday 08:00" in listed and "every other day, 08:00" in listed and "1970" not in listed
    assert "1970" not in schedule(hearth, "show", alternate["id"]) and alternate["words"] == "every other day, 08:00"
    assert re.search("is there already: every other day, 08:00, next on ... 20.*UTC", schedule(hearth, "add", "every other day at 08:00", "what is in the news", "--zone", "UTC"))
    assert "is over" in schedule(hearth, "rm", job["id"])
    assert {one["id"] for one in json.loads(schedule(hearth, "list", "--json"))} == {other["id"], alternate["id"]}
    assert len(json.loads(schedule(hearth, "list", "--all", "--json"))) == 3
    assert "is over" in schedule(hearth, "resume", job["id"], status=1)
    assert "no schedule '00000000'" in schedule(hearth, "show", "00000000", status=1)


def test_a_person_has_schedules_of_her_own_over_http(hearth):
    made = hearth.call("POST", "/v1/schedules", {"when": "every day at noon", "prompt": "good evening", "zone": "UTC", "more": 1})
    assert made.status == 201 and made.json["cron"] == "0 12 * * *" and not made.json["merged"] and made.headers["X-Hearth-Ignored-Fields"] == "more"
    path = "/v1/schedules/" + made.json["id"]
    asked = hearth.call("POST", "/v1/schedules", {"when": "at 8", "prompt": "good evening"})
    assert (asked.status, asked.error["code"], asked.error["param"]) == (400, "ambiguous", "when") and "08:00 or 20:00" in asked.error["message"]
    for body, param in (({"when": "@daily"}, "prompt"), ({"when": "@daily", "prompt": "x", "zone": "Mars"}, "zone"), ({"when": "@daily", "prompt": "x", "missed": "never"}, "missed"),
                        ({"when": "@daily", "prompt": "x", "channel": "telegram"}, "channel"), ({"when": "@daily", "prompt": "x", "agent": "hearth/nobody"}, "agent")):
        refused = hearth.call("POST", "/v1/schedules", body)
        assert refused.status in (400, 404) and refused.error["param"] == param, refused.data
    command(hearth, "person", "add", "Clara")
    clara = command(hearth, "key", "new", "--person", "Clara", "--quiet").strip()
    assert hearth.call("GET", "/v1/schedules", key=clara).json["data"] == []
    assert hearth.call("DELETE", path, key=clara).status == 404
    assert hearth.call("POST", "/v1/schedules", {"when": "@daily", "prompt": "x", "agent": "hearth/dev"}, key=clara).status == 403
    hers = hearth.call("POST", "/v1/schedules", {"when": "every day at noon", "prompt": "good evening", "zone": "UTC"}, key=clara).json
    assert not hers["merged"] and hers["id"] not in json.dumps(json.loads(schedule(hearth, "list", "--json")))
    hearth.call("POST", f"/v1/schedules/{hers['id']}/run", key=clara)
    hearth.wait_for(lambda: hearth.call("GET", "/v1/schedules/" + hers["id"], key=clara).json["fires"][0]["state"] == "done", "hers", 20)
    run = hearth.call("GET", "/v1/schedules/" + hers["id"], key=clara).json["fires"][0]["run"]
    assert hearth.call("GET", "/v1/runs/" + run, key=clara).status == 200 and hearth.call("GET", "/v1/runs/" + run).status == 404
    assert hearth.call("POST", path + "/pause").json["state"] == "paused" and hearth.call("POST", path + "/resume").json["state"] == "waiting"
    assert hearth.call("DELETE", path).json["state"] == "ended" and hearth.call("POST", path + "/resume").status == 409


def test_what_comes_due_is_done_once_and_kept_where_it_goes_nowhere(hearth, own):
    job = add(hearth, "in 3 hours", "What is in the news?")
    repeated = add(hearth, "@hourly", "good evening")
    come_due(own)
    hearth.wait_for(lambda: shown(hearth, job)["answer"], "an answer", 20)
    done = shown(hearth, job)
    fire, = done["fires"]
    assert (fire["state"], fire["outcome"], done["state"]) == ("done", "kept", "ended")
    assert done["answer"] == "Two trains are late.", "nobody is offered anything"
    run = hearth.run(fire["run"])
    assert run["status"] == "answered" and support.check_trace(run)
    assert run["messages"][0]["content"] == "What is in the news?"
    hearth.wait_for(lambda: shown(hearth, repeated)["answer"], "an answer", 20)
    later = shown(hearth, repeated)
    assert later["state"] == "waiting" and later["next"] > fire["instant"]
    schedule(hearth, "run", repeated["id"])
    hearth.wait_for(lambda: len([one for one in shown(hearth, repeated)["fires"] if one["state"] == "done"]) == 2, "the other", 20)
    assert shown(hearth, repeated)["next"] == later["next"], "beside its times"


def test_missed_times_are_made_up_for_as_it_is_wanted(own):
    sql(own, "delete from schedule_fire; delete from schedule")
    server = Hearth(own, "schedule_missed", SCRIPT)
    jobs = {missed: add(server, "*/10 * * * *", f"good evening, {missed}", "--missed", missed) for missed in ("skip", "once", "all")}
    once = add(server, "in 2 hours", "good evening, then", "--missed", "skip")
    # So that no time of it was seven minutes ago or less, and the next one is not at once.
    sql(own, "update schedule set cron = (extract(minute from clock_timestamp() at time zone 'UTC')::int + 50) % 60 || ' * * * *', zone = 'UTC' where cron <> ''")
    sql(own, "update schedule set next_at = date_trunc('minute', clock_timestamp()) - interval '190 minutes' where cron <> ''")
    come_due(own, "1 hour", [once])
    for started in running(server):
        started.wait_for(lambda: len(fires(own, "state in ('done', 'skipped')")) == 8, "all", 40)
        time.sleep(2)
        states = {missed: [fire["state"] for fire in shown(started, job)["fires"]] for missed, job in jobs.items()}
        assert states == {"skip": ["skipped"], "once": ["done", "skipped"], "all": ["done"] * 4}
        assert [fire["state"] for fire in shown(started, once)["fires"]] == ["skipped"] and shown(started, once)["state"] == "ended"
        assert all(shown(started, job)["next"] > "2026" and shown(started, job)["state"] == "waiting" for job in jobs.values())


def test_nobody_is_there_to_ask(own):
    sql(own, "delete from schedule_fire; delete from schedule")
    for server in running(Hearth(own, "schedule_ask", SCRIPT, {"agents.discipline": "free"})):
        command(server, "rule", "set", "ask_before_looks", "ask", "--tool", "glob_files")
        job = add(server, "in 2 hours", "look around", "--agent", "hearth/dev")
        come_due(own)
        server.wait_for(lambda: shown(server, job)["answer"], "an answer", 20)
        run = server.run(shown(server, job)["fires"][0]["run"])
        assert "Nobody is present" in json.dumps(run) and "ask_before_looks" in json.dumps(run)


def test_the_answer_is_told_once_and_nothing_where_there_is_nothing(own):
    with house("schedule_bot", script=SCRIPT) as server:
        server.start()
        owner = next(one["name"] for one in json.loads(command(server, "person", "list", "--json")) if one["role"] == "owner")
        server.bot.write("hello", sender=43)
        server.wait_for(lambda: server.bot.texts(43), "a code", 15)
        code, = [one["code"] for one in json.loads(command(server, "pair", "list", "--json"))["waiting"]]
        command(server, "pair", "approve", code, "--person", owner)
        answered(server, "Good evening!", sender=43)
        loud = add(server, "@hourly", "What is in the news?", "--channel", "telegram")
        quiet = add(server, "@hourly", "is the disk full?", "--channel", "telegram", "--silent")
        server.bot.sent.clear()
        come_due(server.state)
        server.wait_for(lambda: "Two trains are late." in server.bot.texts(43), "the news", 20)
        server.wait_for(lambda: shown(server, quiet)["fires"][0]["state"] == "done", "the other", 20)
        time.sleep(3)
        assert server.bot.texts(43) == ["Two trains are late."]
        assert shown(server, loud)["fires"][0]["outcome"] == "told" and shown(server, quiet)["fires"][0]["outcome"] == "nothing to say"
        row = outbox(server)[0]
        assert row["state"] == "delivered" and row["emitter"] == "run:" + shown(server, loud)["fires"][0]["run"]


def test_each_time_is_done_once_by_two_servers_that_are_killed(own):
    sql(own, "delete from schedule_fire; delete from schedule")
    before = int(sql(own, "select count(*) from run"))
    servers = [Hearth(own, f"schedule_two_{n}", SCRIPT, {"server.socket": own.folder / f"{n}.sock"}) for n in (0, 1)]
    rng = random.Random(7)
    with contextlib.ExitStack() as ended:
        for server in servers:
            ended.callback(server.stop)
            server.start()
        count, rounds = 12, 5
        jobs = [add(servers[0], "@hourly", f"good evening, number {n}") for n in range(count)]
        for _ in range(rounds):
            come_due(own)
            time.sleep(rng.uniform(0.1, 1.3))
            victim = rng.choice(servers)
            victim.stop(signal.SIGKILL)
            victim.start()
        servers[0].wait_for(lambda: int(sql(own, "select count(*) from schedule_fire where state = 'done'")) == int(sql(own, "select count(*) from schedule_fire")), "all", 90)
        all_fires = fires(own)
        assert len(all_fires) >= count * 2, "several times of each"
        assert len({run for _, run, _ in all_fires}) == len(all_fires) and all(state == "done" for state, _, _ in all_fires), all_fires
        assert int(sql(own, "select count(*) from run")) - before == len(all_fires), "no run but for a time that came due"
        assert sql(own, "select count(*) from run r join schedule_fire f on f.run_id = r.id where r.state <> 'answered'") == "0"
        assert len(jobs) == len(json.loads(schedule(servers[0], "list", "--json")))
