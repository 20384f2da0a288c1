"""What people are told, and may type, that no model writes or reads: a word on what a run asks by its code, where there is nothing to press; and
fixed texts in their language."""
import contextlib
import json
import re

import pytest
import support
from channels_test import ANSWER, Files, pair
from rule_test import in_force
from support import Hearth, call, command, outbox

SCRIPT = [
    {"when": "the milk", "text": "I have seen to the milk.", "tool_calls": [call("remember", text="The milk is out")]},
    {"when": "the milk", "text": "I have seen to the milk."},
    {"when": "", "text": ANSWER},
]


@pytest.fixture(scope="module")
def hearth():
    with contextlib.closing(support.State("chat_words")) as state:
        files = Files(state.folder / "files")
        server = Hearth(state, "chat_words", SCRIPT, {**files.settings, "agents.discipline": "free"})
        server.files = files
        try:
            server.start()
            for sender, person in (("clara", "Clara"), ("dora", "Dora"), ("emil", "Emil")):
                pair(server, files, sender, person)
            command(server, "rule", "set", "ask_first", "ask", "--tool", "remember")
            in_force(server, 1)
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
    told = []
    while len(told) < 15 and not (told and told[-1].startswith("Too many")):  # one is given again every half a minute
        told += say(hearth, "allow Z9Z9", sender="emil")
    assert len(told) > 5 and set(told[:-1]) == {"I have asked you nothing here that has the code Z9Z9."}
    assert re.fullmatch(r"Too many codes that were none\. Write the right one in \d+ seconds\.", told[-1])
    assert runs() == before
    assert say(hearth, "Good evening!", sender="emil") == [ANSWER], "nothing else is held up"


def test_fixed_texts_are_in_the_language_that_the_channel_tells(hearth):
    """Of whoever is unknown yet, too."""
    files = hearth.files
    speak = lambda n, text: files.put(f"zoe{n}.json", {"from": "zoe", "name": "Zoé", "text": text, "language": "fr-CA"})
    told = lambda count: hearth.wait_for(lambda: len(files.sent("zoe")) == count and files.sent("zoe")[-1], f"{count} to Zoé", 15)
    speak(1, "bonjour")
    code = re.search(r"le code ([A-Z2-9]{4}-[A-Z2-9]{4}) :", told(1))[1]
    command(hearth, "person", "add", "Zoé")
    command(hearth, "pair", "approve", code, "--person", "Zoé")
    assert told(2) == "Maintenant je vous connais, Zoé. Écrivez-moi."
    speak(3, "Please remember: the milk is out")
    asked = told(3)
    assert asked.startswith("Puis-je faire ceci ?\n") and [one["label"] for one in files.messages()[-1]["choices"]] == ["Autoriser une fois", "Refuser"]
    speak(4, re.search(r"refuser [A-Z0-9]{4}", asked)[0])
    told(5)
    assert files.sent("zoe")[3].endswith("Refusé (Zoé).")
    speak(5, "stop")
    assert told(6) == "Rien de ce que vous avez demandé ici n'est en cours."
    speak(6, "Halt!")
    assert told(7) == "Nichts, worum Sie hier gebeten haben, ist in Arbeit.", "whoever says it in German is answered in German"


def test_a_person_is_told_them_in_the_language_that_is_set(hearth):
    assert json.loads(command(hearth, "person", "set", "Dora", "--language", "de", "--json"))["language"] == "de"
    assert say(hearth, "stop", sender="dora") == ["Nichts, worum Sie hier gebeten haben, ist in Arbeit."]
    command(hearth, "person", "set", "Dora", "--language", "auto")
    assert say(hearth, "stop", sender="dora") == ["Nothing that you asked for here is under way."]
