"""Agents as rows: one of the operator's own, one that asks another, and those that look after the machine."""
import json
import subprocess

import pytest
import support
from support import call

SCRIPT = [
    {"when": "blue door", "tool_calls": [call("ask_knowledge", question="Where is the key?")]},
    {"when": "Where is the key?", "tool_calls": [call("recall", query="key")]},
    {"when": "Where is the key?", "text": "Nobody has said."},
    {"when": "blue door", "text": "I do not know where its key is."},
    {"when": "How do we do?", "tool_calls": [call("recent_runs", limit=5)]},
    {"when": "How do we do?", "text": "One run, answered."},
    {"when": "tulips", "text": "By the gate."},
]
ROWS = """
agents:
  - {name: hearth/garden, purpose: Knows the garden., scope: home, prompt: garden_system, tools: [recall, read_file], asks: [hearth/knowledge]}
"""


def said(garden, *words, stdin=None):
    return subprocess.run([garden.state.binary, *words], env=garden.env, input=stdin, capture_output=True, text=True, timeout=60)


def prompt(garden, *words, stdin=None):
    return said(garden, "prompt", *words, stdin=stdin)


@pytest.fixture(scope="module")
def rows(state):
    file = state.folder / "agents.yaml"
    file.write_text(ROWS)
    return file


@pytest.fixture(scope="module")
def garden(state, rows):
    server = support.Hearth(state, "agents", script=SCRIPT, settings={"agents.file": rows, "agents.discipline": "free", "server.socket": state.folder / "agents.sock"})
    yield server.start()
    server.stop()


def ask(garden, agent, text, **more):
    return garden.call("POST", "/v1/chat/completions", dict({"model": agent, "messages": [{"role": "user", "content": text}]}, **more))


def answer(garden, agent, text):
    reply = ask(garden, agent, text)
    assert reply.status == 200, reply.data
    return reply.json["choices"][0]["message"]["content"], garden.run(reply.headers["X-Hearth-Run"])


def test_a_row_and_its_prompt_are_an_agent(garden):
    missing = ask(garden, "hearth/garden", "Where are the tulips?")
    assert missing.status >= 400 and "garden_system" in missing.data.decode(), "nothing stands in for a prompt that is missing"
    made = prompt(garden, "save", "--new", "garden_system", "-", stdin="You know the garden. Today is {{date}}.\n")
    assert made.returncode == 0 and "garden_system" in made.stdout, made.stderr
    assert prompt(garden, "release", "garden_system", "1", "--override", "a new agent").returncode == 0
    text, run = answer(garden, "hearth/garden", "Where are the tulips?")
    assert text == "By the gate." and run["model"] == "hearth/garden"
    sent = next(span for span in run["spans"] if span["kind"] == "model")["body"]["sent"]
    assert "\nYou know the garden. Today is 20" in sent["messages"][0]["content"]
    assert sorted(tool["function"]["name"] for tool in sent["tools"]) == ["ask_knowledge", "read_file", "recall"], sent["tools"]
    listed = {model["id"]: model for model in garden.call("GET", "/v1/models").json["data"]}
    assert listed["hearth/garden"]["purpose"] == "Knows the garden."


def test_an_agent_asks_another_and_the_trace_tells(garden):
    text, run = answer(garden, "hearth/dev", "My blue door is shut.")
    assert text == "I do not know where its key is."
    spans = {span["name"]: span for span in run["spans"]}
    assert spans["hearth/knowledge"]["parent"] == spans["ask_knowledge"]["id"] == spans["recall"]["parent"]
    assert "blue door" not in json.dumps(spans["hearth/knowledge"]["body"]["sent"]), "it knows its task and nothing else"


def test_who_looks_after_the_machine_needs_a_key_for_it(garden):
    text, run = answer(garden, "hearth/admin", "How do we do?")
    assert text == "One run, answered."
    assert "hearth/admin" in next(span for span in run["spans"] if span["name"] == "recent_runs")["body"]["result"]
    key = garden.state.command("key", "new", "--scopes", "chat", "--quiet").strip()
    reply = garden.call("POST", "/v1/chat/completions", {"model": "hearth/admin", "messages": [{"role": "user", "content": "hi"}]}, key=key)
    assert reply.status == 403 and "scope admin" in reply.data.decode()
    unknown = ask(garden, "hearth/nobody", "hi")
    assert unknown.status == 404 and "hearth/garden" in unknown.data.decode()
    folder = ask(garden, "hearth/knowledge", "hi", workspace="/tmp")
    assert folder.status == 400 and folder.json["error"]["param"] == "workspace"


def test_a_row_that_does_not_hold_is_told_before_the_start(garden, rows, tmp_path):
    wrong = tmp_path / "agents.yaml"
    wrong.write_text(ROWS.replace("read_file", "bash"))
    garden.env["HEARTH_AGENTS_FILE"] = str(wrong)
    checked = said(garden, "config", "check")
    garden.env["HEARTH_AGENTS_FILE"] = str(rows)
    assert checked.returncode != 0 and "hearth/garden names the tool 'bash'" in checked.stdout + checked.stderr
    assert said(garden, "config", "check").returncode == 0
