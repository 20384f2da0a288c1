// The decoder: tokens of one or several sequences in, logits out.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/model/observer.h"
#include "engine/model/weights.h"
#include "engine/ops/ops.h"

namespace engine {

class Adapter;

// Rows of all sequences one after another. n ≤ the rows that scratch was planned for.
struct Batch {
    const std::int32_t* tokens = nullptr;     // (n)
    const std::int32_t* positions = nullptr;  // (n)
    int n = 0;
    const SequenceRows* sequences = nullptr;
    int n_sequences = 0;
    const std::int32_t* logit_rows = nullptr;  // (n_logits), rising: rows whose logits are wanted
    int n_logits = 0;
    float* states = nullptr;                   // (n, H), or none: gets the state of every row after the last norm
    Observer* observer = nullptr;
    const Adapter* const* adapters = nullptr;  // (n_sequences), each or all may be null
};

// Scratch bytes that forward needs for up to `rows` rows, ops included.
std::size_t forward_scratch(const Config& config, int rows, int threads);

// kv: one entry a layer. logits (n_logits, V) may be null when n_logits is 0. Allocates nothing.
void forward(const Model& model, const Batch& batch, const std::vector<KvLayer>& kv, float* logits, Exec& exec);

}  // namespace engine
