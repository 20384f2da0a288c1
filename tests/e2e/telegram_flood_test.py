"""Messages that come out of order, several times each, and over a kill: each is answered once, or said to be in doubt."""
import random
import signal
import time

from telegram_test import command, deliver, free_port, house, outbox, pairs

CHATS, EACH = 4, 6
SCRIPT = [*({"when": f"number {n:02}.", "text": f"Answer {n:02}.", "delay_ms": 50} for n in range(CHATS * EACH)), {"when": "", "text": "Yes?"}]


def begin(server, port):
    for sender in range(50, 50 + CHATS):
        deliver(port, server.bot.update("hello", sender=sender))
        server.wait_for(lambda sender=sender: server.bot.texts(sender), "a code", 20)
    for one in pairs(server)["waiting"]:
        command(server, "person", "add", "P" + one["sender"])
        command(server, "pair", "approve", one["code"], "--person", "P" + one["sender"])
    server.wait_for(lambda: len(server.bot.sent) == 2 * CHATS, "the welcomes", 30)
    server.bot.sent.clear()


def test_each_message_is_answered_once_or_in_doubt():
    port = free_port()
    with house("flood", {"telegram.webhook_secret": "secret:hook", "webhooks.port": port}, script=SCRIPT) as server:
        server.start()
        begin(server, port)
        updates = [server.bot.update(f"This is number {n:02}.", sender=50 + n % CHATS) for n in range(CHATS * EACH)]
        shuffled = random.Random(7).sample(updates * 3, len(updates) * 3)
        half = len(shuffled) // 2
        assert {deliver(port, update) for update in shuffled[:half]} == {200}
        server.wait_for(lambda: server.bot.sent, "the first answers", 20)
        server.stop(signal.SIGKILL)
        server.start()
        assert {deliver(port, update) for update in shuffled[half:] + updates} == {200}
        answers = lambda: [row for row in outbox(server) if row["emitter"].startswith("run:")]
        settled = lambda: len(answers()) == len(updates) and all(row["state"] in ("delivered", "unknown") for row in answers())
        server.wait_for(settled, "the end of all of them", 240)
        time.sleep(2)
        counts = {n: [text for message in server.bot.sent for text in [message["text"]]].count(f"Answer {n:02}.") for n in range(len(updates))}
        in_doubt = sum(row["state"] == "unknown" for row in answers())
        assert set(counts.values()) <= {0, 1}, counts
        assert list(counts.values()).count(0) <= in_doubt, (counts, in_doubt)
        assert all(message["chat_id"] == 50 + int(message["text"][7:9]) % CHATS for message in server.bot.sent), "each in its own chat"
