"""What the server reads out of Telegram's updates is what a reader of its own finds there by the API's published fields."""
import json
import os
import pathlib
import subprocess

import pytest
import support

READER = pathlib.Path(support.BINARY).parent.parent / "tests" / "arrivals_of"
VECTORS = pathlib.Path(os.environ.get("HEARTH_VECTORS", support.ROOT / ".." / "shared" / "vectors")) / "webhooks/telegram"


def fields_of(spec, type_name):
    return {field["name"]: field for field in spec["types"][type_name]["fields"]}


def kinds_of(spec):
    """The fields of an Update that are a Message, in the API's own words; those that we act on are the first two of them."""
    return [name for name, field in fields_of(spec, "Update").items() if field["types"] == ["Message"]]


def expected(spec, update):
    """By the specification's types: who, where and what, of new and edited messages; everything else is something else."""
    user, chat = fields_of(spec, "User"), fields_of(spec, "Chat")
    assert user["id"]["types"] == chat["id"]["types"] == ["Integer"] and fields_of(spec, "Message")["text"]["types"] == ["String"]
    out = {"update": str(update["update_id"]), "kind": "other", "sender": "", "name": "", "chat": "", "alone": False, "program": False, "text": "", "message": "", "choice": "", "quoted": "", "moved_to": ""}
    for kind in kinds_of(spec)[:2]:
        message = update.get(kind)
        if message is None or "chat" not in message:
            continue
        words = message.get("text") or message.get("caption") or ""
        out.update(kind={"message": "message", "edited_message": "edit"}[kind], chat=str(message["chat"]["id"]), alone=message["chat"].get("type") == "private", text=words,
                   **of_sender(message.get("from") or {}))
        out["message"] = str(message["message_id"]) if "message_id" in message else ""
        if message.get("migrate_to_chat_id"):
            out.update(kind="moved", moved_to=str(message["migrate_to_chat_id"]), text="", sender="", name="", program=False)
            continue
        if gone := message.get("left_chat_member"):
            out.update(kind="left", **of_sender(gone))
            continue
        answered = message.get("reply_to_message") or {}
        out["quoted"] = (message.get("quote") or {}).get("text") or answered.get("text") or answered.get("caption") or ""
    if query := update.get("callback_query"):
        assert fields_of(spec, "CallbackQuery")["data"]["types"] == ["String"]
        message = query.get("message") or {}
        out.update(kind="choice", choice=query.get("data", ""), chat=str(message["chat"]["id"]) if message else "", alone=message.get("chat", {}).get("type") == "private",
                   message=str(message["message_id"]) if message else "", **of_sender(query.get("from") or {}))
    if change := update.get("chat_member"):
        assert fields_of(spec, "ChatMemberUpdated")["new_chat_member"]["types"] == ["ChatMember"]
        now = change.get("new_chat_member") or {}
        if change.get("chat") and (now.get("status") in ("left", "kicked") or (now.get("status") == "restricted" and now.get("is_member") is False)):
            out.update(kind="left", chat=str(change["chat"]["id"]), alone=change["chat"].get("type") == "private", **of_sender(now["user"]))
    return out


def of_sender(sender):
    names = [sender.get("first_name", ""), sender.get("last_name", "")]
    return {"sender": str(sender["id"]) if sender else "", "name": " ".join(filter(None, names)) or sender.get("username", ""), "program": bool(sender.get("is_bot", False))}


@pytest.mark.skipif(not VECTORS.exists(), reason="no vectors")
def test_updates_say_to_the_server_what_they_say_to_another_reader():
    spec = json.loads((VECTORS / "bot_api_spec.min.json").read_text())
    assert kinds_of(spec)[:2] == ["message", "edited_message"]
    updates = []
    for line in (VECTORS / "updates.jsonl").read_text().splitlines():
        one = json.loads(line)
        updates.append(one["payload"] if one["kind"] == "update" else {"update_id": 7, "message": one["payload"]})
    for ascii_only in (True, False):
        given = "".join(json.dumps(update, ensure_ascii=ascii_only) + "\n" for update in updates)
        done = subprocess.run([READER, "telegram"], input=given, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        read = [json.loads(line) for line in done.stdout.splitlines()]
        assert read == [expected(spec, update) for update in updates]
    said = [one for one in read if one["kind"] == "message" and one["text"]]
    assert len(updates) > 150 and len(said) > 20 and len({one["sender"] for one in said}) > 5
