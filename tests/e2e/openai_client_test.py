"""OpenAI's own client against /v1."""
import json
import re

import jsonschema
import openai
import pytest
from support import call, client_of, user

SCRIPT = [
    {"when": "weather", "tool_calls": [call("weather", city="Oslo"), call("weather", city="Rome")]},
    {"when": "weather", "text": "Cold and warm."},
    {"when": "ponder", "reasoning": "Hm, well.", "text": "Yes."},
    {"when": "hello", "text": "Hello, dear friend."},
]
WEATHER = {"type": "function", "function": {"name": "weather", "description": "The weather of a city", "parameters": {
    "type": "object", "properties": {"city": {"type": "string", "maxLength": 8}}, "required": ["city"], "additionalProperties": False}}}
CLOCK = {"type": "function", "function": {"name": "clock", "parameters": {
    "type": "object", "properties": {"zone": {"enum": ["UTC", "CET"]}}, "required": ["zone"], "additionalProperties": False}}}


def create(client, text, model="default", **more):
    return client.chat.completions.create(model=model, messages=[user(text)], **more)


def test_the_models_are_listed(client):
    models = client.models.list().data
    assert [model.id for model in models] == ["default", "hearth", "hearth/dev", "hearth/knowledge", "hearth/admin", "hearth/quality"]
    assert {model.object for model in models} == {"model"}


@pytest.mark.parametrize("model", ["default", "hearth", "hearth/dev"])
def test_chat(client, model):
    answer = create(client, "hello", model)
    assert answer.object == "chat.completion" and answer.model == model
    choice, = answer.choices
    assert choice.message.role == "assistant"
    assert choice.message.content == "Hello, dear friend."
    assert choice.finish_reason == "stop"
    assert answer.usage.prompt_tokens > 0 and answer.usage.completion_tokens == 3
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + 3


@pytest.mark.parametrize("model", ["default", "hearth", "hearth/dev"])
def test_streaming_says_the_same(client, model):
    chunks = list(create(client, "hello", model, stream=True))
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    pieces = [c.choices[0].delta.content for c in chunks[1:-1]]
    assert "".join(pieces) == "Hello, dear friend." and len(pieces) == 3, pieces
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert all(chunk.usage is None for chunk in chunks)


@pytest.mark.parametrize("model", ["default", "hearth", "hearth/dev"])
def test_include_usage_adds_one_chunk(client, model):
    whole = create(client, "hello", model).usage
    chunks = list(create(client, "hello", model, stream=True, stream_options={"include_usage": True}))
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == whole.completion_tokens
    assert chunks[-1].usage.total_tokens == whole.total_tokens
    assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)


def test_reasoning_is_a_channel_of_its_own(client):
    message = create(client, "ponder").choices[0].message
    assert message.content == "Yes." and message.reasoning_content == "Hm, well."
    deltas = [chunk.choices[0].delta for chunk in create(client, "ponder", stream=True)]
    assert "".join(getattr(d, "reasoning_content", None) or "" for d in deltas) == "Hm, well."
    assert "".join(d.content or "" for d in deltas) == "Yes."
    assert not hasattr(create(client, "hello").choices[0].message, "reasoning_content"), "left out when empty"


def collected(chunks):
    """Tool calls put together from deltas, as a client does it."""
    calls = {}
    for chunk in chunks:
        for delta in chunk.choices[0].delta.tool_calls or []:
            call = calls.setdefault(delta.index, {"id": "", "name": "", "arguments": ""})
            call["id"] += delta.id or ""
            call["name"] += delta.function.name or ""
            call["arguments"] += delta.function.arguments or ""
    return list(calls.values())


@pytest.mark.parametrize("model", ["default", "hearth/dev"])
@pytest.mark.parametrize("stream", [False, True])
def test_tools_round_trip(client, model, stream):
    if stream:
        chunks = list(create(client, "weather?", model, tools=[WEATHER], stream=True))
        assert chunks[-1].choices[0].finish_reason == "tool_calls"
        calls = collected(chunks)
    else:
        choice = create(client, "weather?", model, tools=[WEATHER]).choices[0]
        assert choice.finish_reason == "tool_calls"
        calls = [{"id": c.id, "name": c.function.name, "arguments": c.function.arguments} for c in choice.message.tool_calls]
    assert [c["name"] for c in calls] == ["weather", "weather"]
    assert [json.loads(c["arguments"]) for c in calls] == [{"city": "Oslo"}, {"city": "Rome"}]
    assert len({c["id"] for c in calls}) == 2
    history = [user("weather?"), {"role": "assistant", "content": None, "tool_calls": [
        {"id": c["id"], "type": "function", "function": {"name": c["name"], "arguments": c["arguments"]}} for c in calls]}]
    history += [{"role": "tool", "tool_call_id": c["id"], "content": "12 degrees"} for c in calls]
    answer = client.chat.completions.create(model=model, messages=history, tools=[WEATHER])
    assert answer.choices[0].message.content == "Cold and warm."
    assert answer.choices[0].finish_reason == "stop"


def test_a_client_tool_may_not_take_a_built_in_name(client):
    clash = {"type": "function", "function": {"name": "bash", "parameters": {"type": "object"}}}
    with pytest.raises(openai.BadRequestError, match="bash"):
        create(client, "hello", "hearth/dev", tools=[clash])


def test_errors_are_the_clients_own_kinds(client, hearth):
    with pytest.raises(openai.NotFoundError) as unknown:
        create(client, "hello", "gpt-9")
    assert unknown.value.code == "model_not_found" and unknown.value.param == "model"
    with pytest.raises(openai.BadRequestError) as wrong:
        create(client, "hello", temperature=9)
    assert wrong.value.param == "temperature"
    with pytest.raises(openai.AuthenticationError):
        create(client_of(hearth, api_key="hk_wrong"), "hello")


SCHEMAS = {
    "flat": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 6}, "age": {"type": "integer", "minimum": 0, "maximum": 120}},
             "required": ["name", "age"], "additionalProperties": False},
    "nested": {"type": "object", "properties": {
        "kind": {"enum": ["cat", "dog"]}, "tags": {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 3},
        "owner": {"type": "object", "properties": {"adult": {"type": "boolean"}}, "required": ["adult"], "additionalProperties": False}},
        "required": ["kind", "tags", "owner"], "additionalProperties": False},
    "choice": {"type": "object", "properties": {"value": {"anyOf": [{"type": "null"}, {"const": "yes"}, {"type": "array", "items": {"type": "null"}, "maxItems": 2}]}},
               "required": ["value"], "additionalProperties": False},
    "array": {"type": "array", "items": {"enum": [1, 2, 3]}, "minItems": 2, "maxItems": 2},
}


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("stream", [False, True])
def test_structured_output_is_valid(tiny_client, name, stream):
    """Whatever a model of random weights would like to say."""
    wanted = {"type": "json_schema", "json_schema": {"name": name, "schema": SCHEMAS[name], "strict": True}}
    for seed in range(3):
        more = {"response_format": wanted, "temperature": 1.5, "seed": seed, "max_tokens": 200}
        if stream:
            text = "".join(chunk.choices[0].delta.content or "" for chunk in create(tiny_client, "Who?", stream=True, **more))
        else:
            choice = create(tiny_client, "Who?", **more).choices[0]
            assert choice.finish_reason == "stop"
            text = choice.message.content
        jsonschema.validate(json.loads(text), SCHEMAS[name])


def test_what_a_grammar_forced_is_told_of_a_call(tiny_client, tiny):
    def forced():
        lines = tiny.call("GET", "/metrics").data.decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("hearth_forced_tokens_total{"))

    before = forced()
    wanted = {"type": "json_schema", "json_schema": {"name": "nested", "schema": SCHEMAS["nested"], "strict": True}}
    written = create(tiny_client, "Who?", response_format=wanted, max_tokens=200).usage.completion_tokens
    call = tiny.call("GET", "/v1/usage?calls=1").json["calls"][0]
    assert call["output_tokens"] == written and 0 < call["forced_tokens"] < written
    assert forced() - before == call["forced_tokens"]
    create(tiny_client, "Who?", max_tokens=5)
    assert tiny.call("GET", "/v1/usage?calls=1").json["calls"][0]["forced_tokens"] == 0, "nothing without a grammar"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("schema,says", [
    ({"type": "string", "maxLenght": 5}, ["/maxLenght", "maxLength"]),
    ({"type": "array", "items": {"type": "string"}, "uniqueItems": True}, ["uniqueItems"]),
    ({"type": "array", "items": {"type": "strnig"}}, ["/items/type"]),
    ({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}, ["no finite document satisfies it"]),
])
def test_a_schema_that_cannot_be_held_is_named_by_its_field(tiny_client, schema, says, stream):
    parameters = {"type": "object", "properties": {"value": schema}, "required": ["value"]}
    strict = {"type": "function", "function": {"name": "keep", "strict": True, "parameters": parameters}}
    for param, more in (("response_format.json_schema.schema", {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}}),
                        ("tools[1].function.parameters", {"tools": [CLOCK, strict]})):
        with pytest.raises(openai.BadRequestError) as refused:
            list(create(tiny_client, "Who?", stream=stream, max_tokens=5, **more))
        assert refused.value.param == param
        assert all(text in str(refused.value) for text in says)


def test_a_word_that_json_schema_does_not_have_is_told_of_in_a_tool_that_is_not_strict(tiny_client):
    odd = {"type": "function", "function": {"name": "keep", "parameters": {
        "type": "object", "properties": {"value": {"enum": [1, 2], "colour": "red"}}, "required": ["value"], "additionalProperties": False}}}
    answer = tiny_client.chat.completions.with_raw_response.create(model="default", messages=[{"role": "user", "content": "Hm?"}], tools=[odd], tool_choice="required",
                                                                   temperature=1.5, seed=1, max_tokens=200)
    assert answer.headers["X-Hearth-Ignored-Fields"] == "tools[0].function.parameters/properties/value/colour"
    made, = answer.parse().choices[0].message.tool_calls
    assert json.loads(made.function.arguments)["value"] in (1, 2)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("way", ["chat", "responses"])
def test_a_keyword_that_no_grammar_can_hold_is_told_of_in_a_tool_that_is_not_strict(tiny_client, stream, way):
    """Its calls are held to an object only."""
    parameters = {"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True}}, "required": ["tags"]}
    inner = {"name": "keep", "parameters": parameters}
    said = []
    for loose in (True, False):
        if not loose:
            parameters["properties"]["tags"].pop("uniqueItems")
        if way == "chat":
            raw = tiny_client.chat.completions.with_raw_response.create(model="default", messages=[user("Hm?")], stream=stream, max_tokens=5, tools=[CLOCK, {"type": "function", "function": inner}])
        else:
            raw = tiny_client.responses.with_raw_response.create(model="default", input="Hm?", stream=stream, max_output_tokens=5, tools=[{"type": "function", **CLOCK["function"]}, {"type": "function", **inner}])
        said.append(raw.headers.get("X-Hearth-Loose-Tools"))
    assert said == ["tools[1].function.parameters/properties/tags" if way == "chat" else "tools[1].parameters/properties/tags", None]


GBNF = """root ::= entry ("; " entry){0,2}
entry ::= [a-z]{1,5} "=" [0-9]{1,3}  # a comment"""
BINDINGS = [
    ({"structured_outputs": {"regex": " {2}[a-f]\\n"}}, r" {2}[a-f]\n"), ({"structured_outputs": {"choice": ["\n\tleft"]}}, r"\n\tleft"),
    ({"structured_outputs": {"regex": "[a-f]{3}-[0-9]{2}"}}, r"[a-f]{3}-[0-9]{2}"), ({"guided_regex": "[a-f]{3}-[0-9]{2}"}, r"[a-f]{3}-[0-9]{2}"),
    ({"structured_outputs": {"grammar": GBNF}}, r"[a-z]{1,5}=\d{1,3}(; [a-z]{1,5}=\d{1,3}){0,2}"), ({"guided_grammar": GBNF}, r"[a-z]{1,5}=\d{1,3}(; [a-z]{1,5}=\d{1,3}){0,2}"),
    ({"grammar": GBNF}, r"[a-z]{1,5}=\d{1,3}(; [a-z]{1,5}=\d{1,3}){0,2}"), ({"structured_outputs": {"choice": ["left", "right\n"]}}, r"left|right\n"),
    ({"guided_choice": ["left", "right\n"]}, r"left|right\n"), ({"structured_outputs": {"json": SCHEMAS["choice"]}}, SCHEMAS["choice"]), ({"guided_json": json.dumps(SCHEMAS["choice"])}, SCHEMAS["choice"]),
    ({"json_schema": SCHEMAS["array"]}, SCHEMAS["array"]),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("more,wanted", BINDINGS)
def test_an_answer_is_bound_as_clients_of_other_servers_ask_for_it(tiny_client, more, wanted, stream):
    for seed in range(3):
        asked = {"extra_body": more, "temperature": 1.5, "seed": seed, "max_tokens": 200}
        if stream:
            text = "".join(chunk.choices[0].delta.content or "" for chunk in create(tiny_client, "Who?", stream=True, **asked))
        else:
            choice = create(tiny_client, "Who?", **asked).choices[0]
            assert choice.finish_reason == "stop"
            text = choice.message.content
        if isinstance(wanted, str):
            assert re.fullmatch(wanted, text), text
        else:
            jsonschema.validate(json.loads(text), wanted)


@pytest.mark.parametrize("more,param,says", [
    ({"structured_outputs": {"regex": "a(b"}}, "structured_outputs.regex", "at byte "), ({"guided_regex": "(?=a)"}, "guided_regex", "at byte "),
    ({"guided_grammar": "root ::= \"a\"\nb ::= \"c"}, "guided_grammar", "line 2, column 9"), ({"grammar": "root ::= root \"a\" | \"b\""}, "grammar", "left-recursive"),
    ({"grammar": "rot ::= \"a\""}, "grammar", "root"), ({"json_schema": {"type": "array", "items": {"type": "strnig"}}}, "json_schema", "/items/type"),
    ({"guided_choice": ["a"], "grammar": "root ::= \"a\""}, "grammar", "guided_choice"),
])
def test_a_binding_that_cannot_be_is_named_with_its_place(tiny_client, more, param, says):
    with pytest.raises(openai.BadRequestError) as refused:
        create(tiny_client, "Who?", max_tokens=5, extra_body=more)
    assert refused.value.param == param and says in str(refused.value) and param in str(refused.value)


def test_json_object_is_an_object(tiny_client):
    for seed in range(3):
        choice = create(tiny_client, "Who?", response_format={"type": "json_object"}, temperature=1.5, seed=seed, max_tokens=150).choices[0]
        if choice.finish_reason == "stop":
            assert isinstance(json.loads(choice.message.content), dict)
        else:
            assert choice.finish_reason == "length" and choice.message.content.lstrip().startswith("{")


@pytest.mark.parametrize("tool_choice,allowed", [
    ("required", {"weather", "clock"}), ({"type": "function", "function": {"name": "clock"}}, {"clock"}),
    ({"type": "function", "function": {"name": "weather"}}, {"weather"}),
])
def test_tool_choice_forces_a_valid_call(tiny_client, tool_choice, allowed):
    schemas = {t["function"]["name"]: t["function"]["parameters"] for t in (WEATHER, CLOCK)}
    for seed in range(4):
        choice = create(tiny_client, "Hm?", tools=[WEATHER, CLOCK], tool_choice=tool_choice, temperature=1.5, seed=seed, max_tokens=200).choices[0]
        assert choice.finish_reason == "tool_calls"
        made, = choice.message.tool_calls
        assert made.function.name in allowed
        jsonschema.validate(json.loads(made.function.arguments), schemas[made.function.name])


def test_tool_choice_none_forbids_calls(tiny_client):
    choice = create(tiny_client, "Hm?", tools=[CLOCK], tool_choice="none", max_tokens=20).choices[0]
    assert choice.message.tool_calls is None


def test_greedy_text_repeats_and_seeds_repeat(tiny_client):
    for sampling in [{"temperature": 0}, {"temperature": 1.2, "seed": 7}]:
        texts = {create(tiny_client, "Once upon a time", max_tokens=24, **sampling).choices[0].message.content for _ in range(2)}
        assert len(texts) == 1


def test_a_stop_text_and_a_limit_end_the_answer(tiny_client):
    choice = create(tiny_client, "Once", max_tokens=5, temperature=0)
    assert choice.choices[0].finish_reason == "length" and choice.usage.completion_tokens == 5
    long = create(tiny_client, "Once", max_tokens=30, temperature=0).choices[0].message.content
    cut = long[len(long) // 2:][:2]
    stopped = create(tiny_client, "Once", max_tokens=30, temperature=0, stop=[cut]).choices[0]
    assert stopped.finish_reason == "stop"
    assert stopped.message.content == long[:long.index(cut)]
