"""A secret from standard input to the one header that it is for, and nowhere else."""
import glob
import http.server
import json
import os
import pathlib
import pty
import subprocess
import threading
import time

import pytest
from conftest import running
from support import BINARY, Hearth, dump, user

CANARY = "canary-7Qm2xV9sLp4TzR8wKd3N"


class Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.keys.append(self.headers["Authorization"])
        if self.server.refusing:
            body = json.dumps({"error": {"message": f"Incorrect API key provided: {self.headers['Authorization'][7:]}"}}).encode()
            self.send_response(401)
            self.end_headers()
            self.wfile.write(body)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        delta = {"content": f"Your key is {self.headers['Authorization']}."}
        if asked.get("tools") and asked["messages"][-1]["role"] != "tool":
            delta = {"tool_calls": [{"index": 0, "id": "call_1", "function": {"name": "bash", "arguments": json.dumps({"command": "cat /proc/[0-9]*/environ; env"})}}]}
        for piece in ({"delta": delta}, {"delta": {}, "finish_reason": "stop"}):
            self.wfile.write(b"data: " + json.dumps({"model": "m", "choices": [{"index": 0, **piece}]}).encode() + b"\n\n")
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_):
        pass


@pytest.fixture
def upstream():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream) as server:
        server.keys, server.refusing = [], False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def hearth(own, upstream):
    settings = {"upstream.url": f"http://127.0.0.1:{upstream.server_port}/v1", "upstream.model": "m", "upstream.key": "secret:up"}
    yield from running(Hearth(own, "secret", settings=settings))


def secret(state, *arguments, value=None, status=0):
    done = subprocess.run([BINARY, "secret", *arguments], env=state.env, cwd="/", input=value, capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def processes():
    """Arguments and environment of every process of the machine that this user may look into."""
    out = []
    for name in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
        try:
            out.append(pathlib.Path(name).read_bytes().decode(errors="replace"))
        except OSError:
            pass
    return "\n".join(out)


def test_the_value_reaches_its_header_and_nothing_else(own, hearth, upstream):
    answer = hearth.chat("default", [user("hi")])
    assert answer.status == 503 and "there is no secret 'up'" in answer.error["message"] and "hearth secret set up" in answer.error["message"]

    kept = secret(own, "set", "up", "--host", "127.0.0.1", value=CANARY + "\n")
    assert "secret:up" in kept.stdout and CANARY not in kept.stdout + kept.stderr
    assert hearth.chat("default", [user("hi")]).status == 200
    assert upstream.keys == ["Bearer " + CANARY]  # set while the server runs
    hearth.dev("What is in the environment?")
    assert set(upstream.keys) == {"Bearer " + CANARY} and len(upstream.keys) >= 3
    upstream.refusing = True
    refused = hearth.chat("default", [user("hi")])
    assert refused.status >= 400 and CANARY not in refused.data.decode()
    assert hearth.call("POST", "/v0/dev/chat", {"messages": [user("again")]}).status

    run = hearth.call("GET", "/v1/runs?limit=9").json["data"]
    texts = {
        "processes": processes(),
        "log": hearth.log.read_text(),
        "/logs": hearth.call("GET", "/logs").data.decode(),
        "runs": "".join(json.dumps(hearth.run(one["id"])) for one in run),
        "config": own.command("config", "show", "--json") + own.command("config", "show"),
        "list": secret(own, "list").stdout + secret(own, "list", "--json").stdout,
        "dump": dump(own),
        "state": "".join(file.read_bytes().decode(errors="replace") for file in (own.folder / "state").glob("*") if file.is_file()),
        "metrics": hearth.call("GET", "/metrics").data.decode(),
        "health": hearth.call("GET", "/health").data.decode(),
    }
    assert [name for name, text in texts.items() if CANARY in text] == []
    assert "[redacted: secret]" in texts["dump"] and "COPY public.secret" in texts["dump"]  # the upstream had told it in its answers


PLAIN = "plain-words-without-a-pattern"  # a key that nobody could tell by its looks


def test_a_key_of_a_file_is_known_by_its_value(own, upstream):
    file = own.folder / "keys" / "up.txt"
    file.parent.mkdir(exist_ok=True)
    file.write_text(PLAIN + "\n")
    settings = {"upstream.url": f"http://127.0.0.1:{upstream.server_port}/v1", "upstream.model": "m", "upstream.key_file": file}
    for hearth in running(Hearth(own, "key_file", settings=settings)):
        hearth.dev("What is in the environment?")
        secret(own, "set", "other", value=CANARY)  # the secrets that are known change, this key stays
        time.sleep(2)
        hearth.dev("And after that?")
        assert set(upstream.keys) == {"Bearer " + PLAIN}
        upstream.refusing = True
        assert PLAIN not in hearth.chat("default", [user("hi")]).data.decode()
        runs = hearth.call("GET", "/v1/runs?limit=9").json["data"]
        texts = {"dump": dump(own), "log": hearth.log.read_text(), "/logs": hearth.call("GET", "/logs").data.decode(), "processes": processes(),
                 "runs": "".join(json.dumps(hearth.run(one["id"])) for one in runs)}
        assert [name for name, text in texts.items() if PLAIN in text] == []
        assert "[redacted: secret]" in texts["dump"], "the upstream had told it"


def test_a_wrong_master_key_is_named_before_the_first_use(own, upstream):
    settings = {"upstream.url": f"http://127.0.0.1:{upstream.server_port}/v1", "upstream.model": "m", "upstream.key": "secret:up"}
    secret(own, "set", "up", value=CANARY)
    key = own.folder / "state/master.key"
    away = key.with_suffix(".away")

    def told():
        done = subprocess.run([BINARY, "doctor", "--json"], env=own.env, cwd="/", capture_output=True, text=True, timeout=60)
        return next(probe for probe in json.loads(done.stdout) if probe["name"] == "secrets")

    assert told()["health"] == "ok"
    key.rename(away)
    try:
        assert told()["health"] == "FAILED" and "only it opens" in told()["found"]
        refused = Hearth(own, "wrong_key", settings=settings)
        env = dict(refused.env, HEARTH_SERVER_PORT="0")
        done = subprocess.run([BINARY, "serve"], env=env, cwd="/", capture_output=True, text=True, timeout=60)
        assert done.returncode != 0 and "only it opens" in done.stderr and "backup" in done.stderr
    finally:
        away.rename(key)
    assert told()["health"] == "ok"


def test_a_secret_for_another_host_is_not_sent(own, hearth, upstream):
    secret(own, "set", "up", "--host", "api.example.com", value=CANARY)
    answer = hearth.chat("default", [user("hi")])
    assert answer.status == 503 and "is for api.example.com, not for 127.0.0.1" in answer.error["message"]
    assert upstream.keys == []


def test_secrets_are_set_listed_rotated_and_removed(own):
    told = json.loads(secret(own, "set", "mail", "--json", value="a value\nof two lines\n").stdout)
    assert told["handle"] == "secret:mail" and told["version"] == 1 and told["owner"] == "person"
    secret(own, "set", "wifi", "--shared", value="twelve monkeys")
    assert [(one["name"], one["owner"]) for one in json.loads(secret(own, "list", "--json").stdout)] == [("mail", "person"), ("wifi", "household")]
    assert secret(own, "rotate").stdout == "encrypted 2 secrets anew\n"
    assert [one["version"] for one in json.loads(secret(own, "rotate", "mail", "--json").stdout)] == [3]
    assert json.loads(secret(own, "rotate", "--master", "--json").stdout) == {"master": True, "secrets": 2}
    assert "hearth secret list" in secret(own, "rm", "wifi", status=1).stderr  # it is the household's
    secret(own, "rm", "wifi", "--shared")
    secret(own, "rm", "mail")
    assert secret(own, "rm", "mail", status=1).stderr and json.loads(secret(own, "list", "--json").stdout) == []


def test_what_is_wrong_is_told_without_the_value(own):
    for arguments, value, status in ((["set", "x"], "", 1), (["set", "x"], "short\n", 1), (["set", CANARY + "/"], "", 2), (["set", "x", CANARY], "", 2)):
        done = secret(own, *arguments, value=value, status=status)
        assert done.stderr and CANARY not in done.stdout
    done = subprocess.run([BINARY, "config", "check"], env=dict(own.env, HEARTH_UPSTREAM_KEY=CANARY), capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "upstream.key" in done.stderr and "hearth secret set" in done.stderr and CANARY not in done.stdout + done.stderr


def test_a_terminal_does_not_show_what_is_typed(own):
    child, terminal = pty.fork()
    if child == 0:
        os.execve(BINARY, [BINARY, "secret", "set", "typed"], own.env)
    shown = b""
    try:
        while b"value of typed: " not in shown:
            shown += os.read(terminal, 1000)
        os.write(terminal, CANARY.encode() + b"\n")
        while True:
            shown += os.read(terminal, 1000)
    except OSError:  # the end of the terminal
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, shown
    assert CANARY.encode() not in shown and b"kept typed" in shown
