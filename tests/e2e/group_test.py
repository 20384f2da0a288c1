"""What is told for a group is remembered for everybody in it, with who told it, and for nobody else."""
import json

from support import call

SCRIPT = [
    {"when": "for the family", "tool_calls": [call("remember", text="The cabin by the lake is booked for the first week of June", group="family")]},
    {"when": "for the family", "text": "Kept."},
    {"when": "", "text": "All is well."},
]


def recalled(house, key):
    reply = house.call("POST", "/v1/chat/completions", {"model": "hearth", "messages": [{"role": "user", "content": "When is the cabin by the lake booked?"}]}, key=key)
    assert reply.status == 200, reply.data
    answer = house.call("GET", f"/v1/runs/{reply.headers['X-Hearth-Run']}", key=key)
    run = answer.json
    found = [one for span in run["spans"] if span["name"] == "retrieve" for one in span["attributes"]["sources"] if "fact" in one]
    sent = [span for span in run["spans"] if span["kind"] == "model"][-1]["body"]["sent"]["messages"][-1]["content"]
    return found, sent


def test_a_group_shares_what_is_told_for_it(house, state):
    keys = {}
    for name in ("Nora", "Piet", "Quinn"):
        state.command("person", "add", name)
        keys[name] = state.command("key", "new", "--person", name, "--scopes", "chat", "--quiet").strip()
    assert "Nora, Piet" in state.command("group", "set", "family", "--person", "Nora", "--person", "Piet")
    assert json.loads(state.command("group", "list", "--json"))[-1]["name"] == "family"

    reply = house.call("POST", "/v1/chat/completions", {"model": "hearth", "messages": [{"role": "user", "content": "Please remember for the family: the cabin by the lake is booked for the first week of June"}]}, key=keys["Nora"])
    assert reply.status == 200, reply.data
    found, sent = recalled(house, keys["Piet"])
    assert len(found) == 1 and "(told by Nora on " in sent
    assert recalled(house, keys["Quinn"])[0] == []
    [fact] = house.call("GET", "/v1/memory/facts", key=keys["Piet"]).json["data"]
    assert fact["of"] == "group"
    assert house.call("GET", f"/v1/memory/facts/{fact['id']}", key=keys["Quinn"]).status == 404

    state.command("group", "set", "family", "--person", "Nora")
    assert recalled(house, keys["Piet"])[0] == [] and house.call("GET", "/v1/memory/facts", key=keys["Piet"]).json["data"] == []
    assert house.call("DELETE", f"/v1/memory/facts/{fact['id']}", key=keys["Nora"]).json["counts"]["facts"] == 1
