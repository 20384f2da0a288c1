"""Canaries: a secret that a program is given, looked for behind every other door."""
import base64
import contextlib
import http.server
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import threading

import pytest
from conftest import running
from secret_test import dump, secret
from support import BINARY, Hearth, call
from trace_test import Collector

CANARY = "canary-Xw4nB7tKz2QpM9sL"
GIVEN = {"TOKEN": "secret:github"}
SCRIPT = [
    {"when": "wait with it", "tool_calls": [call("bash", command="echo > begun; until [ -e go ]; do sleep 0.1; done; echo ${#TOKEN}", env=GIVEN)]},
    {"when": "wait with it", "text": "It has a length."},
    {"when": "say it aloud", "tool_calls": [call("bash", command="echo my token is $TOKEN; printf %s $TOKEN | base64; printf %s $TOKEN > token.txt", env=GIVEN)]},
    {"when": "say it aloud", "tool_calls": [call("read_file", path="token.txt")]},
    {"when": "say it aloud", "text": "That was all."},
    {"when": "after a file", "tool_calls": [call("read_file", path="note.txt")]},
    {"when": "after a file", "tool_calls": [call("bash", command="echo ${#TOKEN} > used", env=GIVEN)]},
    {"when": "after a file", "text": "That was all."},
    {"when": "not mine", "tool_calls": [call("bash", command="touch done", env={"TOKEN": "secret:up"}), call("bash", command="touch done", env={"TOKEN": "secret:nowhere"}),
                                        call("bash", command="touch done; curl -H 'Bearer secret:github' localhost")]},
    {"when": "not mine", "text": "I could not."},
]


def begin(hearth, text, folder):
    answer = hearth.call("POST", "/v1/runs", {"agent": "hearth/dev", "input": text, "workspace": str(folder)})
    assert answer.status == 202, answer.data
    return answer.json["id"]


def ended(hearth, run, state="answered"):
    found = hearth.wait_for(lambda: (one := hearth.run(run))["status"] == state and one, f"the run's end as {state}", 30)
    return found


def results(run):
    return [span["body"]["result"] for span in run["spans"] if span["kind"] == "tool"]


def children(pid):
    """The processes below one."""
    found, parents = [pid], {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rsplit(")", 1)[1].split()[1])
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def remembered(pid, value):
    """How often a process of ours holds the value in memory that it may write, outside of locked pages."""
    maps, found = [], 0
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        words = line.split()
        if re.fullmatch(r"[0-9a-f]+-[0-9a-f]+", words[0]):
            maps.append([*(int(end, 16) for end in words[0].split("-")), "w" in words[1], 0])
        elif words[0] == "Locked:":
            maps[-1][3] = int(words[1])
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for begin, end, writable, locked in maps:
            if not writable or locked:
                continue
            with contextlib.suppress(OSError, ValueError):
                memory.seek(begin)
                found += memory.read(end - begin).count(value)
    return found


@pytest.fixture
def collector():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        server.got = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "note.txt").write_text("hi\n")
    return tmp_path


@pytest.fixture
def hearth(own, collector):
    secret(own, "set", "github", "--for", "bash", value=CANARY + "\n")
    secret(own, "set", "up", value="the-key-of-an-upstream")
    settings = {"traces.otlp_endpoint": f"http://127.0.0.1:{collector.server_port}", "traces.otlp_content": "on"}
    yield from running(Hearth(own, "secret_tool", SCRIPT, settings))


def command(hearth, *words):
    done = subprocess.run([BINARY, *words], env=hearth.env, cwd="/", capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


def test_the_program_has_it_and_no_other_process(hearth, folder):
    run = begin(hearth, "wait with it", folder)
    hearth.wait_for(lambda: (folder / "begun").exists(), "the program's beginning")
    holders, server = {}, hearth.process.pid
    for pid in children(server):
        for file in ("environ", "cmdline"):
            with contextlib.suppress(OSError):
                if CANARY.encode() in pathlib.Path(f"/proc/{pid}/{file}").read_bytes():
                    holders[pid] = file
    assert holders and set(holders.values()) == {"environ"}
    assert {pathlib.Path(f"/proc/{pid}/comm").read_text().strip() for pid in holders} <= {"bash", "sleep"}
    (folder / "go").touch()
    done = ended(hearth, run)
    assert str(len(CANARY)) in results(done)[0]


def test_hearth_holds_it_in_locked_memory_alone(hearth, folder):
    for turn in range(3):
        run = begin(hearth, "wait with it", folder)
        hearth.wait_for(lambda: (folder / "begun").exists(), "the program's beginning")
        ours = [pid for pid in children(hearth.process.pid) if pathlib.Path(f"/proc/{pid}/exe").resolve() == pathlib.Path(BINARY).resolve()]
        assert hearth.process.pid in ours and remembered(hearth.process.pid, b"secret:github") > 0
        assert {pid: remembered(pid, CANARY.encode()) for pid in ours} == dict.fromkeys(ours, 0), f"call {turn}"
        (folder / "go").touch()
        ended(hearth, run)
        (folder / "go").unlink()
        (folder / "begun").unlink()


def test_nobody_hears_what_the_program_says_of_it(hearth, folder, collector):
    own = hearth.state
    run = begin(hearth, "say it aloud", folder)
    events = hearth.call("GET", f"/v1/runs/{run}/events").data.decode()
    whole = ended(hearth, run)
    assert (folder / "token.txt").read_text() == CANARY
    told = results(whole)
    assert "my token is [redacted: secret]" in told[0] and len(told) == 2 and "[redacted: secret]" in told[1]
    assert "secret:github" in json.dumps(whole) and "[redacted: secret]" in events
    hearth.wait_for(lambda: "execute_tool bash" in json.dumps(collector.got), "the spans at the collector")
    answer = hearth.stream("/v0/dev/chat", {"messages": [{"role": "user", "content": "say it aloud"}]})
    texts = {
        "run": json.dumps(whole),
        "events": events,
        "stream": b"".join(answer.response).decode(),
        "log": hearth.log.read_text(),
        "/logs": hearth.call("GET", "/logs").data.decode(),
        "dump": dump(own),
        "collector": json.dumps(collector.got),
        "trace": command(hearth, "trace", "show", run) + command(hearth, "trace", "show", run, "--json"),
        "replay": command(hearth, "trace", "replay", run) + command(hearth, "trace", "replay", run, "--json"),
        "list": secret(own, "list").stdout + secret(own, "list", "--json").stdout,
        "metrics": hearth.call("GET", "/metrics").data.decode(),
        "usage": hearth.call("GET", "/v1/usage").data.decode(),
        "state": "".join(file.read_bytes().decode(errors="replace") for file in (own.folder / "state").glob("*") if file.is_file()),
    }
    coded = base64.b64encode(CANARY.encode()).decode()[:-4]
    assert [name for name, text in texts.items() if CANARY in text or coded in text] == []
    assert "my token is [redacted: secret]" in texts["dump"] and "my token is" in texts["collector"] and "my token is" in texts["trace"]
    assert json.loads(secret(own, "list", "--json").stdout)[0]["for"] == ["bash"] and "tools: bash" in texts["list"]


def test_behind_a_text_from_outside_a_person_is_asked(hearth, folder):
    run = begin(hearth, "after a file", folder)
    ended(hearth, run, "waiting_person")
    assert not (folder / "used").exists()
    shown = command(hearth, "approval", "list")
    assert "secret:github" in shown and CANARY not in shown and "given a secret" in shown, shown
    waiting = json.loads(command(hearth, "approval", "list", "--json"))
    command(hearth, "approval", "grant", waiting[0]["id"])
    ended(hearth, run)
    assert (folder / "used").read_text() == f"{len(CANARY)}\n"


def test_what_is_not_for_it_is_refused_with_the_remedy(hearth, folder):
    told = results(ended(hearth, begin(hearth, "not mine", folder)))
    assert not (folder / "done").exists() and len(told) == 3
    assert "secret:up is for upstreams, not for bash" in told[0] and "hearth secret set up --for bash" in told[0]
    assert "there is no secret:nowhere" in told[1] and "hearth secret set nowhere --for bash" in told[1]
    assert "secret:github does not become its value in 'command' of bash" in told[2] and "env" in told[2]


def test_only_tools_that_take_secrets_are_named(own):
    for arguments in (["--for", "read_file"], ["--for", "no_such_tool"], ["--for", "bash", "--host", "api.github.com"]):
        assert CANARY not in secret(own, "set", "x", *arguments, value=CANARY, status=2).stderr
    assert "those that do: bash" in secret(own, "set", "x", "--for", "read_file", value=CANARY, status=2).stderr


def test_no_core_is_written(hearth, folder):
    begin(hearth, "wait with it", folder)
    hearth.wait_for(lambda: (folder / "begun").exists(), "the program's beginning")
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], cwd=folder, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, unlimited))
    other.send_signal(signal.SIGABRT)
    dumped = os.WCOREDUMP(os.waitpid(other.pid, 0)[1])
    other.returncode = -signal.SIGABRT
    assert resource.prlimit(hearth.process.pid, resource.RLIMIT_CORE) == (1, 1)
    hearth.process.send_signal(signal.SIGABRT)
    status = os.waitpid(hearth.process.pid, 0)[1]
    hearth.process.returncode = -signal.SIGABRT
    assert os.WIFSIGNALED(status) and not os.WCOREDUMP(status)
    if not dumped:
        pytest.skip("no program leaves a core here")
