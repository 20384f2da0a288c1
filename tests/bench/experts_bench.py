#!/usr/bin/env python3
"""A mixture of experts twice as large as the memory of a control group, answered in it by hearth and by llama.cpp:
experts_bench.py HEARTH LLAMA_BENCH FOLDER [THREADS [ROUNDS]].

FOLDER takes the model (1.9 GB, written once) and what hearth makes of it. Needs root and control groups (v1 or v2) with memory."""
import json
import os
import pathlib
import statistics
import subprocess
import sys

import random_model

TOKENS = 48


def group(limit):
    """A control group with that limit and a function that puts the calling process in; None where there are none."""
    for root, most, swap in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes", None), ("/sys/fs/cgroup", "memory.max", "memory.swap.max")):
        folder = pathlib.Path(root, f"hearth-experts-{os.getpid()}")
        try:
            folder.mkdir()
        except OSError:
            continue
        try:
            (folder / most).write_text(str(limit))
            if swap and (folder / swap).exists():
                (folder / swap).write_text("0")
            return folder
        except OSError:
            folder.rmdir()
    return None


def run_in(folder, arguments, env=None):
    """Its files leave the page cache first: what others read of them is no help."""
    for file in arguments:
        if os.path.isfile(file) and os.path.getsize(file) > 1 << 28:
            with open(file) as opened:
                os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    done = subprocess.run(arguments, env=env, capture_output=True, text=True, preexec_fn=lambda: (folder / "cgroup.procs").write_text(str(os.getpid())))
    if done.returncode:
        sys.exit(f"{arguments[0]}: exit {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def main():
    hearth, llama_bench, place = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    threads, rounds = (sys.argv[4:] + ["2", "3"][len(sys.argv) - 4:])[:2]
    place.mkdir(parents=True, exist_ok=True)
    gguf, converted = place / "mixture.gguf", place / "mixture.hearth"
    env = os.environ | {"HEARTH_STATE_FOLDER": str(place / "state"), "HEARTH_MODEL_SPECULATION": "off", "HEARTH_MODEL_UTILISATION": "90", "HEARTH_MODEL_CONTEXT": "1024"}
    if not gguf.exists():
        random_model.write("qwen3moe", "Q4_0", gguf, layers=32, inner=1024, uneven=True)
    if not converted.exists():
        subprocess.run([hearth, "model", "convert", str(gguf), str(converted)], env=env, check=True, stdout=subprocess.DEVNULL)
    limit = gguf.stat().st_size // 2
    folder = group(limit)
    if not folder:
        sys.exit("skipped: this machine makes no control groups with a limit of memory (root, and the controller, are needed)")
    try:
        figures = {"gguf": [], "converted": [], "llama.cpp": []}
        for _ in range(int(rounds)):
            for name, file in (("gguf", gguf), ("converted", converted)):
                told = run_in(folder, [hearth, "bench", "--model", str(file), "--threads", threads, "--prefill", "64", "--decode", str(TOKENS), "--repeat", "3", "--json"], env)
                cache = told["expert_cache"]
                figures[name].append(cache["measured"]["tokens_per_second"])
                print(f"hearth, {name}: prefill {told['prefill_tps']:.1f} tokens/s, decode {told['decode_tps']:.2f}; predicted {cache['predicted']}, measured {cache['measured']}; "
                      f"{cache['in_memory']} of {cache['all']} experts, loaded in {told['load_seconds']:.1f} s, peak {told['peak_rss_bytes'] >> 20} MiB", flush=True)
            rows = run_in(folder, [llama_bench, "-m", str(gguf), "-t", threads, "-p", "64", "-n", str(TOKENS), "-r", "3", "-o", "json"])
            speed = {row["n_prompt"] > 0: row["avg_ts"] for row in rows}
            figures["llama.cpp"].append(speed[False])
            print(f"llama.cpp, mapped: prefill {speed[True]:.1f} tokens/s, decode {speed[False]:.2f}", flush=True)
        theirs = statistics.median(figures["llama.cpp"])
        print(f"limit {limit >> 20} MiB; decode over llama.cpp's: gguf {statistics.median(figures['gguf']) / theirs:.2f}, converted {statistics.median(figures['converted']) / theirs:.2f}; load {os.getloadavg()[0]:.1f}")
    finally:
        folder.rmdir()


if __name__ == "__main__":
    main()
