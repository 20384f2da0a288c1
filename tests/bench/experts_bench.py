#!/usr/bin/env python3
"""A mixture of experts twice as large as the memory of a control group, answered in it by hearth and by llama.cpp:
experts_bench.py HEARTH LLAMA_BENCH FOLDER [THREADS [ROUNDS]].

FOLDER takes the model (1.9 GB, written once) and what hearth makes of it. Needs root and control groups (v1 or v2) with memory."""
import array
import json
import os
import pathlib
import random
import statistics
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import tiny_model  # noqa: E402
from support import MODELS  # noqa: E402

LAYERS, EXPERTS, USED, HIDDEN, INNER, HEADS, KEY_HEADS, HEAD = 32, 32, 8, 1024, 1024, 8, 2, 128
F32, Q4_0 = 0, 2
TOKENS = 48


def blocks(values, generator):
    """Q4_0: a scale of half precision, then 32 codes; scales so that a product keeps the size of its input."""
    n = values // 32
    data = bytearray(generator.randbytes(18 * n))
    low, high = struct.pack("<e", 1 / (5 * HIDDEN ** 0.5))
    data[0::18], data[1::18] = bytes([low]) * n, bytes([high]) * n
    return bytes(data)


def floats(values):
    return array.array("f", values).tobytes()


def router(generator):
    """Rows of unequal length: some experts are chosen far more often than others."""
    return floats(generator.gauss(0, 1) * (e + 1) ** -0.5 / 8 for e in generator.sample(range(EXPERTS), EXPERTS) for _ in range(HIDDEN))


def tensors(vocabulary):
    """Name, dimensions, type and content of each."""
    ones = lambda n: lambda _: floats([1.0] * n)
    matrix = lambda name, cols, rows, *more: (name, [cols, rows, *more], Q4_0, lambda g: None)
    yield matrix("token_embd.weight", HIDDEN, vocabulary)
    yield matrix("output.weight", HIDDEN, vocabulary)
    yield "output_norm.weight", [HIDDEN], F32, ones(HIDDEN)
    for i in range(LAYERS):
        p = f"blk.{i}."
        for name, size in (("attn_norm", HIDDEN), ("ffn_norm", HIDDEN), ("attn_q_norm", HEAD), ("attn_k_norm", HEAD)):
            yield f"{p}{name}.weight", [size], F32, ones(size)
        yield matrix(p + "attn_q.weight", HIDDEN, HEADS * HEAD)
        yield matrix(p + "attn_k.weight", HIDDEN, KEY_HEADS * HEAD)
        yield matrix(p + "attn_v.weight", HIDDEN, KEY_HEADS * HEAD)
        yield matrix(p + "attn_output.weight", HEADS * HEAD, HIDDEN)
        yield p + "ffn_gate_inp.weight", [HIDDEN, EXPERTS], F32, router
        yield matrix(p + "ffn_gate_exps.weight", HIDDEN, INNER, EXPERTS)
        yield matrix(p + "ffn_up_exps.weight", HIDDEN, INNER, EXPERTS)
        yield matrix(p + "ffn_down_exps.weight", INNER, HIDDEN, EXPERTS)


def entries():
    """Those of the tiny mixture, with sizes of our own; and how many tokens it has."""
    sizes = {"block_count": LAYERS, "embedding_length": HIDDEN, "expert_count": EXPERTS, "expert_used_count": USED, "expert_feed_forward_length": INNER, "feed_forward_length": INNER,
             "attention.head_count": HEADS, "attention.head_count_kv": KEY_HEADS, "attention.key_length": HEAD, "attention.value_length": HEAD, "rope.dimension_count": HEAD, "context_length": 4096}
    data = (MODELS / "qwen3_moe.gguf").read_bytes()
    reader = tiny_model.Reader(data)
    _, _, _, count = (reader.number(f) for f in ("<I", "<I", "<Q", "<Q"))
    out, vocabulary = [], 0
    for _ in range(count):
        begin = reader.at
        key, kind = reader.text(), reader.number("<I")
        value = reader.value(kind)
        own = sizes.get(key.removeprefix("qwen3moe."))
        out.append(data[begin:reader.at] if own is None else tiny_model.text(key) + struct.pack("<II", 4, own))
        if key == "tokenizer.ggml.tokens":
            vocabulary = len(value)
    return out, vocabulary


def make(file):
    generator = random.Random(1)
    keys, vocabulary = entries()
    infos, contents, at = [], [], 0
    for name, dimensions, kind, content in tensors(vocabulary):
        values = 1
        for d in dimensions:
            values *= d
        size = values * 4 if kind == F32 else values // 32 * 18
        infos.append(tiny_model.text(name) + struct.pack(f"<I{len(dimensions)}QIQ", len(dimensions), *dimensions, kind, at))
        contents.append((kind, values, content, size))
        at += size + -size % 32
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(infos), len(keys)) + b"".join(keys) + b"".join(infos)
    draft = file.with_suffix(".part")
    with open(draft, "wb") as out:
        out.write(head + bytes(-len(head) % 32))
        for kind, values, content, size in contents:
            out.write((content(generator) if kind == F32 else blocks(values, generator)) + bytes(-size % 32))
    draft.rename(file)


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
        make(gguf)
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
