"""A word on what a run asks, typed with its code, where there is nothing to press: by whom it was asked, where it was asked, and no model reads it."""
import contextlib
import re

import pytest
import support
from channels_test import ANSWER, Files, pair
from support import Hearth, call, command, outbox

SCRIPT = [
    {"when": "the milk", "text": "I have seen to the milk.", "tool_calls": [call("remember", text="The milk is out")]},
    {"when": "the milk", "text": "I have seen to the milk."},
    {"when": "", "text": ANSWER},
]


@pytest.fixture(scope="module")
def hearth():
    with contextlib.closing(support.State("typed_code")) as state:
        files = Files(state.folder / "files")
        server = Hearth(state, "typed_code", SCRIPT, {**files.settings, "agents.discipline": "free"})
        server.files = files
        try:
            server.start()
            for sender, person in (("clara", "Clara"), ("dora", "Dora"), ("emil", "Emil")):
                pair(server, files, sender, person)
            command(server, "rule", "set", "ask_first", "ask", "--tool", "remember")
            found = lambda: next(probe["found"] for probe in server.call("GET", "/health").json["probes"] if probe["name"] == "rules")
            server.wait_for(lambda: found().startswith("1 of the house"), "the rule", 5)
            yield server
        finally:
            server.stop()


def say(server, text, count=1, sender="clara"):
    """What is answered to that."""
    before = len(server.files.sent(sender))
    server.files.write(text, sender)
    server.wait_for(lambda: len(server.files.sent(sender)) >= before + count, f"{count} to {text}", 20)
    return server.files.sent(sender)[before:]


def asked(server):
    """The code of a question."""
    question, = say(server, "Please remember: the milk is out")
    return re.search(r"write: allow ([A-Z][2-9][A-Z][2-9]), or: deny \1\.$", question)[1]


def test_the_code_is_the_word_of_whom_it_was_asked(hearth):
    code = asked(hearth)
    assert say(hearth, f"allow {code}", sender="dora") == [f"I have asked you nothing here that has the code {code}."]
    told = say(hearth, f"  ALLOW {code[:2].lower()} {code[2:]}!", 2)
    assert told[0].endswith("Allowed, once (Clara).") and told[1] == "I have seen to the milk."
    late, = say(hearth, f"deny {code}")
    assert late.endswith("Allowed, once (Clara)."), "what was decided is decided"


def test_a_code_denies_in_french_too(hearth):
    told = say(hearth, f"Refuser {asked(hearth)}.", 2)
    assert told[0].endswith("Denied (Clara).")


def test_wrong_codes_are_said_a_few_times_and_read_by_no_model(hearth):
    runs = lambda: sum(row["emitter"].startswith("run:") for row in outbox(hearth))
    before = runs()
    for _ in range(5):
        assert "nothing here that has the code Z9Z9" in say(hearth, "allow Z9Z9", sender="emil")[0]
    refused, = say(hearth, "allow Z9Z9", sender="emil")
    assert re.fullmatch(r"Too many codes that were none\. Write the right one in \d+ seconds\.", refused)
    assert runs() == before
    assert say(hearth, "Good evening!", sender="emil") == [ANSWER], "nothing else is held up"
