"""Telegram's Bot API as far as a bot needs it, on loopback: updates that are there until they are confirmed, and what was sent."""
import contextlib
import http.server
import json
import threading
import time


class TelegramApi:
    """`sent`: what sendMessage took in, also where its sender never heard of it; `edited`: what editMessageText did. `faults`: what happens to the next ones."""

    def __init__(self, token, port=0):
        self.token, self.changed = token, threading.Condition()
        self.updates, self.sent, self.edited, self.activity, self.drafts, self.acknowledged, self.refused, self.faults, self.webhook = [], [], [], [], [], [], 0, [], None
        self.asked = 0          # getUpdates that were answered
        self.forgetful = False  # what was confirmed is delivered again
        self.released = threading.Event()
        self.last = 1000
        self.messages = {}      # by id, as they stand
        self.files, self.fetched = {}, []  # by file_id, their bytes; and those that were asked for
        self.file_faults = []   # what happens to the next of these: an answer, or "hang"
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), self.handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def handler(self):
        return handler_of(self)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def update(self, text, sender=42, name="Clara", **more):
        """An update with a message of a private chat, as it would be delivered; `more` changes the message."""
        self.last += 1
        message = {"message_id": self.last, "date": int(time.time()), "text": text, "from": {"id": sender, "is_bot": False, "first_name": name}, "chat": {"id": sender, "type": "private"}}
        return {"update_id": self.last, "message": {key: value for key, value in {**message, **more}.items() if value is not None}}

    def write(self, text, **more):
        """Somebody writes; the update's number."""
        update = self.update(text, **more)
        with self.changed:
            self.updates.append(update)
            self.changed.notify_all()
        return update["update_id"]

    def edit(self, number, text, **more):
        """What was written in the update of that number becomes another text."""
        update = self.update(text, **more)
        update["message"]["message_id"] = number
        with self.changed:
            self.updates.append({"update_id": update["update_id"], "edited_message": update["message"]})
            self.changed.notify_all()
        return update["update_id"]

    def press(self, message, label, sender=42):
        """Somebody presses a button of a message that was sent."""
        data, = [button["callback_data"] for row in message["reply_markup"]["inline_keyboard"] for button in row if button["text"] == label]
        self.last += 1
        query = {"id": f"press-{self.last}", "from": {"id": sender, "is_bot": False, "first_name": "X"}, "chat_instance": "1", "data": data,
                 "message": {"message_id": message["message_id"], "date": 1, "chat": {"id": message["chat_id"], "type": "private"}, "text": message["text"]}}
        with self.changed:
            self.updates.append({"update_id": self.last, "callback_query": query})
            self.changed.notify_all()
        return query["id"]

    def texts(self, chat=42):
        return [message["text"] for message in self.sent if message["chat_id"] == chat]

    # What follows answers the methods: (status, body), or None to break off.

    def getMe(self, _):
        return 200, {"ok": True, "result": {"id": 1, "is_bot": True, "first_name": "Hearth", "username": "hearth_bot"}}

    def getUpdates(self, asked):
        if self.webhook:
            return 409, {"ok": False, "error_code": 409, "description": "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"}
        until = time.monotonic() + min(asked.get("timeout", 0), 5)
        offset = asked.get("offset", 0)
        with self.changed:
            if not self.forgetful:
                self.updates = [update for update in self.updates if update["update_id"] >= offset]
            while not self.updates and time.monotonic() < until:
                self.changed.wait(until - time.monotonic())
            self.asked += 1
            return 200, {"ok": True, "result": self.updates[:100]}

    def deleteWebhook(self, _):
        self.webhook = None
        return 200, {"ok": True, "result": True}

    def setWebhook(self, asked):
        self.webhook = asked
        return 200, {"ok": True, "result": True}

    def sendChatAction(self, asked):
        self.activity.append((time.monotonic(), asked["chat_id"], asked["action"]))
        return 200, {"ok": True, "result": True}

    def sendMessage(self, asked):
        if wrong := wrong_message(asked):
            return refusal(wrong)
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, tuple):
            return fault
        message = dict(asked, at=time.monotonic(), message_id=5001 + len(self.messages))
        self.messages[message["message_id"]] = message
        self.sent.append(message)
        if fault == "hang":
            self.released.wait(60)
        if fault:  # "hang" or "break": taken in, and nobody hears of it
            return None
        return 200, {"ok": True, "result": {"message_id": message["message_id"], "date": 1, "chat": {"id": asked["chat_id"], "type": "private"}, "text": asked["text"]}}


    def editMessageText(self, asked):
        if wrong := wrong_message(asked):
            return refusal(wrong)
        message = self.messages.get(asked["message_id"])
        if not message or message["chat_id"] != asked["chat_id"]:
            return refusal("message to edit not found")
        fields = ("text", "reply_markup", "entities")
        if all(message.get(field) == asked.get(field) for field in fields):
            return refusal("message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message")
        for field in fields:
            message.pop(field, None)
        message.update(asked)
        self.edited.append(dict(asked, at=time.monotonic()))
        return 200, {"ok": True, "result": {"message_id": asked["message_id"], "date": 1, "chat": {"id": asked["chat_id"], "type": "private"}, "text": asked["text"]}}

    def getFile(self, asked):
        self.fetched.append(asked["file_id"])
        fault = self.file_faults.pop(0) if self.file_faults else None
        if fault == "hang":
            self.released.wait(60)
        if fault:
            return fault if isinstance(fault, tuple) else None
        if asked["file_id"] == "slow":
            time.sleep(3)
        if asked["file_id"] not in self.files:
            return refusal("wrong file_id or the file is temporarily unavailable")
        return 200, {"ok": True, "result": {"file_id": asked["file_id"], "file_unique_id": "u", "file_path": f"documents/{asked['file_id']}.bin"}}

    def sendMessageDraft(self, asked):
        assert asked["chat_id"] > 0 and asked["draft_id"] != 0, "in private chats alone"
        if wrong := wrong_message(asked):
            return refusal(wrong)
        self.drafts.append(dict(asked, at=time.monotonic()))
        return 200, {"ok": True, "result": True}

    def answerCallbackQuery(self, asked):
        self.acknowledged.append(asked["callback_query_id"])
        return 200, {"ok": True, "result": True}


def refusal(why):
    return 400, {"ok": False, "error_code": 400, "description": f"Bad Request: {why}"}


def wrong_message(asked):
    """What the API says against it, as far as a bot may come to hear it."""
    if not 1 <= len(asked["text"].encode("utf-16-le")) // 2 <= 4096:
        return "message is too long"
    units = len(asked["text"].encode("utf-16-le")) // 2
    for entity in asked.get("entities", []):
        if not 0 <= entity["offset"] < entity["offset"] + entity["length"] <= units:
            return "can't parse entities"
    for row in asked.get("reply_markup", {}).get("inline_keyboard", []):
        for button in row:
            if not 1 <= len(button["callback_data"].encode()) <= 64:
                return "BUTTON_DATA_INVALID"
    return None


def handler_of(api):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            _, file, bot, *path = self.path.split("/")
            data = api.files.get(path[-1].removesuffix(".bin")) if (file, bot) == ("file", "bot" + api.token) else None
            self.send_response(404 if data is None else 200)
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write(data or b"")

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or "{}")
            _, bot, method = self.path.split("/")
            if bot != "bot" + api.token:
                api.refused += 1
                answer = 401, {"ok": False, "error_code": 401, "description": "Unauthorized"}
            else:
                answer = getattr(api, method)(body)
            if answer is None:
                self.close_connection = True
                return
            data = json.dumps(answer[1]).encode()
            self.send_response(answer[0])
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            with contextlib.suppress(OSError):  # whoever asked is gone
                self.end_headers()
                self.wfile.write(data)

        def log_message(self, *_):
            pass

    return Handler
