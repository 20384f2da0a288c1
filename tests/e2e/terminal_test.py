"""hearth chat: in a terminal, by argument and by pipe."""
import fcntl
import http.server
import json
import os
import pty
import re
import select
import signal
import socketserver
import subprocess
import termios
import threading
import time

import pytest
from conftest import running
from support import BINARY, Hearth, call, said

SCRIPT = [
    {"when": "my name", "text": "Hello, Ada."},
    {"when": "who am I", "text": "You are Ada."},
    {"when": "say nothing", "text": ""},
    {"when": "talk for long", "text": " ".join(f"word{n}" for n in range(500)), "word_delay_ms": 20},
    {"when": "list", "tool_calls": [call("list_dir", path=".")]},
    {"when": "list", "text": "There is note.txt."},
    {"when": "save", "tool_calls": [call("write_file", path="made.txt", content="x")]},
    {"when": "save", "text": "Done."},
    {"when": "draw", "tool_calls": [call("read_file", path="evil.txt"), call("read_file", path="no\x1b[2Jfile\x7f")]},
    {"when": "draw", "text": "\x1b]0;mine\x07 red\x1b[31m \u009b2J \x7f file\u202ecod.exe \u2066x"},
] + [{"when": "for ever", "tool_calls": [call("bash", command=f"echo {n}")]} for n in range(20)]

SCRIPT_TEXT = next(line["text"] for line in SCRIPT if line["when"] == "draw" and "text" in line)


class Terminal:
    """A program in a pseudo-terminal of its own."""

    def __init__(self, command, env, folder):
        self.master, slave = pty.openpty()
        self.text = ""
        self.process = subprocess.Popen(command, env=env, cwd=folder, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)

    def expect(self, wanted, seconds=10):
        """Reads up to and with `wanted`; returns what came before it."""
        until = time.monotonic() + seconds
        while wanted not in self.text:
            ready, _, _ = select.select([self.master], [], [], max(0, until - time.monotonic()))
            assert ready, f"no {wanted!r} within {seconds} s, but {self.text!r}"
            try:
                self.text += os.read(self.master, 4096).decode(errors="replace")
            except OSError:
                raise AssertionError(f"the program ended before {wanted!r}: {self.text!r}") from None
        before, _, self.text = self.text.partition(wanted)
        return before

    def say(self, text):
        os.write(self.master, text.encode())

    def end(self):
        status = self.process.wait(10)
        os.close(self.master)
        return status

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.end()


@pytest.fixture
def folder(state, request):
    path = state.folder / "terminal" / request.node.name
    path.mkdir(parents=True)
    (path / "note.txt").write_text("hi\n")
    return path


@pytest.fixture
def terminal(hearth, folder):
    opened = Terminal([BINARY, "chat"], hearth.env, folder)
    opened.expect("> ")
    yield opened
    opened.kill()


def chat(hearth, folder, *arguments, stdin=None, env=None):
    return subprocess.run([BINARY, "chat", *arguments], env=env or hearth.env, cwd=folder, input=stdin, capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL if stdin is None else None)


def newest_run(hearth):
    return hearth.run(hearth.call("GET", "/v1/runs?limit=1").json["data"][0]["id"])


def newest_end(hearth):
    """The newest run, which may have said its last word a moment before it is over."""
    return hearth.wait_for(lambda: (run := newest_run(hearth))["finished"] and run, "the run's end", 3)


def test_two_turns_are_one_conversation(hearth, terminal):
    terminal.say("my name is Ada\n")
    terminal.expect("Hello, Ada.")
    terminal.expect("> ")
    terminal.say("who am I?\n")
    terminal.expect("You are Ada.")
    terminal.expect("> ")
    terminal.say("\n")  # nothing is no question
    terminal.expect("> ")
    terminal.say("\x04")
    assert terminal.end() == 0
    assert said(newest_end(hearth)) == [("user", "my name is Ada"), ("assistant", "Hello, Ada."), ("user", "who am I?"), ("assistant", "You are Ada.")]


def test_commands_are_done_or_told_and_never_sent(hearth, terminal):
    before = newest_run(hearth)["id"] if hearth.call("GET", "/v1/runs?limit=1").json["data"] else None
    terminal.say("/help\n")
    told = terminal.expect("> ")
    assert all(word in told for word in ["/help", "/new", "/exit", "Ctrl-C"])
    terminal.say("/frobnicate now\n")
    assert "there is no command /frobnicate" in terminal.expect("> ")
    runs = hearth.call("GET", "/v1/runs?limit=1").json["data"]
    assert (runs[0]["id"] if runs else None) == before, "nothing was sent"
    for line in ("my name is Ada, /etc/hosts\n", " /frobnicate: my name is Ada\n", "/etc/hosts is of Ada: my name is Ada\n"):
        terminal.say(line)
        terminal.expect("Hello, Ada.")
        terminal.expect("> ")
    first = newest_end(hearth)
    terminal.say("/new\n")
    terminal.expect("> ")
    terminal.say("my name is Ada\n")
    terminal.expect("Hello, Ada.")
    terminal.expect("> ")
    assert newest_end(hearth)["conversation_id"] != first["conversation_id"]
    terminal.say("/exit\n")
    assert terminal.end() == 0


class Loading(http.server.BaseHTTPRequestHandler):
    """A server whose model takes three looks to load, and answers then."""
    looks = 0

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        type(self).looks += 1
        if self.looks < 4:
            self.answer(503, "application/json", b'{"status":"loading","stage":"weights","percent":%d}' % (self.looks * 30))
        else:
            self.answer(200, "application/json", b'{"status":"ok"}')

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        assert self.looks >= 4, "asked before it was ready"
        self.answer(200, "text/event-stream", b'event: done\ndata: {"state":"answered","response":"Ready now."}\n\n')

    def log_message(self, *_):
        pass


def test_a_model_that_loads_is_waited_for(hearth, folder):
    socket = str(folder / "load.sock")
    with socketserver.ThreadingUnixStreamServer(socket, Loading) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = chat(hearth, folder, "hello", env=dict(hearth.env, HEARTH_SERVER_SOCKET=socket))
        server.shutdown()
    assert (done.returncode, done.stdout) == (0, "Ready now.\n"), done.stderr
    assert [line for line in done.stderr.splitlines()] == [f"the model loads: weights {n} %" for n in (30, 60, 90)]


def test_tools_see_this_folder_and_are_shown(hearth, terminal, folder):
    terminal.say("list the files\n")
    terminal.expect("list_dir")
    terminal.expect("note.txt")
    terminal.expect("There is note.txt.")
    assert newest_end(hearth)["turn"]["work"][1]["content"].startswith("note.txt")


def test_ctrl_c_stops_the_answer_and_not_the_program(hearth, terminal):
    terminal.say("talk for long\n")
    terminal.expect("word5 ")
    terminal.say("\x03")
    terminal.expect("[stopped]", 3)
    terminal.expect("> ")
    assert terminal.process.poll() is None
    run = newest_end(hearth)
    assert run["status"] == "cancelled"
    terminal.say("my name is Ada\n")
    terminal.expect("Hello, Ada.")
    terminal.expect("> ")
    assert newest_run(hearth)["conversation_id"] == run["conversation_id"], "the conversation goes on"
    terminal.say("\x03")  # at the prompt
    terminal.expect("> ")
    terminal.say("\x03\x03")
    terminal.expect("> ")
    assert terminal.process.poll() is None
    terminal.say("\x04")
    assert terminal.end() == 0


def test_a_stopped_first_answer_keeps_its_conversation(hearth, terminal):
    terminal.say("talk for long\n")
    terminal.expect("word3 ")
    terminal.say("\x03")
    terminal.expect("> ")
    newest_end(hearth)
    terminal.say("who am I?\n")
    terminal.expect("You are Ada.")
    roles = [role for role, _ in said(newest_end(hearth))]
    assert roles == ["user", "assistant", "user", "assistant"]


def test_a_turn_that_gives_no_whole_answer_is_told(hearth, terminal):
    terminal.say("for ever and ever\n")
    terminal.expect("hearth: partial: no answer after 10 rounds")
    assert "→" in terminal.expect("> ")
    terminal.say("my name is Ada\n")
    assert "hearth:" not in terminal.expect("Hello, Ada.") + terminal.expect("> ")


@pytest.fixture
def unready(state):
    """A server whose only model lies behind a port where nobody answers."""
    yield from running(Hearth(state, "unready", settings={"upstream.url": "http://127.0.0.1:1/v1", "upstream.model": "m", "server.socket": state.folder / "unready.sock"}))


def test_no_model_is_told_and_the_conversation_goes_on(unready, folder):
    opened = Terminal([BINARY, "chat"], unready.env, folder)
    try:
        opened.expect("> ")
        for _ in range(2):
            opened.say("hello\n")
            opened.expect("hearth: no_backend: ")
            assert "hearth doctor" in opened.expect("> ")
    finally:
        opened.kill()
    assert chat(unready, folder, "hello").returncode == 5


def acting(text):
    """The characters that a terminal would act on."""
    return set(re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text))


@pytest.mark.parametrize("colour", [True, False])
def test_foreign_text_does_not_reach_the_terminal_as_it_is(hearth, folder, colour):
    (folder / "evil.txt").write_text("\x1b]0;yours\x07\x1b[2J\u009b31m \u202egnp.exe\n")
    opened = Terminal([BINARY, "chat"], hearth.env if colour else dict(hearth.env, NO_COLOR="1"), folder)
    try:
        opened.expect("> ")
        opened.say("draw\n")
        shown = opened.expect("\\u2066x") + opened.expect("> ")
    finally:
        opened.kill()
    assert ("\x1b[2m" in shown) is colour
    assert not acting(shown.replace("\x1b[2m", "").replace("\x1b[0m", "").replace("\r\n", "\n")), shown
    for visible in ["\\u001b]0;yours\\u0007", "\\u009b31m", "\\u202egnp", "\\u001b]0;mine", "\\u007f", "\\u202ecod"]:
        assert visible in shown, shown


def test_foreign_text_is_made_visible_wherever_it_is_printed(hearth, folder):
    (folder / "evil.txt").write_text("\x1b[2J\u009b31m\n")
    once = chat(hearth, folder, "--once", "draw")
    assert once.returncode == 0 and "\\u001b[31m" in once.stdout and not acting(once.stdout + once.stderr)
    as_json = chat(hearth, folder, "--json", "draw")
    assert json.loads(as_json.stdout)["response"] == SCRIPT_TEXT and not acting(as_json.stdout)
    for options in [], ["--json"]:
        trace = subprocess.run([BINARY, "trace", "show", *options], env=hearth.env, capture_output=True, text=True, timeout=60)
        assert trace.returncode == 0 and "\\u001b[2J" in trace.stdout and not acting(trace.stdout), trace.stdout
    label = subprocess.run([BINARY, "key", "new", "--label", "\x1b[2Jmine"], env=hearth.env, capture_output=True, text=True, timeout=60)
    keys = subprocess.run([BINARY, "key", "list"], env=hearth.env, capture_output=True, text=True, timeout=60)
    assert label.returncode == 0 and "\\u001b[2Jmine" in keys.stdout and not acting(keys.stdout)
    wrong = chat(hearth, folder, "--workspace", "/no\x1b[2Jwhere", "hello")
    assert wrong.returncode == 1 and "\\u001b[2Jwhere" in wrong.stderr and not acting(wrong.stderr)


def test_a_lost_server_is_said_and_the_program_stays(hearth, terminal):
    hearth.stop()
    terminal.say("my name is Ada\n")
    terminal.expect("no hearth server answers")
    terminal.expect("> ")
    hearth.start()
    terminal.say("my name is Ada\n")
    terminal.expect("Hello, Ada.")


def test_one_question_by_argument(hearth, folder):
    done = chat(hearth, folder, "my name is Ada")
    assert (done.returncode, done.stdout, done.stderr) == (0, "Hello, Ada.\n", "")


@pytest.mark.parametrize("text", ["my name is Ada", "my name is Ada\n", "hello\nthere, my name is Ada\n"])
def test_one_question_by_pipe(hearth, folder, text):
    done = chat(hearth, folder, stdin=text)
    assert (done.returncode, done.stdout) == (0, "Hello, Ada.\n")
    assert said(newest_end(hearth))[0] == ("user", text.rstrip("\n")) or said(newest_end(hearth))[0] == ("user", text)


def test_a_pipe_follows_the_argument(hearth, folder):
    done = chat(hearth, folder, "what is my name?", stdin="Notes:\nmy name is Ada\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "Hello, Ada.\n", "")
    assert said(newest_end(hearth))[0] == ("user", "what is my name?\n\nNotes:\nmy name is Ada\n")
    long = "".join(f"line {n}\n" for n in range(40000))  # more than a pipe holds at a time
    assert chat(hearth, folder, "my name is Ada", stdin=long).returncode == 0
    assert said(newest_end(hearth))[0] == ("user", "my name is Ada\n\n" + long)
    assert chat(hearth, folder, "my name is Ada", stdin=" \n").returncode == 0
    assert said(newest_end(hearth))[0] == ("user", "my name is Ada"), "blank text adds nothing"
    with open("/dev/null") as closed:
        process = subprocess.Popen([BINARY, "chat", "my name is Ada"], env=hearth.env, cwd=folder, stdin=closed, stdout=subprocess.PIPE, preexec_fn=lambda: os.close(0))
        assert process.communicate(timeout=30)[0] == b"Hello, Ada.\n", "no standard input at all"


def test_a_pipe_that_stays_open_is_told_and_can_be_left(hearth, folder):
    process = subprocess.Popen([BINARY, "chat", "my name is Ada"], env=hearth.env, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert "reading standard input" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(5) == 130
    for pipe in (process.stdin, process.stdout, process.stderr):
        pipe.close()


def test_help_tells_of_the_pipe():
    told = subprocess.run([BINARY, "chat", "--help"], capture_output=True, text=True, timeout=30).stdout
    assert "text piped in follows it" in told and 'git diff | hearth chat "review this change"' in told


def test_once_tells_what_it_cost(hearth, folder):
    done = chat(hearth, folder, "--once", "list the files")
    assert done.returncode == 0 and done.stdout == "There is note.txt.\n"
    assert "tokens/s" in done.stderr and "1 tool calls" in done.stderr and newest_run(hearth)["id"] in done.stderr


def test_json_is_the_servers_answer(hearth, folder):
    done = chat(hearth, folder, "--json", "list the files")
    answer = json.loads(done.stdout)
    assert answer["response"] == "There is note.txt." and answer["tools_used"] == 1


def test_an_earlier_conversation_goes_on(hearth, folder):
    first = json.loads(chat(hearth, folder, "--json", "my name is Ada").stdout)
    second = json.loads(chat(hearth, folder, "--json", "--conversation", first["conversation_id"], "who am I?").stdout)
    assert second["conversation_id"] == first["conversation_id"]
    assert len(hearth.run(second["run_id"])["messages"]) == 4


@pytest.mark.parametrize("read_only", [False, True])
def test_read_only_means_it(hearth, folder, read_only):
    chat(hearth, folder, *(["--read-only"] if read_only else []), "save it")
    assert (folder / "made.txt").exists() is not read_only


@pytest.mark.parametrize("tier", ["prompts", "code"])
def test_a_run_changes_no_more_than_its_tier_allows(hearth, folder, tier):
    chat(hearth, folder, "--write-tier", tier, "save it")
    assert (folder / "made.txt").exists() is (tier == "code")
    assert chat(hearth, folder, "--write-tier", "everything", "save it").returncode == 2


def test_another_agent_is_talked_to(hearth, folder):
    told = json.loads(chat(hearth, folder, "--agent", "hearth", "--json", "my name is Ada").stdout)
    assert told["response"] == "Hello, Ada." and told["state"] == "answered"
    run = hearth.run(told["run_id"])
    assert run["model"] == "hearth" and next(span for span in run["spans"] if span["parent"] is None)["attributes"]["workspace"] != str(folder)
    again = json.loads(chat(hearth, folder, "--agent", "hearth", "--conversation", told["conversation_id"], "--json", "who am I?").stdout)
    assert again["conversation_id"] == told["conversation_id"] and again["response"] == "You are Ada."
    refused = chat(hearth, folder, "--agent", "hearth", "--workspace", ".", "hello")
    assert refused.returncode == 1 and "works in no folder of a client's" in refused.stderr
    for name in ("hearth/nobody", "no such", "../health"):
        unknown = chat(hearth, folder, "--agent", name, "hello")
        assert unknown.returncode == 1 and f"there is no agent or model '{name}'" in unknown.stderr and "GET /v1/models" in unknown.stderr, unknown.stderr


def test_a_model_alone_is_talked_to(hearth, folder):
    runs = len(hearth.call("GET", "/v1/runs?limit=500").json["data"])
    assert chat(hearth, folder, "--agent", "default", "my name is Ada").stdout == "Hello, Ada.\n"
    told = json.loads(chat(hearth, folder, "--agent", "default", "--json", "my name is Ada").stdout)
    assert told["response"] == "Hello, Ada." and told["model"] == "default" and told["usage"]["output_tokens"] > 0
    opened = Terminal([BINARY, "chat", "--agent", "default"], hearth.env, folder)
    try:
        opened.expect("> ")
        for question, answer in (("my name is Ada", "Hello, Ada."), ("who am I?", "You are Ada.")):
            opened.say(question + "\n")
            opened.expect(answer)
            opened.expect("> ")
        opened.say("\x04")
        assert opened.end() == 0
    finally:
        opened.kill()
    for option in (["--workspace", "."], ["--read-only"], ["--write-tier", "prompts"], ["--conversation", "0190"]):
        refused = chat(hearth, folder, "--agent", "default", *option, "hello")
        assert refused.returncode == 2 and "a model alone" in refused.stderr and f"leave {option[0]} out" in refused.stderr
    for question in ("say nothing", "list"):  # the second answers with a call of a tool that nobody offered
        nothing = chat(hearth, folder, "--agent", "default", question)
        assert nothing.returncode == 1 and nothing.stdout.strip() == "", nothing
        assert "default is a model alone" in nothing.stderr and "hearth, hearth/dev" in nothing.stderr, nothing.stderr
    assert len(hearth.call("GET", "/v1/runs?limit=500").json["data"]) == runs


def test_exit_codes(hearth, folder):
    nowhere = dict(hearth.env, HEARTH_SERVER_SOCKET=str(folder / "no.sock"))
    lost = chat(hearth, folder, "my name is Ada", env=nowhere)
    assert lost.returncode == 1 and "no hearth server answers" in lost.stderr and lost.stdout == ""
    assert chat(hearth, folder, "--no-such-option").returncode == 2
    for empty in ["", " \n"]:
        none = chat(hearth, folder, stdin=empty)
        assert none.returncode == 2 and "empty" in none.stderr
    assert chat(hearth, folder, "--conversation", "no-id", "my name").returncode == 1
    assert chat(hearth, folder, "--workspace", "/nowhere", "my name").returncode == 1
    partial = chat(hearth, folder, "for ever and ever")
    assert partial.returncode == 3 and "no answer after 10 rounds" in partial.stderr


def test_an_interrupted_question_ends_with_130(hearth, folder):
    process = subprocess.Popen([BINARY, "chat", "talk for long"], env=hearth.env, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.read(5) == b"word0"
    process.send_signal(signal.SIGINT)
    assert process.wait(5) == 130
    process.stdout.close(), process.stderr.close()
    run = newest_end(hearth)
    assert run["status"] == "cancelled"
