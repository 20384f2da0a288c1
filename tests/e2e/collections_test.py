"""Collections hold what fits their schema, for their person alone; a note lasts as long as its conversation."""
import json

from support import call, memory

SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}, "minutes": {"type": "integer"}}, "required": ["title"], "additionalProperties": False}
NOTE = "Aim: a trip to Oslo in June. Open: who feeds the cat."
SCRIPT = [
    {"when": "Put the soup", "tool_calls": [call("collection_add", collection="recipes", item={"title": "Soup of leeks", "minutes": 30})]},
    {"when": "Put a wrong one", "tool_calls": [call("collection_add", collection="recipes", item={"title": "Soup", "minutes": "long"})]},
    {"when": "Which soups", "tool_calls": [call("collection_search", query="soups", collection="recipes")]},
    {"when": "Plan the trip", "tool_calls": [call("note", text=NOTE)]},
    {"when": "Note too much", "tool_calls": [call("note", text="x" * 2049)]},
    {"when": "The plan is done", "tool_calls": [call("note", text="")]},
    {"when": "", "text": "All is well."},
]


def collection(house, *arguments, fails=False):
    return memory(house, "collection", *arguments, fails=fails)


def ask(house, text, conversation=None):
    run, conversation = house.say(text, conversation)
    return house.run(run), conversation


def outcomes(run, tool):
    return [json.dumps(step["outcome"]) for step in run["steps"] if step["name"] == tool]


def tools_shown(run):
    shown = [tool for span in run["spans"] if span["kind"] == "model" for tool in span["body"]["sent"].get("tools", []) if isinstance(tool, dict)]
    return {tool["function"]["name"]: tool["function"]["description"] for tool in shown}


def noted(run):
    """What of the first call's messages of people holds the note."""
    first = next(span for span in run["spans"] if span["kind"] == "model")["body"]["sent"]["messages"]
    return [json.dumps(message) for message in first if message["role"] == "user" and NOTE in json.dumps(message)]


def test_a_collection_takes_what_fits_and_says_what_does_not(house):
    before, _ = ask(house, "Hello there")
    assert "collection_add" not in tools_shown(before) and "note" in tools_shown(before)
    assert "there is no collection" in collection(house, "list")
    assert "no JSON" in collection(house, "create", "recipes", "{", fails=True)
    assert "named fields" in collection(house, "create", "recipes", "{}", fails=True)
    assert "no name" in collection(house, "create", "My Recipes", json.dumps(SCHEMA), fails=True)
    assert "recipes (title: string, minutes: integer, optional)" in collection(house, "create", "recipes", json.dumps(SCHEMA))
    assert "already" in collection(house, "create", "recipes", json.dumps(SCHEMA), fails=True)
    assert "/minutes" in collection(house, "add", "recipes", '{"title": "Bread", "minutes": "long"}', fails=True)
    assert "Bread" in collection(house, "add", "recipes", '{"title": "Bread", "minutes": 60}')
    assert "recipes (title: string" in collection(house, "list") and "Bread" in collection(house, "show", "recipes")


def test_agents_add_find_and_are_told_the_fields(house):
    run, _ = ask(house, "Put the soup into the recipes")
    assert "recipes (title: string, minutes: integer, optional)" in tools_shown(run)["collection_add"]
    [item] = [one for one in json.loads(collection(house, "show", "recipes", "--json"))["data"] if one["item"]["title"] == "Soup of leeks"]
    assert item["run_id"] == run["id"] and item["trusted"]
    wrong, _ = ask(house, "Put a wrong one into the recipes")
    assert "/minutes" in outcomes(wrong, "collection_add")[0]
    found, _ = ask(house, "Which soups are in the recipes?")
    [outcome] = outcomes(found, "collection_search")
    assert "Soup of leeks" in outcome and item["id"] in outcome and run["id"] in outcome and "Bread" not in outcome


def test_nobody_else_sees_them(house, state):
    state.command("person", "add", "Collector")
    key = state.command("key", "new", "--person", "Collector", "--scopes", "chat", "--quiet").strip()
    assert house.call("GET", "/v1/memory/collections", key=key).json["data"] == []
    assert house.call("GET", "/v1/memory/collections/recipes", key=key).status == 404
    assert house.call("POST", "/v1/memory/collections/recipes", {"item": {"title": "x"}}, key=key).status == 404
    assert house.call("DELETE", "/v1/memory/collections/recipes", key=key).status == 404
    assert "Bread" in collection(house, "show", "recipes")
    assert "is gone" in collection(house, "remove", "recipes")
    assert "no such collection" in collection(house, "show", "recipes", fails=True)


def test_a_note_is_read_in_the_next_turns_of_its_conversation_alone(house):
    _, conversation = ask(house, "Plan the trip, my friend")
    run, _ = ask(house, "What is next?", conversation)
    [message] = noted(run)
    assert "What is next?" in message, "late in the prompt, behind what is cached"
    assert noted(ask(house, "And what is next here?")[0]) == [], "in another conversation"
    too_much, _ = ask(house, "Note too much, my friend", conversation)
    assert "at most 2048" in outcomes(too_much, "note")[0]
    assert len(noted(ask(house, "Do you still know?", conversation)[0])) == 1
    ask(house, "The plan is done, my friend", conversation)
    assert noted(ask(house, "And now?", conversation)[0]) == []
