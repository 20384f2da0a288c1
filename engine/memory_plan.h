// How much of what a load will allocate, decided before it allocates.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "engine/available_memory.h"
#include "engine/engine.h"

namespace engine {

struct PlanInput {
    std::uint64_t weights = 0;             // packed copies and the mapping that stays in use
    std::uint64_t scratch = 0;             // activations, logits, sampling
    std::uint64_t kv_bytes_per_token = 0;
    std::uint64_t available = 0;           // what the machine can give now
    int trained_context = 0;
    std::string kv_sum{};                  // how kv_bytes_per_token comes about
};

// Pure. Refuses with the numbers when weights, scratch and one sequence do not fit. `options.context`
// and `options.kv_tokens` are met or refused; what they leave open is what fits: the model's context,
// and a pool of at most 65,536 tokens or one context, whichever is more, or all that is left (`options.fill`).
base::Result<MemoryPlan> plan_memory(const PlanInput& input, const LoadOptions& options);

// Of a model without a KV cache: weights and scratch, the model's context or the shorter one that was asked for.
base::Result<MemoryPlan> plan_encoder(const PlanInput& input, const LoadOptions& options);

// What a load may take of the `available` bytes.
std::uint64_t memory_limit(const LoadOptions& options, std::uint64_t available);

// What else would fit under a plan's limit: a longer KV cache beside its weights, or larger weights beside its
// KV cache.
struct Capacity {
    std::uint64_t kv_tokens = 0, weights = 0;
};
Capacity capacity(const MemoryPlan& plan);

std::string mib(std::uint64_t bytes);  // "12 MiB", rounded up: as plans tell of memory

}  // namespace engine
