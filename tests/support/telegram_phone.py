#!/usr/bin/env python3
"""One person's phone with the chat of a bot, and the Bot API behind it, on loopback: to try Hearth with no account of Telegram's.

telegram_phone.py --port PORT [--name NAME]: the bot's token is `TOKEN`, below.

    curl -d "Good evening!" http://127.0.0.1:PORT/say       the person writes; answers with what the bot says to it
    curl -d "Allow once" http://127.0.0.1:PORT/press        the person presses that button of the newest message that has some
    curl http://127.0.0.1:PORT/next                         what the bot says by itself
    http://127.0.0.1:PORT/                                  the chat, for a browser
"""
import argparse
import contextlib
import html
import threading

from telegram_api import TelegramApi, handler_of

TOKEN = "123456789:AAF-a_token_of_a_bot_that_is_none"
PATIENCE = 300  # seconds: a model on a small machine may take its time
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>hearth_bot</title>
<style>
body { margin: 0 auto; max-width: 40rem; padding: 1rem 1rem 4.5rem; background: #d6e4d0; color: #111; font: 15px/1.4 system-ui, sans-serif }
p { width: fit-content; max-width: 85%; margin: .4rem 0; padding: .5rem .75rem; border-radius: .9rem; background: #fff; white-space: pre-wrap; overflow-wrap: anywhere }
p.mine { margin-left: auto; background: #e2fdc9 }
button { margin: .1rem .4rem .6rem 0; padding: .5rem 1rem; border: 0; border-radius: .6rem; background: #41644c; color: #fff; font: inherit }
form { position: fixed; inset: auto 0 0; display: flex; gap: .5rem; max-width: 40rem; margin: auto; padding: .75rem 1rem; background: #d6e4d0 }
input { flex: 1; min-width: 0; padding: .5rem .75rem; border: 1px solid #9a9; border-radius: .6rem; font: inherit }
form button { margin: 0 }
</style><main></main><form><input aria-label="Message" placeholder="Message" autocomplete="off"><button>Send</button></form>
<script>
const main = document.querySelector("main"), field = document.querySelector("input"), post = (path, body) => fetch(path, {method: "POST", body});
main.onclick = event => event.target.name == "choice" && post("/press", event.target.value);
document.querySelector("form").onsubmit = event => { event.preventDefault(); post("/say", field.value); field.value = "" };
async function look() {
    const now = await (await fetch("/chat")).text();
    if (now != main.dataset.shown) { main.innerHTML = main.dataset.shown = now; scrollTo(0, document.body.scrollHeight) }
    setTimeout(look, 500);
}
look();
</script></html>"""


class Phone(TelegramApi):
    def __init__(self, port=0, name="You", token=TOKEN):
        self.name, self.chat, self.read = name, [], 0  # of both, in order; `read`: how many of them were handed out
        super().__init__(token, port)

    def handler(self):
        return phone_handler_of(self)

    def sendMessage(self, asked):
        answer = super().sendMessage(asked)
        with self.changed:
            if answer and answer[0] == 200:
                self.chat.append(self.sent[-1])
            self.changed.notify_all()
        return answer

    def say(self, text):
        with self.changed:
            self.read = len(self.chat) + 1
            self.chat.append({"mine": True, "text": text})
        self.write(text, name=self.name)
        return self.next()

    def press_newest(self, label):
        with self.changed:
            asking = [one for one in self.chat if label in labels_of(one)]
            self.read = len(self.chat)
        if not asking:
            return f"no message has a button {label!r}\n"
        self.press(asking[-1], label)
        came = self.next()
        return words_of(asking[-1]) + came

    def next(self):
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.chat) > self.read, PATIENCE):
                return f"nothing came within {PATIENCE} s\n"
            new, self.read = self.chat[self.read:], len(self.chat)
        return "".join(map(words_of, new))


def labels_of(message):
    return [button["text"] for row in message.get("reply_markup", {}).get("inline_keyboard", []) for button in row]


def words_of(message):
    buttons = "".join(f" [{label}]" for label in labels_of(message))
    return f"hearth_bot: {message['text']}\n" + (f"{buttons}\n" if buttons else "")


def as_html(message):
    buttons = "".join(f'<button name="choice" value="{html.escape(label)}">{html.escape(label)}</button>' for label in labels_of(message))
    return f'<p class="{"mine" if "mine" in message else "its"}">{html.escape(message["text"])}</p>{buttons}'


def phone_handler_of(phone):
    class Handler(handler_of(phone)):
        def do_GET(self):
            pages = {"/": lambda: PAGE, "/chat": lambda: "".join(map(as_html, phone.chat)), "/next": phone.next}
            if self.path not in pages:
                return super().do_GET() if self.path.startswith("/file/") else self.send_error(404)
            self.answer(pages[self.path](), "text/plain" if self.path == "/next" else "text/html")

        def do_POST(self):
            acts = {"/say": phone.say, "/press": phone.press_newest}
            if self.path not in acts:
                return super().do_POST()
            self.answer(acts[self.path](self.rfile.read(int(self.headers["Content-Length"])).decode()), "text/plain")

        def answer(self, text, kind):
            data = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", kind + "; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            with contextlib.suppress(OSError):  # whoever asked is gone
                self.end_headers()
                self.wfile.write(data)

    return Handler


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--name", default="You", help="what the person is called there")
    asked = options.parse_args()
    with contextlib.closing(Phone(asked.port, asked.name)) as phone:
        print(f"the chat is at {phone.url}/", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
