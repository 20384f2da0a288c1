"""A server whose only model is an OpenAI-compatible upstream, which fails and comes back."""
import http.server
import json
import subprocess
import threading

import pytest
from conftest import running
from support import BINARY, Hearth, user


class Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"  # an answer ends with its connection

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked += 1
        if self.server.broken:
            self.send_error(500, "out of memory")
            return
        if self.server.refusal:
            self.send_response(self.server.refusal)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            return
        if self.server.nonsense:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.server.nonsense)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for piece in ({"delta": {"content": "Good day."}}, {"delta": {}, "finish_reason": "stop"}):
            self.wfile.write(b"data: " + json.dumps({"model": "m", "choices": [{"index": 0, **piece}]}).encode() + b"\n\n")
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_):
        pass


@pytest.fixture
def upstream():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream) as server:
        server.broken, server.refusal, server.nonsense, server.asked = False, 0, b"", 0
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def hearth(state, upstream):
    settings = {"upstream.url": f"http://127.0.0.1:{upstream.server_port}/v1", "upstream.model": "m", "server.socket": state.folder / "upstream.sock"}
    yield from running(Hearth(state, "upstream", settings=settings))


def server_probe(hearth):
    done = subprocess.run([BINARY, "doctor", "--json"], env=hearth.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    return next(probe for probe in json.loads(done.stdout) if probe["name"] == "server")


def test_health_and_doctor_tell_of_an_upstream_that_fails(hearth, upstream):
    ask = lambda: hearth.call("POST", "/v1/chat/completions", {"model": "default", "messages": [user("hi")]}).status
    health = lambda: hearth.call("GET", "/health")
    assert ask() == 200 and health().json["status"] == "ok"
    upstream.broken = True
    assert ask() == 503
    asked = upstream.asked
    assert health().status == 200
    [failing] = health().json["failing"]
    assert failing["alias"] == "default" and failing["backend"] == "upstream" and "answered 500" in failing["error"]
    assert hearth.call("GET", "/health", key="").json == {"status": "degraded"}
    probe = server_probe(hearth)
    assert probe["health"] == "warning" and "degraded; default by upstream" in probe["found"] and "answered 500" in probe["found"] and probe["remedy"]
    assert upstream.asked == asked
    upstream.broken = False
    assert ask() == 200
    assert health().json["status"] == "ok" and server_probe(hearth)["health"] == "ok"


@pytest.mark.parametrize("nonsense", [b"<html><body>Sign in to the hotel's network</body></html>", b"{", b"[]", b"data: 7\n\n", b"data: {\"choices\": 5}\n\n"])
def test_an_upstream_that_answers_nonsense_is_named_and_is_no_fault_of_the_server(hearth, upstream, nonsense):
    upstream.nonsense = nonsense
    answer = hearth.call("POST", "/v1/chat/completions", {"model": "default", "messages": [user("hi")]})
    assert answer.status == 503, answer.json
    error = answer.json["error"]
    assert error["type"] == "service_unavailable" and error["code"] == "unavailable" and "upstream 'upstream'" in error["message"] and "upstream.url" in error["message"]


@pytest.mark.parametrize("status", [401, 403, 404, 302])
def test_what_an_upstream_refuses_this_server_is_not_the_callers(hearth, upstream, status):
    upstream.refusal = status
    answer = hearth.call("POST", "/v1/chat/completions", {"model": "default", "messages": [user("hi")]})
    assert answer.status == 503 and answer.json["error"]["code"] == "unavailable", answer.json
    assert f"answered {status}" in answer.json["error"]["message"] and "upstream 'upstream'" in answer.json["error"]["message"]
    answer = hearth.call("POST", "/v1/chat/completions", {"model": "hearth", "messages": [user("hi")]})
    assert answer.status == 503, answer.json
    assert hearth.call("GET", "/v1/runs?limit=1").json["data"][0]["status"] == "no_backend"


def test_vectors_of_a_chat_model_are_the_callers_fault_and_shut_nothing(hearth, upstream):
    for _ in range(6):
        answer = hearth.call("POST", "/v1/embeddings", {"model": "default", "input": "x"})
        assert answer.status == 400 and answer.json["error"]["param"] == "model", answer.json
    assert upstream.asked == 0
    assert hearth.call("POST", "/v1/chat/completions", {"model": "default", "messages": [user("hi")]}).status == 200
