"""The nightly batch: from telemetry to the route of heavy questions and back, asked for over HTTP, by the command line and by the clock."""
import concurrent.futures
import datetime
import json
import re
import shutil
import signal
import subprocess

import pytest
import quality_test
import support
from support import check_trace, sql, user

pytestmark = pytest.mark.skipif(not shutil.which("psql"), reason="needs psql")

HEAVY = "Compare a.txt with b.txt and explain step by step which one is better for us."
SCRIPT = [
    {"when": "Do not answer yet.", "text": json.dumps({"goal": "know it", "tools": False, "class": "normal", "machine": "talk"})},
    {"when": "Think the request through", "text": "1. Both are unknown."},
    {"when": "Now answer the request", "text": "a.txt is better."},
    {"when": "", "text": "Good evening to you."},
]
TODAY = datetime.datetime.now(datetime.timezone.utc).date()
SETTINGS = {"nightly.zone": "UTC", "mathcore.probes": "off"}  # the model of this test thinks at once: two probes, and thinking is well again


@pytest.fixture(scope="module")
def own():
    made = support.State("nightly")
    yield made
    made.close()


@pytest.fixture
def server(own):
    made = support.Hearth(own, "nightly", SCRIPT, SETTINGS)
    try:
        yield made.start()
    finally:
        made.stop()


def live(state, first, last, thinking):
    """Telemetry of days before today, as (days ago) from first to last: twenty heavy questions a day, thinking in seconds."""
    sql(state, f"""
        insert into telemetry_event (event, node_id, latency_ms, tenant_id, audience_id, run_id, created_at, status, class)
        select 'GRAPH_NODE_DONE', node, least(1000 * seconds * exp(0.3 * sqrt(-2 * ln(u)) * cos(2 * pi() * v)), 120000), t.id, p.id, gen_random_uuid(),
               (current_date - day + time '08:00' + n * interval '20 minutes') at time zone 'UTC', 'ok', 'heavy'
        from tenant t join person p on p.tenant_id = t.id and p.role = 'owner', generate_series({last}, {first}) day, generate_series(1, 20) n,
             (values ('arbiter', 0.002), ('intake', 2), ('retrieve', 0.005), ('thinking', {thinking}), ('recompose', 8), ('write_memory', 0.003)) nodes(node, seconds),
             lateral (select ((hashtext(node || day || 'u' || n) & 1048575) + 1) / 1048577.0 as u, (hashtext(node || day || 'v' || n) & 1048575) / 1048576.0 as v) draw""")


def batch(server, days_ago=0, **fields):
    day = (TODAY - datetime.timedelta(days=days_ago)).isoformat()
    answer = server.call("POST", "/v0/admin/batch/nightly", {"day": day, **fields}, timeout=120)
    assert answer.status == 200, answer.data
    return answer.json


def ask(server):
    answer = server.chat("hearth", [user(HEAVY)])
    assert answer.status == 200, answer.data
    return server.run(answer.headers["X-Hearth-Run"])


def phases(run):
    return {span["name"]: span for span in run["spans"] if span["kind"] == "phase"}


def plain_one(server):
    """A heavy question that did without thinking."""
    run = ask(server)
    assert "thinking" not in phases(run)
    return run


def test_a_drift_is_seen_at_night_and_heavy_questions_go_round_it_until_it_is_gone(own, server):
    live(own, 60, 16, 20)
    told = batch(server, 15)
    assert re.fullmatch(r"nightly-\d{4}-\d\d-\d\d", told["batch_id"])
    assert told["daily"] == {"events_processed": 45 * 20 * 6, "node_count": 6, "tenant_count": 1}
    assert told["weekly"] == {"status": "ok"} and told["pipeline"] == {"status": "ok", "nodes_analyzed": 6} and told["warmup"] == {"samples": 7 * 20 * 6, "nodes": 6, "prompts": 0, "prompt_tokens": 0}
    assert re.match(r"\[MathCore \| regime: (nominal|outlier|improved|coupled) \| λ_max: \d+\.\d\d \| α: 1\.00\]", server.call("GET", "/v1/mathcore").json["signal"])

    live(own, 15, 9, 90)  # and none was asked today: a single quick answer would say that thinking is well
    batch(server, 8)
    server.stop()
    server.start()  # a restart knows it from its first question on
    plain = plain_one(server)
    changes = phases(plain)["intake"]["attributes"]["class_changes"]
    assert changes[-1]["who"] == "mathcore" and changes[-1]["class"] == "normal"
    assert re.match(r"too costly: thinking costs \d+\.\d s with weight 0\.\d\d, recompose ", changes[-1]["why"])
    assert phases(plain)["intake"]["attributes"]["depth"]["why"] == "too_costly"
    signal = check_trace(plain)["attributes"]["standing"]["mathcore"]
    system = next(span for span in plain["spans"] if span["kind"] == "model")["body"]
    assert signal.startswith("[MathCore | regime: degraded |") and signal in json.dumps(system, ensure_ascii=False)
    assert plain["messages"][-1]["content"] == "a.txt is better."
    assert "more often than usual: thinking" in server.call("GET", "/health").data.decode()

    live(own, 8, 1, 20)
    batch(server)
    for _ in range(8):
        run = ask(server)
        assert "thinking" in phases(run) and phases(run)["intake"]["attributes"]["depth"]["why"] == "worth_it"


def test_each_node_is_shown_with_what_it_costs(own, server):
    batch(server)
    told = server.call("GET", "/v1/mathcore").json
    nodes = {node["node"]: node for node in told["nodes"]}
    assert set(nodes) == {"arbiter", "intake", "retrieve", "copilot", "thinking", "recompose", "write_memory"}
    assert nodes["thinking"]["gate"] == "full" and nodes["thinking"]["cost"]["usual_seconds"] > 10
    assert nodes["copilot"]["weight"] == 0 and nodes["copilot"]["reason"] == "no events" and nodes["copilot"]["cost"]["seconds"] > 0
    names, gamma = told["coupling"]["nodes"], told["coupling"]["gamma"]
    assert "thinking" in names and all(abs(gamma[i][i] - 1) < 1e-9 and abs(gamma[i][j] - gamma[j][i]) < 1e-12 for i in range(len(names)) for j in range(len(names)))
    vector = [1.0] * len(names)
    for _ in range(500):  # the largest eigenvalue, by another way
        vector = [sum(a * b for a, b in zip(row, vector)) for row in gamma]
        norm = sum(x * x for x in vector) ** 0.5
        vector = [x / norm for x in vector]
    assert abs(norm - told["lambda_max"]) < 1e-3
    shown = own.command("mathcore", "show")
    assert told["signal"] in shown and "no events" in shown
    assert server.call("GET", "/v1/mathcore", key=own.command("key", "new", "--scopes", "chat", "--quiet").strip()).status == 403


def test_days_of_each_node_are_told_with_what_nights_found(own, server):
    batch(server, 1)
    batch(server)
    told = server.call("GET", "/v1/mathcore/days?days=40").json
    assert told["until"] == TODAY.isoformat() and told["from"] == (TODAY - datetime.timedelta(days=39)).isoformat()
    assert [night["day"] for night in told["nights"]][-2:] == [(TODAY - datetime.timedelta(days=1)).isoformat(), TODAY.isoformat()]
    thinking = next(node for node in told["nodes"] if node["node"] == "thinking")
    of_day = dict(line.split("|") for line in sql(own, "select date, round(avg_latency_ms) from daily_aggregate where node_id = 'thinking' and class = ''").splitlines())
    assert thinking["measured"] and all(round(day["mean_ms"]) == int(of_day[day["day"]]) for day in thinking["measured"])
    newest = next(node for node in server.call("GET", "/v1/mathcore").json["nodes"] if node["node"] == "thinking")
    assert thinking["judged"][-1]["drift_score"] == newest["drift_score"] and thinking["judged"][-1]["level"] == newest["charts"]["level"]
    assert len(server.call("GET", "/v1/mathcore/days?days=1").json["nights"]) == 1
    assert server.call("GET", "/v1/mathcore/days?days=0").status == 400


def test_telemetry_answers_the_query_of_operators(own, server):
    ask(server)
    rows = sql(own, """SELECT node_id, COUNT(*) as events, ROUND(AVG(latency_ms)) as avg_latency_ms, ROUND(MIN(latency_ms)) as min_ms, ROUND(MAX(latency_ms)) as max_ms
                       FROM telemetry_event WHERE event_type = 'GRAPH_NODE_DONE' GROUP BY node_id ORDER BY node_id""").splitlines()
    assert {row.split("|")[0] for row in rows} - {"copilot"} == {"arbiter", "intake", "recompose", "retrieve", "thinking", "write_memory"}
    assert all(len(row.split("|")) == 5 and int(row.split("|")[1]) > 0 for row in rows)


def test_a_day_has_one_batch_whoever_asks(own, server):
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        told = list(pool.map(lambda _: batch(server, 3), range(6)))
    assert all(one == told[0] for one in told)
    assert batch(server, 3, tenant_id=sql(own, "select id from tenant")) == told[0]
    assert own.command("nightly", "--day", (TODAY - datetime.timedelta(days=3)).isoformat(), "--json") and sql(own, "select count(distinct run_id) from nightly_batch where day = current_date - 3") == "1"
    run = server.run(told[0]["run_id"])
    assert run["status"] == "answered" and [span["name"] for span in run["spans"] if span["kind"] == "tool"] == ["nightly.daily", "nightly.weekly", "nightly.pipeline", "nightly.warmup"]
    check_trace(run)
    shown = own.command("trace", "show", told[0]["run_id"])
    assert "nightly.pipeline" in shown


@pytest.mark.parametrize("body, status, word", [({"tenant_id": "0190"}, 404, "no tenant '0190'"), ({"tenant_id": ""}, 404, "no tenant ''"), ({"day": "tomorrow"}, 400, "'tomorrow'"), ({"day": 3}, 400, "day"),
                                                ({"day": "2999-01-01"}, 400, "has not come"), ({"day": "2026-02-30"}, 400, "'2026-02-30'"), ([], 400, "object")])
def test_what_is_no_batch_is_refused_by_name(server, body, status, word):
    answer = server.call("POST", "/v0/admin/batch/nightly", body)
    assert answer.status == status and word in answer.error["message"], answer.data


def test_only_an_administrator_asks_for_one(own, server):
    key = own.command("key", "new", "--scopes", "chat,dev", "--quiet").strip()
    assert server.call("POST", "/v0/admin/batch/nightly", {}, key=key).status == 403


def test_a_failed_step_is_told_and_the_next_call_goes_on(own, server):
    sql(own, "revoke insert, update on weekly_aggregate from hearth_app")
    day = (TODAY - datetime.timedelta(days=2)).isoformat()
    try:
        answer = server.call("POST", "/v0/admin/batch/nightly", {"day": day})
        asked = subprocess.run([own.binary, "nightly", "--day", day], env=server.env, capture_output=True, text=True, timeout=60)
    finally:
        sql(own, "grant insert, update on weekly_aggregate to hearth_app")
    assert answer.status == 500 and "the step weekly failed" in answer.error["message"]
    assert answer.json["weekly"]["status"] == "failed" and answer.json["pipeline"] == answer.json["warmup"] == {"status": "skipped"} and answer.json["daily"]["node_count"] == 6
    assert asked.returncode == 1 and "the step weekly failed" in asked.stderr and "hearth trace show" in asked.stderr
    told = batch(server, 2)
    assert told["weekly"] == {"status": "ok"} and told["batch_id"] == answer.json["batch_id"]


def test_whoever_waits_for_a_night_that_is_stopped_is_told_of_its_run(own, server):
    day = (TODAY - datetime.timedelta(days=10)).isoformat()
    hold = "begin; lock table daily_aggregate in access exclusive mode; select pg_sleep(3); commit"
    with subprocess.Popen(["psql", "-qAt", support.database_of(own), "-c", hold], stdout=subprocess.DEVNULL):
        server.wait_for(lambda: sql(own, "select count(*) from pg_locks where relation = 'daily_aggregate'::regclass and mode = 'AccessExclusiveLock' and granted") == "1", "the lock", 10)
        with subprocess.Popen([own.binary, "nightly", "--day", day], env=server.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as asked:
            run = server.wait_for(lambda: sql(own, f"select run_id from nightly_batch where day = '{day}'"), "the batch", 10)
            assert server.call("POST", f"/v1/runs/{run}/stop", {}).status in (200, 202)
            said, complained = asked.communicate(timeout=60)
    assert asked.returncode == 1 and said == f"nightly-{day}, run {run}\n" and "the run was stopped" in complained and f"hearth trace show {run}" in complained
    assert batch(server, 10)["run_id"] != run  # nobody has an answer of it yet


def test_the_night_asks_the_scripted_cases_once(own, tmp_path):
    """As hearth quality run asks them; where what is live was measured with this model, the next night leaves it at one."""
    cases = tmp_path / "quality.yaml"
    cases.write_text(quality_test.CASES)
    cases.chmod(0o644)
    night = support.Hearth(own, "nightly-quality", quality_test.SCRIPT, {**SETTINGS, "nightly.also": "self_review,quality", "quality.cases": cases})

    def quality(days_ago):
        run_id = batch(night, days_ago)["run_id"]
        run = night.wait_for(lambda: (one := night.run(run_id))["finished"] and one, "the night's end", 60)
        assert run["status"] == "answered"
        check_trace(run)
        told = {span["name"]: json.loads(span["body"]["result"]) for span in run["spans"] if span["kind"] == "tool"}
        assert set(told["nightly.self_review"]) == {"failures", "new_issues", "known", "back"}
        return told["nightly.quality"]

    try:
        night.start()
        first, second = quality(5), quality(4)
        asked = subprocess.run([own.binary, "quality", "run", "--json"], env=night.env, capture_output=True, text=True, timeout=120)
    finally:
        night.stop()
    assert first["measured"] and first["failed"] == ["honesty/never"] and (first["passed"], first["total"]) == (5, 6)
    assert not second["measured"] and first["model"] in second["why"]
    by_hand = json.loads(asked.stdout)
    assert (by_hand["passed"], by_hand["total"], by_hand["model"]) == (5, 6, first["model"])


def test_a_night_is_gone_on_with_after_a_kill(own, tmp_path):
    """What callers waited for is not made again; the rest is, from its beginning."""
    cases = tmp_path / "quality.yaml"
    cases.write_text("cases:\n  - {name: slow/one, agent: hearth, ask: Please take your time and say nothing of files, expect: {says: at last}}\n")
    cases.chmod(0o644)
    night = support.Hearth(own, "nightly-kill", quality_test.SCRIPT, {**SETTINGS, "nightly.also": "quality", "quality.cases": cases})
    try:
        night.start()
        told = batch(night, 6)
        night.wait_for(lambda: sql(own, "select count(*) from step where name = 'nightly.quality' and state = 'intent'") == "1", "the slow case", 20)
        night.stop(signal.SIGKILL)
        cases.write_text("cases:\n  - {name: quick/one, agent: hearth, ask: Please write a friendly letter to Ada., expect: {says: good evening}}\n")
        night.start()
        run = night.wait_for(lambda: (one := night.run(told["run_id"]))["finished"] and one, "the night's end", 90)
    finally:
        night.stop()
    assert run["status"] == "answered" and batch_rows(own, 6) == f"{told['run_id']}|done|1"
    names = [step["name"] for step in run["steps"]]
    assert names == ["nightly.daily", "nightly.weekly", "nightly.pipeline", "nightly.warmup", "nightly.quality"] and all(step["state"] == "done" for step in run["steps"])
    check_trace(run)


def batch_rows(state, days_ago):
    return sql(state, f"select run_id, state, attempts from nightly_batch where day = current_date - {days_ago}")


def test_what_the_clock_missed_is_caught_up_with(own):
    """The household is older than its last 00:05, and no batch was made."""
    sql(own, "delete from mathcore_node; delete from mathcore_night; delete from nightly_batch; update tenant set created_at = now() - interval '3 days'")
    first = support.Hearth(own, "nightly-clock", SCRIPT, {**SETTINGS, "nightly.at": "00:00"})
    second = support.Hearth(own, "nightly-clock-too", SCRIPT, {**SETTINGS, "nightly.at": "00:00", "server.socket": own.folder / "too.sock"})
    try:
        first.start(), second.start()
        first.wait_for(lambda: sql(own, "select state from nightly_batch") == "done", "a batch of the day", 30)
    finally:
        second.stop(), first.stop()
    assert sql(own, "select day = current_date, attempts from nightly_batch") == "t|1"


def test_the_operator_speaks_for_a_node(own, server):
    """In a time long before: a node that got slower counts as drifted until that is accepted."""
    def weight():
        return float(sql(own, "select weight from mathcore_node where node_id = 'thinking' order by day desc limit 1"))

    sql(own, "delete from mathcore_node; delete from mathcore_night; delete from nightly_batch; delete from daily_aggregate; delete from weekly_aggregate")
    live(own, 300, 261, 20), live(own, 260, 240, 90)
    batch(server, 250)
    assert weight() > 0.2
    own.command("mathcore", "accept", "thinking", "--since", (TODAY - datetime.timedelta(days=260)).isoformat())
    batch(server, 249)
    assert weight() == 0
    own.command("mathcore", "freeze", "thinking"), own.command("mathcore", "unfreeze", "thinking")
    assert sql(own, "select string_agg((accepted = current_date - 260) || ' ' || (frozen is not null), ', ' order by created_at) from node_setting") == "true false, true true, true false"
    now = datetime.datetime.now(datetime.timezone.utc)
    zone, apart = ("Etc/GMT+12", -12) if now.hour < 12 else ("Etc/GMT-14", 14)  # where it is another day
    there = (now + datetime.timedelta(hours=apart)).date()
    for day, status in ((there, 0), (there + datetime.timedelta(days=1), 1)):
        done = subprocess.run([own.binary, "mathcore", "accept", "intake", "--since", day.isoformat()], env={**server.env, "HEARTH_NIGHTLY_ZONE": zone}, capture_output=True, text=True, timeout=60)
        assert done.returncode == status and ("has not come" in done.stderr) == (status == 1), done.stderr
    done = subprocess.run([own.binary, "mathcore", "accept", "thinkin"], env=server.env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "'thinkin'" in done.stderr and "recompose" in done.stderr
