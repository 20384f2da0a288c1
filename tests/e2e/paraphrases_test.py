"""The first question in all its forms, with a scripted model that does what a good one would."""
import json

import pytest
from support import ROOT, call, check_trace

DATA = ROOT / "tests/data/tool_requests"


def requests(name):
    return [json.loads(line)["request"] for line in (DATA / name).read_text().splitlines() if line.strip()]


FIRST = requests("paraphrases.jsonl") + requests("paraphrases_held_out.jsonl")
NO_TOOL = requests("no_tool.jsonl")
ANSWER = "The files are README.md, kiln.py and glazes.csv. The README is about a pottery."

SCRIPT = [line for request in FIRST for line in (
    {"when": request, "tool_calls": [call("list_dir", path="."), call("read_file", path="README.md")]},
    {"when": request, "text": ANSWER})]
SCRIPT += [{"when": request, "text": "Gladly."} for request in NO_TOOL]


@pytest.fixture(scope="module")
def checkout(state):
    folder = state.folder / "pottery"
    folder.mkdir()
    (folder / "README.md").write_text("# Kilnbook\n\nKilnbook runs a pottery.\n")
    (folder / "kiln.py").write_text("print('hot')\n")
    (folder / "glazes.csv").write_text("name,colour\n")
    return folder


@pytest.mark.parametrize("request_text", FIRST)
def test_both_results_reach_the_model_and_its_answer_the_person(hearth, checkout, request_text):
    answer = hearth.dev(request_text, workspace=str(checkout), read_only=True)
    assert answer["response"] == ANSWER and answer["state"] == "answered"
    assert answer["tools_used"] == 2
    run = hearth.run(answer["run_id"])
    check_trace(run)
    listed, read = [m["content"] for m in run["turn"]["work"] if m["role"] == "tool"]
    assert all(name in listed for name in ("README.md", "kiln.py", "glazes.csv"))
    assert "Kilnbook runs a pottery." in read


@pytest.mark.parametrize("request_text", NO_TOOL)
def test_what_needs_no_tool_makes_no_call(hearth, checkout, request_text):
    answer = hearth.dev(request_text, workspace=str(checkout), read_only=True)
    assert answer["response"] == "Gladly." and answer["tools_used"] == 0
    assert not [span for span in hearth.run(answer["run_id"])["spans"] if span["kind"] == "tool"]
