"""How long Telegram waits for the word that an update was taken in: updates at a fixed rate, on one webhook, each of a person who is
known and each a message of its own that is answered; the time is that from when an update was due, so that a queue counts.

    HEARTH_BINARY=build/release/app/hearth python3 tests/bench/telegram_bench.py [SECONDS] [RATE] [CHATS]
"""
import http.client
import json
import os
import pathlib
import queue
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import telegram_test as telegram  # noqa: E402

CONNECTIONS = 40  # as many as Telegram opens by itself


def at(times, share):
    return sorted(times)[round(share * (len(times) - 1))] * 1000


def deliver(port, waiting, times, failed):
    """One connection of Telegram's."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"X-Telegram-Bot-Api-Secret-Token": telegram.SECRET, "Content-Type": "application/json"}
    while (one := waiting.get()) is not None:
        due, update = one
        connection.request("POST", "/telegram", json.dumps(update), headers)
        response = connection.getresponse()
        response.read()
        times.append(time.monotonic() - due)
        if response.status != 200:
            failed.append(response.status)


def measure(server, port, seconds, rate, chats):
    waiting, times, failed = queue.Queue(), [], []
    threads = [threading.Thread(target=deliver, args=(port, waiting, times, failed)) for _ in range(CONNECTIONS)]
    [thread.start() for thread in threads]
    began = time.monotonic()
    for n in range(seconds * rate):
        due = began + n / rate
        time.sleep(max(0.0, due - time.monotonic()))
        waiting.put((due, server.bot.update("Good evening!", sender=1000 + n % chats)))
    [waiting.put(None) for _ in threads]
    [thread.join() for thread in threads]
    return times, failed


def main():
    seconds, rate, chats = (int(given) for given in (sys.argv[1:] + ["20", "100", "20"][len(sys.argv) - 1:]))
    port = telegram.free_port()
    settings = {"telegram.webhook_secret": "secret:hook", "webhooks.port": port}
    with telegram.house("bench", settings) as server:
        server.start()
        for sender in range(1000, 1000 + chats):
            telegram.deliver(port, server.bot.update("hello", sender=sender))
            server.wait_for(lambda sender=sender: server.bot.texts(sender), "a code", 30)
        command = telegram.command
        for one in telegram.pairs(server)["waiting"]:
            command(server, "person", "add", "P" + one["sender"])
            command(server, "pair", "approve", one["code"], "--person", "P" + one["sender"])
        server.wait_for(lambda: len(server.bot.sent) == 2 * chats, "the welcomes", 60)
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; {rate} updates/s for {seconds} s, of {chats} chats")
        times, failed = measure(server, port, seconds, rate, chats)
        print(f"taken in: p50 {at(times, 0.5):.1f} ms   p99 {at(times, 0.99):.1f} ms   most {at(times, 1):.1f} ms   ({len(times)}, {len(failed)} refused)")


if __name__ == "__main__":
    main()
