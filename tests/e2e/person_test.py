"""People set how they are answered; the next message goes by it."""
import json
import subprocess

import pytest
from conftest import running
from support import Hearth, user

SCRIPT = [{"when": "", "text": "## Plan\nThe file is `/etc/x/a.txt`. It is **big**."}]


def person(hearth, *words):
    return subprocess.run([hearth.state.binary, "person", *words], env=hearth.env, capture_output=True, text=True, timeout=60)


def owner_of(hearth):
    owner, = [one for one in json.loads(person(hearth, "list", "--json").stdout) if one["role"] == "owner"]
    return owner


def answer(hearth):
    return hearth.chat("hearth", [user("Good evening!")]).json["choices"][0]["message"]["content"]


def test_plain_replies_from_the_next_message_on(hearth):
    assert answer(hearth) == SCRIPT[0]["text"]
    owner = owner_of(hearth)
    assert owner["replies"] == "full" and owner["effort"] == "auto" and owner["role"] == "owner"
    changed = person(hearth, "set", owner["name"], "--replies", "plain", "--json")
    assert changed.returncode == 0 and json.loads(changed.stdout)["replies"] == "plain", changed.stderr
    assert answer(hearth) == "Plan\nThe file is a.txt. It is big."
    stream = hearth.stream("/v1/chat/completions", {"model": "hearth", "messages": [user("Good evening!")]})
    deltas = [chunk["choices"][0]["delta"].get("content") or "" for _, chunk in stream if chunk != "[DONE]"]
    assert "".join(deltas) == "Plan\nThe file is a.txt. It is big."
    assert person(hearth, "set", owner["id"], "--replies", "full").returncode == 0
    assert answer(hearth) == SCRIPT[0]["text"]


def test_effort_is_the_least_class_and_the_trace_says_who_set_it(hearth):
    owner = owner_of(hearth)
    assert person(hearth, "set", owner["id"], "--effort", "normal").returncode == 0
    run = hearth.chat("hearth", [user("Good evening!")]).headers["X-Hearth-Run"]
    assert person(hearth, "set", owner["id"], "--effort", "auto").returncode == 0
    hearth.run(run)  # its trace is written
    shown = subprocess.run([hearth.state.binary, "trace", "show", run], env=hearth.env, capture_output=True, text=True, timeout=60).stdout
    assert "class fast by admission" in shown and "class normal by setting: the person's effort is normal" in shown


def test_a_person_who_is_taken_in_has_keys_and_data_of_their_own(own):
    for hearth in running(Hearth(own, "person_added", SCRIPT)):
        added = person(hearth, "add", "Clara", "--json")
        assert added.returncode == 0 and json.loads(added.stdout)["role"] == "member", added.stderr
        assert "is called 'Clara' already" in person(hearth, "add", "Clara").stderr
        key = lambda *words: subprocess.run([hearth.state.binary, "key", *words], env=hearth.env, capture_output=True, text=True, timeout=60)
        hers = key("new", "--person", "Clara", "--label", "phone", "--quiet").stdout.strip()
        run = hearth.call("POST", "/v1/chat/completions", {"model": "hearth", "messages": [user("Good evening!")]}, key=hers).headers["X-Hearth-Run"]
        assert hearth.call("GET", f"/v1/runs/{run}", key=hers).status == 200 and hearth.call("GET", f"/v1/runs/{run}").status == 404
        assert run not in hearth.call("GET", "/v1/runs?limit=500").data.decode()
        listed, = json.loads(key("list", "--person", "Clara", "--json").stdout)
        assert listed["label"] == "phone" and listed["id"] not in key("list").stdout
        assert key("revoke", listed["id"]).returncode == 1 and key("revoke", listed["id"], "--person", "Clara").returncode == 0
        hearth.wait_for(lambda: hearth.call("GET", "/v1/runs", key=hers).status == 401, "its end", 10)
        assert "there is no person 'Nobody'" in key("new", "--person", "Nobody").stderr


def test_a_guest_has_no_key_that_may_more(hearth):
    assert person(hearth, "add", "Élodie", "--role", "guest").returncode == 0
    key = lambda scopes: subprocess.run([hearth.state.binary, "key", "new", "--person", "Élodie", "--scopes", scopes, "--quiet"], env=hearth.env, capture_output=True, text=True, timeout=60)
    for scopes in ("dev", "chat,dev", "admin"):
        refused = key(scopes)
        assert refused.returncode == 1 and refused.stdout == "" and "Élodie is a guest, who may not have the scope" in refused.stderr
    hers = key("chat").stdout.strip()
    assert hearth.call("GET", "/v1/people", key=hers).status == 200 and hearth.call("GET", "/metrics", key=hers).status == 403


def test_columns_stand_below_each_other_and_quiet_hours_are_told(hearth):
    assert person(hearth, "quiet", "owner", "22:00-07:00", "--zone", "Europe/Berlin").returncode == 0
    person(hearth, "add", "Zoë", "--role", "guest")
    lines = person(hearth, "list").stdout.splitlines()
    column = lines[0].index("role")
    assert len(lines) > 2 and {line[column:].split()[0] for line in lines[1:]} <= {"owner", "guest", "member"}, lines
    assert "22:00-07:00 Europe/Berlin" in next(line for line in lines if " owner " in line) and " none" in next(line for line in lines if "Zoë" in line)
    assert owner_of(hearth)["quiet"] == {"hours": "22:00-07:00", "zone": "Europe/Berlin"}
    told = {one["name"]: one["quiet"] for one in hearth.call("GET", "/v1/people").json["data"]}
    assert told["owner"] == {"hours": "22:00-07:00", "zone": "Europe/Berlin"} and told["Zoë"] is None
    assert person(hearth, "quiet", "owner", "none").returncode == 0


@pytest.mark.parametrize("words, code, said", [
    (["add", " "], 1, "a person's name is"),
    (["add", "Otto", "--role", "owner"], 2, "--role"),
    (["set", "nobody", "--replies", "plain"], 1, "there is no person 'nobody'"),
    (["set", "nobody", "--replies", "short"], 2, "--replies"),
])
def test_a_mistake_is_named(hearth, words, code, said):
    ran = person(hearth, *words)
    assert ran.returncode == code and said in ran.stderr, (ran.returncode, ran.stdout, ran.stderr)
