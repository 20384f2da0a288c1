"""The scripted cases that speak for a version of a prompt, and the release that wants them."""
import json
import signal
import subprocess

import pytest
from support import ROOT, call

SCRIPT = [
    {"when": "Do not answer yet", "text": json.dumps({"goal": "a letter", "tools": False, "class": "normal", "machine": "talk"})},
    {"when": "Speak badly", "text": "Go away."},
    {"when": "friendly letter", "text": "Dear Ada, good evening to you."},
    {"when": "door in a.txt", "tool_calls": [call("read_file", path="a.txt")]},
    {"when": "door in a.txt", "text": "It is blue."},
    {"when": "into notes/b.txt", "tool_calls": [call("write_file", path="notes/b.txt", content="hello")]},
    {"when": "into notes/b.txt", "text": "It is written."},
    {"when": "weather in Oslo", "tool_calls": [call("weather", city="Oslo")]},
    {"when": "and the second", "text": "You said blue."},
    {"when": "take your time", "text": "At last.", "delay_ms": 30000},
    {"when": "", "text": "I have no word for that."},
]
CASES = """
tools:
  weather: {description: tells the weather, parameters: {type: object, properties: {city: {type: string}}, required: [city]}}
cases:
  - {name: talk/writes, agent: hearth, must: true, ask: Please write a friendly letter to Ada., expect: {says: good evening, no_calls: true}}
  - {name: talk/goes-on, agent: hearth/dev, ask: [My door is blue., and the second], expect: {says: blue}}
  - {name: files/reads, agent: hearth/dev, files: {a.txt: "The door is blue."}, ask: 'Which colour has the door in a.txt?',
     expect: {calls: [{name: read_file, arguments: {path: a.txt}}], says: blue}}
  - {name: files/writes, agent: hearth/dev, ask: Write hello into notes/b.txt, expect: {leaves: {notes/b.txt: hello}}}
  - {name: functions/asks, agent: hearth/dev, tools: weather, ask: the weather in Oslo, expect: {client_calls: [{name: weather, arguments: {city: [Oslo, oslo]}}]}}
  - {name: honesty/never, agent: hearth/dev, ask: Something else, expect: {says: what nobody says}}
"""


def hearth_says(hearth, *words, stdin=None):
    return subprocess.run([hearth.state.binary, *words], env=hearth.env, input=stdin, capture_output=True, text=True, timeout=120)


def quality(hearth, *words):
    return hearth_says(hearth, "quality", "run", *words)


def prompt(hearth, *words, stdin=None):
    return hearth_says(hearth, "prompt", *words, stdin=stdin)


@pytest.fixture(autouse=True)
def cases(hearth, tmp_path):
    file = tmp_path / "quality.yaml"
    file.write_text(CASES)
    hearth.env["HEARTH_QUALITY_CASES"] = str(file)
    return file


def draft(hearth, instruction):
    """A version of the prompt that asks for the answer; it stands in the message that the script answers."""
    saved = prompt(hearth, "save", "recompose", "-", "--json", stdin=instruction + " Now answer the request{{request}}. {{style}}\n")
    assert saved.returncode == 0, saved.stderr
    return json.loads(saved.stdout)["version"]


def test_the_cases_are_asked_and_judged(hearth):
    ran = quality(hearth, "--json")
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert (told["passed"], told["total"], told["recorded"], told["verdict"]) == (5, 6, True, None), ran.stdout
    assert told["groups"]["files"] == {"passed": 2, "total": 2}
    failed = [case for case in told["cases"] if not case["passed"]]
    assert [case["name"] for case in failed] == ["honesty/never"] and failed[0]["wrong"] == ["does not say 'what nobody says'"]
    run = hearth.run(told["cases"][0]["run_id"])
    assert run["model"] == "hearth" and told["versions"]["recompose"] >= 1
    assert len(hearth.run(told["cases"][1]["run_id"])["messages"]) == 4, "its turns are one conversation"
    assert ran.stderr.count("ok   ") == 5 and "FAIL honesty/never" in ran.stderr
    shown = quality(hearth).stdout.splitlines()
    assert shown[0].split() == ["group", "passed"] and shown[-1].split()[:2] == ["all", "5/6"]


def test_a_version_goes_live_when_the_cases_speak_for_it(hearth):
    version = str(draft(hearth, "Speak well."))
    refused = prompt(hearth, "release", "recompose", version)
    assert refused.returncode == 1 and f"hearth quality run --prompt recompose@{version}" in refused.stderr, refused.stderr
    ran = quality(hearth, "--prompt", "recompose@draft")
    assert ran.returncode == 0 and ran.stdout.splitlines()[-1] == "recompose@draft: 5 of 6 cases, live 5: passes", ran.stdout + ran.stderr
    again = quality(hearth, "--prompt", f"recompose@{version}", "--json")
    told = json.loads(again.stdout)
    assert told["verdict"] == "passes" and told["versions"]["recompose"] == int(version) and told["live"]["passed"] == 5
    assert "with what is live" not in again.stderr, "that is measured already"
    assert prompt(hearth, "release", "recompose", version).returncode == 0
    newest = json.loads(prompt(hearth, "versions", "recompose", "--json").stdout)[0]
    assert newest["released"] == "quality: 5 of 6 cases, live 5" and "live" in newest["labels"]
    assert prompt(hearth, "rollback", "recompose").returncode == 0


def test_a_version_that_is_worse_does_not(hearth):
    version = str(draft(hearth, "Speak badly."))
    ran = quality(hearth, "--prompt", f"recompose@{version}")
    assert ran.returncode == 1 and f"recompose@{version}: 4 of 6 cases, live 5: fails\n  talk/writes must pass" in ran.stdout, ran.stdout + ran.stderr
    refused = prompt(hearth, "release", "recompose", version)
    assert refused.returncode == 1 and "4 of 6 cases, live 5" in refused.stderr
    assert prompt(hearth, "release", "recompose", version, "--override", "").returncode == 1
    assert prompt(hearth, "release", "recompose", version, "--override", "it is funny").returncode == 0
    assert prompt(hearth, "rollback", "recompose").returncode == 0


def test_chosen_cases_are_no_grounds(hearth, cases):
    cases.write_text(CASES.replace("to Ada.", "to Ada!"))  # cases that nobody has measured
    version = str(draft(hearth, "Speak kindly."))
    ran = quality(hearth, "--case", "files/*", "--prompt", f"recompose@{version}")
    assert ran.returncode == 0 and ran.stdout.splitlines()[-1].split()[:2] == ["all", "2/2"], ran.stdout + ran.stderr
    assert prompt(hearth, "release", "recompose", version).returncode == 1
    assert quality(hearth, "--case", "honesty/*").returncode == 1


def test_cases_of_the_leaderboard_are_asked_too(hearth, tmp_path):
    (tmp_path / "possible_answer").mkdir()
    for category in ("simple_python", "multiple", "parallel", "parallel_multiple", "live_simple", "live_multiple", "live_parallel",
                     "live_parallel_multiple", "irrelevance", "live_irrelevance", "live_relevance"):
        items = [{"id": f"{category}_{i}", "question": [[{"role": "user", "content": "What is love?"}]],
                  "function": [{"name": "math.root", "description": "of a number", "parameters": {"type": "dict", "properties": {"x": {"type": "float"}}}}]} for i in range(3)]
        (tmp_path / f"BFCL_v4_{category}.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
        answers = [{"id": item["id"], "ground_truth": [{"math.root": {"x": [2]}}]} for item in items]
        (tmp_path / "possible_answer" / f"BFCL_v4_{category}.jsonl").write_text("".join(json.dumps(answer) + "\n" for answer in answers))
    ran = quality(hearth, "--bfcl", str(tmp_path), "--each", "2", "--case", "bfcl/*", "--json")
    told = json.loads(ran.stdout)
    assert told["total"] == 22 and ran.returncode == 1, ran.stderr
    assert sorted(name for name, group in told["groups"].items() if group["passed"] == 2) == ["bfcl/irrelevance", "bfcl/live_irrelevance"], told["cases"]


@pytest.mark.parametrize("words, text, said", [
    (["--prompt", "recompose"], CASES, "no NAME@VERSION"),
    (["--prompt", "recompose@99"], CASES, "no version '99'"),
    (["--prompt", "recompose@live"], CASES, "is live"),
    (["--case", "no/such"], CASES, "no/such"),
    (["--bfcl", "/no/such/folder"], CASES, "/no/such/folder"),
    ([], CASES + "  - {name: a/b, agent: hearth, ask: x, expct: {says: y}}\n", "the field 'expct' is not known"),
])
def test_a_mistake_is_named(hearth, cases, words, text, said):
    cases.write_text(text)
    ran = quality(hearth, *words)
    assert ran.returncode == 1 and said in ran.stderr, (ran.returncode, ran.stdout, ran.stderr)


def test_the_cases_of_the_program_are_found(hearth):
    del hearth.env["HEARTH_QUALITY_CASES"]
    assert (ROOT / "deploy/quality.yaml").exists()
    ran = quality(hearth, "--case", "answers/greeting", "--json")
    assert json.loads(ran.stdout)["cases"][0]["name"] == "answers/greeting", ran.stderr


def test_an_interruption_leaves_nothing_behind(hearth, cases, tmp_path):
    cases.write_text(CASES.replace("ask: the weather in Oslo", "ask: take your time"))
    (tmp_path / "scratch").mkdir()
    ran = subprocess.Popen([hearth.state.binary, "quality", "run"], env=dict(hearth.env, TMPDIR=str(tmp_path / "scratch")), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(4):
        assert ran.stderr.readline().startswith("ok ")
    hearth.wait_for(lambda: hearth.call("GET", "/v1/runs?limit=1").json["data"][0]["status"] == "running", "the slow case runs")
    ran.send_signal(signal.SIGINT)
    out, _ = ran.communicate(timeout=20)
    assert ran.returncode == 130 and out == "" and list((tmp_path / "scratch").iterdir()) == []
    hearth.wait_for(lambda: hearth.call("GET", "/v1/runs?limit=1").json["data"][0]["status"] == "cancelled", "its run ends with it")


def test_without_a_server_it_says_so(hearth, tmp_path):
    hearth.env["HEARTH_SERVER_SOCKET"] = str(tmp_path / "socket")
    try:
        ran = quality(hearth)
    finally:
        del hearth.env["HEARTH_SERVER_SOCKET"]
    assert ran.returncode == 1 and "no hearth server answers" in ran.stderr
