"""PostgreSQL is away under load: nothing is admitted, memory stays flat, and what was accepted before goes on when it is back."""
import os
import threading
import time

from support import Hearth, call, check_trace, said, user

SECONDS = float(os.environ.get("HEARTH_OUTAGE_SECONDS", "6"))  # deploy/test --full: 60
CLIENTS = 8
GROWTH = 8 << 20  # bytes of memory
ANSWER = "It is done, after a while, word by word."
DOUBT = "\n\nIt is not known whether this took effect, and it was not repeated: bash "
SCRIPT = [
    {"when": "load", "delay_ms": 20, "tool_calls": [call("list_dir", path="."), call("bash", command="echo once >> once")]},
    {"when": "load", "text": ANSWER, "word_delay_ms": 30},
    {"when": "", "text": "Good day."},
]


class Load:
    """Clients that ask one thing after another. Each request: when it was sent, what came back, and of which run its client heard."""

    def __init__(self, server, folder):
        self.server, self.folder, self.over, self.asked = server, folder, False, []
        self.threads = [threading.Thread(target=self.client, args=(n,)) for n in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def client(self, n):
        count = 0
        while not self.over:
            count += 1
            one = {"text": f"load {n}.{count}", "at": time.monotonic(), "run": None, "status": None, "state": None, "folder": self.folder / f"{n}.{count}"}
            one["folder"].mkdir(parents=True)
            self.asked.append(one)
            stream = self.server.stream("/v0/dev/chat", {"messages": [user(one["text"])], "workspace": str(one["folder"])})
            one["status"], one["retry"] = stream.status, stream.headers["Retry-After"]
            for name, data in stream:
                if name == "run_started":
                    one["run"] = data["run_id"]
                elif name in ("done", "error"):
                    one["state"] = data.get("state", "error")
            stream.close()
            if one["status"] != 200:
                time.sleep(0.02)

    def end(self):
        self.over = True
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive(), "each request is answered"


def memory(server):
    with open(f"/proc/{server.process.pid}/status") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmRSS"))


def test_an_outage_of_the_database_loses_nothing_and_costs_no_memory(own):
    server = Hearth(own, "outage", SCRIPT)
    try:
        load = Load(server.start(), own.folder / "work")
        time.sleep(2)
        own.command("db", "stop")
        gone = time.monotonic()
        time.sleep(1)
        sizes = [memory(server)]
        while time.monotonic() < gone + SECONDS:
            time.sleep(0.25)
            sizes.append(memory(server))
        back = time.monotonic()
        own.command("db", "start")
        server.wait_for(lambda: server.call("GET", "/health").status == 200, "health", 30)
        time.sleep(2)
        load.end()

        during = [one for one in load.asked if gone + 1 < one["at"] < back - 1]
        assert len(during) > CLIENTS, "there is load"
        assert {one["status"] for one in during} == {503} and all(one["retry"] for one in during)
        assert not [one for one in during if one["run"]], "nothing is admitted"
        assert max(sizes) - sizes[0] < GROWTH, sizes
        accepted = [one for one in load.asked if one["run"]]
        broken = [one for one in accepted if one["state"] != "answered"]
        assert broken, "some were at work when it went away"
        assert [one for one in accepted if one["at"] > back], "it goes on afterwards"
        print(f"{SECONDS:.0f} s without PostgreSQL: {len(during)} requests refused, memory {sizes[0] >> 20} MiB at first, {max(sizes) >> 20} at most; "
              f"{len(accepted)} runs accepted, {len(broken)} of them interrupted")
        for one in accepted:
            run = server.wait_for(lambda: (run := server.run(one["run"]))["finished"] and run, "the end of an accepted run", 30)
            check(run, one)
    finally:
        server.stop()


def check(run, one):
    check_trace(run)
    (_, asked), (_, answered) = said(run)
    assert asked == one["text"]
    assert not [step for step in run["steps"] if step["state"] == "intent"]
    lines = (one["folder"] / "once").read_text() if (one["folder"] / "once").exists() else ""
    if run["status"] == "answered":
        assert (answered, lines) == (ANSWER, "once\n")
    else:
        assert run["status"] == "unknown_effect" and answered.startswith(ANSWER + DOUBT) and lines in ("", "once\n")


def test_what_works_is_stopped_while_the_database_is_away(own):
    script = [
        {"when": "count", "tool_calls": [call("bash", command="for n in $(seq 300); do echo $n >> marks; sleep 0.1; done")]},
        {"when": "count", "text": "I ran it."},
    ]
    folder = own.folder / "counting"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    with_key = {"workspace": str(folder), "agent": "hearth/dev", "input": "count"}
    server = Hearth(own, "outage_stop", script)
    marks = folder / "marks"
    try:
        run_id = server.start().call("POST", "/v1/runs", with_key).json["id"]
        server.wait_for(marks.exists, "the program's first mark")
        own.command("db", "stop")
        answer = server.call("POST", f"/v1/runs/{run_id}/stop")
        assert answer.status == 503 and answer.headers["Retry-After"] and "stopped here" in answer.error["message"]
        time.sleep(1)
        made = marks.read_text()
        time.sleep(1)
        assert marks.read_text() == made and len(made.split()) < 200
        unknown = server.call("POST", "/v1/runs/0190a0a0-0000-7000-8000-000000000000/stop")
        assert unknown.status == 503 and "stopped here" not in unknown.error["message"]
        own.command("db", "start")
        run = server.wait_for(lambda: (found := server.call("GET", f"/v1/runs/{run_id}")).status == 200 and found.json["finished"] and found.json, "the run's end", 40)
        assert run["status"] in ("cancelled", "unknown_effect")
        assert marks.read_text() == made, "nobody goes on with it"
    finally:
        server.stop()
