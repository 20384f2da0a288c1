"""What somebody said in a group and others were told there is forgotten with them: in their rows, their archives and what is kept on disk for the model."""
import json

import pytest
from conftest import tiny_server
from forget_test import tables_with
from support import call, command, outbox
from telegram_test import house, pair

SECRET = "the spare key hangs behind the \"blue\" door"
GROUP = {"id": -4720, "type": "group", "title": "The house"}
AT = {"entities": [{"type": "mention", "offset": 0, "length": 11}]}
PEOPLE = {"Clara": 42, "Dora": 43, "Emil": 44}
SCRIPT = [
    {"when": "and the roof", "text": "It is tight."},
    {"when": "and the key", "text": f"As Dora said: {SECRET}."},
    {"when": "keep in mind", "tool_calls": [call("remember", text=SECRET)]},
    {"when": "", "text": "Good evening to you."},
]


@pytest.fixture(scope="module")
def hearth():
    with house("forget", {"agents.discipline": "free"}, script=SCRIPT) as server:
        server.start()
        for name, number in PEOPLE.items():
            pair(server, number, name)
        server.keys = {name: command(server, "key", "new", "--person", name, "--quiet").strip() for name in PEOPLE}
        yield server


def said(server, name, text, chat=None, **more):
    """And answered, so that the next is told of it. Its run, and its number in the chat."""
    sender = PEOPLE[name]
    at = chat["id"] if chat else sender
    before = len(server.bot.texts(at))
    number = server.bot.write(text, sender=sender, **({"chat": chat, **AT} if chat else {}), **more)
    server.wait_for(lambda: len(server.bot.texts(at)) > before, "an answer", 20)
    run = server.call("GET", "/v1/runs?limit=1", key=server.keys[name]).json["data"][0]["id"]
    server.wait_for(lambda: outbox(server)[0]["state"] == "delivered", "that it was told", 10)
    return run, number


def archived(server, name, run):
    """As his archive tells the segment of that run."""
    found = server.call("GET", "/v1/memory/recall?question=what%20did%20we%20say%20of%20the%20key%20and%20the%20roof", key=server.keys[name]).json["data"]
    segment = next(one["segment"] for one in found if one["kind"] == "segment" and one["run"] == run)
    return lambda by: by.call("GET", f"/v1/memory/archive/{segment}", key=server.keys[name])


def test_what_was_told_to_others_is_forgotten_with_them(hearth):
    for name in PEOPLE:
        said(hearth, name, "@hearth_bot hello", GROUP)
    said(hearth, "Dora", "Please remember, keep in mind that " + SECRET)
    _, number = said(hearth, "Dora", "@hearth_bot tell them, " + SECRET, GROUP)
    clara, _ = said(hearth, "Clara", "@hearth_bot and the key", GROUP)
    quoted = {"message_id": number, "from": {"id": PEOPLE["Dora"], "is_bot": False, "first_name": "Dora"}, "chat": GROUP, "text": "tell them, " + SECRET}
    emil, _ = said(hearth, "Emil", "@hearth_bot and the roof", GROUP, reply_to_message=quoted)
    answer = next(one for one in hearth.bot.sent if one["chat_id"] == GROUP["id"] and one["text"].startswith("As Dora said"))
    of_us = {"message_id": answer["message_id"], "from": {"id": 1, "is_bot": True, "first_name": "Hearth"}, "chat": GROUP, "text": f"As Dora said: {SECRET}."}
    quotes, _ = said(hearth, "Emil", "@hearth_bot and the roof, now", GROUP, reply_to_message=of_us)
    told = json.dumps(hearth.call("GET", f"/v1/runs/{quotes}", key=hearth.keys["Emil"]).json)
    assert "This answers what Hearth wrote" in told
    for name, run in (("Clara", clara), ("Emil", emil)):
        told = json.dumps(hearth.call("GET", f"/v1/runs/{run}", key=hearth.keys[name]).json)
        assert "Meanwhile in this group" in told and "behind the" in told and ("This answers what Dora wrote" in told) == (name == "Emil")
        assert hearth.call("POST", "/v1/memory/archive", key=hearth.keys[name]).json["segments"] >= 1
    texts = [archived(hearth, "Clara", clara), archived(hearth, "Emil", emil)]
    assert all("behind the" in text(hearth).json["text"] for text in texts)
    assert {"message", "segment", "span_body", "run"} <= tables_with(hearth.state, "hangs behind")
    [fact] = [one for one in hearth.call("GET", "/v1/memory/facts", key=hearth.keys["Dora"]).json["data"] if one["text"] == SECRET]

    people = {one["name"]: one["id"] for one in json.loads(command(hearth, "person", "list", "--json"))}
    hearth.stop()
    kept = {name: hearth.state.folder / "state/kv" / people[name] for name in (*PEOPLE, "owner")}
    for folder in kept.values():
        folder.mkdir(parents=True, mode=0o700)
        (folder / f"{'0' * 32}.kv").write_bytes(b"as a server before left it")
    again = tiny_server(hearth.state, "llama_tied", "group_forget_again")
    again.env["HEARTH_MODEL_KV_DISK_MIB"] = "64"
    try:
        again.start()
        path = f"/v1/memory/facts/{fact['id']}"
        would = again.call("DELETE", path + "?preview=true", key=hearth.keys["Dora"]).json["counts"]
        assert would["told_in_groups"] == 3 and "message" in tables_with(again.state, "hangs behind")
        assert again.call("DELETE", path, key=hearth.keys["Dora"]).json["counts"] == would
        assert tables_with(again.state, "hangs behind") == set()
        assert {name for name, folder in kept.items() if folder.exists()} == {"owner"}, "whoever was told nothing keeps his"
        for name, run, asked in (("Clara", clara, "and the key"), ("Emil", emil, "and the roof")):
            left = again.call("GET", f"/v1/runs/{run}", key=hearth.keys[name]).json
            assert left["chain"] == "whole" and any(asked in (message["content"] or "") for message in left["messages"]), "what they said themselves stays"
        assert not any(text(again).status == 200 for text in texts), "nobody reads what the archive holds of it"
        recalled = again.call("GET", "/v1/memory/recall?question=what%20did%20we%20say%20of%20the%20roof", key=hearth.keys["Emil"]).json["data"]
        assert any("It is tight" in one["text"] for one in recalled)
    finally:
        again.stop()
