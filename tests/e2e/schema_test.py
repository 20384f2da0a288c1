"""schemathesis reads /openapi.json and sends what fits it and what does not: nothing may break the server."""
import re
import urllib.parse

import pytest

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed: no Python package index could be reached")
import hypothesis  # noqa: E402  (comes with schemathesis)
from hypothesis import strategies as st  # noqa: E402

SCRIPT = [{"when": "", "text": "All is well."}]
EXAMPLES = 20  # an operation and mode
PLAIN = ["GET /health", "GET /logs", "GET /metrics", "GET /openapi.json", "GET /v1/models", "GET /v1/models/{id}", "POST /v1/models/{id}/load", "POST /v1/models/{id}/unload", "GET /v1/runs",
         "GET /v1/runs/{id}", "GET /v1/usage", "GET /v1/usage/days", "GET /v1/runs/sums", "GET /v1/people/rights", "GET /v1/mathcore/days", "GET /v1/schedules/coming", "GET /v1/keys", "DELETE /v1/keys/{id}", "POST /v1/runs/{id}/stop", "GET /v1/runs/{id}/events", "GET /v1/approvals", "GET /v1/approvals/{id}", "GET /v1/drills", "GET /v1/mathcore",
         "GET /v1/memory/facts", "GET /v1/memory/facts/{id}", "DELETE /v1/memory/facts/{id}", "GET /v1/memory/recall", "GET /v1/memory/health", "POST /v1/memory/consolidate", "POST /v1/memory/archive", "GET /v1/memory/archive/{id}", "GET /v1/memory/interactions", "GET /v1/memory/collections", "GET /v1/memory/collections/{name}", "DELETE /v1/memory/collections/{name}", "GET /v1/memory/documents", "DELETE /v1/memory/documents/{id}",
         "GET /v1/blobs", "GET /v1/blobs/{id}", "GET /v1/blobs/{id}/about", "POST /v1/blobs/{id}/remember", "DELETE /v1/blobs/{id}",
         "GET /v1/directives", "DELETE /v1/directives/{name}", "GET /v1/threads", "GET /v1/threads/{id}", "POST /v1/threads/{id}/stop",
         "GET /v1/schedules", "GET /v1/schedules/{id}", "POST /v1/schedules/{id}/run", "POST /v1/schedules/{id}/pause", "POST /v1/schedules/{id}/resume", "DELETE /v1/schedules/{id}",
         "GET /v1/responses/{id}", "DELETE /v1/responses/{id}", "GET /v1/session", "DELETE /v1/session", "GET /v1/sessions", "DELETE /v1/sessions/{id}",
         "GET /v1/agents", "GET /v1/people", "GET /v1/pairings", "GET /v1/outbox", "POST /v0/admin/outbox/{id}/sent", "POST /v0/admin/outbox/{id}/unsent", "POST /v0/admin/outbox/{id}/again", "GET /v1/secrets", "GET /v1/settings", "GET /v1/prompts", "GET /v1/prompts/{name}", "POST /v1/prompts/{name}/rollback"]
WITH_BODY = ["POST /v0/dev/chat", "POST /v1/memory/facts/{id}", "POST /v1/memory/documents", "POST /v1/memory/documents/read", "POST /v1/memory/collections", "POST /v1/memory/collections/{name}", "POST /v1/chat/completions", "POST /v1/responses", "POST /v1/embeddings", "POST /v1/directives", "POST /v1/keys", "POST /v1/approvals/{id}", "POST /v1/drills",
             "POST /v0/admin/batch/nightly", "POST /v1/runs", "POST /v1/runs/{id}/steer", "POST /v1/runs/{id}/approve", "POST /v1/runs/{id}/fork", "POST /v1/runs/{id}/replay", "POST /v1/schedules",
             "POST /v1/session", "POST /v1/session/password", "POST /v1/session/links",
             "POST /v1/people", "POST /v1/people/{id}/rights", "POST /v1/pairings", "POST /v1/people/{id}", "POST /v1/prompts/{name}", "POST /v1/prompts/{name}/release"]
ENDLESS = ["GET /v1/live"]  # tests/server/live_test.cpp
BINDING = ["structured_outputs", "guided_json", "guided_regex", "guided_grammar", "guided_choice", "grammar", "json_schema"]
HARD_TEXT = st.sampled_from(["", "a\x00b", "\u2028", "\ufeff", "🜁" * 50, "%s%n", "'; drop table message; --", "\\u0000", "x" * 5000]) | st.text()
CONTENT = HARD_TEXT | st.lists(st.builds(lambda text: {"type": "text", "text": text}, HARD_TEXT | st.none() | st.integers()), max_size=3)
MESSAGE = st.fixed_dictionaries({"role": st.sampled_from(["system", "developer", "user", "assistant"]), "content": CONTENT},
                                optional={"name": HARD_TEXT | st.integers(), "tool_calls": st.none() | st.just([]), "extra": HARD_TEXT})
SETTINGS = hypothesis.settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(hypothesis.HealthCheck), database=None,
                               derandomize=True, phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate])


@pytest.fixture(scope="module")
def api(hearth):
    schema = schemathesis.openapi.from_dict(hearth.call("GET", "/openapi.json").json)
    schema.config.update(base_url=f"http://127.0.0.1:{hearth.port}", headers={"Authorization": "Bearer " + hearth.key})
    found = {f"{one.ok().method.upper()} {one.ok().path}": one.ok() for one in schema.get_all_operations()}
    assert sorted(found) == sorted(PLAIN + WITH_BODY + ENDLESS)
    return found


@pytest.fixture(scope="module")
def conversation(hearth):
    return hearth.dev("hello")["conversation_id"]


def check(hearth, case, **more):
    response = case.call(timeout=30, **more)
    shown = f"{case.as_curl_command()}\n{response.status_code} {response.text[:500]}"
    assert hearth.process.poll() is None, "the server died\n" + shown
    assert response.status_code < 500, shown
    if response.status_code >= 400:
        assert response.json()["error"]["message"], shown
    if "text/event-stream" in response.headers.get("content-type", [""])[0]:
        assert not re.search(r'"type":\s*"server_error"', response.text), shown
    return response


def positive(operation):
    return operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE)


@pytest.mark.parametrize("name", PLAIN + WITH_BODY)
def test_what_fits_breaks_nothing(api, hearth, name):
    @SETTINGS
    @hypothesis.given(case=positive(api[name]))
    def every(case):
        check(hearth, case)

    every()


@pytest.mark.parametrize("name", WITH_BODY)
def test_what_does_not_fit_breaks_nothing(api, hearth, name):
    @SETTINGS
    @hypothesis.given(case=api[name].as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE))
    def every(case):
        check(hearth, case)

    every()


@pytest.mark.parametrize("name", ["POST /v0/dev/chat", "POST /v1/chat/completions"])
def test_requests_that_reach_a_model_break_nothing(api, hearth, conversation, name):
    """A random model's name is no model: here the names are known, and the last message asks something."""
    @SETTINGS
    @hypothesis.given(case=positive(api[name]), data=st.data())
    def every(case, data):
        headers = {}
        body = case.body
        body["messages"] = data.draw(st.lists(MESSAGE, max_size=3)) + [{"role": "user", "content": data.draw(HARD_TEXT)}]
        for field in {"tools", "tool_choice", "response_format", "logit_bias", "stop", "workspace", "agent", *BINDING} & set(body):
            if data.draw(st.integers(0, 4)):  # seldom anything but a 400
                del body[field]
        if name == "POST /v1/chat/completions":
            body["model"] = data.draw(st.sampled_from(["default", "hearth", "hearth/dev"]))
            if data.draw(st.booleans()):
                headers["X-Hearth-Conversation"] = conversation
        else:
            body["conversation_id"] = data.draw(st.sampled_from([conversation, None]))
        reached.append(check(hearth, case, headers=headers).status_code)

    reached = []
    every()
    assert reached.count(200) > EXAMPLES / 4, reached


ITEM = st.builds(lambda message: {**message, "type": "message"}, MESSAGE) | st.fixed_dictionaries(
    {"type": st.sampled_from(["function_call", "function_call_output", "reasoning"]), "call_id": st.sampled_from(["c1", "c2"])},
    optional={"name": HARD_TEXT, "arguments": HARD_TEXT, "output": CONTENT, "summary": st.just([]), "content": CONTENT})


def test_responses_that_reach_a_model_break_nothing(api, hearth):
    @SETTINGS
    @hypothesis.given(case=positive(api["POST /v1/responses"]), data=st.data())
    def every(case, data):
        body = case.body
        body["model"] = data.draw(st.sampled_from(["default", "hearth", "hearth/dev"]))
        body["input"] = data.draw(HARD_TEXT | st.lists(ITEM, max_size=2).map(lambda items: items + [{"role": "user", "content": "hm"}]))
        body["previous_response_id"] = data.draw(st.sampled_from([None, *kept]))
        for field in {"tools", "tool_choice", "text", "logit_bias", "reasoning", "parallel_tool_calls", "truncation", "workspace"} & set(body):
            if data.draw(st.integers(0, 4)):  # seldom anything but a 400
                del body[field]
        response = check(hearth, case)
        reached.append(response.status_code)
        if response.status_code == 200 and "json" in response.headers["content-type"][0]:
            kept.append(response.json()["id"])

    reached, kept = [], []
    every()
    assert reached.count(200) > EXAMPLES / 4, reached


@pytest.mark.parametrize("path,parameters", [("/v1/runs", ["limit", "before"]), ("/v1/threads", ["limit", "before"]), ("/logs", ["limit", "level"]), ("/v1/usage", ["days", "calls"])])
def test_queries_break_nothing(hearth, path, parameters):
    @SETTINGS
    @hypothesis.given(values=st.lists(HARD_TEXT | st.integers().map(str), min_size=2, max_size=2))
    def every(values):
        query = urllib.parse.urlencode(dict(zip(parameters, values)), errors="replace")
        answer = hearth.call("GET", f"{path}?{query}")
        assert answer.status in (200, 400, 431), (query, answer.data)

    every()


def test_the_server_is_well_afterwards(hearth, conversation):
    assert hearth.dev("hello")["response"] == "All is well."
    assert hearth.dev("hello", conversation_id=conversation)["state"] == "answered"
    assert " error " not in hearth.log.read_text(errors="replace")
