#!/usr/bin/env python3
"""Writes a model of random weights as GGUF, in a shape that no small file to fetch has: what it says is noise, how fast it is said is not.

    random_model.py SHAPE FORMAT FILE

Hearth and llama.cpp read it alike. A tensor is a stretch of random blocks again and again: each byte has a place of its own in memory, which is
all that speed asks for."""
import argparse
import math
import pathlib
import random
import struct

F32, Q4_0, Q8_0, Q4_K, Q6_K, BF16 = 0, 2, 8, 12, 14, 30
VALUES = {F32: 1, Q4_0: 32, Q8_0: 32, Q4_K: 256, Q6_K: 256, BF16: 1}  # of a block
FILE_TYPES = {"Q4_0": 2, "Q8_0": 7, "Q4_K_M": 15, "BF16": 32}
SPREAD = 0.03  # of the weights, about
BLOCKS = 4093  # of a stretch; no row is a multiple of it
HIDDEN, LAYERS, EXPERTS, USED, INNER, DENSE_INNER = 1024, 24, 32, 8, 512, 3072

random_bytes = random.Random(1).randbytes


# Codes of four bits stand for -8 to 7. Without the lowest their mean is none: a mean of all weights would drive every token's
# state into one direction, and to the same few experts.
EVEN_NIBBLES = bytes((b & 15 or 8) | ((b >> 4 or 8) << 4) for b in range(256))


def half(value):
    return struct.pack("<e", value)


def block(kind, number):
    """One block; its codes are spread evenly, and its scale makes them values of about SPREAD."""
    if kind == BF16:
        return struct.pack("<f", number.gauss(0, SPREAD))[2:]
    if kind == F32:
        return struct.pack("<f", number.gauss(0, SPREAD))
    if kind == Q4_0:
        return half(SPREAD / 4.6) + random_bytes(16).translate(EVEN_NIBBLES)
    if kind == Q8_0:
        return half(SPREAD / 74) + random_bytes(32)
    if kind == Q4_K:
        return half(SPREAD / 170) + half(SPREAD / 170 * 7.5) + random_bytes(140)
    return random_bytes(192) + bytes(number.randrange(-32, 33) & 255 for _ in range(16)) + half(SPREAD / 350)


class Tensors:
    def __init__(self, file_type, inner, uneven):
        self.file_type, self.inner, self.uneven, self.list, self.stretches = file_type, inner, uneven, [], {}
        self.number = random.Random(1)

    def kind_of(self, name, layer, layers):
        if self.file_type != "Q4_K_M":
            return {"Q4_0": Q4_0, "Q8_0": Q8_0, "BF16": BF16}[self.file_type]
        # llama.cpp's choice for the layers at both ends and each third between them
        more = layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2
        return Q6_K if name in ("token_embd", "output") or (more and name in ("attn_v", "ffn_down", "ffn_down_exps", "ffn_down_shexp")) else Q4_K

    def matrix(self, name, *dims, layer=0, layers=1):
        self.list.append((name, dims, self.kind_of(name.split(".")[-2], layer, layers), None))

    def floats(self, name, *dims, value=None):
        self.list.append((name, dims, F32, value))

    def stretch(self, kind):
        if kind not in self.stretches:
            number = random.Random(kind)
            self.stretches[kind] = b"".join(block(kind, number) for _ in range(BLOCKS))
        return self.stretches[kind]

    def size_of(self, tensor):
        _, dims, kind, _ = tensor
        return math.prod(dims) // VALUES[kind] * (len(self.stretch(kind)) // BLOCKS)

    def bytes_of(self, tensor):
        _, dims, kind, value = tensor
        if isinstance(value, bytes):
            return value
        if value is not None:
            return struct.pack("<f", value) * dims[0]
        size, stretch = self.size_of(tensor), self.stretch(kind)
        return (stretch * (size // len(stretch) + 1))[:size]


def attention(t, p, heads, kv_heads, width, where, norms=False, gated=False):
    t.matrix(p + "attn_q.weight", HIDDEN, heads * width * (2 if gated else 1), **where)
    t.matrix(p + "attn_k.weight", HIDDEN, kv_heads * width, **where)
    t.matrix(p + "attn_v.weight", HIDDEN, kv_heads * width, **where)
    t.matrix(p + "attn_output.weight", heads * width, HIDDEN, **where)
    if norms:
        t.floats(p + "attn_q_norm.weight", width, value=1.0)
        t.floats(p + "attn_k_norm.weight", width, value=1.0)


def uneven_router(number):
    """Rows of unequal length: some experts are chosen far more often than others."""
    lengths = [(e + 1) ** -0.5 / 8 for e in number.sample(range(EXPERTS), EXPERTS)]
    return struct.pack(f"<{HIDDEN * EXPERTS}f", *(number.gauss(0, length) for length in lengths for _ in range(HIDDEN)))


def experts(t, p, where):
    t.floats(p + "ffn_gate_inp.weight", HIDDEN, EXPERTS, value=uneven_router(t.number) if t.uneven else None)
    for part in ("gate", "up"):
        t.matrix(f"{p}ffn_{part}_exps.weight", HIDDEN, t.inner, EXPERTS, **where)
    t.matrix(p + "ffn_down_exps.weight", t.inner, HIDDEN, EXPERTS, **where)


def blocks(t, layers, heads, key_heads, head, feed_forward, norms=False):
    """Layers of attention, each with that network behind it."""
    for i in range(layers):
        p, where = f"blk.{i}.", {"layer": i, "layers": layers}
        t.floats(p + "attn_norm.weight", HIDDEN, value=1.0)
        attention(t, p, heads, key_heads, head, where, norms=norms)
        t.floats(p + "ffn_norm.weight", HIDDEN, value=1.0)
        feed_forward(t, p, where)


def dense(t, p, where):
    for part in ("gate", "up"):
        t.matrix(f"{p}ffn_{part}.weight", HIDDEN, DENSE_INNER, **where)
    t.matrix(p + "ffn_down.weight", DENSE_INNER, HIDDEN, **where)


def qwen3(t, layers):
    """Dense."""
    blocks(t, layers, 16, 8, 128, dense, norms=True)
    return {"attention.head_count": 16, "attention.head_count_kv": 8, "attention.key_length": 128, "attention.value_length": 128, "feed_forward_length": DENSE_INNER, "expert_count": 0,
            "expert_used_count": 0}


def granitemoe(t, layers):
    blocks(t, layers, 16, 8, 64, experts)
    return {"attention.head_count": 16, "attention.head_count_kv": 8, "rope.dimension_count": 64, "embedding_scale": 12.0, "residual_scale": 0.22, "logit_scale": 6.0,
            "attention.scale": 0.015625}


def qwen3moe(t, layers):
    blocks(t, layers, 16, 4, 128, experts, norms=True)
    return {"attention.head_count": 16, "attention.head_count_kv": 4, "attention.key_length": 128, "attention.value_length": 128}


def qwen3next(t, layers):
    """Three layers of the gated delta rule to one of attention."""
    key_heads, value_heads, width, kernel = 8, 16, 128, 4
    keys, inner = key_heads * width, value_heads * width
    for i in range(layers):
        p, where = f"blk.{i}.", {"layer": i, "layers": layers}
        t.floats(p + "attn_norm.weight", HIDDEN, value=1.0)
        if (i + 1) % 4 == 0:
            attention(t, p, 8, 2, 256, where, norms=True, gated=True)
        else:
            t.matrix(p + "attn_qkv.weight", HIDDEN, 2 * keys + inner, **where)
            t.matrix(p + "attn_gate.weight", HIDDEN, inner, **where)
            t.floats(p + "ssm_conv1d.weight", kernel, 2 * keys + inner)
            t.floats(p + "ssm_dt.bias", value_heads, value=0.1)
            t.floats(p + "ssm_a", value_heads, value=-1.0)
            t.matrix(p + "ssm_ba.weight", HIDDEN, 2 * value_heads, **where)
            t.floats(p + "ssm_norm.weight", width, value=1.0)
            t.matrix(p + "ssm_out.weight", inner, HIDDEN, **where)
        t.floats(p + "post_attention_norm.weight", HIDDEN, value=1.0)
        experts(t, p, where)
        t.floats(p + "ffn_gate_inp_shexp.weight", HIDDEN)
        for part in ("gate", "up"):
            t.matrix(f"{p}ffn_{part}_shexp.weight", HIDDEN, t.inner, **where)
        t.matrix(p + "ffn_down_shexp.weight", t.inner, HIDDEN, **where)
    return {"attention.head_count": 8, "attention.head_count_kv": 2, "attention.key_length": 256, "attention.value_length": 256, "rope.dimension_count": 64,
            "expert_shared_feed_forward_length": t.inner, "ssm.conv_kernel": kernel, "ssm.inner_size": inner, "ssm.state_size": width, "ssm.time_step_rank": value_heads,
            "ssm.group_count": key_heads, "full_attention_interval": 4}


SHAPES = {"qwen3": qwen3, "granitemoe": granitemoe, "qwen3moe": qwen3moe, "qwen3next": qwen3next}


def text(value):
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def value_of(value):
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, str):
        return struct.pack("<I", 8) + text(value)
    if isinstance(value[0], str):
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))
    return struct.pack(f"<IIQ{len(value)}i", 9, 5, len(value), *value)


def byte_alphabet():
    """GPT-2's: a character for each byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(b) if b in plain else chr(next(others)) for b in range(256)]


def write(shape, file_type, file, layers=LAYERS, vocabulary=49152, inner=INNER, uneven=False):
    t = Tensors(file_type, inner, uneven)
    t.matrix("token_embd.weight", HIDDEN, vocabulary)
    t.floats("output_norm.weight", HIDDEN, value=1.0)
    keys = SHAPES[shape](t, layers)
    tokens = byte_alphabet() + ["<|endoftext|>", "ab"]
    tokens += [f"token{i}" for i in range(len(tokens), vocabulary)]
    common = {"context_length": 32768, "embedding_length": HIDDEN, "block_count": layers, "feed_forward_length": inner, "expert_feed_forward_length": inner, "expert_count": EXPERTS,
              "expert_used_count": USED, "vocab_size": vocabulary, "rope.freq_base": 10000.0, "attention.layer_norm_rms_epsilon": 1e-6}
    head = {"general.architecture": shape, "general.name": f"random {shape} {file_type}", "general.file_type": FILE_TYPES[file_type]}
    head |= {f"{shape}.{key}": value for key, value in (common | keys).items()}
    head |= {"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "gpt-2", "tokenizer.ggml.tokens": tokens, "tokenizer.ggml.token_type": [3 if i == 256 else 1 for i in range(vocabulary)],
             "tokenizer.ggml.merges": ["a b"], "tokenizer.ggml.bos_token_id": 256, "tokenizer.ggml.eos_token_id": 256, "tokenizer.ggml.add_bos_token": False}
    out = bytearray(b"GGUF" + struct.pack("<IQQ", 3, len(t.list), len(head)))
    for key, value in head.items():
        out += text(key) + value_of(value)
    at = 0
    for tensor in t.list:
        name, dims, kind, _ = tensor
        out += text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, at)
        at += -(-t.size_of(tensor) // 32) * 32
    partial = file.with_name(f".{file.name}.partial")
    with partial.open("wb") as to:
        to.write(out + bytes(-len(out) % 32))
        for tensor in t.list:
            data = t.bytes_of(tensor)
            to.write(data + bytes(-len(data) % 32))
    partial.rename(file)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("format", choices=FILE_TYPES)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--layers", type=int, default=LAYERS)
    parser.add_argument("--vocabulary", type=int, default=49152)
    parser.add_argument("--inner", type=int, default=INNER, help="values inside an expert")
    parser.add_argument("--uneven", action="store_true", help="some experts are chosen far more often than others")
    args = parser.parse_args()
    write(args.shape, args.format, args.file, args.layers, args.vocabulary, args.inner, args.uneven)
