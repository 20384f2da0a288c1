// The decoder: tokens of one or several sequences in, logits out.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/model/observer.h"
#include "engine/model/weights.h"
#include "engine/ops/ops.h"

namespace engine {

class Adapter;

// Rows of all sequences one after another. n ≤ the rows that scratch was planned for. Lists of rows, tokens and positions lie in the
// target's memory, the others in the CPU's.
struct Batch {
    const std::int32_t* tokens = nullptr;     // (n)
    const std::int32_t* positions = nullptr;  // (n)
    int n = 0;
    const SequenceRows* sequences = nullptr;
    int n_sequences = 0;
    const std::int32_t* logit_rows = nullptr;  // (n_logits): rows whose logits are wanted; null: all n
    int n_logits = 0;
    float* states = nullptr;                   // (n, H), or none: gets the state of every row after the last norm
    Observer* observer = nullptr;
    const Adapter* const* adapters = nullptr;  // (n_sequences), each or all may be null
    // The rows whose logits are wanted as a batch of their own, which is all that the last layer computes but keys and values; or null.
    const Batch* wanted = nullptr;
};

// Scratch bytes that forward needs for up to `rows` rows, ops included.
std::size_t forward_scratch(const Config& config, int rows, int threads);

// kv: one entry a layer. logits (n_logits, V) may be null when n_logits is 0. Allocates nothing.
void forward(const Model& model, const Batch& batch, const std::vector<KvLayer>& kv, float* logits, Exec& exec);

}  // namespace engine
