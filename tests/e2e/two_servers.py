"""A run on one server that is stopped through another: what stop_two_test.py tries and tests/bench/stop_bench.py measures."""
import contextlib
import pathlib
import subprocess
import threading
import time
import uuid

import support
from support import Hearth, call, user

# Each line is a moment at which the program still did something; MARK is what its processes are known by.
LOOP = "while :; do date +%s%N >> marks; sleep 0.01; done"
PROGRAM = f"setsid sh -c '{LOOP}' {{0}} & nohup sh -c '{LOOP}' {{0}} & sh -c '{LOOP}' {{0}}"
MANY = 400
SPAWN = [call("spawn_thread", task="hold on, first"), call("spawn_thread", task="hold on, second")]


def script(mark):
    return [
        {"when": "a program", "tool_calls": [call("bash", command=PROGRAM.format(mark))]},
        {"when": "many calls", "tool_calls": [call("bash", command=f"date +%s%N >> marks; : {n}") for n in range(MANY)]},
        {"when": "a model", "delay_ms": 120_000, "text": "Late."},
        {"when": "an answer", "text": "word " * 4000, "word_delay_ms": 20},
        {"when": "hold on", "tool_calls": [call("bash", command=PROGRAM.format(mark))]},
        {"when": "children, and thinks", "tool_calls": SPAWN},
        {"when": "children, and thinks", "delay_ms": 120_000, "text": "Late."},
        {"when": "children, and works", "tool_calls": [*SPAWN, call("bash", command=PROGRAM.format(mark))]},
        {"when": "children, and rests", "tool_calls": [*SPAWN, call("glob_files", pattern="*")]},
        {"when": "children, and waits", "tool_calls": SPAWN},
        {"when": "children, and waits", "text": "I wait for them."},
        {"when": "children, and more", "tool_calls": [call("spawn_thread", task=f"hold on, {n}") for n in range(6)]},
        {"when": "children, and more", "text": "I wait for them."},
        {"when": "", "text": "It went on."},
    ]


# What a run does that has children whose programs run, and how many processes there are then: 0: it is stopped at any moment of its beginning.
CHILDREN = {"children, and thinks": 6, "children, and works": 9, "children, and rests": 6, "children, and waits": 6, "children, and more": 0, "hold on; another is queued": 3}

STATES = {"a program": True, "many calls": True, "a model": False, "an answer": False}  # whether it leaves marks


@contextlib.contextmanager
def two_servers(name):
    """The server that works, and the one through which it is told to stop."""
    mark = "m" + uuid.uuid4().hex[:12]
    with contextlib.closing(support.State(name)) as state:
        servers = [Hearth(state, f"{name}-{n}", script(mark), {"server.socket": state.folder / f"{n}.sock", "agents.discipline": "free"}) for n in (0, 1)]
        try:
            for server in servers:
                server.start()
                server.mark = mark
            subprocess.run([support.BINARY, "rule", "set", "ask_before_looks", "ask", "--tool", "glob_files"], env=servers[0].env, check=True, capture_output=True, timeout=60)
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


class StoppedWithChildren:
    """The same of a run and of what it has spawned, wherever that runs."""

    def __init__(self, works, tells, what, pause):
        folder = works.state.folder / uuid.uuid4().hex
        folder.mkdir()
        begin = lambda **where: works.call("POST", "/v1/runs", {"agent": "hearth/dev", "input": what, "workspace": str(folder), **where}).json
        run = begin()
        self.thread = run["conversation_id"]
        self.runs = [run["id"]]
        if "queued" in what:
            self.runs.append(begin(conversation=self.thread)["id"])
        works.wait_for(lambda: len(alive(works.mark)) >= CHILDREN[what], "its programs", 30)
        if "rests" in what:
            works.wait_for(lambda: works.run(run["id"])["status"] == "waiting_person", "its rest", 30)
        time.sleep(pause)
        asked = time.monotonic()
        path = f"/v1/threads/{self.thread}/stop" if "queued" in what else f"/v1/runs/{run['id']}/stop"
        self.answer = tells.call("POST", path)
        works.wait_for(lambda: not alive(works.mark), "the death of its programs", 30)
        self.dead = time.monotonic() - asked  # seconds from the moment before the stop was sent until none was found, and none was later
        until, over = asked + 30, False
        while not over and time.monotonic() < until:
            over = self.over(works)
            while alive(works.mark) and time.monotonic() < until:
                self.dead, over = time.monotonic() - asked, False
        self.ended = time.monotonic() - asked
        assert over, "all of it ends"
        self.states = [works.run(one)["status"] for one in self.runs]

    def over(self, works):
        children = works.call("GET", f"/v1/threads/{self.thread}").json["children"]
        for child in children:
            self.runs += [one["id"] for one in works.call("GET", f"/v1/threads/{child['id']}").json["runs"] if one["id"] not in self.runs]
        return all(works.run(one)["finished"] for one in self.runs)
