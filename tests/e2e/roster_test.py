"""A roster of upstreams in three dialects before the model that runs here: failures, broken streams, changes while it runs, budgets."""
import http.server
import json
import os
import signal
import subprocess
import threading
import time

import pytest
import tiny_model
from conftest import running
from support import BINARY, MODELS, Rostered, user

SCRIPT = [{"when": "", "text": "from here"}]


def events(*items):
    return "".join(f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n" for name, data in items)


def anthropic(text, whole=True):
    pieces = [("message_start", {"message": {"model": "claude-x", "usage": {"input_tokens": 20, "output_tokens": 1}}}),
              ("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
              ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": text}})]
    if whole:
        pieces += [("content_block_stop", {"index": 0}), ("message_delta", {"delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 6}}), ("message_stop", {})]
    return events(*pieces)


def ollama(text):
    return json.dumps({"model": "llama", "message": {"role": "assistant", "content": text}, "done": False}) + "\n" + json.dumps(
        {"model": "llama", "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop", "prompt_eval_count": 9, "eval_count": 3}) + "\n"


class Provider(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"  # an answer ends with its connection

    def do_GET(self):
        self.server.looks += 1
        self.answer(200, "{}")

    def do_POST(self):
        self.server.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        status, text, *headers = self.server.replies.pop(0) if self.server.replies else self.server.usual
        self.answer(status, text, *headers)

    def answer(self, status, text, *headers):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def provider():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider) as server:
        server.looks, server.bodies, server.replies, server.usual = 0, [], [], (200, anthropic("from Claude"))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def text_of(provider, more=""):
    url = f"http://127.0.0.1:{provider.server_port}"
    return f"""upstreams:
  claude: {{dialect: anthropic, url: "{url}/v1", model: claude-x, prices: {{input: 3, output: 15}}}}
  llama: {{dialect: ollama, url: "{url}", model: llama}}
roster:
  gandalf: {{chain: [claude], character: an old wizard, strengths: long thought, prompt: You are Gandalf.}}
  gizmo: {{chain: [llama]}}
{more}"""


@pytest.fixture
def hearth(state, provider):
    yield from running(Rostered(state, "roster", text_of(provider), script=SCRIPT, settings={"server.socket": state.folder / "roster.sock"}))


def ask(hearth, model="gandalf", **more):
    return hearth.call("POST", "/v1/chat/completions", {"model": model, "messages": [user("hi")], **more})


def said(answer):
    assert answer.status == 200, answer.data
    return answer.json["choices"][0]["message"]["content"]


def doctor(hearth):
    done = subprocess.run([BINARY, "doctor", "--json"], env=hearth.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    return json.loads(done.stdout)


def test_names_of_the_roster_are_models(hearth, provider):
    models = {model["id"]: model for model in hearth.call("GET", "/v1/models").json["data"]}
    assert models["gandalf"]["chain"] == ["claude", "scripted"] and models["gandalf"]["character"] == "an old wizard"
    assert said(ask(hearth)) == "from Claude"
    assert provider.bodies[-1]["system"] == "You are Gandalf."
    provider.replies = [(200, ollama("from Ollama"))]
    assert said(ask(hearth, "gizmo")) == "from Ollama"
    newest = hearth.call("GET", "/v1/usage?calls=2").json["calls"]
    assert [call["backend"] for call in newest] == ["llama", "claude"]
    assert newest[1]["cost"] == pytest.approx((3 * 20 + 15 * 6) / 1e6) and newest[0]["cost"] == 0


def test_a_shadow_is_asked_too_and_nobody_notices(own, provider):
    shadowed = text_of(provider).replace("character: an old wizard", "shadow: {model: gizmo, share: 1}")
    for started in running(Rostered(own, "shadow", shadowed, script=SCRIPT)):
        provider.replies = [(200, anthropic("from Claude")), (200, ollama("from Ollama"))]
        assert said(ask(started)) == "from Claude"
        sums = lambda: started.call("GET", "/v1/usage").json["shadows"]
        started.wait_for(lambda: sums(), "the shadow's answer")
        [told] = sums()
        assert (told["model"], told["shadow"], told["calls"], told["failures"], told["same_calls"]) == ("gandalf", "gizmo", 1, 0, 1)
        assert told["likeness"] == 0.5 and told["cost"] > 0 and told["shadow_cost"] == 0
        assert [body["model"] for body in provider.bodies] == ["claude-x", "llama"]
        assert len(started.call("GET", "/v1/usage?calls=9").json["calls"]) == 1, "a person's calls are his own"


@pytest.mark.parametrize("status,body", [
    (400, {"type": "error", "error": {"type": "invalid_request_error", "message": "Your credit balance is too low to access the Anthropic API."}}),
    (429, {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}}),
    (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
    (401, {"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}}),
])
def test_a_providers_trouble_is_not_the_persons(hearth, provider, status, body):
    provider.replies = [(status, json.dumps(body))]
    assert said(ask(hearth)) == "from here"
    [call] = hearth.call("GET", "/v1/usage?calls=1").json["calls"]
    assert call["backend"] == "scripted" and call["fallbacks"][0]["backend"] == "claude" and str(status) in call["fallbacks"][0]["reason"]


def test_a_bad_request_is_told_and_not_sent_on(hearth, provider):
    provider.replies = [(400, json.dumps({"type": "error", "error": {"type": "invalid_request_error", "message": "temperature: out of range"}}))]
    answer = ask(hearth)
    assert answer.status == 400 and "out of range" in answer.error["message"]


def test_one_that_asks_to_wait_is_not_called_before(hearth, provider):
    provider.replies = [(429, "{}", ("Retry-After", "4"))]
    assert said(ask(hearth)) == "from here"
    called = len(provider.bodies)
    assert said(ask(hearth)) == "from here" and len(provider.bodies) == called
    state = hearth.call("GET", "/health").json["backends"]["claude"]
    assert state["circuit"] == "open" and 0 < state["left_alone_seconds"] <= 4
    assert 'hearth_backend_circuit_open{backend="claude"} 1' in hearth.call("GET", "/metrics").data.decode()
    told = {probe["name"]: probe for probe in doctor(hearth)}
    assert told["backend claude"]["health"] == "warning" and "left alone for" in told["backend claude"]["found"]
    assert told["settings"]["health"] == "ok" and str(hearth.file) in told["settings"]["found"]
    time.sleep(4.1)
    assert said(ask(hearth)) == "from Claude"


def test_looks_call_no_model(hearth, provider):
    hearth.wait_for(lambda: provider.looks >= 2, "looks at both upstreams", 40)
    assert provider.bodies == []


def test_a_stream_that_breaks_where_nobody_can_go_on_says_so(hearth, provider):
    provider.replies = [(200, anthropic("Half an ans", whole=False))]
    stream = hearth.stream("/v1/chat/completions", {"model": "gandalf", "messages": [user("hi")]})
    chunks = [data for _, data in stream]
    assert "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c != "[DONE]" and c.get("choices")) == "Half an ans"
    [error] = [c["error"] for c in chunks if c != "[DONE]" and "error" in c]
    assert "the answer broke off after 11 bytes" in error["message"]


def test_a_stream_that_breaks_is_gone_on_with_by_the_model_here(state, provider):
    text, file = text_of(provider), state.folder / "goes_on.gguf"
    tiny_model.make(MODELS / "llama_tied.gguf", file)
    model = {"model.path": file, "model.profile": "exact", "server.socket": state.folder / "broken.sock"}
    for server in running(Rostered(state, "broken", text, settings=model)):
        provider.replies = [(200, anthropic("Once upon", whole=False))]
        stream = server.stream("/v1/chat/completions", {"model": "gandalf", "messages": [user("hi")], "max_tokens": 12, "temperature": 0})
        chunks = [data for _, data in stream]
        assert not [c for c in chunks if c != "[DONE]" and "error" in c]
        heard = "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c != "[DONE]" and c.get("choices"))
        assert heard.startswith("Once upon") and len(heard) > len("Once upon")
        [call] = server.call("GET", "/v1/usage?calls=1").json["calls"]
        assert call["backend"] == "embedded" and "ended its answer before the end" in call["fallbacks"][0]["reason"]


def test_the_default_model_goes_on_in_the_middle_of_a_sentence(state, provider):
    if not os.environ.get("HEARTH_MODEL"):
        pytest.skip("HEARTH_MODEL names no default model")
    model = {"model.path": os.environ["HEARTH_MODEL"], "server.socket": state.folder / "goes_on.sock"}
    for server in running(Rostered(state, "goes_on", text_of(provider), settings=model)):
        for begun, question, whole in [("The capital of France is", "What is the capital of France? Answer in one sentence.", "The capital of France is Paris"),
                                       ("def add(a, b):\n    retu", "Write a Python function add(a, b). Code only, no fence.", "def add(a, b):\n    return a + b"),
                                       ("1, 2, 3, 4, ", "Count from 1 to 10 with commas.", "1, 2, 3, 4, 5, 6, 7")]:
            provider.replies = [(200, anthropic(begun, whole=False))]
            stream = server.stream("/v1/chat/completions", {"model": "gandalf", "messages": [user(question)], "max_tokens": 40, "temperature": 0})
            heard = "".join(c["choices"][0]["delta"].get("content") or "" for _, c in stream if c != "[DONE]" and c.get("choices"))
            assert heard.startswith(whole)


def test_the_roster_changes_while_it_runs(hearth, provider):
    good = hearth.file.read_text()
    hearth.file.write_text(good.replace("gandalf:", "merlin:"))
    names = lambda: [model["id"] for model in hearth.call("GET", "/v1/models").json["data"]]
    hearth.wait_for(lambda: "merlin" in names(), "the new name", 10)
    assert "gandalf" not in names() and said(ask(hearth, "merlin")) == "from Claude"
    hearth.file.write_text(good.replace("[claude]", "[cloud]"))
    hearth.process.send_signal(signal.SIGHUP)
    hearth.wait_for(lambda: hearth.settings_probe()["health"] == "warning", "the refusal", 10)
    assert "line 5" in hearth.settings_probe()["found"] and "'cloud'" in hearth.settings_probe()["found"]
    assert said(ask(hearth, "merlin")) == "from Claude"
    checked = subprocess.run([BINARY, "config", "check"], env=hearth.env, capture_output=True, text=True, timeout=60)
    assert checked.returncode != 0 and "'cloud'" in checked.stderr
    hearth.file.write_text(good)
    hearth.wait_for(lambda: "gandalf" in names(), "the old name", 10)
    assert hearth.settings_probe()["health"] == "ok"


def test_a_budget_outlives_a_restart(state, provider):
    text = text_of(provider, "budgets:\n  person: {day: {tokens: 400}}\n")
    server = Rostered(state, "budget", text, script=SCRIPT, settings={"server.socket": state.folder / "budget.sock"})
    try:
        server.start()
        answers = [ask(server, max_tokens=50) for _ in range(40)]
        assert answers[0].status == 200 and answers[-1].status == 429
        assert "the budget of this person is used up" in answers[-1].error["message"] and "begins anew at" in answers[-1].error["message"]
        spent = server.call("GET", "/v1/usage").json["budgets"][0]["spent_today"]["tokens"]
        assert 0 < spent <= 400
        server.stop()
        server.start()
        assert ask(server, max_tokens=50).status == 429
        assert server.call("GET", "/v1/usage").json["budgets"][0]["spent_today"]["tokens"] == spent
    finally:
        server.stop()
