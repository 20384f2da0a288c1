"""What a run may not do without a person's word is asked in WhatsApp by two reply buttons, and decided by one of them."""
import re
import signal
import time

import pytest
from rule_test import in_force
from support import call
from whatsapp_test import CLARA, command, house, outbox, pair, write

SCRIPT = [
    {"when": "the milk", "text": "I have seen to the milk.", "tool_calls": [call("remember", text="The milk is out")]},
    {"when": "the list", "text": "I have seen to the list.", "tool_calls": [call("remember", text="milk, " * 400)]},
    {"when": "the milk", "text": "I have seen to the milk."},
    {"when": "the list", "text": "I have seen to the list."},
    {"when": "", "text": "Good evening to you."},
]


@pytest.fixture(scope="module")
def hearth():
    with house("approval", {"agents.discipline": "free", "whatsapp.template": "hearth_message/en_US"}, script=SCRIPT) as server:
        server.start()
        pair(server)
        command(server, "rule", "set", "ask_first", "ask", "--tool", "remember")
        in_force(server, 1)
        yield server


def asked(server, wanted="Please remember: the milk is out"):
    server.api.sent.clear()
    write(server, wanted)
    server.wait_for(lambda: any(one["type"] == "interactive" for one in server.api.sent), "a question", 20)
    question = server.api.sent[-1]
    assert question["type"] == "interactive" and [one["reply"]["title"] for one in question["interactive"]["action"]["buttons"]] == ["Allow once", "Deny"]
    return question


def press(server, question, label, sender=CLARA):
    assert server.api.deliver(server.hook, server.api.delivery(server.api.pressed(question, label, sender))) == 200


def test_the_person_allows_it_by_a_button_and_it_happens_once(hearth):
    question = asked(hearth)
    assert 'remember {"text":"The milk is out"}' in question["interactive"]["body"]["text"]
    press(hearth, question, "Allow once", "4930")  # somebody else
    press(hearth, {**question, "interactive": {"action": {"buttons": [{"reply": {"id": "approval:1:grant", "title": "x"}}]}}}, "x")
    time.sleep(2)
    assert len(hearth.api.sent) == 1
    press(hearth, question, "Allow once")
    hearth.wait_for(lambda: len(hearth.api.texts()) == 2, "what was decided, and the answer", 20)
    assert hearth.api.texts()[0].endswith("Allowed, once (Clara).") and hearth.api.texts()[1] == "I have seen to the milk."
    press(hearth, question, "Deny")
    time.sleep(2)
    assert len(hearth.api.sent) == 3, "what was decided is decided"
    assert {row["state"] for row in outbox(hearth)} == {"delivered"}


def test_a_question_that_is_longer_than_buttons_take_is_asked_whole(hearth):
    question = asked(hearth, "Please remember the list")
    texts = hearth.api.texts()
    assert len(texts) >= 2 and hearth.api.sent[-1] is question
    assert "".join([*texts, question["interactive"]["body"]["text"]]).count("milk") == 400, "nothing is left out"
    press(hearth, question, "Deny")
    hearth.wait_for(lambda: len(hearth.api.texts()) == len(texts) + 2, "what was decided, and the answer", 20)
    assert hearth.api.texts()[-1] == "I have seen to the list."


def test_out_of_its_window_the_question_is_answered_by_its_code(hearth):
    hearth.api.sent.clear()
    hearth.api.faults = [(400, {"error": {"message": "(#131047) Re-engagement message", "code": 131047}})]
    write(hearth, "Please remember: the milk is out")
    hearth.wait_for(lambda: any(one["type"] == "template" for one in hearth.api.sent), "a question without buttons", 20)
    question = hearth.api.sent[-1]["template"]["components"][0]["parameters"][0]["text"]
    write(hearth, re.search(r"deny [A-Z0-9]{4}", question)[0])
    hearth.wait_for(lambda: len(hearth.api.texts()) == 2, "what was decided, and the answer", 20)
    assert hearth.api.texts()[0].endswith("Denied (Clara).")


def test_a_question_outlives_the_server(hearth):
    question = asked(hearth)
    hearth.stop(signal.SIGKILL)
    hearth.start()
    in_force(hearth, 1)
    time.sleep(2)
    assert len(hearth.api.sent) == 1, "it is asked once"
    press(hearth, question, "Deny")
    hearth.wait_for(lambda: len(hearth.api.texts()) == 2, "what was decided, and the answer", 60)
    assert hearth.api.texts()[0].endswith("Denied (Clara).") and hearth.api.texts()[1] == "I have seen to the milk."
