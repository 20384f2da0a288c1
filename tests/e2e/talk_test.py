"""A prompt repeats the last messages of a conversation; what is older, and what was said elsewhere, comes back where it is asked for, with its source."""
import json
import subprocess

SUMMARY = {"summary": "The hull of the dinghy is to be green, and the oars are lent to Ben.", "keywords": ["dinghy", "oars"]}
NOTED = {"quote": "our dinghy is called Petrel", "text": "The dinghy is called Petrel.", "about": "name of the dinghy"}
SCRIPT = [
    {"when": "Sum it up", "text": json.dumps(SUMMARY)},
    {"when": "a part of a document", "text": json.dumps({"facts": []})},  # of another test's, which nobody has read yet
    {"when": "worth remembering", "text": json.dumps({"facts": [NOTED, {**NOTED, "quote": "The dinghy was a gift"}]})},
    {"when": "paint", "text": "Take marine green for the hull, two coats of it."},
    {"when": "", "text": "All is well."},
]
SETTINGS = {"agents.window": 6}


def say(house, text, conversation=None):
    run, conversation = house.say(text, conversation)
    return house.run(run), conversation


def recalled(run):
    return [one for span in run["spans"] if span["name"] == "retrieve" for one in span["attributes"]["sources"] if "segment" in one]


def sent(run):
    """The messages of the last call of a model."""
    return [span for span in run["spans"] if span["kind"] == "model"][-1]["body"]["sent"]["messages"]


def test_what_left_the_window_comes_back_with_its_source(house):
    first, conversation = say(house, "Which paint do we take for the rowing boat?")
    for i in range(4):
        run, _ = say(house, f"And number {i} of the list?", conversation)
    assert all("rowing boat" not in json.dumps(message) for message in sent(run)), "the first message has left the window"
    assert len([m for m in sent(run) if m["role"] != "system"]) <= 6
    run, _ = say(house, "Is that boat for rowing in the harbour?", conversation)
    [source] = recalled(run)
    assert (source["run"], source["conversation"], source["why"]) == (first["id"], conversation, "has boat, rowing")
    assert "marine green" in json.dumps(sent(run)[-1])
    # What the window still holds is not told again.
    assert recalled(say(house, "Is that boat for rowing in the harbour?", conversation)[0]) == [source]


def test_another_conversation_comes_back_only_where_it_is_asked_for(house):
    run, _ = say(house, "Tell me something about boats for rowing, and harbours")
    assert recalled(run) == []
    run, _ = say(house, "What did we say of the rowing boat and its colours?")
    assert recalled(run) and all("boat" in one["why"] or "rowing" in one["why"] for one in recalled(run))
    assert recalled(say(house, "What is the weather like today?")[0]) == []


def told(house, command):
    done = subprocess.run([house.state.binary, *command], env=house.env, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    return done.stdout


def consolidate(house):
    return json.loads(told(house, ["memory", "consolidate", "--seconds", "60", "--json"]))


def episodes(run):
    return [one for span in run["spans"] if span["name"] == "retrieve" for one in span["attributes"]["sources"] if "episode" in one]


def test_what_was_said_is_summed_up_once_and_told_only_to_who_asks_for_the_past(house):
    _, conversation = say(house, "Let us talk of it: our dinghy is called Petrel")
    for i in range(8):
        say(house, f"Point {i}: of the dinghy and its oars", conversation)
    before = house.call("GET", "/v1/memory/health").json
    assert before["segments"]["unsummed"] >= 9
    made = consolidate(house)
    after = house.call("GET", "/v1/memory/health").json
    assert after["episodes"]["all"] == before["episodes"]["all"] + made["episodes"] and after["segments"]["unsummed"] == before["segments"]["unsummed"] - made["segments"]
    assert f"episodes   {after['episodes']['all']}, until 20" in told(house, ["memory", "health"])
    assert made["episodes"] >= 1 and made["segments"] >= 8 and made["done"] and made["error"] is None
    assert made["facts"] == 1 and made["read"] >= 8
    assert [consolidate(house)[kind] for kind in ("episodes", "read")] == [0, 0], "each is summed up once, and read once"
    run, _ = say(house, "What did we say today about the oars of the dinghy?")
    assert conversation in [one["conversation"] for one in episodes(run)]
    assert SUMMARY["summary"] in json.dumps(sent(run)[-1], ensure_ascii=False)
    assert episodes(say(house, "Who makes oars for a dinghy?")[0]) == []


def test_a_fact_is_noted_from_what_the_person_said_with_its_source(house):
    [fact] = [one for one in house.call("GET", "/v1/memory/facts").json["data"] if one["noted"]]
    assert (fact["text"], fact["about"], fact["trusted"]) == (NOTED["text"], NOTED["about"], True)
    shown = told(house, ["memory", "show", fact["id"]])
    assert f'"{NOTED["quote"]}"  noted from segment 0' in shown and "(noted from what you said)" in shown
    run, _ = say(house, "What is the name of the dinghy?")
    assert "(noted on " in json.dumps(sent(run)[-1]) and "from what the person said)" in json.dumps(sent(run)[-1])
