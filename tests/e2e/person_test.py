"""People set how they are answered; the next message goes by it."""
import json
import subprocess

import pytest
from support import user

SCRIPT = [{"when": "", "text": "## Plan\nThe file is `/etc/x/a.txt`. It is **big**."}]


def person(hearth, *words):
    return subprocess.run([hearth.state.binary, "person", *words], env=hearth.env, capture_output=True, text=True, timeout=60)


def answer(hearth):
    return hearth.chat("hearth", [user("Good evening!")]).json["choices"][0]["message"]["content"]


def test_plain_replies_from_the_next_message_on(hearth):
    assert answer(hearth) == SCRIPT[0]["text"]
    owner, = json.loads(person(hearth, "list", "--json").stdout)
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
    owner, = json.loads(person(hearth, "list", "--json").stdout)
    assert person(hearth, "set", owner["id"], "--effort", "normal").returncode == 0
    run = hearth.chat("hearth", [user("Good evening!")]).headers["X-Hearth-Run"]
    assert person(hearth, "set", owner["id"], "--effort", "auto").returncode == 0
    hearth.run(run)  # its trace is written
    shown = subprocess.run([hearth.state.binary, "trace", "show", run], env=hearth.env, capture_output=True, text=True, timeout=60).stdout
    assert "class fast by admission" in shown and "class normal by setting: the person's effort is normal" in shown


@pytest.mark.parametrize("words, code, said", [
    (["set", "nobody", "--replies", "plain"], 1, "there is no person 'nobody'"),
    (["set", "nobody", "--replies", "short"], 2, "--replies"),
])
def test_a_mistake_is_named(hearth, words, code, said):
    ran = person(hearth, *words)
    assert ran.returncode == code and said in ran.stderr, (ran.returncode, ran.stdout, ran.stderr)
