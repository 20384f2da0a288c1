"""A run on one server that is stopped through another: what stop_two_test.py tries and tests/bench/stop_bench.py measures."""
import contextlib
import pathlib
import threading
import time
import uuid

import support
from support import Hearth, call, user

# Each line is a moment at which the program still did something; MARK is what its processes are known by.
LOOP = "while :; do date +%s%N >> marks; sleep 0.01; done"
PROGRAM = f"setsid sh -c '{LOOP}' {{0}} & nohup sh -c '{LOOP}' {{0}} & sh -c '{LOOP}' {{0}}"
MANY = 400


def script(mark):
    return [
        {"when": "a program", "tool_calls": [call("bash", command=PROGRAM.format(mark))]},
        {"when": "many calls", "tool_calls": [call("bash", command=f"date +%s%N >> marks; : {n}") for n in range(MANY)]},
        {"when": "a model", "delay_ms": 120_000, "text": "Late."},
        {"when": "an answer", "text": "word " * 4000, "word_delay_ms": 20},
        {"when": "", "text": "It went on."},
    ]


STATES = {"a program": True, "many calls": True, "a model": False, "an answer": False}  # whether it leaves marks


@contextlib.contextmanager
def two_servers(name):
    """The server that works, and the one through which it is told to stop."""
    mark = "m" + uuid.uuid4().hex[:12]
    with contextlib.closing(support.State(name)) as state:
        servers = [Hearth(state, f"{name}-{n}", script(mark), {"server.socket": state.folder / f"{n}.sock"}) for n in (0, 1)]
        try:
            for server in servers:
                server.start()
                server.mark = mark
            yield servers
        finally:
            for server in servers:
                server.stop()


def alive(mark):
    """Processes of the run's programs, in whichever session or group."""
    found = []
    for folder in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if folder.name.isdigit() and mark.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


class Stopped:
    """One run, begun and stopped; the times are seconds from the moment before the stop was sent."""

    def __init__(self, works, tells, what, pause):
        self.folder = works.state.folder / uuid.uuid4().hex
        self.folder.mkdir()
        self.marks = self.folder / "marks"
        stream = works.stream("/v0/dev/chat", {"messages": [user(what)], "workspace": str(self.folder)})
        self.run_id = stream.next("run_started")["run_id"]
        self.ended = None
        if STATES[what]:
            works.wait_for(lambda: self.marks.exists() and self.marks.stat().st_size > 60, "the first marks", 30)
        time.sleep(pause)
        reader = threading.Thread(target=self.follow, args=(stream,))
        reader.start()
        self.asked = time.time_ns()
        self.answer = tells.call("POST", f"/v1/runs/{self.run_id}/stop")
        self.answered = self.since(time.time_ns())
        works.wait_for(lambda: not alive(works.mark), "the death of its programs", 20)
        self.dead = self.since(time.time_ns())
        reader.join(20)
        assert self.ended is not None, "the run's end"
        self.run = works.run(self.run_id)

    def since(self, moment):
        return (moment - self.asked) / 1e9

    def follow(self, stream):
        self.state = stream.next("done")["state"]
        self.ended = self.since(time.time_ns())

    def last_effect(self):
        """Before 0: none after the stop was sent."""
        lines = self.marks.read_text().split() if self.marks.exists() else []
        return self.since(max(int(line) for line in lines)) if lines else float("-inf")
