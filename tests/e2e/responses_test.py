"""OpenAI's own client against /v1/responses; every event is read by the client's own types, strictly."""
import json
import re

import jsonschema
import openai
import pydantic
import pytest
from openai.types.responses import Response, ResponseStreamEvent
from openai_client_test import SCHEMAS
from support import call, client_of, user

SCRIPT = [
    {"when": "weather", "tool_calls": [call("weather", city="Oslo"), call("weather", city="Rome")]},
    {"when": "weather", "text": "Cold and warm."},
    {"when": "ponder", "reasoning": "Hm, well.", "text": "Yes."},
    {"when": "hello", "text": "Hello, dear friend."},
    {"when": "again", "text": "Once more."},
    {"when": "look", "tool_calls": [call("list_dir", path=".")]},
    {"when": "look", "text": "Nothing here."},
]
WEATHER = {"type": "function", "name": "weather", "description": "The weather of a city", "strict": True, "parameters": {
    "type": "object", "properties": {"city": {"type": "string", "maxLength": 8}}, "required": ["city"], "additionalProperties": False}}
EVENT = pydantic.TypeAdapter(ResponseStreamEvent)
ALL = ["default", "hearth", "hearth/dev"]


def create(client, asked, model="default", **more):
    return client.responses.create(model=model, input=asked, **more)


def events_of(server, body):
    """Each event, held to the type that its name stands for; the client itself takes anything."""
    stream = server.stream("/v1/responses", body)
    assert stream.status == 200, stream.response.read()
    events = []
    for name, data in stream:
        event = EVENT.validate_python(data, strict=False)
        assert event.type == name == data["type"]
        assert event.sequence_number == len(events)
        events.append(event)
    return events


def check(response):
    Response.model_validate(response.model_dump(by_alias=True, warnings="error"))
    assert response.id.startswith("resp_") and response.object == "response"
    return response


@pytest.mark.parametrize("model", ALL)
def test_an_answer(client, model):
    answer = check(create(client, "hello", model))
    assert answer.output_text == "Hello, dear friend." and answer.status == "completed" and answer.model == model
    assert answer.usage.input_tokens > 0 and answer.usage.output_tokens == 3
    assert answer.usage.total_tokens == answer.usage.input_tokens + 3
    assert client.responses.retrieve(answer.id).to_dict() == answer.to_dict()


@pytest.mark.parametrize("model,text", [("default", "hello"), ("hearth", "hello"), ("hearth/dev", "hello"), ("default", "ponder"), ("default", "weather"), ("hearth/dev", "weather")])
def test_every_event_is_of_the_clients_types_and_tells_the_whole(hearth, model, text):
    events = events_of(hearth, {"model": model, "input": text, "tools": [WEATHER]})
    assert [e.type for e in events[:2]] == ["response.created", "response.in_progress"]
    assert events[-1].type == "response.completed"
    final = events[-1].response
    assert {e.response.id for e in (events[0], events[1], events[-1])} == {final.id}
    told = {}
    for event in events:
        if event.type == "response.output_item.added":
            assert event.output_index == len(told)
            told[event.output_index] = {"id": event.item.id, "text": "", "done": None}
        elif event.type.endswith(".delta"):
            item = told[event.output_index]
            assert item["id"] == event.item_id and item["done"] is None
            item["text"] += event.delta
        elif event.type == "response.output_item.done":
            told[event.output_index]["done"] = event.item
    assert [item["done"] for item in told.values()] == final.output
    for item in told.values():
        done = item["done"]
        assert done.status == "completed"
        assert item["text"] == (done.arguments if done.type == "function_call" else done.content[0].text)
    kinds = {"hello": ["message"], "ponder": ["reasoning", "message"], "weather": ["function_call", "function_call"]}
    assert [item.type for item in final.output] == kinds[text]


@pytest.mark.parametrize("model", ALL)
def test_the_clients_stream_helper(client, model):
    with client.responses.stream(model=model, input="hello", tools=[WEATHER]) as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        final = stream.get_final_response()
    assert text == final.output_text == "Hello, dear friend."


@pytest.mark.parametrize("model", ["default", "hearth/dev"])
@pytest.mark.parametrize("by_id", [True, False])
def test_tools_go_round(client, model, by_id):
    first = check(create(client, "weather?", model, tools=[WEATHER]))
    calls = [item for item in first.output if item.type == "function_call"]
    assert [json.loads(c.arguments) for c in calls] == [{"city": "Oslo"}, {"city": "Rome"}]
    outputs = [{"type": "function_call_output", "call_id": c.call_id, "output": "12 degrees"} for c in calls]
    if by_id:
        second = create(client, outputs, model, tools=[WEATHER], previous_response_id=first.id)
    else:
        second = create(client, [user("weather?"), *first.output, *outputs], model, tools=[WEATHER])
    assert check(second).output_text == "Cold and warm."


def test_reasoning_is_an_item_and_can_be_sent_back(client):
    answer = check(create(client, "ponder", reasoning={"effort": "low", "summary": "auto"}, store=False, include=["reasoning.encrypted_content"]))
    assert [item.type for item in answer.output] == ["reasoning", "message"]
    assert answer.output[0].content[0].text == "Hm, well." and answer.reasoning.effort == "low"
    assert create(client, [user("ponder"), *answer.output, user("again")]).output_text == "Once more."


@pytest.mark.parametrize("model", ALL)
def test_it_goes_on(client, hearth, model):
    first = create(client, "hello", model, instructions="Be brief.", metadata={"who": "me"})
    assert first.metadata["who"] == "me" and first.instructions == "Be brief."
    second = create(client, "again", model, previous_response_id=first.id)
    assert second.output_text == "Once more." and second.previous_response_id == first.id and second.instructions is None
    if model != "default":
        run = hearth.run(second.metadata["hearth_run_id"])
        assert [m["content"] for m in run["messages"]] == ["hello", "Hello, dear friend.", "again", "Once more."]


def test_what_an_agent_did_itself_is_no_call_for_the_client(client, hearth):
    for stream in (False, True):
        if stream:
            answer = events_of(hearth, {"model": "hearth/dev", "input": "look"})[-1].response
        else:
            answer = create(client, "look", "hearth/dev")
        assert answer.output_text == "Nothing here." and [item.type for item in answer.output] == ["message"]
        assert answer.hearth["tools_used"] == 1 and answer.hearth["tools"] == [{"name": "list_dir", "ok": True}]
        assert hearth.run(answer.hearth["run_id"])["status"] == "answered"


@pytest.mark.parametrize("model", ALL)
def test_what_was_not_stored_or_is_deleted_is_not_found(client, model):
    unkept = create(client, "hello", model, store=False)
    deleted = create(client, "hello", model)
    client.responses.delete(deleted.id)
    for gone in (unkept, deleted):
        with pytest.raises(openai.NotFoundError) as refused:
            create(client, "again", model, previous_response_id=gone.id)
        assert refused.value.param == "previous_response_id" and gone.id in str(refused.value)
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve(gone.id)


TEXT = {"role": "user", "content": "hello"}
OUTPUT = {"type": "function_call_output", "call_id": "c9", "output": "x"}
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
IMAGE = {"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}


@pytest.mark.parametrize("model,param,value", [("default", param, value) for param, value in [
    ("background", True), ("conversation", "conv_1"), ("prompt", {"id": "p"}), ("max_tool_calls", 3), ("top_logprobs", 2), ("include", ["file_search_call.results"]),
    ("tools", [{"type": "web_search"}]), ("tools", [WEATHER, WEATHER]), ("tools", [{"type": "function", "function": {"name": "nested"}}]), ("tools", {}),
    ("tool_choice", {"type": "allowed_tools", "mode": "auto", "tools": []}), ("tool_choice", "required"), ("tool_choice", "never"), ("tool_choice", {"type": "function", "name": "absent"}),
    ("truncation", "auto"), ("truncation", "some"), ("reasoning", 5), ("reasoning.summary", {"summary": "detailed"}), ("reasoning.effort", {"effort": "huge"}),
    ("text", 5), ("text.format", {"format": {"type": "xml"}}), ("text.format", {"format": {"type": "json_schema", "name": "n"}}),
    ("text.format.schema", {"format": {"type": "json_schema", "name": "n", "schema": {"type": "string", "maxLenght": 5}}}), ("metadata", 5), ("metadata.k", {"k": 5}),
    ("metadata", {str(n): "" for n in range(17)}), ("temperature", 3), ("max_output_tokens", 0), ("store", "yes"), ("instructions", 5), ("previous_response_id", 5), ("model", None), ("model", 7),
    ("input", None), ("input", []), ("input", 5), ("input", [TEXT, CALL]), ("input[0]", [7]), ("input[1].type", [TEXT, {"type": "item_reference", "id": "msg_1"}]),
    ("input[0].role", [{"role": "robot", "content": "x"}]), ("input[0].content", [{"role": "user"}]), ("input[0].content[0].type", [IMAGE]), ("input[0].call_id", [OUTPUT]),
    ("input[1].call_id", [CALL, CALL]), ("input[0].output", [{"type": "function_call_output", "call_id": "c"}]), ("input[0].name", [{**CALL, "name": ""}])]] + [
    ("hearth/dev", param, value) for param, value in [
        ("text.format", {"format": {"type": "json_object"}}), ("reasoning.effort", {"effort": "low"}), ("parallel_tool_calls", False), ("input", [{"role": "assistant", "content": "x"}]),
        ("tools", [{"type": "function", "name": "bash", "parameters": {"type": "object"}}]), ("input[0].call_id", [OUTPUT])]])
def test_what_cannot_be_is_400_naming_the_field(hearth, model, param, value):
    for stream in (False, True):
        answer = hearth.call("POST", "/v1/responses", {"model": model, "input": "hello", "stream": stream, re.match(r"\w+", param)[0]: value})
        assert (answer.status, answer.error["param"]) == (400, param), answer.data
        assert answer.error["message"]


def test_an_agent_leaves_out_the_oldest_turns_by_itself(client):
    assert create(client, "hello", "hearth/dev", truncation="auto").output_text == "Hello, dear friend."


def test_errors_are_the_clients_own_kinds(client, hearth):
    with pytest.raises(openai.BadRequestError) as refused:
        create(client, "hello", background=True)
    assert refused.value.param == "background"
    with pytest.raises(openai.NotFoundError) as unknown:
        create(client, "hello", "gpt-9")
    assert unknown.value.code == "model_not_found" and unknown.value.param == "model"
    with pytest.raises(openai.AuthenticationError):
        create(client_of(hearth, api_key="hk_wrong"), "hello")
    raw = client.responses.with_raw_response.create(model="default", input="hello", extra_body={"sparkle": 1, "zest": 2})
    assert raw.headers["X-Hearth-Ignored-Fields"] == "sparkle, zest"


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("stream", [False, True])
def test_structured_output_is_valid(tiny_client, tiny, name, stream):
    """Whatever a model of random weights would like to say."""
    more = {"text": {"format": {"type": "json_schema", "name": name, "schema": SCHEMAS[name], "strict": True}}, "temperature": 1.5, "seed": 1, "max_output_tokens": 200}
    if stream:
        answer = events_of(tiny, {"model": "default", "input": "Who?", **more})[-1].response
    else:
        answer = create(tiny_client, "Who?", text=more["text"], temperature=1.5, max_output_tokens=200, extra_body={"seed": 1})
    assert answer.status == "completed"
    jsonschema.validate(json.loads(answer.output_text), SCHEMAS[name])


class Pet(pydantic.BaseModel):
    legs: int = pydantic.Field(ge=0, le=8)
    tame: bool


def test_the_clients_parse_helper(tiny_client):
    answer = tiny_client.responses.parse(model="default", input="A pet", text_format=Pet, temperature=1.5, max_output_tokens=200)
    assert isinstance(answer.output_parsed, Pet)


def test_a_limit_makes_it_incomplete(tiny, tiny_client):
    answer = check(create(tiny_client, "Once", max_output_tokens=5, temperature=0))
    assert answer.status == "incomplete" and answer.incomplete_details.reason == "max_output_tokens" and answer.usage.output_tokens == 5
    assert events_of(tiny, {"model": "default", "input": "Once", "max_output_tokens": 5})[-1].type == "response.incomplete"


def test_a_response_that_goes_on_finds_the_prefix_of_the_whole_chain(tiny_client):
    more = {"temperature": 0, "max_output_tokens": 24, "instructions": "Tell of the sea. " * 6}
    last = create(tiny_client, "Tell me about the old lighthouse on the hill. " * 4, **more)
    for text in ["And who lives there?", "Since when?", "Why?"]:
        before = last.usage.input_tokens
        last = create(tiny_client, text, previous_response_id=last.id, **more)
        cached = last.usage.input_tokens_details.cached_tokens
        # Blocks that are not full are not kept, and the words of random weights may be other tokens when they are read again.
        assert before - 32 <= cached < last.usage.input_tokens, f"{cached} of the {before} tokens before were found"
    apart = create(tiny_client, "Why?", previous_response_id=last.id, temperature=0, max_output_tokens=4)
    assert apart.usage.input_tokens_details.cached_tokens <= 32, "without the instructions it is another beginning"


def test_a_chain_is_the_conversation_that_a_client_would_have_sent(tiny_client):
    more = {"temperature": 0, "max_output_tokens": 8}
    first = create(tiny_client, "Of the first thing. " * 5, instructions="For the first alone. " * 5, **more)
    second = create(tiny_client, "And of the second.", previous_response_id=first.id, **more)
    rule = {"role": "developer", "content": "Here is a rule."}
    parts = [{"type": "input_text", "text": "The th"}, {"type": "input_text", "text": "ird."}]
    third = create(tiny_client, [rule, {"role": "user", "content": parts}], previous_response_id=second.id, instructions="Of the third.", **more)
    told = tiny_client.chat.completions.create(model="default", temperature=0, max_tokens=8, messages=[
        {"role": "system", "content": "Of the third."}, user("Of the first thing. " * 5), {"role": "assistant", "content": first.output_text},
        user("And of the second."), {"role": "assistant", "content": second.output_text}, rule, user("The third.")])
    assert told.usage.prompt_tokens == third.usage.input_tokens
    assert told.usage.prompt_tokens_details.cached_tokens >= third.usage.input_tokens - 32, "token by token"
    assert told.choices[0].message.content == third.output_text


def test_calls_in_a_chain_are_the_tokens_that_were_sampled(tiny_client):
    first = create(tiny_client, "Where is the lighthouse? " * 8, tools=[WEATHER], tool_choice="required", temperature=1.5, max_output_tokens=200, extra_body={"seed": 3})
    made, = first.output
    assert made.type == "function_call" and made.name == "weather"
    second = create(tiny_client, [{"type": "function_call_output", "call_id": made.call_id, "output": "12 degrees"}], previous_response_id=first.id,
                    tools=[WEATHER], max_output_tokens=5)
    assert second.usage.input_tokens_details.cached_tokens > first.usage.total_tokens - 32
