// Arguments that ops.h and the kernels below it share. No library header: what a kernel's file compiles inline for its
// instruction set must not be taken for other files' code.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "engine/ops/both.h"

namespace engine {

// What a gated FFN makes of its gate g and its value u.
//   silu: g·σ(g)·u          gelu_tanh: gelu(g)·u, gelu by its tanh form
//   clamped_silu: (u + 1)·g·σ(1.702·g) with g ≤ 7 and |u| ≤ 7 (gpt-oss)
//   sigmoid: σ(g)·u         identity: g·u
enum class Activation : uint8_t { silu, gelu_tanh, clamped_silu, sigmoid, identity };

// How the keys and values of a layer's cache are stored. Those of eight bits have a scale for each position's and head's d
// values, with which the largest magnitude is the largest number: 127 of int8, 448 of fp8 (E4M3, whose scale is that of 1/256
// of its numbers: so a code's bits are those of a half). The order is written in files on disk: a new one comes last.
enum class KvFormat : uint8_t { f32, f16, int8, bf16, fp8 };
constexpr KvFormat kv_formats[] = {KvFormat::f32, KvFormat::f16, KvFormat::bf16, KvFormat::int8, KvFormat::fp8};

constexpr int kv_block_positions = 32;
// A block of one head has a dimension's values of all its positions one after another, [d][positions], and of eight bits the
// positions' scales (floats) behind them: vectors of positions need no sum across their lanes.
HEARTH_BOTH constexpr bool has_scales(KvFormat format) { return format == KvFormat::int8 || format == KvFormat::fp8; }
HEARTH_BOTH constexpr size_t kv_value_bytes(KvFormat format) { return has_scales(format) ? 1 : format == KvFormat::f32 ? 4 : 2; }
HEARTH_BOTH constexpr size_t kv_dimension_bytes(KvFormat format) { return kv_block_positions * kv_value_bytes(format); }
HEARTH_BOTH constexpr size_t kv_head_bytes(KvFormat format, int head_dim) {
    return size_t(head_dim) * kv_dimension_bytes(format) + (has_scales(format) ? kv_block_positions * sizeof(float) : 0);
}

struct RopeArgs {
    const int32_t* positions = nullptr;  // (n)
    const float* inverse_frequencies = nullptr;  // (dim / 2): angle = position * inverse_frequencies[i]
    int head_dim = 0, dim = 0;                // the first `dim` of each head are rotated
    bool neox = false;                        // pairs (i, i + dim/2), else (2i, 2i+1)
    float magnitude = 1;                      // of the rotated vector: factor of cosine and sine (yarn)
};

// What the sums of products are made of that a target computes matrix products with.
enum class Arithmetic : uint8_t { int8, bf16, float32 };

}  // namespace engine
