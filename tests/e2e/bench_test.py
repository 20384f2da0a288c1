"""hearth bench beside peers: a program that prints what llama-bench prints stands for them."""
import json
import os
import stat

import pytest
from faults import refused, run
from support import MODELS

FAKE = """#!/usr/bin/env python3
import json, os, sys
a = sys.argv
value = lambda flag: a[a.index(flag) + 1]
with open({log!r}, "a") as log:
    log.write(json.dumps({{"argv": a, "tunables": os.environ.get("GLIBC_TUNABLES", "")}}) + "\\n")
if a[0].endswith("batched-bench"):
    first = sum(json.loads(line)["argv"] == a for line in open({log!r})) == 1
    if not first:  # what a thread of its own prints may be lost at the end
        print("| 16 | 8 | " + value("-npl") + " | 0 | 1 | 1 | 1 | 40.0 | 1 | 1 |", file=sys.stderr if "-rtr" in a else sys.stdout)
else:
    print(json.dumps([{{"n_prompt": int(value("-p")), "n_gen": 0, "avg_ts": 100.0}}, {{"n_prompt": 0, "n_gen": int(value("-n")), "avg_ts": 10.0}}]))
"""


@pytest.fixture
def peer(state):
    folder = state.folder / "peer"
    folder.mkdir(exist_ok=True)
    log = folder / "calls"
    log.unlink(missing_ok=True)
    for name in ("llama-bench", "llama-batched-bench"):
        (folder / name).write_text(FAKE.format(log=str(log)))
        (folder / name).chmod(0o755)
    return folder


def test_it_runs_peers_by_turns(env, peer):
    model = str(MODELS / "qwen3_moe.gguf")
    done = run(env, "bench", "--model", model, "--threads", "1", "--prefill", "64", "--decode", "16", "--repeat", "2", "--streams", "4", "--ops",
               "--against", f"one={peer}/llama-bench -mmp 0,two={peer}/llama-bench -rtr 1", "--json", seconds=300)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert len(told["rounds"]) == 5
    for name in ("one", "two"):
        for kind, theirs in (("prefill", 100.0), ("decode", 10.0), ("streams", 40.0)):
            counted = [r for r in told["rounds"] if not r["void"]] or told["rounds"]
            pairs = sorted(r["ours"][kind + "_tps"] / theirs for r in counted)
            assert told["against"][name][kind]["least"] == pytest.approx(pairs[0]) and told["against"][name][kind]["most"] == pytest.approx(pairs[-1])
            assert told["against"][name][kind]["median"] == pytest.approx(pairs[len(pairs) // 2])
    assert told["read_gb_per_s"] >= 0 and told["peak_gops"]["int8"] > 0
    assert [step["depth"] for step in told["depths"]] == [128]
    assert all(step["bound_seconds"] > 0 for step in told["depths"])
    decode, streams, prompt = told["steps"]
    assert (decode["rows"], streams["sequences"], prompt["rows"]) == (1, 4, 64)
    assert {"matmul", "attention", "moe_ffn"} <= {op["op"] for op in prompt["ops"]}

    calls = [json.loads(line) for line in (peer / "calls").read_text().splitlines()]
    benches = [call["argv"] for call in calls if call["argv"][0].endswith("llama-bench")]
    assert len(benches) == 10 and all(argv[argv.index("-m") + 1] == model and argv[argv.index("-t") + 1] == "1" for argv in benches)
    assert ["-mmp", "0"] == benches[0][-2:] and ["-rtr", "1"] == benches[1][-2:]
    batched = [call["argv"] for call in calls if call["argv"][0].endswith("llama-batched-bench")]
    assert len(batched) == 12 and batched[0][-1] == "--no-mmap" and batched[2][-1] == "-rtr" and batched[0][batched[0].index("-npl") + 1] == "4"
    assert all("hugetlb" in call["tunables"] for call in calls)


def test_it_tells_of_it_in_words(env, peer):
    done = run(env, "bench", "--model", str(MODELS / "llama_tied.gguf"), "--prefill", "64", "--decode", "16", "--ops", "--against", f"fake={peer}/llama-bench", seconds=300)
    assert done.returncode == 0, done.stderr
    for words in ("against fake", "prefill ", "of what memory gave in the same round", "after    128 tokens one more takes", "others had at most", "roofline"):
        assert words in done.stdout, done.stdout


def test_it_tells_what_a_known_beginning_saves(env):
    done = run(env, "bench", "--model", str(MODELS / "llama_tied.gguf"), "--prefill", "100", "--decode", "4", "--repeat", "2", "--turns", "--json", seconds=300)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert 0 < told["load_seconds"] < told["first_token_seconds"] < 60 and told["load_kind"] in ("cold", "partly cold", "warm", "unknown") and told["load_mb_per_s"] > 0
    assert [(turn["known"], turn["added"]) for turn in told["turns"]] == [(90, 10)], "the others are longer than its context"
    turn = told["turns"][0]
    assert len(turn["fresh_seconds"]) == len(turn["warm_seconds"]) == 2 and all(seconds > 0 for seconds in turn["fresh_seconds"] + turn["warm_seconds"])
    assert 8 < turn["ideal_gain"] < 11, "ten times the tokens, but each of those that are left attends to all before it"
    done = run(env, "bench", "--model", str(MODELS / "llama_tied.gguf"), "--prefill", "100", "--decode", "4", "--repeat", "1", "--turns", "--ops", seconds=300)
    assert "10 tokens after    90 known: first token after" in done.stdout and "after the program began" in done.stdout, done.stdout
    assert "step of 1 x 10 tokens after 90:" in done.stdout, done.stdout


def test_it_refuses_answers_that_the_context_would_cut(env):
    refused(env, "bench", "--model", str(MODELS / "llama_tied.gguf"), "--prefill", "16", "--decode", "100000", says=["answers of 100000", "the context of "])


def test_it_refuses_what_is_no_peer(env, peer):
    small = ("bench", "--model", str(MODELS / "llama_tied.gguf"), "--prefill", "16", "--decode", "4", "--against")
    refused(env, *small, f"{peer}/llama-bench", says=["NAME=PROGRAM"])
    refused(env, *small, "x=/nowhere/llama-bench", says=["/nowhere/llama-bench", "build/bin/llama-bench"])
    (peer / "llama-bench").write_text("#!/bin/sh\necho no figures\n")
    refused(env, *small, f"x={peer}/llama-bench", says=["avg_ts", "no figures"])
    (peer / "llama-bench").chmod(os.stat(peer / "llama-bench").st_mode & ~(stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH))
    refused(env, *small, f"x={peer}/llama-bench", says=["cannot run"])
