"""What every channel owes to whom it connects, of all channels at once in one house: strangers, answers, redelivery, stops, and that nothing
leaves where nothing may."""
import contextlib
import itertools
import json
import signal
import sys
import time

import pytest
import support
from support import ROOT, Hearth, command, outbox
from whatsapp_test import APP_SECRET, NUMBER, VERIFY, free_port

sys.path.insert(0, str(ROOT / "tests/support"))
from telegram_api import TelegramApi  # noqa: E402
from whatsapp_api import WhatsAppApi  # noqa: E402

ANSWER, SLOWLY = "Good evening to you.", " ".join(f"word{n}" for n in range(40))
SCRIPT = [
    {"when": "at length", "text": SLOWLY, "word_delay_ms": 60},
    {"when": "for ever", "delay_ms": 60_000, "text": "Late."},
    {"when": "", "text": ANSWER},
]
TOKEN = "123456789:AAF-a_token_of_a_bot_that_is_none"


class Telegram:
    name, sender, another = "telegram", "42", "45"

    def __init__(self, folder):
        self.api = TelegramApi(TOKEN)
        self.settings = {"telegram.token": "secret:bot", "telegram.url": self.api.url}
        self.secrets = {"bot": TOKEN}

    def write(self, text, sender=sender):
        self.api.write(text, sender=int(sender))

    def enclose(self, data, kind, text=None, name=None, type=None, sender=sender):
        """Something comes along: photo, voice or document."""
        key = f"file-{len(self.api.files)}"
        self.api.files[key] = data
        file = {"file_id": key, "file_unique_id": "u", **({"file_name": name} if name else {}), **({"mime_type": type} if type else {})}
        sizes = [{**file, "file_id": "small", "width": 90, "height": 90}, {**file, "width": 900, "height": 900}]
        self.api.write(None, sender=int(sender), caption=text, **{kind: sizes if kind == "photo" else file})

    def sent(self, sender=sender):
        return self.api.texts(int(sender))

    def left(self):
        """Everything that has reached the other side, of whatever kind."""
        return len(self.api.sent) + len(self.api.activity)

    def close(self):
        self.api.close()


class WhatsApp:
    name, sender, another = "whatsapp", "4915112345678", "4945"

    def __init__(self, folder):
        self.api, self.port = WhatsAppApi("EAAG-a-token-of-nobody", NUMBER, APP_SECRET), free_port()
        self.settings = {"whatsapp.token": "secret:wa", "whatsapp.number": NUMBER, "whatsapp.app_secret": "secret:wa_app", "whatsapp.verify_token": "secret:wa_verify", "whatsapp.url": self.api.url,
                         "webhooks.port": self.port}
        self.secrets = {"wa": self.api.token, "wa_app": APP_SECRET, "wa_verify": VERIFY}
        self.last = None

    def write(self, text, sender=sender):
        self.last = self.api.delivery(self.api.message(text, sender))
        assert self.api.deliver(self.port, self.last) == 200

    def enclose(self, data, kind, text=None, name=None, type=None, sender=sender):
        key = f"file-{len(self.api.files)}"
        self.api.files[key] = data
        kind = {"photo": "image", "voice": "audio"}.get(kind, kind)
        file = {"id": key, **({"caption": text} if text else {}), **({"filename": name} if name else {}), "mime_type": type or {"image": "image/jpeg", "audio": "audio/ogg; codecs=opus"}[kind]}
        assert self.api.deliver(self.port, self.api.delivery(self.api.message(None, sender, type=kind, **{kind: file}))) == 200

    def sent(self, sender=sender):
        return self.api.texts(sender)

    def left(self):
        return len(self.api.sent) + len(self.api.activity)

    def close(self):
        self.api.close()


class Files:
    name, sender, another = "file", "clara", "dora"
    secrets = {}

    def __init__(self, folder):
        self.folder, self.numbers, self.last = folder, itertools.count(), None
        self.settings = {"file.folder": folder}

    def put(self, name, message):
        part = self.folder / f".{name}"
        part.write_text(json.dumps(message))
        part.rename(self.folder / "inbox" / name)

    def write(self, text, sender=sender):
        self.last = f"{next(self.numbers):06}.json", {"from": sender, "name": "Clara", "text": text}
        self.put(*self.last)

    def enclose(self, data, kind, text=None, name=None, type=None, sender=sender):
        name = name or f"{next(self.numbers)}.{kind}"
        (self.folder / "inbox" / name).write_bytes(data)
        self.put(f"{next(self.numbers):06}.json", {"from": sender, "text": text or "", "file": name, "type": type or {"photo": "image/jpeg", "voice": "audio/ogg"}[kind]})

    def sent(self, sender=sender):
        return [one["text"] for one in self.messages() if one["to"] == sender]

    def messages(self):
        return [json.loads(path.read_text()) for path in sorted((self.folder / "outbox").glob("*.json"))]

    def left(self):
        return len(self.messages())

    def close(self):
        pass


KINDS = (Telegram, WhatsApp, Files)


@contextlib.contextmanager
def house(name, script=SCRIPT, settings=None):
    with contextlib.ExitStack() as stack:
        state = stack.enter_context(contextlib.closing(support.State(name)))
        channels = [stack.enter_context(contextlib.closing(kind(state.folder / "files"))) for kind in KINDS]
        server = Hearth(state, f"channels_{name}", script, {key: value for channel in channels for key, value in channel.settings.items()} | (settings or {}))
        server.channels = {channel.name: channel for channel in channels}
        for secret, value in ((secret, value) for channel in channels for secret, value in channel.secrets.items()):
            command(server, "secret", "set", secret, input=value)
        command(server, "person", "add", "Clara")
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="module")
def hearth():
    with house("all") as server:
        yield server.start()


def fresh(channel, count, *sender):
    """Waits are for what comes on top of what was there."""
    before = len(channel.sent(*sender))
    return lambda: len(channel.sent(*sender)) == before + count


def pair(server, channel, sender, person):
    told = fresh(channel, 1, sender)
    channel.write("hello", sender)
    server.wait_for(told, "a code", 15)
    code, = [one["code"] for one in json.loads(command(server, "pair", "list", "--json"))["waiting"] if (one["bridge"], one["sender"]) == (channel.name, sender)]
    welcomed = fresh(channel, 1, sender)
    if person != "owner":
        command(server, "person", "add", person)
    command(server, "pair", "approve", code, "--person", person)
    server.wait_for(welcomed, "a welcome", 15)


@pytest.mark.parametrize("name", [kind.name for kind in KINDS])
def test_a_stranger_gets_a_code_and_whoever_is_known_an_answer(hearth, name):
    channel = hearth.channels[name]
    told = fresh(channel, 1)
    channel.write("my secret plan")
    hearth.wait_for(told, "a code", 15)
    waiting, = [one for one in json.loads(command(hearth, "pair", "list", "--json"))["waiting"] if one["bridge"] == name]
    assert waiting["sender"] == channel.sender and waiting["label"] == "Clara" and waiting["code"] in channel.sent()[-1]
    welcomed = fresh(channel, 1)
    command(hearth, "pair", "approve", waiting["code"], "--person", "Clara")
    hearth.wait_for(welcomed, "a welcome", 15)
    answered = fresh(channel, 1)
    channel.write("Good evening!")
    hearth.wait_for(answered, "an answer", 20)
    assert channel.sent().count(ANSWER) == 1
    rows = [row for row in outbox(hearth) if row["bridge"] == name]
    assert [row["state"] for row in rows] == ["delivered"] * 3 and {row["chat"] for row in rows} == {channel.sender}
    assert "my secret plan" not in hearth.log.read_text()


@pytest.mark.parametrize("name", ["whatsapp", "file"])
def test_what_is_delivered_again_is_answered_once(hearth, name):
    channel = hearth.channels[name]
    answered = fresh(channel, 1)
    channel.write("Good evening!")
    hearth.wait_for(answered, "an answer", 20)
    for _ in range(3):
        if name == "file":
            channel.put(*channel.last)
            hearth.wait_for(lambda: not list((channel.folder / "inbox").iterdir()), "that it was taken in", 10)
        else:
            assert channel.api.deliver(channel.port, channel.last) == 200
    time.sleep(2)
    assert answered()


@pytest.mark.parametrize("name", [kind.name for kind in KINDS])
def test_a_stop_stops(hearth, name):
    channel = hearth.channels[name]
    pair(hearth, channel, channel.another, f"Dora of {name}")  # what was said comes back in later prompts, and with it what the script waits at
    channel.write("Think for ever about it", channel.another)
    time.sleep(3)
    told = fresh(channel, 2, channel.another)
    for _ in range(2):
        channel.write("Stop!", channel.another)
    hearth.wait_for(told, "the words that it stopped", 15)
    first, second = channel.sent(channel.another)[-2:]
    assert first == "Stopped: “Think for ever about it”."
    assert second in ("Stopped before, and still ending: “Think for ever about it”.", "Nothing that you asked for here is under way.")


def test_what_is_odd_in_the_folder_holds_nothing_up(hearth):
    channel = hearth.channels["file"]
    inbox = channel.folder / "inbox"
    (inbox / "000aaa.json").mkdir()
    (inbox / "000aab.json").symlink_to("/etc/passwd")
    (inbox / "000aac.json").write_text("{")
    (inbox / "000aad.json").write_text('{"from": 5, "text": "x"}')
    (inbox / ".000aae.json").write_text('{"from": "clara", "text": "half a mes')
    (inbox / "note.txt").write_text("no message")
    answered = fresh(channel, 1)
    channel.write("Good evening!")
    hearth.wait_for(answered, "an answer", 20)
    assert sorted(path.name for path in inbox.iterdir()) == [".000aae.json", *(f"000aa{letter}.json.refused" for letter in "abcd"), "note.txt"]


def test_a_server_that_is_killed_answers_every_channel_once():
    with house("killed") as server:
        server.start()
        pair(server, server.channels["file"], "dora", "Dora")
        for channel in server.channels.values():
            channel.write("hello")
        server.wait_for(lambda: len(json.loads(command(server, "pair", "list", "--json"))["waiting"]) == len(KINDS), "their codes", 20)
        for one in json.loads(command(server, "pair", "list", "--json"))["waiting"]:
            command(server, "pair", "approve", one["code"], "--person", "Clara")
        server.wait_for(lambda: all(len(channel.sent()) == 2 for channel in server.channels.values()), "their welcomes", 20)
        for channel in server.channels.values():
            channel.write("Tell me at length")
        time.sleep(1.5)
        server.stop(signal.SIGKILL)
        server.channels["file"].write("Good evening!", "dora")  # nobody is there
        server.start()
        server.wait_for(lambda: all(SLOWLY in channel.sent() for channel in server.channels.values()) and ANSWER in server.channels["file"].sent("dora"), "their answers", 90)
        time.sleep(2)
        assert {name: len(channel.sent()) for name, channel in server.channels.items()} == {"telegram": 3, "whatsapp": 3, "file": 3} and len(server.channels["file"].sent("dora")) == 3


def test_nothing_leaves_from_any_channel_where_a_rule_says_so(hearth):
    command(hearth, "rule", "set", "silence", "deny", "--tool", "reply")
    rules = lambda: next(probe["found"] for probe in hearth.call("GET", "/health").json["probes"] if probe["name"] == "rules")
    hearth.wait_for(lambda: rules().startswith("1 of the house"), "the rule", 5)
    left, rows = {name: channel.left() for name, channel in hearth.channels.items()}, len(outbox(hearth))
    for channel in hearth.channels.values():
        channel.write("Good evening!")
        channel.write("Stop!")
    hearth.channels["file"].put("stranger.json", {"from": "stranger", "text": "hello"})
    hearth.channels["telegram"].api.write("hello", sender=4711)
    hearth.channels["telegram"].api.write(None, photo=[{"file_id": "x", "file_unique_id": "y", "width": 1, "height": 1}])
    written = lambda: outbox(hearth)[:len(outbox(hearth)) - rows]
    hearth.wait_for(lambda: len(written()) >= 6, "what would have left", 30)
    for waiting in json.loads(command(hearth, "pair", "list", "--json"))["waiting"]:
        command(hearth, "pair", "approve", waiting["code"], "--person", "Clara")
    hearth.wait_for(lambda: len(written()) >= 8 and all(row["state"] == "failed" for row in written()), "that nothing of it did", 30)
    time.sleep(2)
    assert {name: channel.left() for name, channel in hearth.channels.items()} == left
    told = written()
    assert {row["bridge"] for row in told} == set(left) and {row["emitter"].split(":")[0] for row in told} >= {"pairing", *left}
    assert {row["rule"] for row in told if not row["emitter"].startswith("pairing")} == {"silence"} and all("The rule" in row["error"] for row in told)
    command(hearth, "rule", "rm", "silence")
