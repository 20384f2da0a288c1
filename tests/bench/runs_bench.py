"""How long a run's acceptance takes, how long until it begins, and how far a listener at another server lags behind one at
the run's own: two servers with a scripted model on one PostgreSQL.

    HEARTH_BINARY=build/release/app/hearth python3 tests/bench/runs_bench.py [RUNS]
"""
import http.client
import json
import pathlib
import statistics
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import support  # noqa: E402

SCRIPT = [
    {"when": "look", "tool_calls": [support.call("list_dir", path=".")]},
    {"when": "look", "text": "Nothing there."},
]


def at(times, share):
    return sorted(times)[round(share * (len(times) - 1))] * 1000


def show(name, times):
    print(f"{name:44} p50 {at(times, 0.5):7.2f} ms   p99 {at(times, 0.99):7.2f} ms   ({len(times)})")


def listen(server, run_id, heard):
    connection, response = server.send("GET", f"/v1/runs/{run_id}/events")
    for line in response:
        if line.startswith(b"id: "):
            heard[line[4:].strip().decode()] = time.monotonic()
    connection.close()


def accept(server, count):
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    headers = {"Authorization": "Bearer " + server.key, "Content-Type": "application/json"}
    times, runs = [], []
    for _ in range(count):
        began = time.monotonic()
        connection.request("POST", "/v1/runs", json.dumps({"agent": "hearth/dev", "input": "look"}), headers)
        run = json.loads(connection.getresponse().read())
        times.append(time.monotonic() - began)
        runs.append(run["id"])
    return times, runs


def tell(here, there, count):
    """Each run listened to at both servers; which of them works on it is theirs to say: the one that hears of an event first."""
    lags, begins, commits = [], [], []
    for _ in range(count):
        sent = time.monotonic()
        run_id = accept(here, 1)[1][0]
        heard = [{}, {}]
        threads = [threading.Thread(target=listen, args=(server, run_id, times)) for server, times in zip((here, there), heard)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        both = sorted(set(heard[0]) & set(heard[1]), key=lambda one: tuple(map(int, one.split("."))))
        begins.append(min(heard[0][both[0]], heard[1][both[0]]) - sent)
        lags += [abs(heard[0][event] - heard[1][event]) for event in both]
        commits.append(abs(heard[0][both[-1]] - heard[1][both[-1]]))
    return begins, lags, commits


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    state = support.State("runs-bench")
    here = support.Hearth(state, "runs_bench", SCRIPT)
    there = support.Hearth(state, "runs_bench_there", SCRIPT, {"server.socket": state.folder / "there.sock"})
    try:
        here.start()
        accept(here, 20)
        times, runs = accept(here, count)
        show("accepted, by one server", times)
        here.wait_for(lambda: all(here.run(one)["finished"] for one in runs[-5:]), "the runs' end", 120)
        there.start()
        begins, lags, ends = tell(here, there, count // 4)
        show("from sending to the first event", begins)
        show("the other server's lag, all events", lags)
        show("the other server's lag, of the end", ends)
        print("load", " ".join(pathlib.Path("/proc/loadavg").read_text().split()[:3]), "mean lag", f"{statistics.mean(lags) * 1000:.2f} ms")
    finally:
        here.stop()
        there.stop()
        state.close()


main()
