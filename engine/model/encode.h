// The encoder: tokens of one or several texts in, a hidden state for each of them out.
#pragma once

#include <cstdint>
#include <span>

#include "engine/model/encoder.h"
#include "engine/ops/ops.h"

namespace engine {

// Texts one after another.
struct EncoderBatch {
    const std::int32_t* tokens = nullptr;  // (n)
    int n = 0;
    std::span<const int> lengths;          // tokens of each text; together n
};

// Blocks of keys that texts of these lengths take: each begins with one of its own.
int key_blocks(std::span<const int> lengths);

// Scratch bytes for batches of up to `rows` tokens whose texts take up to `blocks` blocks of keys, ops included.
std::size_t encode_scratch(const EncoderConfig& config, int rows, int blocks, int threads);

// out (n, H). Allocates nothing.
void encode(const Encoder& encoder, const EncoderBatch& batch, Mat out, Exec& exec);

}  // namespace engine
