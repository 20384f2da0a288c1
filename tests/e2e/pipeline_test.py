"""The model `hearth`: its phases, their trace, and what policy refuses."""
import json
import re

import pytest
from support import call, check_trace, said, user

HEAVY = "Compare a.txt with b.txt and explain step by step which one is better for us."
INTAKE, GOAL, THINK, ANSWER = "Do not answer yet.", "Use the tools to find", "Think the request through", "Now answer the request"


def intake(**fields):
    return json.dumps({"goal": "know it", "tools": False, "class": "normal", "machine": "talk", **fields})


SCRIPT = [
    {"when": HEAVY + "\n\n" + INTAKE, "text": intake(tools=True, machine="explain")},
    {"when": HEAVY + "\n\nGoal: ", "tool_calls": [call("read_file", path="a.txt"), call("list_dir", path=".")]},
    {"when": HEAVY + "\n\nGoal: ", "tool_calls": [call("answer")]},
    {"when": "Which port do you use?\n\n" + INTAKE, "text": intake()},
    {"when": "listens on http://127.0.0.1:", "text": "I see my port."},
    {"when": THINK, "text": "1. Both are unknown."},
    {"when": "friendly letter", "text": intake()},
    {"when": "to the folder", "text": intake(tools=True, machine="act")},
    {"when": "like bash\n\n" + INTAKE, "text": intake()},
    {"when": "like bash\n\n" + ANSWER, "text": "Noted."},
    {"when": "like bash", "text": '{"bash": "mention"}'},
    {"when": "use bash", "text": '{"bash": "use"}'},
    {"when": "Use BASH", "text": '{"bash": "use"}'},
    {"when": "write_file", "text": '{"write_file": "use"}'},
    {"when": "which files" + "\n\n" + INTAKE, "text": intake(tools=True, machine="act")},
    {"when": "which files" + "\n\nGoal: ", "tool_calls": [call("bash", command="ls")]},
    {"when": "which files" + "\n\nGoal: ", "tool_calls": [call("answer")]},
    {"when": ANSWER, "text": "a.txt is better."},
    {"when": "Good evening", "text": "Good evening to you."},
]


def ask(hearth, text):
    answer = hearth.chat("hearth", [user(text)])
    assert answer.status == 200, answer.data
    return answer.json, hearth.run(answer.headers["X-Hearth-Run"])


def content(answer):
    return answer["choices"][0]["message"]["content"]


def phases(run):
    return [span["name"] for span in run["spans"] if span["kind"] == "phase"]


def in_order(run):
    spans = [s for s in run["spans"] if s["kind"] == "phase"]
    return [s["name"] for s in sorted(spans, key=lambda s: s["started"])]


def check_events(run):
    """Each phase says once that it is done."""
    assert sorted(event["node_id"] for event in run["events"]) == sorted(phases(run))
    for event in run["events"]:
        assert event["event"] == "GRAPH_NODE_DONE"
        assert event["latency_ms"] >= 0 and event["error"] == ""
        assert re.fullmatch(r"[0-9a-f-]{36}", event["tenant_id"])


def test_a_heavy_question_walks_all_phases(hearth):
    answer, run = ask(hearth, HEAVY)
    assert content(answer) == "a.txt is better."
    assert answer["hearth"]["tools_used"] == 2
    root = check_trace(run)
    assert in_order(run) == ["arbiter", "intake", "retrieve", "copilot", "thinking", "recompose", "write_memory"]
    check_events(run)
    assert all(s["parent"] == root["id"] for s in run["spans"] if s["kind"] == "phase")
    by_id = {s["id"]: s for s in run["spans"]}
    models = [by_id[s["parent"]]["name"] for s in sorted(run["spans"], key=lambda s: s["started"]) if s["kind"] == "model"]
    assert models == ["intake", "copilot", "copilot", "thinking", "recompose"]
    tools = [s for s in run["spans"] if s["kind"] == "tool"]
    assert sorted(s["name"] for s in tools) == ["list_dir", "read_file"]
    assert all(by_id[s["parent"]]["name"] == "copilot" for s in tools)
    assert said(run) == [("user", HEAVY), ("assistant", "a.txt is better.")]


def test_thinking_is_reasoning_and_not_content(hearth):
    stream = hearth.stream("/v1/chat/completions", {"model": "hearth", "messages": [user(HEAVY)]})
    deltas = [chunk["choices"][0]["delta"] for _, chunk in stream if chunk != "[DONE]"]
    assert "".join(d.get("content") or "" for d in deltas) == "a.txt is better."
    assert "".join(d.get("reasoning_content") or "" for d in deltas) == "1. Both are unknown."


def test_a_greeting_is_one_call(hearth):
    answer, run = ask(hearth, "Good evening!")
    assert content(answer) == "Good evening to you."
    assert in_order(run) == ["arbiter", "retrieve", "recompose", "write_memory"]
    assert len([s for s in run["spans"] if s["kind"] == "model"]) == 1
    check_trace(run)
    check_events(run)


def test_a_normal_question_without_tools_skips_the_copilot(hearth):
    answer, run = ask(hearth, "Write a friendly letter to the neighbours about the noise of the drum kit on Sundays, please.")
    assert in_order(run) == ["arbiter", "intake", "retrieve", "recompose", "write_memory"]
    assert answer["hearth"]["tools_used"] == 0
    check_events(run)


def test_a_question_about_the_system_is_answered_with_what_it_stands_on(hearth):
    answer, _ = ask(hearth, "Which port do you use?")
    assert content(answer) == "I see my port."


@pytest.mark.parametrize("request_text", ["use bash to list the files in /etc", "Use BASH and print the folder.", "please write_file a.txt with hello to the folder"])
def test_a_tool_of_another_scope_is_refused_by_policy(hearth, request_text):
    answer, run = ask(hearth, request_text)
    assert "refused" in content(answer)
    assert answer["hearth"]["state"] == run["status"] == "refused"
    assert answer["hearth"]["tools_used"] == 0
    check_trace(run)
    decisions = [s for s in run["spans"] if s["kind"] == "policy"]
    assert [s["attributes"]["rule"] for s in decisions] == ["not_in_scope"]
    assert not [step for step in run["steps"] if step["kind"] == "tool"]


def test_a_tool_of_another_scope_may_be_spoken_of(hearth):
    answer, run = ask(hearth, "My brother knows that I like bash")
    assert content(answer) == "Noted." and answer["hearth"]["state"] == run["status"] == "answered"
    assert not [s for s in run["spans"] if s["kind"] == "policy"]
    check_trace(run)


def test_a_call_of_bash_is_refused_whatever_the_model_wants(hearth):
    answer, run = ask(hearth, "Please tell me which files")
    tool, = [s for s in run["spans"] if s["kind"] == "tool"]
    assert tool["name"] == "bash" and tool["attributes"]["state"] == "refused"
    assert answer["hearth"]["state"] == "refused"
    assert not [step for step in run["steps"] if step["kind"] == "tool"]


def test_the_dev_agent_has_bash_all_the_same(hearth):
    run = hearth.run(hearth.chat("hearth/dev", [user("which files\n\nGoal: all")]).headers["X-Hearth-Run"])
    tool = [s for s in run["spans"] if s["kind"] == "tool"][0]
    assert tool["name"] == "bash" and tool["attributes"]["state"] == "done"
