"""Conversations: what is sent again is matched, what is new is appended, what differs is refused."""

import pytest
from support import assistant, call, said, user

SCRIPT = [
    {"when": "first", "text": "one"},
    {"when": "second", "text": "two"},
    {"when": "third", "text": "three"},
    {"when": "look", "tool_calls": [call("list_dir", path=".")]},
    {"when": "look", "text": "Nothing here."},
]
SO_FAR = [user("first"), assistant("one")]


def begin(hearth):
    answer = hearth.dev("first")
    assert answer["response"] == "one"
    return answer["conversation_id"]


def go_on(hearth, conversation, messages):
    return hearth.call("POST", "/v0/dev/chat", {"messages": messages, "conversation_id": conversation})


def messages_of(hearth, run_id):
    return said(hearth.run(run_id))


FOUR = [("user", "first"), ("assistant", "one"), ("user", "second"), ("assistant", "two")]


@pytest.mark.parametrize("sent", [[user("second")], SO_FAR + [user("second")]], ids=["only the new", "the whole history"])
def test_going_on_appends_only_what_is_new(hearth, sent):
    conversation = begin(hearth)
    answer = go_on(hearth, conversation, sent)
    assert answer.status == 200, answer.data
    assert answer.json["response"] == "two"
    assert answer.json["conversation_id"] == conversation
    assert messages_of(hearth, answer.json["run_id"]) == FOUR


def test_parts_and_text_are_the_same_history(hearth):
    conversation = begin(hearth)
    parts = [{"role": "user", "content": [{"type": "text", "text": "fi"}, {"type": "text", "text": "rst"}]}, assistant("one"), user("second")]
    answer = go_on(hearth, conversation, parts)
    assert answer.status == 200, answer.data
    assert messages_of(hearth, answer.json["run_id"]) == FOUR


@pytest.mark.parametrize("history,named", [
    ([user("first"), assistant("another"), user("second")], "messages[1]"),
    ([user("forged"), assistant("one"), user("second")], "messages[0]"),
    ([assistant("one"), user("second")], "messages[0]"),
    (SO_FAR, "messages[1]"),
])
def test_a_differing_history_is_a_conflict_that_names_the_message(hearth, history, named):
    conversation = begin(hearth)
    answer = go_on(hearth, conversation, history)
    if history is SO_FAR:  # nothing new is no question
        assert answer.status in (400, 409)
    else:
        assert answer.status == 409
        assert answer.error["code"] == "conflict"
    assert named in answer.error["message"]
    after = go_on(hearth, conversation, [user("second")])
    assert messages_of(hearth, after.json["run_id"]) == FOUR, "a refused request leaves nothing behind"


def test_three_turns_with_tools_in_between(hearth):
    conversation = begin(hearth)
    looked = go_on(hearth, conversation, SO_FAR + [user("look")]).json
    assert looked["tools_used"] == 1
    whole = SO_FAR + [user("look"), assistant("Nothing here."), user("third")]
    last = go_on(hearth, conversation, whole)
    assert last.status == 200, last.data
    assert len(messages_of(hearth, last.json["run_id"])) == 6
    assert [run["id"] for run in hearth.call("GET", "/v1/runs?limit=2").json["data"]] == [last.json["run_id"], looked["run_id"]]


@pytest.mark.parametrize("unknown", ["no-id", "", "0190b0a0-0000-7000-8000-000000000000"])
def test_an_unknown_conversation_is_not_found(hearth, unknown):
    answer = go_on(hearth, unknown, [user("first")])
    assert answer.status == 404
    assert answer.error["type"] == "not_found_error"


@pytest.mark.parametrize("model", ["hearth", "hearth/dev"])
def test_the_header_continues_a_conversation(hearth, model):
    first = hearth.chat(model, [user("first")])
    assert first.status == 200
    assert first.json["choices"][0]["message"]["content"] == "one"
    conversation = first.headers["X-Hearth-Conversation"]
    assert first.json["hearth"]["conversation_id"] == conversation
    header = {"X-Hearth-Conversation": conversation}
    second = hearth.chat(model, SO_FAR + [user("second")], header)
    assert second.status == 200, second.data
    assert second.headers["X-Hearth-Conversation"] == conversation
    assert messages_of(hearth, second.headers["X-Hearth-Run"]) == FOUR
    differing = hearth.chat(model, [user("first"), assistant("lie"), user("third")], header)
    assert differing.status == 409
    assert "messages[1]" in differing.error["message"]
    streamed = hearth.stream("/v1/chat/completions", {"model": model, "messages": [user("third")]}, header)
    last = [chunk for _, chunk in streamed if chunk != "[DONE]"][-1]
    assert last["hearth"]["conversation_id"] == conversation
    assert len(messages_of(hearth, last["hearth"]["run_id"])) == 6


def test_the_header_must_name_a_conversation(hearth):
    for unknown in ["no-id", "0190b0a0-0000-7000-8000-000000000000"]:
        answer = hearth.chat("hearth", [user("first")], {"X-Hearth-Conversation": unknown})
        assert answer.status == 404


def test_conversations_are_apart(hearth):
    """Without an id every request is a conversation of its own."""
    one, other = hearth.dev("first"), hearth.dev("second")
    assert one["conversation_id"] != other["conversation_id"]
    assert messages_of(hearth, other["run_id"]) == [("user", "second"), ("assistant", "two")]
