"""Who is let in, and what a refused request says: OpenAI's error envelope, the field, the remedy."""
import http.client
import json
import subprocess

import pytest
from conftest import running
from support import BINARY, Hearth, user

SCRIPT = [{"when": "", "text": "Hello there."}]
CHAT = {"model": "default", "messages": [user("hi")]}


def is_envelope(answer):
    error = answer.error
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"] and error["type"]
    return error


def post(hearth, body, path="/v1/chat/completions", **more):
    return hearth.call("POST", path, body, **more)


@pytest.fixture(scope="module")
def chat_key(hearth):
    made = hearth.call("POST", "/v1/keys", {"label": "phone", "scopes": ["chat"]})
    assert made.status == 201
    return made.json["secret"]


@pytest.mark.parametrize("key,headers", [
    ("", {}), ("hk_wrong", {}), ("", {"Authorization": "Basic dTpw"}), ("", {"Authorization": "Bearer"}), ("", {"X-Api-Key": "x"}),
])
def test_without_a_valid_key_it_is_401(hearth, key, headers):
    for method, path in [("GET", "/v1/models"), ("GET", "/metrics"), ("GET", "/openapi.json"), ("POST", "/v0/dev/chat"), ("GET", "/logs")]:
        answer = hearth.call(method, path, {} if method == "POST" else None, headers, key)
        assert answer.status == 401, path
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert is_envelope(answer)["type"] == "authentication_error"


def test_health_needs_no_key_and_tells_strangers_one_word(hearth):
    assert hearth.call("GET", "/health", key="").json == {"status": "ok"}
    assert hearth.call("GET", "/health").json["probes"]


def test_a_key_does_what_its_scopes_say(hearth, chat_key):
    assert post(hearth, CHAT, key=chat_key).status == 200
    for method, path, body in [("POST", "/v0/dev/chat", {"messages": [user("hi")]}), ("GET", "/logs", None), ("GET", "/metrics", None), ("GET", "/v1/keys", None),
                               ("POST", "/v1/keys", {}), ("POST", "/v1/chat/completions", dict(CHAT, model="hearth/dev"))]:
        answer = hearth.call(method, path, body, key=chat_key)
        assert answer.status == 403, path
        assert is_envelope(answer)["type"] == "permission_error"
    names = [model["id"] for model in hearth.call("GET", "/v1/models", key=chat_key).json["data"]]
    assert names == ["default", "hearth", "hearth/knowledge"]


def revoke(env, key):
    return subprocess.run([BINARY, "key", "revoke", key["id"]], env=env, capture_output=True, text=True, timeout=60)


def test_a_key_revoked_on_the_command_line_is_unknown_at_once(hearth):
    for _ in range(3):
        made = hearth.call("POST", "/v1/keys", {"label": "lost"}).json
        assert hearth.call("GET", "/v1/models", key=made["secret"]).status == 200
        done = revoke(hearth.env, made)
        assert (done.returncode, done.stdout, done.stderr) == (0, "revoked\n", "")
        assert hearth.call("GET", "/v1/models", key=made["secret"]).status == 401
    again = revoke(hearth.env, made)
    assert again.returncode == 1 and made["id"] in again.stderr


def test_a_key_revoked_behind_the_servers_back_is_told_to_last(hearth):
    made = hearth.call("POST", "/v1/keys", {"label": "lost"}).json
    done = revoke(dict(hearth.env, HEARTH_SERVER_SOCKET=str(hearth.state.folder / "none.sock")), made)
    assert done.returncode == 0 and done.stdout == "revoked\n"
    assert "none.sock was told" in done.stderr and "up to 5 s" in done.stderr
    hearth.wait_for(lambda: hearth.call("GET", "/v1/models", key=made["secret"]).status == 401, "the end of the key", 6)


def test_the_list_of_keys_has_headings_and_dates(hearth):
    made = hearth.call("POST", "/v1/keys", {"label": "dated"}).json
    made["created"] = next(key["created"] for key in hearth.call("GET", "/v1/keys").json["data"] if key["id"] == made["id"])
    listed = subprocess.run([BINARY, "key", "list"], env=hearth.env, capture_output=True, text=True, timeout=60).stdout.splitlines()
    assert listed[0].split() == ["id", "begins", "label", "scopes", "made", "(UTC)", "state"]
    mine = next(line for line in listed if line.startswith(made["id"]))
    assert mine.split()[1:] == [made["prefix"] + "…", "dated", "chat", made["created"][:10], made["created"][11:19], "valid"]
    as_json = json.loads(subprocess.run([BINARY, "key", "list", "--json"], env=hearth.env, capture_output=True, text=True, timeout=60).stdout)
    assert made["created"] in [key["created"] for key in as_json]


@pytest.mark.parametrize("path", ["/v0/dev/chat", "/v1/chat/completions", "/v1/keys"])
def test_wrong_json_is_told_with_its_place(hearth, path):
    answer = post(hearth, "{\"model\":\n oops}", path)
    assert answer.status == 400 and "line 2, column" in answer.error["message"] and "json.exception" not in answer.error["message"], answer.data


def test_a_revoked_key_is_unknown(hearth):
    made = hearth.call("POST", "/v1/keys", {"label": "lost"}).json
    assert hearth.call("GET", "/v1/models", key=made["secret"]).status == 200
    assert hearth.call("DELETE", "/v1/keys/" + made["id"]).status == 200
    assert hearth.call("GET", "/v1/models", key=made["secret"]).status == 401
    assert hearth.call("DELETE", "/v1/keys/" + made["id"]).status == 404
    listed = {key["id"]: key for key in hearth.call("GET", "/v1/keys").json["data"]}
    assert listed[made["id"]]["revoked"] is True
    assert "secret" not in str(listed)


@pytest.mark.parametrize("method,path", [
    ("GET", "/nothing"), ("POST", "/v1/nothing"), ("GET", "/v1/runs/no-id"), ("GET", "/v1/runs/01900000-0000-7000-8000-000000000000"),
    ("POST", "/v1/runs/01900000-0000-7000-8000-000000000000/stop"), ("DELETE", "/v1/keys/x"), ("GET", "/v1/runs/"), ("GET", "/../etc/passwd"),
])
def test_what_is_not_there_is_404(hearth, method, path):
    answer = hearth.call(method, path)
    assert answer.status == 404
    assert is_envelope(answer)["type"] == "not_found_error"


def test_an_unknown_model_is_404_and_the_known_are_named(hearth):
    error = is_envelope(post(hearth, dict(CHAT, model="gpt-9")))
    assert error["code"] == "model_not_found" and error["param"] == "model"
    assert "default" in error["message"] and "hearth/dev" in error["message"]


def test_a_wrong_method_is_405(hearth):
    answer = hearth.call("PUT", "/v1/chat/completions", {})
    assert answer.status == 405 and answer.headers["Allow"] == "POST"
    is_envelope(answer)


@pytest.mark.parametrize("path,known", [("/v1/chat/completions", CHAT), ("/v0/dev/chat", {"messages": [user("hi")]})])
def test_unknown_fields_are_ignored_and_named(hearth, path, known):
    answer = post(hearth, dict(known, sparkle=True, zest=[1], **{"bad\r\nname": 1}), path)
    assert answer.status == 200
    assert answer.headers["X-Hearth-Ignored-Fields"] == "sparkle, zest"
    assert "X-Hearth-Ignored-Fields" not in post(hearth, dict(known), path).headers


@pytest.mark.parametrize("field,value", [
    ("functions", [{"name": "f"}]), ("function_call", "auto"), ("logprobs", True), ("top_logprobs", 3), ("n", 2),
    ("audio", {"voice": "x"}), ("modalities", ["audio"]), ("prediction", {"type": "content"}), ("web_search_options", {}),
])
def test_known_fields_that_are_not_supported_are_400(hearth, field, value):
    answer = post(hearth, dict(CHAT, **{field: value}))
    assert answer.status == 400
    assert is_envelope(answer)["param"] == field
    assert field in answer.error["message"]


@pytest.mark.parametrize("change,param", [
    ({"messages": []}, "messages"), ({"messages": "hi"}, "messages"), ({"messages": [{"role": "robot", "content": "x"}]}, "messages"),
    ({"messages": [{"role": "user"}]}, "messages"), ({"messages": [{"role": "tool", "content": "x"}]}, "messages"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, "messages"),
    ({"temperature": 3}, "temperature"), ({"temperature": "hot"}, "temperature"), ({"top_p": -0.1}, "top_p"), ({"max_tokens": 0}, "max_tokens"),
    ({"stream": "yes"}, "stream"), ({"stop": [""]}, "stop"), ({"seed": 1.5}, "seed"), ({"logit_bias": {"x": 1}}, "logit_bias"),
    ({"tools": [{"type": "function"}]}, "tools"), ({"tool_choice": "required"}, "tool_choice"), ({"tool_choice": "never"}, "tool_choice"),
    ({"response_format": {"type": "xml"}}, "response_format"), ({"model": None}, "model"), ({"model": 7}, "model"),
])
def test_a_wrong_value_is_400_and_its_field_is_named(hearth, change, param):
    answer = post(hearth, dict(CHAT, **change))
    assert answer.status == 400, answer.data
    assert is_envelope(answer)["param"] == param


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"model": "default", "messages": [{"role": "user", "content": "\xff\xfe"}]}',
                                  b"[" * 100_000, b'{"a":' * 50_000])
def test_what_is_no_json_object_is_400(hearth, body):
    for path in ["/v1/chat/completions", "/v0/dev/chat"]:
        answer = post(hearth, body, path)
        assert answer.status == 400
        is_envelope(answer)


def test_a_body_that_is_too_large_is_413(hearth):
    answer = post(hearth, dict(CHAT, user="x" * (9 << 20)))
    assert answer.status == 413
    is_envelope(answer)


def test_agents_take_no_response_format(hearth):
    answer = post(hearth, dict(CHAT, model="hearth", response_format={"type": "json_object"}))
    assert answer.status == 400 and is_envelope(answer)["param"] == "response_format"


@pytest.mark.parametrize("headers,served", [
    ({"Origin": "http://evil.example"}, False), ({"Origin": "null"}, False), ({"Origin": "http://127.0.0.1:1"}, False),
    ({"Host": "evil.example"}, False), ({"Host": "evil.example:8080"}, False), ({"Host": "127.0.0.1.evil.example"}, False),
    ({"Host": "localhost:PORT"}, True), ({"Host": "[::1]:PORT"}, True), ({"Origin": "http://127.0.0.1:PORT"}, True),
])
def test_foreign_origins_and_hosts_are_refused(hearth, headers, served):
    sent = {name: value.replace("PORT", str(hearth.port)) for name, value in headers.items()}
    for path in ["/health", "/v1/models"]:
        answer = hearth.call("GET", path, headers=sent)
        assert answer.status == (200 if served else 403), path
        if not served:
            assert "server.public_host" in is_envelope(answer)["message"]


def test_a_request_without_a_host_is_refused(hearth):
    connection = http.client.HTTPConnection("127.0.0.1", hearth.port, timeout=10)
    connection.putrequest("GET", "/v1/models", skip_host=True)
    connection.putheader("Authorization", "Bearer " + hearth.key)
    connection.endheaders()
    response = connection.getresponse()
    assert response.status in (400, 403)
    json.loads(response.read())
    connection.close()


@pytest.fixture
def small(state):
    yield from running(Hearth(state, "small", SCRIPT, {"server.max_connections": 3, "server.socket": state.folder / "small.sock"}))


def test_a_full_server_says_503_and_when_to_come_back(small):
    kept = []
    for _ in range(3):
        connection = small.connect("GET", "/health")
        assert connection.getresponse().read()
        kept.append(connection)  # kept alive
    full = small.call("GET", "/v1/models")
    assert full.status == 503 and int(full.headers["Retry-After"]) > 0
    assert "server.max_connections" in is_envelope(full)["message"]
    kept.pop().close()
    small.wait_for(lambda: small.call("GET", "/v1/models").status == 200, "room again", 3)
    for connection in kept:
        connection.close()
