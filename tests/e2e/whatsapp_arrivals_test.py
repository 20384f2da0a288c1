"""What the server reads out of WhatsApp's deliveries is what a reader of its own finds there by Meta's published schemas."""
import json
import os
import pathlib
import re
import subprocess

import pytest
import support

READER = pathlib.Path(support.BINARY).parent.parent / "tests" / "arrivals_of"
VECTORS = pathlib.Path(os.environ.get("HEARTH_VECTORS", support.ROOT / ".." / "shared" / "vectors")) / "webhooks/whatsapp"
pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason="no vectors")


class Schemas:
    """As much of the OpenAPI file as a reader of deliveries needs: names of properties, and values of enums."""

    def __init__(self, text):
        self.text = text[text.index("\n  schemas:\n"):]

    def block(self, name):
        start = self.text.index(f"\n    {name}:\n") + 1
        end = re.compile(r"^ {4}\S", re.M).search(self.text, start + 4)
        return self.text[start:end.start() if end else None]

    def properties(self, name):
        return set(re.findall(r"^ {8}(\w+):$", self.block(name), re.M))

    def values(self, name, of):
        return re.findall(r"- (\w+)", re.search(rf"\b{of}:\n\s+type: string\n\s+enum:\n((?:\s+- \w+\n)+)", self.block(name)).group(1))

    def message_types(self):
        return re.findall(r"^ {10}(\w+): '#/", self.block("IncomingMessage"), re.M)


@pytest.fixture(scope="module")
def schemas():
    return Schemas((VECTORS / "business-messaging-api_v23.0.yaml").read_text())


def messages_and_statuses(schemas, delivery):
    """(what it is, the thing, its value), in the order of the delivery."""
    assert schemas.properties("WebhookPayload") >= {"object", "entry"} and "changes" in schemas.properties("Entry") and schemas.properties("Change") == {"value", "field"}
    assert "messages" in schemas.values("Change", "field")
    assert "messages" in schemas.properties("IncomingMessageValueGeneral") and "statuses" in schemas.properties("StatusMessageValue")
    for entry in delivery["entry"]:
        for change in entry["changes"]:
            if change["field"] == "messages":
                for kind in ("messages", "statuses"):
                    yield from ((kind, one, change["value"]) for one in change["value"].get(kind, []))


def content_of(schemas, message):
    """The kind of the message, what it says, what comes beside that, and, of what is none, what it is."""
    kind = message["type"]
    if kind not in schemas.message_types() or kind == "reaction":
        return {"kind": "other", "what": kind}
    content = message.get(kind, {})
    if kind == "text":
        return {"text": content["body"]}
    if kind == "button":
        return {"text": content["text"]}
    if kind in ("unsupported", "unknown"):
        return {"media": "unsupported"}
    if kind != "interactive":
        return {"media": kind, "text": content.get("caption", "") if isinstance(content, dict) else ""}
    if content["type"] == "button_reply":
        return {"kind": "choice", "text": content["button_reply"]["title"]}
    if content["type"] == "list_reply":
        return {"text": content["list_reply"]["title"]}
    return {"kind": "other", "what": "interactive " + content["type"]}


def expected_message(schemas, message, value):
    assert schemas.properties("BaseMessageProperties_1") == {"from", "id", "timestamp"}
    sender = message.get("from") or message.get("from_user_id", "")
    contacts = value.get("contacts", [])
    names = [one.get("profile", {}).get("name", "") for one in contacts if len(contacts) == 1 or sender in (one.get("wa_id"), one.get("user_id"))]
    out = {"update": message["id"], "message": message["id"], "kind": "message", "sender": sender, "chat": message.get("group_id", sender), "alone": "group_id" not in message,
           "name": names[0] if names else "", "text": "", "media": "", "what": ""}
    if message["type"] == "edit":  # newer than the schemas
        return {**out, **content_of(schemas, message["edit"]["message"]), "kind": "edit", "message": message["edit"]["original_message_id"]}
    out.update(content_of(schemas, message))
    if out["kind"] == "choice":
        out["message"] = message.get("context", {}).get("id", "")
    return out


def expected_status(schemas, status):
    assert schemas.properties("Statuses") >= {"id", "status", "recipient_id", "errors"}
    known = schemas.values("Statuses", "status")
    assert known == ["sent", "delivered", "read", "failed"]
    said = {"played": "read"}.get(status["status"], status["status"])
    out = {"update": f"{status['id']}/{status['status']}", "message": status["id"], "kind": "receipt" if said in known[1:] else "other", "sender": "", "chat": status["recipient_id"], "alone": False,
           "name": "", "text": "", "media": "", "what": said}
    if said == "failed":
        error = status["errors"][0]
        out["text"] = f"WhatsApp says: {error.get('error_data', {}).get('details') or error['message']} ({error['code']})"
    return out


def expected(schemas, delivery):
    out = []
    for kind, one, value in messages_and_statuses(schemas, delivery):
        arrival = expected_message(schemas, one, value) if kind == "messages" else expected_status(schemas, one)
        out.append({**arrival, "number": value["metadata"]["phone_number_id"], "kept_as": arrival["update"]})
    return out


def read(deliveries, ascii_only=False):
    given = "".join(json.dumps(one, ensure_ascii=ascii_only) + "\n" for one in deliveries)
    done = subprocess.run([READER, "whatsapp"], input=given, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_deliveries_say_to_the_server_what_they_say_to_another_reader(schemas):
    deliveries = [json.loads(line)["payload"] for line in (VECTORS / "payloads.jsonl").read_text().splitlines()]
    all_in_one = {"object": "whatsapp_business_account", "entry": [entry for one in deliveries for entry in one["entry"]]}
    deliveries.append(all_in_one)
    for ascii_only in (True, False):
        for delivery, arrivals in zip(deliveries, read(deliveries, ascii_only), strict=True):
            fields = set(expected(schemas, delivery)[0]) if expected(schemas, delivery) else set()
            assert [{name: one[name] for name in fields} for one in arrivals] == expected(schemas, delivery), delivery
    arrivals = read([all_in_one])[0]
    kinds = {kind: [one for one in arrivals if one["kind"] == kind] for kind in ("message", "edit", "choice", "receipt", "other")}
    assert len(deliveries) == 99 and all(kinds.values()), {kind: len(found) for kind, found in kinds.items()}
    assert len([one for one in kinds["message"] if one["text"]]) > 10 and len({one["sender"] for one in kinds["message"]}) > 5


def test_what_is_no_delivery_is_refused_and_what_is_odd_in_one_keeps_nothing_else_back():
    odd = {"object": "whatsapp_business_account", "entry": [1, {}, {"changes": [{}, 2, {"field": "messages"}, {"field": "messages", "value": {"messages": [3, {}, {"id": "a" * 300}, {"id": "w1", "from": 5}, {"id": "w2", "from": "1", "type": "text", "text": {"body": "hi"}}]}}]}]}
    refused = read([[], {}, {"entry": 5}, "text"])
    assert all("delivery of WhatsApp" in one["refused"] for one in refused)
    arrivals = read([odd])[0]
    assert [one.get("text", "refused") for one in arrivals] == ["refused", "hi"]
