"""POST /v0/dev/chat over plain HTTP: tools run in the sandbox, the trace tells all of it."""
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import call, check_trace, said, user

SCRIPT = [
    {"when": "write a haiku", "text": "An old silent pond"},
    {"when": "make and show", "tool_calls": [call("write_file", path="notes/a.txt", content="milk\nbread\n")]},
    {"when": "make and show", "text": "One moment. ", "tool_calls": [call("bash", command="wc -l < notes/a.txt; id -u; ls /root 2>&1")]},
    {"when": "make and show", "tool_calls": [call("read_file", path="notes/a.txt"), call("read_file", path="missing.txt")]},
    {"when": "make and show", "text": "The note has two lines."},
    {"when": "look outside", "tool_calls": [call("read_file", path="../../../../etc/passwd")]},
    {"when": "look outside", "text": "I cannot."},
    {"when": "read the secrets", "tool_calls": [call("read_file", path="state/pg/credentials"), call("read_file", path="state/nothing/here"), call("list_dir", path="state"),
                                                call("bash", command="ls state; cat state/pg/credentials; cat state/nothing")]},
    {"when": "read the secrets", "text": "They are protected."},
    {"when": "which host", "tool_calls": [call("bash", command="getent hosts example.com || echo no network; env | sort")]},
    {"when": "which host", "text": "None."},
    {"when": "unknown tool", "tool_calls": [call("fly", to="moon")]},
    {"when": "unknown tool", "text": "There is no such tool."},
]


def spans(run, kind):
    return [span for span in run["spans"] if span["kind"] == kind]


def tool_results(run):
    """(name, result) of the calls, as the next model call saw them."""
    return [(m["name"], m["content"]) for m in run["turn"]["work"] if m["role"] == "tool"]


def test_what_is_protected_is_said_to_be_and_no_more(hearth):
    answer = hearth.dev("read the secrets", workspace=str(hearth.state.folder))
    there, absent, folder, program = [result for _, result in tool_results(hearth.run(answer["run_id"]))]
    for path, result in [("state/pg/credentials", there), ("state/nothing/here", absent), ("state", folder)]:
        assert result.startswith(f'Error: "{path}" is protected: ') and "from here" in result, result
    assert there.replace("state/pg/credentials", "state") == absent.replace("state/nothing/here", "state") == folder
    assert program.lower().count("permission denied") == 3 and "No such file" not in program, program


def test_an_answer_without_tools(hearth):
    answer = hearth.dev("Please write a haiku")
    assert answer["response"] == "An old silent pond"
    assert answer["tools_used"] == 0
    assert answer["state"] == "answered"
    run = hearth.run(answer["run_id"])
    assert run["conversation_id"] == answer["conversation_id"]
    assert run["status"] == "answered"
    assert said(run) == [("user", "Please write a haiku"), ("assistant", "An old silent pond")]
    check_trace(run)
    assert len(spans(run, "model")) == 1
    assert spans(run, "tool") == []


def test_tools_run_in_the_sandbox_and_are_counted(hearth):
    answer = hearth.dev("make and show a note")
    assert answer["response"] == "The note has two lines."
    assert answer["tools_used"] == 4
    run = hearth.run(answer["run_id"])
    results = tool_results(run)
    assert [name for name, _ in results] == ["write_file", "bash", "read_file", "read_file"]
    counted, uid, *rest = results[1][1].split("\n")
    assert counted == "2"
    assert uid != "0", "programs do not run as root"
    assert "cannot" in " ".join(rest), "the host's /root is not there"
    assert results[2][1] == "1\tmilk\n2\tbread\n"
    assert "missing.txt" in results[3][1]


def test_the_trace_holds_every_step(hearth):
    run = hearth.run(hearth.dev("make and show a note")["run_id"])
    root = check_trace(run)
    assert root["name"] == "hearth/dev"
    assert root["attributes"]["final_state"] == "answered"
    assert root["body"] == {"request": "make and show a note", "answer": "The note has two lines."}
    assert len(spans(run, "model")) == 4
    tools = spans(run, "tool")
    assert [t["name"] for t in tools] == ["write_file", "bash", "read_file", "read_file"]
    assert all(t["parent"] == root["id"] for t in tools)
    assert [s["kind"] for s in run["steps"]] == ["model", "tool", "model", "tool", "model", "tool", "tool", "model"]
    assert [s["state"] for s in run["steps"]] == ["done"] * 6 + ["failed", "done"]
    by_name = {s["name"]: s for s in run["steps"]}
    assert by_name["write_file"]["input"] == {"path": "notes/a.txt", "content": "milk\nbread\n"}
    assert by_name["bash"]["effect"] == "at_most_once"


def test_events_come_as_they_happen(hearth):
    stream = hearth.stream("/v0/dev/chat", {"messages": [user("make and show a note")]})
    assert stream.status == 200
    assert stream.headers["Content-Type"].startswith("text/event-stream")
    events = list(stream)
    names = [name for name, _ in events]
    assert names[0] == "run_started" and names[-1] == "done"
    assert [n for n in names if n.startswith("tool")] == ["tool_call", "tool_result"] * 4
    text = [data["text"] for name, data in events if name == "text"]
    assert text == ["One", " moment.", " ", "The", " note", " has", " two", " lines."]
    calls = [data for name, data in events if name == "tool_call"]
    results = [data for name, data in events if name == "tool_result"]
    assert [c["id"] for c in calls] == [r["id"] for r in results]
    assert len({c["id"] for c in calls}) == 4
    assert calls[0]["arguments"] == {"path": "notes/a.txt", "content": "milk\nbread\n"}
    assert [r["ok"] for r in results] == [True, True, True, False]
    done = events[-1][1]
    assert done["response"] == "The note has two lines."
    assert done["tools_used"] == 4
    assert done["run_id"] == events[0][1]["run_id"]
    assert hearth.run(done["run_id"])["status"] == "answered"


def test_a_path_outside_is_refused(hearth):
    run = hearth.run(hearth.dev("look outside")["run_id"])
    assert "root:" not in str(run["turn"])
    (_, result), = tool_results(run)
    assert "outside" in result, result


def test_the_sandbox_has_no_network_and_no_environment(hearth):
    run = hearth.run(hearth.dev("which host")["run_id"])
    (_, result), = tool_results(run)
    assert "no network" in result
    assert "HEARTH" not in result


def test_a_tool_that_does_not_exist_is_told_to_the_model(hearth):
    answer = hearth.dev("unknown tool")
    assert answer["tools_used"] == 0
    (name, result), = tool_results(hearth.run(answer["run_id"]))
    assert name == "fly" and "fly" in result


@pytest.mark.parametrize("read_only", [False, True])
def test_a_named_folder_is_the_workspace(hearth, state, read_only):
    folder = state.folder / f"named-{read_only}"
    folder.mkdir()
    answer = hearth.dev("make and show a note", workspace=str(folder), read_only=read_only)
    assert (folder / "notes/a.txt").exists() is not read_only
    run = hearth.run(answer["run_id"])
    assert check_trace(run)["attributes"]["workspace"] == str(folder)


def test_turns_beside_each_other_do_not_mix(hearth):
    questions = ["make and show a note", "Please write a haiku", "look outside"] * 4
    with ThreadPoolExecutor(len(questions)) as pool:
        answers = list(pool.map(hearth.dev, questions))
    expected = {"make and show a note": ("The note has two lines.", 4), "Please write a haiku": ("An old silent pond", 0), "look outside": ("I cannot.", 1)}
    for question, answer in zip(questions, answers):
        assert (answer["response"], answer["tools_used"]) == expected[question]
        run = hearth.run(answer["run_id"])
        check_trace(run)
        assert said(run) == [("user", question), ("assistant", answer["response"])]
    assert len({answer["conversation_id"] for answer in answers}) == len(questions)
