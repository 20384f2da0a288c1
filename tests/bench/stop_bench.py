#!/usr/bin/env python3
"""How long a stop takes that is sent to another server than the one that holds the run: stop_bench.py [TRIES]."""
import os
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from two_servers import CHILDREN, STATES, Stopped, StoppedWithChildren, two_servers  # noqa: E402


def main():
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    print(f"{tries} stops of each kind, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; ms after the stop was sent: p50, p95, p100")
    shown = lambda times: "  ".join(f"{1000 * sorted(times)[round(share * (len(times) - 1))]:8.0f}" for share in (0.5, 0.95, 1))
    with two_servers("stop-bench") as (works, tells):
        for what, marks in STATES.items():
            all_of_it = [Stopped(works, tells, what, random.uniform(0, 0.1)) for _ in range(tries)]
            assert all(stopped.run["status"] == "cancelled" for stopped in all_of_it)
            print(what)
            if marks:
                print(f"  last effect       {shown([max(0, stopped.last_effect()) for stopped in all_of_it])}")
                print(f"  programs dead     {shown([stopped.dead for stopped in all_of_it])}")
            print(f"  run ended         {shown([stopped.ended for stopped in all_of_it])}", flush=True)
        for what, programs in CHILDREN.items():
            all_of_it = [StoppedWithChildren(works, tells, what, random.uniform(0, 0.1 if programs else 0.6)) for _ in range(tries)]
            assert all(set(stopped.states) == {"cancelled"} for stopped in all_of_it)
            print(what)
            print(f"  programs dead     {shown([stopped.dead for stopped in all_of_it])}")
            print(f"  all have ended    {shown([stopped.ended for stopped in all_of_it])}", flush=True)


main()
