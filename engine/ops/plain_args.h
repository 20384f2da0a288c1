// Arguments that ops.h and the kernels below it share. No library header: what a kernel's file compiles inline for its
// instruction set must not be taken for other files' code.
#pragma once

#include <stdint.h>

namespace engine {

// What a gated FFN makes of its gate g and its value u.
//   silu: g·σ(g)·u          gelu_tanh: gelu(g)·u, gelu by its tanh form
//   clamped_silu: (u + 1)·g·σ(1.702·g) with g ≤ 7 and |u| ≤ 7 (gpt-oss)
//   sigmoid: σ(g)·u         identity: g·u
enum class Activation : uint8_t { silu, gelu_tanh, clamped_silu, sigmoid, identity };

struct RopeArgs {
    const int32_t* positions = nullptr;  // (n)
    const float* inverse_frequencies = nullptr;  // (dim / 2): angle = position * inverse_frequencies[i]
    int head_dim = 0, dim = 0;                // the first `dim` of each head are rotated
    bool neox = false;                        // pairs (i, i + dim/2), else (2i, 2i+1)
    float magnitude = 1;                      // of the rotated vector: factor of cosine and sine (yarn)
};

}  // namespace engine
