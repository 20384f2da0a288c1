// From logits to a token. The order is fixed: logit bias, penalties, grammar mask, then greedy, or
// temperature, top-k, top-p, min-p and a draw.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "engine/request.h"

namespace engine {

// xoshiro256** (Blackman and Vigna), seeded by splitmix64: the same draws on every machine.
class Random {
public:
    explicit Random(std::uint64_t seed);
    double uniform();  // [0, 1), 53 bits

private:
    std::uint64_t state_[4];
};

// Working memory for a vocabulary, shared by all sequences of a worker.
struct SamplerScratch {
    explicit SamplerScratch(int vocabulary);
    std::vector<std::pair<float, TokenId>> candidates;  // (V)
    std::vector<std::int32_t> counts;                   // (V), zero between calls
    std::vector<std::uint64_t> mask;                    // (ceil(V / 64))
};

class Sampler {
public:
    // `seed` replaces Sampling::seed when that is 0.
    Sampler(Sampling sampling, std::uint64_t seed);

    // Changes logits(V) on the way. `history`: prompt and output so far. `mask`: bit id set where a
    // token may come, or empty. Ties go to the lowest id. -1: no token has a finite logit.
    TokenId sample(std::span<float> logits, std::span<const TokenId> history, std::span<const std::uint64_t> mask,
                   SamplerScratch& scratch);

    bool is_biased(TokenId id) const { return sampling_.logit_bias.contains(id); }

private:
    void penalise(std::span<float> logits, std::span<const TokenId> history, SamplerScratch& scratch) const;
    TokenId draw(std::span<const float> logits, SamplerScratch& scratch);

    Sampling sampling_;
    Random random_;
};

// The `n` most likely tokens of untouched logits(V), best first, with natural logarithms of their
// probabilities; `out` is cleared.
void top_logprobs(std::span<const float> logits, int n, SamplerScratch& scratch, std::vector<TokenLogprob>& out);

}  // namespace engine
