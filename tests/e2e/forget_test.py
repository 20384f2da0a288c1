"""What is remembered can be looked at, asked for its reasons, replaced and forgotten: afterwards no row of the database holds it."""
import json

import support
from support import call, memory

SECRET = "the spare key lies under the blue flower pot"
SCRIPT = [
    {"when": "kept this", "tool_calls": [call("remember", text=SECRET, about="place of the spare key")]},
    {"when": "kept this", "text": "I keep in mind that " + SECRET + "."},
    {"when": "kept now", "tool_calls": [call("remember", text="the spare key hangs in the shed", about="Place of the spare key")]},
    {"when": "kept now", "text": "Kept."},
    {"when": "Where is the spare key", "text": "Under the blue flower pot."},
    {"when": "", "text": "All is well."},
]


def tables_with(state, words):
    """Of the database those of which a row holds the words."""
    found, table = set(), None
    for line in support.dump(state).splitlines():
        if line.startswith("COPY public."):
            table = line.split()[1].removeprefix("public.")
        elif line == "\\.":
            table = None
        elif table and words in line:
            found.add(table)
    return found


def test_a_fact_is_shown_replaced_and_forgotten(house, state):
    told = house.say("Please remember, it is to be kept this: " + SECRET)[0]
    again = house.say("Please remember, it is to be kept this once more: " + SECRET)[0]
    recalled = house.say("Where is the spare key? Under the blue pot?")[0]
    fact = next(one for one in json.loads(memory(house, "list", "--json")) if one["text"] == SECRET)
    assert fact["seen"] == 2 and fact["about"] == "place of the spare key" and fact["run_id"] == told
    shown = memory(house, "show", fact["id"])
    assert told in shown and again in shown and "observed      2 times" in shown
    why = memory(house, "why", "where is the spare key?")
    assert SECRET in why and f"in run {told}" in why and "has spare, key" in why

    house.say("Please remember, it is to be kept now: the spare key hangs in the shed")
    assert SECRET not in memory(house, "list") and "until 20" in memory(house, "list", "--all")
    newer = next(one for one in json.loads(memory(house, "list", "--json")) if "shed" in one["text"])
    assert newer["id"] and json.loads(memory(house, "show", fact["id"], "--json"))["replaced_by"] == newer["id"]

    before = tables_with(state, "flower pot")
    assert {"fact", "message", "span_body", "step", "run", "run_event"} <= before, before
    would = json.loads(memory(house, "forget", fact["id"], "--json"))
    assert would["preview"] and would["counts"]["facts"] == 1 and would["counts"]["messages"] >= 4 and would["counts"]["trace_bodies"] > 0
    assert "nothing is forgotten yet" in memory(house, "forget", fact["id"])
    assert SECRET in memory(house, "list", "--all")

    gone = json.loads(memory(house, "forget", fact["id"], "--yes", "--json"))
    assert not gone["preview"] and gone["counts"] == would["counts"] and any("digest" in what for what in gone["stays"])
    assert SECRET not in memory(house, "list", "--all")
    # The answer that was made of it elsewhere, and what was asked there, are in other words.
    assert SECRET not in memory(house, "why", "what was the previous place of the spare key, a blue flower pot?")
    assert tables_with(state, SECRET) == set() and tables_with(state, "flower pot") == {"message", "segment"}
    for run in (told, again, recalled):
        trace = house.run(run)
        assert trace["chain"] == "whole" and SECRET not in json.dumps(trace), run
        assert all(span["attributes"] == {"forgotten": True} for span in trace["spans"]), "why it was found says words of it"
        assert all(step["outcome"] == {"forgotten": True} for step in trace["steps"])
    assert "is gone" not in memory(house, "show", newer["id"])
    assert "there is no fact" in memory(house, "show", fact["id"], fails=True)
    assert "there is no fact" in memory(house, "forget", "nonsense", "--yes", fails=True)
