"""Telegram among others: what is said to the assistant alone, and nothing of anybody's own; and what is quoted, edited or moved."""
import json
import time

import pytest
from support import call, sql
from telegram_test import command, house, outbox, pair, runs

GROUP = {"id": -4711, "type": "group", "title": "The house"}
SCRIPT = [
    {"when": "for ever", "delay_ms": 60_000, "text": "Late."},
    {"when": "a while", "delay_ms": 4_000, "text": "Done with the first."},
    {"when": "note for all", "text": "It is noted.", "tool_calls": [call("remember", text="The gate closes at nine")]},
    {"when": "note for all", "text": "It is noted."},
    {"when": "what is planned", "text": "I look.", "tool_calls": [call("schedule")]},
    {"when": "what is planned", "text": "I have looked."},
    {"when": "remember", "text": "It is kept.", "tool_calls": [call("remember", text="Clara's safe opens with 7-3-9")]},
    {"when": "remember", "text": "It is kept."},
    {"when": "the safe", "text": "I look.", "tool_calls": [call("recall", query="safe")]},
    {"when": "the safe", "text": "I have looked."},
    {"when": "plan.txt", "text": "I read it.", "tool_calls": [call("read_file", path="plan.txt")]},
    {"when": "plan.txt", "text": "I have read it."},
    {"when": "in the morning", "text": "In the morning, then."},
    {"when": "", "text": "Good evening to you."},
]
AT = {"entities": [{"type": "mention", "offset": 0, "length": 11}]}


@pytest.fixture(scope="module")
def hearth():
    with house("group", {"agents.discipline": "free"}, script=SCRIPT) as server:
        server.start()
        pair(server)
        pair(server, 43, "Dora")
        server.clara = command(server, "key", "new", "--person", "Clara", "--quiet").strip()
        yield server


@pytest.fixture(autouse=True)
def quiet(hearth):
    hearth.bot.sent.clear()
    hearth.bot.activity.clear()


def newest_runs(server, count=1, key=None):
    """Clara's, or the key's, as they are told to her; the newest last."""
    listed = server.call("GET", f"/v1/runs?limit={count}", key=key or server.clara).json["data"]
    return [server.call("GET", f"/v1/runs/{run['id']}", key=key or server.clara).json for run in reversed(listed)]


def said(server, text, chat=GROUP, **more):
    server.bot.write(text, chat=chat, **more)


def answers(server, count, chat=GROUP["id"]):
    server.wait_for(lambda: len(server.bot.texts(chat)) == count, f"{count} answers", 20)
    return server.bot.texts(chat)


def test_a_link_to_the_dashboard_is_for_one_alone(hearth):
    said(hearth, "@hearth_bot /open", **AT)
    assert "others read here" in answers(hearth, 1)[0] and "#link=" not in answers(hearth, 1)[0]


def test_in_a_group_only_what_is_said_to_it_is_answered(hearth):
    before = runs(hearth)
    said(hearth, "what a day")
    said(hearth, "@somebody_else hi", entities=[{"type": "mention", "offset": 0, "length": 14}])
    said(hearth, "@hearth_bot hello", sender=4711, **AT)  # nobody knows him
    said(hearth, "stop")
    time.sleep(2)
    assert hearth.bot.sent == [] and runs(hearth) == before
    said(hearth, "@hearth_bot", **AT)
    assert answers(hearth, 1)[0].startswith("I am here, Clara.") and runs(hearth) == before, "by its name alone it is called, and asked nothing"
    hearth.bot.sent.clear()
    said(hearth, "@hearth_bot good evening", **AT)
    answers(hearth, 1)
    message, = hearth.bot.sent
    assert message["text"] == "Good evening to you." and message["reply_parameters"]["message_id"] == hearth.bot.last
    assert hearth.bot.activity[0][1:] == (GROUP["id"], "typing")
    said(hearth, "and to you", reply_to_message={"message_id": message["message_id"], "from": {"id": 1, "is_bot": True, "first_name": "Hearth"}, "chat": GROUP, "text": message["text"]})
    answers(hearth, 2)


def test_a_group_s_chat_is_another_one_than_the_person_s_own(hearth):
    hearth.bot.write("Think for ever about it", sender=43)
    hearth.wait_for(lambda: hearth.bot.activity, "work", 10)
    said(hearth, "@hearth_bot stop", sender=43, **AT)
    assert answers(hearth, 1) == ["Nothing that you asked for here is under way."]
    hearth.bot.write("stop", sender=43)
    assert answers(hearth, 1, 43) == ["Stopped: “Think for ever about it”."]


def test_nothing_that_is_a_person_s_own_is_told_in_a_group(hearth):
    hearth.bot.write("Please remember how my safe opens")
    answers(hearth, 1, 42)
    hearth.bot.write("How do I open the safe?")
    answers(hearth, 2, 42)
    alone, = newest_runs(hearth)
    assert "7-3-9" in json.dumps(alone), "to her alone it is"
    said(hearth, "@hearth_bot how do I open the safe?", **AT)
    answers(hearth, 1)
    among_others, = newest_runs(hearth)
    assert "7-3-9" not in json.dumps(among_others) and "recall" in [span["name"] for span in among_others["spans"]]


def test_what_is_told_in_a_group_is_known_to_who_writes_there_and_told_there_alone(hearth):
    garden, fact = dict(GROUP, id=-4713, title="The garden"), "The gate closes at nine"
    pair(hearth, 47, "Gina")
    dora, gina = (command(hearth, "key", "new", "--person", name, "--quiet").strip() for name in ("Dora", "Gina"))
    facts = lambda key: [one["text"] for one in hearth.call("GET", "/v1/memory/facts", key=key).json["data"]]
    said(hearth, "@hearth_bot please remember, and note for all: the gate closes at nine", chat=garden, **AT)
    answers(hearth, 1, garden["id"])
    assert fact in facts(hearth.clara) and fact not in facts(dora), "Dora has not written there yet"
    said(hearth, "@hearth_bot when does the gate close?", chat=garden, sender=43, **AT)
    answers(hearth, 2, garden["id"])
    told, = newest_runs(hearth, key=dora)
    assert f"{fact} (told by Clara" in json.dumps(told["spans"]) and fact in facts(dora) and fact not in facts(gina)
    said(hearth, "@hearth_bot how do I open the safe?", chat=garden, **AT)
    answers(hearth, 3, garden["id"])
    own, = newest_runs(hearth)
    assert "7-3-9" not in json.dumps(own), "what she told alone stays hers"
    said(hearth, "@hearth_bot when does the gate close?", **AT)
    answers(hearth, 1)
    elsewhere, = newest_runs(hearth)
    assert fact not in json.dumps(elsewhere["spans"]), "in another group it is not told"
    fresh = dict(garden, id=-100_4713, type="supergroup")
    hearth.bot.write(None, chat=garden, migrate_to_chat_id=fresh["id"])
    said(hearth, "@hearth_bot when does the gate close now?", chat=fresh, sender=43, **AT)
    answers(hearth, 1, fresh["id"])
    moved, = newest_runs(hearth, key=dora)
    assert fact in json.dumps(moved["spans"]), "a group that moves takes it along"


def test_a_person_s_files_are_not_open_in_a_group(hearth):
    clara, = [person["id"] for person in json.loads(command(hearth, "person", "list", "--json")) if person["name"] == "Clara"]
    hearth.bot.write("Please read the file plan.txt")
    answers(hearth, 1, 42)
    folder = hearth.state.folder / "state/workspaces" / clara
    (folder / "plan.txt").write_text("Move to the sea.\n")
    hearth.bot.write("Please read the file plan.txt")
    answers(hearth, 2, 42)
    alone, = newest_runs(hearth)
    assert "Move to the sea." in json.dumps(alone)
    said(hearth, "@hearth_bot please read the file plan.txt", **AT)
    answers(hearth, 1)
    among_others, = newest_runs(hearth)
    assert "Move to the sea." not in json.dumps(among_others) and "read_file" in [span["name"] for span in among_others["spans"]]


def test_what_others_wrote_is_quoted_and_has_no_authority(hearth):
    for count, (sender, name, whose) in enumerate([(42, "Clara", "an earlier message of mine"), (43, "Dora", "what Dora wrote")], 1):
        hearth.bot.write("What of this?", reply_to_message={"message_id": 3, "from": {"id": sender, "is_bot": False, "first_name": name}, "chat": {"id": 42, "type": "private"}, "text": "Water the\ngarden"})
        answers(hearth, count, 42)
        run, = newest_runs(hearth)
        asked = [message["content"] for message in run["messages"] if message["role"] == "user"][-2:]
        assert asked == [f"[This answers {whose}:]\n> Water the\n> garden", "What of this?"], run["messages"]
        assert ('"trusted": false' in json.dumps(run["spans"])) == (sender == 43), "what the model was shown has a mark where it is others'"


def test_what_is_forwarded_is_anothers_and_orders_nothing(hearth):
    origin = {"type": "user", "sender_user": {"id": 77, "is_bot": False, "first_name": "Mallory"}, "date": 1}
    for count, text in enumerate(("stop", "/open", "allow A2B3"), 1):
        hearth.bot.write(text, forward_origin=origin)
        answers(hearth, count, 42)
        run, = newest_runs(hearth)  # nothing is stopped, opened or allowed: a model reads it
        assert [message["content"] for message in run["messages"] if message["role"] == "user"][-1] == f"[This was forwarded, and is what Mallory wrote:]\n> {text}"
        assert '"trusted": false' in json.dumps(run["spans"])


def test_an_edit_changes_what_nobody_has_begun(hearth):
    pair(hearth, 44, "Emil")  # what has been said comes back in later prompts, and with it what the script waits at
    hearth.bot.activity.clear()
    hearth.bot.write("This takes a while", sender=44)
    hearth.wait_for(lambda: hearth.bot.activity, "work", 10)
    second = hearth.bot.write("Water it in the evening", sender=44)
    time.sleep(1)
    hearth.bot.edit(second, "Water it in the morning", sender=44)
    assert answers(hearth, 2, 44) == ["Done with the first.", "In the morning, then."]
    time.sleep(1.5)
    hearth.bot.edit(second, "Water it in the morning", sender=44)  # as it stands: nothing has changed
    time.sleep(1.5)
    assert len(hearth.bot.texts(44)) == 2
    hearth.bot.edit(second, "Water it at noon", sender=44)
    assert "I had answered “Water it in the morning” before you changed it." in answers(hearth, 3, 44)[2]


def test_an_edit_of_what_works_is_told_to_come_too_late(hearth):
    first = hearth.bot.write("Think for ever about it", sender=43)
    hearth.wait_for(lambda: hearth.bot.activity, "work", 10)
    hearth.bot.edit(first, "Think a little about it", sender=43)
    assert "I had begun with “Think for ever about it” before you changed it" in answers(hearth, 1, 43)[0]
    hearth.bot.write("stop", sender=43)
    assert answers(hearth, 2, 43)[1] == "Stopped: “Think for ever about it”."


def test_a_group_that_moves_is_answered_where_it_is(hearth):
    new = dict(GROUP, id=-1004711, type="supergroup")
    hearth.bot.faults = [(400, {"ok": False, "error_code": 400, "description": "Bad Request: group chat was upgraded to a supergroup chat", "parameters": {"migrate_to_chat_id": new["id"]}})]
    said(hearth, "@hearth_bot good evening", **AT)
    assert answers(hearth, 1, new["id"]) == ["Good evening to you."]
    assert hearth.bot.texts(GROUP["id"]) == [] and outbox(hearth)[0]["state"] == "delivered"
    # And where the group says so itself, while something works in it.
    third = dict(GROUP, id=-1004712, type="supergroup")
    said(hearth, "@hearth_bot this takes a while", new, **AT)
    hearth.wait_for(lambda: hearth.bot.activity, "work", 10)
    said(hearth, None, new, migrate_to_chat_id=third["id"])
    assert answers(hearth, 1, third["id"]) == ["Done with the first."]
    assert len(hearth.bot.texts(new["id"])) == 1


def test_what_others_asked_in_the_group_is_known_and_has_no_authority(hearth):
    film, other = dict(GROUP, id=-4713), dict(GROUP, id=-4714)
    said(hearth, "@hearth_bot which film yesterday", film, sender=43, **AT)
    answers(hearth, 1, film["id"])
    said(hearth, "@hearth_bot hello", film, **AT)
    answers(hearth, 2, film["id"])
    run, = newest_runs(hearth)
    assert "yesterday" not in json.dumps(run["messages"]), "she may have come since"
    said(hearth, "@hearth_bot which film tonight", film, sender=43, **AT)
    answers(hearth, 3, film["id"])
    said(hearth, "@hearth_bot what of the roof", other, sender=43, **AT)
    answers(hearth, 1, other["id"])
    hearth.wait_for(lambda: {row["state"] for row in outbox(hearth)[:2]} == {"delivered"}, "that both were told", 10)
    said(hearth, "@hearth_bot the second one", film, **AT)
    answers(hearth, 4, film["id"])
    run, = newest_runs(hearth)
    asked = [message["content"] for message in run["messages"] if message["role"] == "user"]
    assert asked[1:] == ["[Meanwhile in this group:]\n> Dora: which film tonight\n> You: Good evening to you.", "the second one"]
    assert '"trusted": false' in json.dumps(run["spans"])
    said(hearth, "@hearth_bot and when", film, **AT)
    answers(hearth, 5, film["id"])
    run, = newest_runs(hearth)
    assert [message["content"] for message in run["messages"] if message["role"] == "user"][3:] == ["and when"], "it is told once"


def test_who_leaves_the_chat_leaves_what_is_remembered_there_until_he_writes_again(hearth):
    fact = "The gate closes at nine"
    for number, how in enumerate(("of itself", "by others", "as it is told to who looks after the group")):
        chat, sender, name = dict(GROUP, id=-4740 - number), 70 + number, f"Hugo {number}"
        pair(hearth, sender, name)
        key = command(hearth, "key", "new", "--person", name, "--quiet").strip()
        facts = lambda: [one["text"] for one in hearth.call("GET", "/v1/memory/facts", key=key).json["data"]]
        said(hearth, "@hearth_bot please remember, and note for all: the gate closes at nine", chat=chat, **AT)
        said(hearth, "@hearth_bot good evening", chat=chat, sender=sender, **AT)
        answers(hearth, 2, chat["id"])
        assert facts() == [fact]
        him = {"id": sender, "is_bot": False, "first_name": "Hugo"}
        if number < 2:
            hearth.bot.write(None, chat=chat, sender=sender if number == 0 else 42, left_chat_member=him)
        else:
            update = hearth.bot.update("")
            with hearth.bot.changed:
                hearth.bot.updates.append({"update_id": update["update_id"], "chat_member": {"chat": chat, "from": {"id": 42, "is_bot": False, "first_name": "Clara"}, "date": 1,
                                           "old_chat_member": {"status": "member", "user": him}, "new_chat_member": {"status": "kicked", "user": him, "until_date": 0}}})
                hearth.bot.changed.notify_all()
        hearth.wait_for(lambda: facts() == [], f"that he has left {how}", 10)
        assert fact not in hearth.call("GET", "/v1/memory/recall?question=when+does+the+gate+close", key=key).data.decode()
        said(hearth, "@hearth_bot I am back", chat=chat, sender=sender, **AT)
        answers(hearth, 3, chat["id"])
        assert facts() == [fact], "who writes there is there"


def test_a_place_a_contact_a_poll_and_a_sticker_are_told_in_words(hearth):
    pair(hearth, 48, "Ines")
    key = command(hearth, "key", "new", "--person", "Ines", "--quiet").strip()
    sent = [({"location": {"latitude": 48.1, "longitude": 11.5}}, "[location that came with this message:]\n> latitude 48.1, longitude 11.5", True),
            ({"sticker": {"file_id": "s", "emoji": "👍", "width": 1, "height": 1}}, "[sticker that came with this message:]\n> 👍", True),
            ({"contact": {"phone_number": "+49 151 1", "first_name": "Bob"}}, "[contact that came with this message:]\n> Bob, +49 151 1", False),
            ({"poll": {"id": "1", "question": "Pizza?", "options": [{"text": "yes", "voter_count": 1}, {"text": "no", "voter_count": 0}]}}, "[poll that came with this message:]\n> Pizza?\n> - yes (1)\n> - no", False)]
    for count, (what, words, trusted) in enumerate(sent, 1):
        hearth.bot.write(None, sender=48, **what)
        assert answers(hearth, count, 48)[-1] == "Good evening to you."
        run, = newest_runs(hearth, key=key)
        assert [message["content"] for message in run["messages"] if message["role"] == "user"][-1] == words
        assert ('"trusted": false' in json.dumps(run["spans"])) != trusted, "what may be of others' writing has no authority"
    hearth.bot.write("Call him", sender=48, reply_to_message={"message_id": 3, "from": {"id": 43, "is_bot": False, "first_name": "Dora"}, "chat": {"id": 48, "type": "private"}, **sent[2][0]})
    answers(hearth, 5, 48)
    run, = newest_runs(hearth, key=key)
    assert [message["content"] for message in run["messages"] if message["role"] == "user"][-2:] == ["[contact that this answers:]\n> Bob, +49 151 1", "Call him"]


def test_what_is_scheduled_in_a_group_knows_what_is_known_there_and_no_more(hearth):
    pair(hearth, 49, "Judy")
    key = command(hearth, "key", "new", "--person", "Judy", "--quiet").strip()
    hearth.bot.write("Please remember how my safe opens", sender=49)
    answers(hearth, 1, 49)
    place = dict(GROUP, id=-4750)
    said(hearth, "@hearth_bot good evening", chat=place, sender=49, **AT)
    answers(hearth, 1, place["id"])
    plan, _ = [hearth.call("POST", "/v1/schedules", {"when": "every hour", "prompt": prompt}, key=key).json for prompt in ("Say how we open the safe", "Buy a ring for Dora")]
    sql(hearth.state, f"update schedule set bridge = 'telegram', chat = '{place['id']}' where id = '{plan['id']}'")
    said(hearth, "@hearth_bot please list my reminders and schedules: what is planned?", chat=place, sender=49, **AT)
    answers(hearth, 2, place["id"])
    run, = newest_runs(hearth, key=key)
    assert "Say how we open the safe" in json.dumps(run["spans"]) and "ring" not in [word for word in json.dumps(run["spans"]).split()], "what she planned alone is hers"
    assert hearth.call("POST", f"/v1/schedules/{plan['id']}/run", key=key).status == 200
    answers(hearth, 3, place["id"])
    run = next(one for one in newest_runs(hearth, 3, key) if [message["content"] for message in one["messages"] if message["role"] == "user"] == ["Say how we open the safe"])
    assert "recall" in [span["name"] for span in run["spans"]] and "7-3-9" not in json.dumps(run), "others read the answer"
    news = hearth.call("POST", "/v1/schedules", {"when": "every day at 06:00", "prompt": "the news", "channel": "telegram"}, key=key)
    assert news.status == 201
    before = len(hearth.bot.sent)
    assert hearth.call("POST", f"/v1/schedules/{news.json['id']}/run", key=key).status == 200
    hearth.wait_for(lambda: len(hearth.bot.sent) > before, "the news", 20)
    assert hearth.bot.sent[-1]["chat_id"] == 49, "and not where she has written last, before others"


def test_a_group_s_conversation_that_is_gone_on_with_elsewhere_stays_one(hearth):
    said(hearth, "@hearth_bot good evening", chat=dict(GROUP, id=-4751), **AT)
    answers(hearth, 1, -4751)
    run, = newest_runs(hearth)
    asked = {"model": "hearth", "messages": [{"role": "user", "content": "How do I open the safe?"}]}
    assert hearth.call("POST", "/v1/chat/completions", asked, {"X-Hearth-Conversation": run["conversation_id"]}, key=hearth.clara).status == 200
    run, = newest_runs(hearth)
    assert "7-3-9" not in json.dumps(run), "what is said in it is in the next prompts of the group"
