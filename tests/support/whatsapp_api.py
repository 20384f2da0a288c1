"""WhatsApp's Cloud API as far as a house needs it, on loopback: what was sent to people, and deliveries signed as Meta signs them."""
import contextlib
import hashlib
import hmac
import http.client
import http.server
import json
import threading
import time


class WhatsAppApi:
    """`sent`: the messages that were taken, also where their sender never heard of it. `faults`: what happens to the next ones."""

    def __init__(self, token, number, app_secret):
        self.token, self.number, self.app_secret = token, number, app_secret
        self.sent, self.activity, self.refused, self.faults = [], [], 0, []
        self.files, self.elsewhere = {}, None  # by id, their bytes; and where else they are said to be
        self.released = threading.Event()
        self.last = self.taken = 0
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler_of(self))
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/v23.0"

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def message(self, text, sender="4915112345678", **more):
        """A message as it is in a delivery; `more` is what it holds in place of a text, or beside it."""
        self.last += 1
        message = {"from": sender, "id": f"wamid.in{self.last}", "timestamp": str(int(time.time())), **({} if text is None else {"type": "text", "text": {"body": text}})}
        return {**message, **more}

    def pressed(self, sent, label, sender="4915112345678"):
        """A button under a message of `sent`, as it comes back."""
        button, = [one["reply"] for one in sent["interactive"]["action"]["buttons"] if one["reply"]["title"] == label]
        return self.message(None, sender, context={"from": "15550783881", "id": sent["id"]}, type="interactive", interactive={"type": "button_reply", "button_reply": button})

    def status(self, sent, state, **more):
        """What is said later of a message of `sent`."""
        return {"id": sent["id"], "status": state, "timestamp": str(int(time.time())), "recipient_id": sent["to"], "biz_opaque_callback_data": sent["biz_opaque_callback_data"], **more}

    def delivery(self, *messages, statuses=(), name="Clara", number=None):
        value = {"messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550783881", "phone_number_id": number or self.number}}
        if messages:
            value.update(contacts=[{"profile": {"name": name}, "wa_id": message["from"]} for message in messages], messages=list(messages))
        if statuses:
            value.update(statuses=list(statuses))
        return {"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": [{"value": value, "field": "messages"}]}]}

    def sign(self, body, secret=None):
        return "sha256=" + hmac.new((secret or self.app_secret).encode(), body, hashlib.sha256).hexdigest()

    def deliver(self, port, delivery, signature=None):
        """Hands it to the listener; the status."""
        body = delivery if isinstance(delivery, bytes) else json.dumps(delivery).encode()
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": self.sign(body) if signature is None else signature}
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
            connection.request("POST", "/whatsapp", body, {name: value for name, value in headers.items() if value != ""})
            return connection.getresponse().status

    def texts(self, chat="4915112345678"):
        return [message["text"]["body"] for message in self.sent if message["to"] == chat and message["type"] == "text"]

    def take(self, body):
        """The answer to a call: (status, body), or None to break off."""
        if body.get("status") == "read":
            self.activity.append((time.monotonic(), body["message_id"], body.get("typing_indicator", {}).get("type")))
            return 200, {"success": True}
        if problem := self.problem_of(body):
            return 400, {"error": {"message": f"(#100) Invalid parameter: {problem}", "type": "OAuthException", "code": 100}}
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, tuple):
            return fault
        self.taken += 1
        taken = dict(body, id=f"wamid.out{self.taken}", at=time.monotonic())
        self.sent.append(taken)
        if fault == "hang":
            self.released.wait(60)
        if fault:  # "hang" or "break": taken in, and nobody hears of it
            return None
        return 200, {"messaging_product": "whatsapp", "contacts": [{"input": body["to"], "wa_id": body["to"]}], "messages": [{"id": taken["id"], "message_status": "accepted"}]}

    def problem_of(self, body):
        """What the schemas of Meta's OpenAPI file refuse of it."""
        if body.get("messaging_product") != "whatsapp" or body.get("recipient_type") != "individual" or not body.get("to"):
            return "messaging_product, recipient_type or to"
        if len(body.get("biz_opaque_callback_data", "")) > 512:
            return "biz_opaque_callback_data"
        if body["type"] == "text":
            return None if 1 <= len(body["text"]["body"]) <= 4096 else "text.body"
        if body["type"] == "template":
            form = body["template"]
            texts = [parameter["text"] for component in form["components"] for parameter in component["parameters"]]
            fits = form["name"] and form["language"]["code"] and all(text and not any(bad in text for bad in ("\n", "\t", "    ")) for text in texts)
            return None if fits else "template"
        if body["type"] == "interactive":
            buttons = body["interactive"]["action"]["buttons"]
            fits = 1 <= len(buttons) <= 3 and all(1 <= len(one["reply"]["title"]) <= 20 and 1 <= len(one["reply"]["id"]) <= 256 for one in buttons)
            return None if fits and 1 <= len(body["interactive"]["body"]["text"]) <= 1024 else "interactive"
        return "type"


def handler_of(api):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            """Where a file is, and its bytes: both for the token alone."""
            kind, _, name = self.path.split("?")[0].strip("/").partition("/")
            known = self.headers.get("Authorization") == f"Bearer {api.token}" and name in api.files
            place = {"messaging_product": "whatsapp", "url": (api.elsewhere or api.url.removesuffix("/v23.0")) + f"/media/{name}", "id": name}
            data = b"{}" if not known else api.files[name] if kind == "media" else json.dumps(place).encode()
            self.send_response(200 if known else 404)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or "{}")
            if self.headers.get("Authorization") != f"Bearer {api.token}":
                api.refused += 1
                answer = 401, {"error": {"message": "Invalid OAuth access token - Cannot parse access token", "type": "OAuthException", "code": 190}}
            elif self.path != f"/v23.0/{api.number}/messages":
                answer = 404, {"error": {"message": "Unsupported post request", "type": "GraphMethodException", "code": 100, "error_subcode": 33}}
            else:
                answer = api.take(body)
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
