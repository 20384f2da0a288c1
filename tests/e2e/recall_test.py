"""What is told is kept, and comes back where it is asked for: with its day, where it is from and why."""
from support import call

SCRIPT = [
    {"when": "kept", "tool_calls": [call("remember", text="Grandma's train arrives at platform 9 on Fridays")]},
    {"when": "kept", "text": "Kept."},
    {"when": "platfrom", "text": "Platform 9."},
    {"when": "Good evening", "text": "Good evening!"},
]


def sources(house, agent, text):
    run = house.run(house.say(text, agent=agent)[0])
    phases = [span for span in run["spans"] if span["name"] == "retrieve"]
    return run, phases[0]["attributes"]["sources"] if phases else None


def test_a_fact_comes_back_and_says_why(house):
    told, _ = sources(house, "hearth", "Please remember the train of Grandma: it is to be kept, platform 9 on Fridays")
    assert "remember" in [span["name"] for span in told["spans"]]
    _, found = sources(house, "hearth", "At which platfrom does Grandma's train arrive?")
    assert [(one["run"], one["why"]) for one in found] == [(told["id"], "has platfrom, grandma, train, arrive")]
    assert sources(house, "hearth", "Good evening!")[1] == []
