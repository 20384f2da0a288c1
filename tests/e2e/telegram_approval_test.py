"""What a run may not do without a person's word is asked in the chat where it was wanted, and decided by a button there."""
import shutil
import signal
import time

import pytest
from rule_test import in_force
from support import call, sql
from telegram_test import command, house, outbox, pair

SCRIPT = [
    {"when": "the milk", "text": "I have seen to the milk.", "tool_calls": [call("remember", text="The milk is out")]},
    {"when": "the milk", "text": "I have seen to the milk."},
    {"when": "", "text": "Good evening to you."},
]
WANTS = "Please remember: the milk is out"


@pytest.fixture(scope="module")
def hearth():
    with house("approval", {"agents.discipline": "free"}, script=SCRIPT) as server:
        server.start()
        pair(server)
        pair(server, 43, "Dora")
        command(server, "rule", "set", "ask_first", "ask", "--tool", "remember", "--reason", "What is kept is kept.")
        in_force(server, 1)
        yield server


def asked(server, sender=42):
    """Somebody wants what needs his word; the message that asks for it."""
    server.bot.sent.clear()
    server.bot.write(WANTS, sender=sender)
    server.wait_for(lambda: server.bot.texts(sender), "a question", 20)
    question, = server.bot.sent
    assert question["text"].startswith('May I do this?\n\nremember {"text":"The milk is out"}\n\n') and "What is kept is kept." in question["text"] and "until 20" in question["text"], question
    assert [[button["text"] for button in row] for row in question["reply_markup"]["inline_keyboard"]] == [["Allow once", "Deny"]]
    return question


def ended(server, question, words, answer="I have seen to the milk."):
    server.wait_for(lambda: words in server.bot.messages[question["message_id"]]["text"], words, 60)  # of a server that was killed another takes over after 20 s
    server.wait_for(lambda: len(server.bot.texts(question["chat_id"])) == 2, "the answer", 20)
    assert server.bot.texts(question["chat_id"])[1] == answer
    assert "reply_markup" not in server.bot.messages[question["message_id"]], "there is nothing to press any more"


def test_the_person_allows_it_and_it_happens_once(hearth):
    question = asked(hearth)
    time.sleep(1)
    hearth.bot.activity.clear()
    time.sleep(5)
    assert hearth.bot.activity == [], "nobody works while it waits"
    press = hearth.bot.press(question, "Allow once")
    ended(hearth, question, "Allowed, once (Clara).")
    hearth.wait_for(lambda: press in hearth.bot.acknowledged, "the acknowledgement", 5)
    hearth.bot.press(question | {"reply_markup": question_buttons(hearth, question)}, "Deny")
    time.sleep(2)
    assert "Allowed" in hearth.bot.messages[question["message_id"]]["text"] and len(hearth.bot.sent) == 2
    rows = outbox(hearth)[:3]
    assert [row["state"] for row in rows] == ["delivered"] * 3 and {row["emitter"].split(":")[0] for row in rows} == {"approval", "run"}


def question_buttons(server, question):
    """As they were before they went away."""
    approval = next(row["emitter"].split(":")[1] for row in outbox(server) if row["emitter"].startswith("approval:"))
    return {"inline_keyboard": [[{"text": label, "callback_data": f"approval:{approval}:{word}"} for label, word in (("Allow once", "grant"), ("Deny", "deny"))]]}


def test_the_person_denies_it_and_it_does_not_happen(hearth):
    question = asked(hearth)
    hearth.bot.press(question, "Deny")
    ended(hearth, question, "Denied (Clara).")


def test_nobody_else_s_word_counts(hearth):
    question = asked(hearth)
    for sender in (43, 4711):  # another person of the house, and a stranger
        hearth.bot.press(question, "Allow once", sender=sender)
        hearth.bot.press(question | {"chat_id": sender}, "Allow once", sender=sender)
    hearth.bot.press(question | {"chat_id": 77}, "Allow once")  # the person, elsewhere than where it was asked
    hearth.bot.press({**question, "reply_markup": {"inline_keyboard": [[{"text": "x", "callback_data": "approval:1:grant"}]]}}, "x")
    time.sleep(3)
    assert "May I" in hearth.bot.messages[question["message_id"]]["text"] and len(hearth.bot.sent) == 1
    hearth.bot.press(question, "Deny")
    ended(hearth, question, "Denied (Clara).")


def test_a_word_that_is_given_elsewhere_is_told(hearth):
    question = asked(hearth)
    key = command(hearth, "key", "new", "--person", "Clara", "--quiet").strip()
    waiting, = hearth.call("GET", "/v1/approvals", key=key).json["data"]
    assert hearth.call("POST", f"/v1/approvals/{waiting['id']}", {"decision": "deny"}, key=key).status == 200
    ended(hearth, question, "Denied (Clara).")


def test_a_stop_takes_the_question_back(hearth):
    question = asked(hearth)
    hearth.bot.write("stop")
    hearth.wait_for(lambda: "Not asked any more" in hearth.bot.messages[question["message_id"]]["text"], "that it is not asked any more", 20)
    assert f"Stopped: “{WANTS}”." in hearth.bot.texts()


@pytest.mark.skipif(not shutil.which("psql"), reason="needs psql")
def test_nobody_s_word_is_told_as_such(hearth):
    question = asked(hearth)
    sql(hearth.state, "update approval set expires_at = clock_timestamp() where decision is null")
    hearth.stop()  # it is seen to once a minute, and at the start
    hearth.start()
    ended(hearth, question, "Nobody answered in time, so it was not done.")


def test_a_question_outlives_the_server_and_its_word_too(hearth):
    question = asked(hearth)
    hearth.stop(signal.SIGKILL)
    hearth.start()
    in_force(hearth, 1)
    time.sleep(2)
    assert len(hearth.bot.sent) == 1, "it is asked once"
    hearth.bot.press(question, "Allow once")
    ended(hearth, question, "Allowed, once (Clara).")
    question = asked(hearth)
    hearth.stop(signal.SIGKILL)
    hearth.bot.press(question, "Allow once")  # nobody is there
    hearth.start()
    ended(hearth, question, "Allowed, once (Clara).")
    time.sleep(2)
    assert len(hearth.bot.sent) == 2
