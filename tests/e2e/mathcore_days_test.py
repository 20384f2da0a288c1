"""A drift that can be seen from end to end by commands alone: days are simulated, imported and batched, and heavy questions go round what is slow."""
import datetime
import json
import subprocess

import pytest
import support
from nightly_test import SCRIPT, SETTINGS, TODAY, ask, check_trace, phases, plain_one
from support import BINARY, command

DAY = datetime.timedelta(days=1)


@pytest.fixture(scope="module")
def server():
    own = support.State("mathcore-days")
    made = support.Hearth(own, "mathcore-days", SCRIPT, SETTINGS)
    try:
        yield made.start()
    finally:
        made.stop()
        own.close()


def live(server, tmp_path, *simulated, status=0):
    """`mathcore simulate` with these words, imported."""
    file = tmp_path / "days.jsonl"
    file.write_text(command(server, "mathcore", "simulate", *simulated))
    return command(server, "mathcore", "import", str(file), status=status), file.read_text().splitlines()


def batch(server, days_ago=0):
    return json.loads(command(server, "nightly", "--day", (TODAY - days_ago * DAY).isoformat(), "--json"))


def thinking(server):
    shown = json.loads(command(server, "mathcore", "show", "--json"))
    return next(node for node in shown["nodes"] if node["node"] == "thinking"), shown["regime"]


def test_weeks_of_telemetry_pass_in_seconds_and_a_slow_phase_is_gone_round_until_it_is_well(server, tmp_path):
    told, lines = live(server, tmp_path, "--days", "45", "--ago", "16")
    first, last = (TODAY - days * DAY for days in (60, 16))
    assert told == f"{len(lines)} events from {first} to {last}, 0 of them known before; hearth nightly --day {last + DAY} makes their rows\n"
    assert batch(server, 15)["daily"]["events_processed"] == len(lines)
    node, _ = thinking(server)
    assert node["gate"] == "full" and node["weight"] == 0
    assert phases(ask(server))["intake"]["attributes"]["depth"]["why"] == "worth_it"

    live(server, tmp_path, "--days", "7", "--ago", "9", "--slow", "thinking=5")
    batch(server, 8)
    node, regime = thinking(server)
    assert node["weight"] > 0.2 and regime == "degraded"
    plain = plain_one(server)
    assert phases(plain)["intake"]["attributes"]["class_changes"][-1]["who"] == "mathcore"
    assert "regime: degraded" in check_trace(plain)["attributes"]["standing"]["mathcore"]

    live(server, tmp_path, "--days", "8", "--ago", "1")
    batch(server)
    assert thinking(server)[0]["weight"] < 0.2
    assert phases(ask(server))["intake"]["attributes"]["depth"]["why"] == "worth_it"


def test_what_is_imported_again_is_known_and_what_comes_late_is_taken_in(server, tmp_path):
    told, lines = live(server, tmp_path, "--days", "5", "--ago", "100")
    assert f" {len(lines)} events" in " " + told and ", 0 of them known" in told
    again, _ = live(server, tmp_path, "--days", "5", "--ago", "100")
    assert f", {len(lines)} of them known before" in again
    assert batch(server, 7)["daily"]["events_processed"] > len(lines)  # days long before the last batch, whose rows were not there


def test_days_of_the_households_own_are_not_mixed_by_accident(server, tmp_path):
    ask(server)
    now = datetime.datetime.now(datetime.timezone.utc)
    file = tmp_path / "today.jsonl"
    file.write_text(json.dumps({"node": "thinking", "at": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "latency_ms": 9000, "class": "heavy"}) + "\n")
    refused = command(server, "mathcore", "import", str(file), status=1)
    assert "this household's own pipeline" in refused and "--mixed" in refused
    assert command(server, "mathcore", "import", str(file), "--mixed").startswith("1 events ")


GOOD = {"node": "thinking", "at": "2026-01-05T08:00:00Z", "latency_ms": 9000.5, "status": "ok"}


@pytest.mark.parametrize("change, words", [({"node": "thinkin"}, ("'thinkin'", "recompose")), ({"at": "yesterday"}, ("'yesterday'", "UTC")), ({"at": "2999-01-01T00:00:00Z"}, ("'2999", "past")),
                                           ({"at": "2026-01-05T25:00:00Z"}, ("T25", "UTC")), ({"latency_ms": -1}, ("latency_ms -1",)), ({"status": "bad"}, ("'bad'", "timeout")),
                                           ({"class": "slow"}, ("'slow'", "heavy"))])
def test_a_line_that_is_no_event_is_named(server, tmp_path, change, words):
    file = tmp_path / "bad.jsonl"
    file.write_text(json.dumps(GOOD) + "\n\n" + json.dumps({**GOOD, **change}) + "\n")
    complaint = command(server, "mathcore", "import", str(file), status=1)
    assert "line 3" in complaint and all(word in complaint for word in words), complaint


@pytest.mark.parametrize("words", [("--slow", "thinkin=4"), ("--slow", "thinking"), ("--timeouts", "thinking=2"), ("--slow", "thinking=x")])
def test_a_simulation_that_cannot_be_is_refused_by_name(server, words):
    complaint = command(server, "mathcore", "simulate", *words, status=1)
    assert words[0] in complaint and (words[1] in complaint or "'thinkin'" in complaint)


def simulated(server, *words):
    return [json.loads(line) for line in command(server, "mathcore", "simulate", *words).splitlines()]


def test_scenarios_of_the_bench_are_simulated(server, tmp_path):
    week = simulated(server, "--days", "14", "--calm", "7", "--scenario", "refused 40 %")
    half = TODAY - 7 * DAY
    refused = [e for e in week if e["node"] == "recompose" and e["status"] == "error" and "latency_ms" not in e]
    asked = [e for e in week if e["node"] == "recompose" and e["at"][:10] >= half.isoformat()]
    assert 0.3 < len(refused) / len(asked) < 0.5 and all(e["at"][:10] >= half.isoformat() for e in refused)
    days = {e["at"][:10] for e in simulated(server, "--days", "9", "--scenario", "off for a week")}
    assert days == {(TODAY - n * DAY).isoformat() for n in (1, 2)}
    complaint = command(server, "mathcore", "simulate", "--scenario", "refused", status=1)
    assert "'refused'" in complaint and '"refused 40 %"' in complaint


def test_a_failure_without_a_time_is_a_failure(server, tmp_path):
    file = tmp_path / "untimed.jsonl"
    day = TODAY - 200 * DAY
    lines = [{"node": "copilot", "at": f"{day}T08:{n:02}:00Z", **rest} for n, rest in enumerate([{"latency_ms": 4000}] * 8 + [{"status": "error"}, {"status": "timeout"}])]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    command(server, "mathcore", "import", str(file))
    batch(server, 6)
    row = server.call("GET", "/v1/mathcore/days?days=366").json
    measured = next(one for node in row["nodes"] if node["node"] == "copilot" for one in node["measured"] if one["day"] == day.isoformat())
    assert measured["samples"] == 10 and measured["mean_ms"] == 4000, measured
    file.write_text(json.dumps({"node": "copilot", "at": f"{day}T09:00:00Z", "status": "ok"}) + "\n")
    assert "left out of a failure" in command(server, "mathcore", "import", str(file), status=1)


def test_the_same_seed_gives_the_same_days(server):
    one, two, other = (subprocess.run([BINARY, "mathcore", "simulate", "--days", "2", "--seed", seed], env=server.env, capture_output=True, check=True, timeout=60).stdout for seed in ("a", "a", "b"))
    assert one == two != other
