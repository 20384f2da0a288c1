"""Text that PostgreSQL does not take as it is, in every place of every request that takes a text: it is kept without what cannot be kept, or refused by name."""
import copy
import re

import pytest

SCRIPT = [{"when": "", "text": "All is well."}]
ODD = "a\x00b"
USUAL = {"model": "hearth", "agent": "hearth/dev", "role": "user", "content": "hello", "input": "hello", "text": "hello", "type": "function"}


class Api:
    def __init__(self, hearth):
        self.document = hearth.call("GET", "/openapi.json").json
        self.routes = [(method.upper(), path, one) for path, methods in self.document["paths"].items() for method, one in methods.items()]

    def plain(self, schema):
        """The schema itself, of several the first."""
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        for several in ("oneOf", "anyOf", "allOf"):
            if several in schema:
                return self.plain(schema[several][0])
        return schema

    def kind(self, schema):
        kind = schema.get("type")
        return kind[0] if isinstance(kind, list) else kind

    def sample(self, schema, name=""):
        schema = self.plain(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return USUAL[name] if USUAL.get(name) in schema["enum"] else schema["enum"][0]
        kind = self.kind(schema)
        if kind == "object":
            return {field: self.sample(schema["properties"][field], field) for field in schema.get("required", [])}
        if kind == "array":
            return [self.sample(schema["items"])]
        if kind in ("integer", "number"):
            return schema.get("minimum", 1)
        if kind == "boolean":
            return False
        return "01900000-0000-7000-8000-000000000000" if schema.get("format") == "uuid" else USUAL.get(name, "hello")

    def odd(self, schema, name="", depth=0):
        """Bodies with one odd text each, and where it is."""
        schema = self.plain(schema)
        kind = self.kind(schema)
        if kind == "string" and "enum" not in schema:
            yield ODD, name
        if kind == "array" and depth < 6:
            for item, where in self.odd(schema["items"], f"{name}[0]", depth + 1):
                yield [item], where
        if kind != "object" or depth >= 6:
            return
        for field, below in schema.get("properties", {}).items():
            for value, where in self.odd(below, f"{name}.{field}" if name else field, depth + 1):
                yield {**copy.deepcopy(self.sample(schema)), field: value}, where
        if "type" in schema.get("additionalProperties", {}):
            yield {ODD: self.sample(schema["additionalProperties"])}, f"{name} (a name)"
            if self.kind(schema["additionalProperties"]) == "string":
                yield {"x": ODD}, f"{name}.x"


@pytest.fixture(scope="module")
def api(hearth):
    return Api(hearth)


def test_no_text_of_a_request_breaks_anything(api, hearth):
    taken = []
    for method, path, operation in api.routes:
        if "requestBody" not in operation:
            continue
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        run = hearth.dev("hello")["run_id"]
        places = list(api.odd(schema))
        assert places or path.endswith(("/approve", "/approvals/{id}")), path
        for body, where in places:
            answer = hearth.call(method, path.replace("{id}", run), body)
            shown = f"{method} {path}, {where}: {answer.status} {answer.data[:300]}"
            assert hearth.process.poll() is None and answer.status < 500, shown
            if answer.status >= 400:
                assert answer.json["error"]["message"], shown
            else:
                taken.append(f"{path} {where}")
    wanted = ["/v1/runs metadata.x", "/v1/runs input", "/v1/keys label", "/v0/dev/chat messages[0].content", "/v1/chat/completions messages[0].content", "/v1/responses input"]
    assert not [one for one in wanted if one not in taken], taken


def test_what_was_kept_can_be_read(hearth):
    taken = hearth.call("POST", "/v1/runs", {"input": ODD, "metadata": {"x": ODD, ODD: "y"}})
    assert taken.status == 202, taken.data
    run = hearth.wait_for(lambda: (one := hearth.run(taken.json["id"]))["finished"] and one, "the run's end")
    assert run["status"] == "answered"
    assert "x" in run["metadata"] and len(run["metadata"]) == 2
    for path in ("/v1/runs?limit=500", "/v1/threads?limit=500", "/v1/keys", "/v1/directives", "/v1/approvals", "/v1/usage", f"/v1/runs/{run['id']}", f"/v1/runs/{run['id']}/events"):
        answer = hearth.call("GET", path)
        assert answer.status == 200, (path, answer.data)


def test_what_is_refused_for_a_nul_is_told_as_that(hearth):
    run = hearth.dev("hello")["run_id"]
    for path, body, field in (("/v1/runs", {"input": "hello", "thread": {"label": ODD}}, "thread.label"), (f"/v1/runs/{run}/steer", {"text": ODD}, "text"), (f"/v1/runs/{run}/fork", {"step": 0, "text": ODD}, "text")):
        answer = hearth.call("POST", path, body)
        assert answer.status == 400 and answer.error["message"].startswith(f"{field} holds a NUL"), answer.data


@pytest.mark.parametrize("header", ["Idempotency-Key", "X-Hearth-Conversation", "X-Hearth-On-Disconnect", "Last-Event-ID"])
def test_odd_bytes_of_a_header_are_refused_or_kept(hearth, header):
    for value in ("a\xffb", "\xc3", "x" * 5000):
        answer = hearth.call("POST", "/v1/runs", {"input": "hello"}, headers={header: value})
        assert answer.status < 500, (header, value, answer.data)


def test_odd_bytes_of_a_path_are_nobodys(api, hearth):
    for method, path, _ in api.routes:
        if "{" not in path:
            continue
        for odd in ("a%00b", "%ff", "%ED%A0%80"):
            answer = hearth.call(method, re.sub(r"\{[^}]*\}", odd, path), {} if method == "POST" else None)
            assert 400 <= answer.status < 500, (method, path, odd, answer.data)


def test_the_log_tells_of_no_failure(hearth):
    assert " error " not in hearth.log.read_text(errors="replace")
