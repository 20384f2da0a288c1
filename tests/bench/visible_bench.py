#!/usr/bin/env python3
"""How long after a span has ended its trace shows it, asked for at the server that works and at another one: visible_bench.py [RUNS]."""
import collections
import contextlib
import datetime
import json
import os
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from support import Hearth, State, call  # noqa: E402

SLOWLY = {"delay_ms": 700, "text": "An answer that takes its time. " * 4, "word_delay_ms": 60}
INTAKE = json.dumps({"goal": "know it", "tools": True, "class": "heavy", "machine": "explain"})
SCRIPT = [
    {"when": "Do not answer yet.", "text": INTAKE, "delay_ms": 300},
    {"when": "Goal: ", "tool_calls": [call("list_dir", path=".")], "delay_ms": 300},
    {"when": "Goal: ", "tool_calls": [call("answer")], "delay_ms": 700},
    {"when": "Think the request through", "text": "1. One is shorter.", "delay_ms": 700},
    {"when": "Now answer the request", **SLOWLY},
    {"when": "work", "delay_ms": 300, "tool_calls": [call("list_dir", path="."), call("write_file", path="a.txt", content="a"), call("bash", command="sleep 0.5")]},
    {"when": "work", "delay_ms": 700, "tool_calls": [call("write_file", path="b.txt", content="b")]},
    {"when": "work", **SLOWLY},
]
ASKED = {"hearth/dev": "work", "hearth": "Compare a.txt with b.txt and explain step by step which one is better."}


def end_of(span):
    return datetime.datetime.fromisoformat(span["started"].replace("Z", "+00:00")).timestamp() + span["duration_us"] / 1e6


def watch(server, run_id, lags):
    """Until the run's root is there."""
    seen = set()
    while True:
        run = server.run(run_id)
        now = time.time()
        for span in run["spans"]:
            if span["id"] not in seen:
                lags[f"{span['kind']} {span['name']}" if span["kind"] != "run" else "run"].append(now - end_of(span))
                seen.add(span["id"])
        if any(span["parent"] is None for span in run["spans"]):
            return
        time.sleep(0.02)


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    print(f"{runs} runs of each agent, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; ms from a span's end until it was seen: p50, p95, p100")
    at = lambda times, share: 1000 * sorted(times)[round(share * (len(times) - 1))]
    with contextlib.closing(State("visible-bench")) as state:
        servers = [Hearth(state, f"visible_bench-{n}", SCRIPT, {"server.socket": state.folder / f"{n}.sock"}) for n in (0, 1)]
        try:
            for server in servers:
                server.start()
            for where, asked in (("at the same server", servers[0]), ("at another server", servers[1])):
                lags = collections.defaultdict(list)
                for agent, text in ASKED.items():
                    for _ in range(runs):
                        stream = servers[0].stream("/v1/chat/completions", {"model": agent, "messages": [{"role": "user", "content": text}]})
                        reader = threading.Thread(target=lambda: list(stream))
                        reader.start()
                        watch(asked, stream.headers["X-Hearth-Run"], lags)
                        reader.join()
                print(where)
                for kind, times in sorted(lags.items(), key=lambda one: -max(one[1])):
                    print(f"  {kind:28} {at(times, 0.5):8.0f} {at(times, 0.95):8.0f} {at(times, 1):8.0f}   ({len(times)})", flush=True)
        finally:
            for server in servers:
                server.stop()


main()
