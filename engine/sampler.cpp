#include "engine/sampler.h"

#include <algorithm>
#include <cmath>

namespace engine {
namespace {

std::uint64_t rotate(std::uint64_t x, int k) { return x << k | x >> (64 - k); }

bool better(const std::pair<float, TokenId>& a, const std::pair<float, TokenId>& b) {
    return a.first > b.first || (a.first == b.first && a.second < b.second);
}

}  // namespace

Random::Random(std::uint64_t seed) {
    for (auto& word : state_) {
        std::uint64_t z = seed += 0x9e3779b97f4a7c15ull;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
        z = (z ^ z >> 27) * 0x94d049bb133111ebull;
        word = z ^ z >> 31;
    }
}

double Random::uniform() {
    const std::uint64_t out = rotate(state_[1] * 5, 7) * 9, t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotate(state_[3], 45);
    return double(out >> 11) * 0x1p-53;
}

SamplerScratch::SamplerScratch(int vocabulary)
    : candidates(std::size_t(vocabulary)), counts(std::size_t(vocabulary)), mask(std::size_t(vocabulary + 63) / 64) {}

Sampler::Sampler(Sampling sampling, std::uint64_t seed)
    : sampling_(std::move(sampling)), random_(sampling_.seed ? sampling_.seed : seed) {}

void Sampler::penalise(std::span<float> logits, std::span<const TokenId> history, SamplerScratch& scratch) const {
    const Sampling& s = sampling_;
    if (s.repetition_penalty == 1 && s.presence_penalty == 0 && s.frequency_penalty == 0) return;
    const auto window = history.last(std::min(history.size(), std::size_t(std::max(0, s.penalty_window))));
    const auto known = [&](TokenId id) { return id >= 0 && std::size_t(id) < logits.size(); };
    for (const TokenId id : window)
        if (known(id)) ++scratch.counts[id];
    for (const TokenId id : window) {
        if (!known(id) || scratch.counts[id] == 0) continue;
        float& logit = logits[id];
        logit = logit > 0 ? logit / s.repetition_penalty : logit * s.repetition_penalty;
        logit -= s.presence_penalty + s.frequency_penalty * float(scratch.counts[id]);
        scratch.counts[id] = 0;
    }
}

TokenId Sampler::sample(std::span<float> logits, std::span<const TokenId> history, std::span<const std::uint64_t> mask,
                        SamplerScratch& scratch) {
    for (const auto& [id, bias] : sampling_.logit_bias)
        if (id >= 0 && std::size_t(id) < logits.size()) logits[id] += bias;
    penalise(logits, history, scratch);
    if (!mask.empty())
        for (std::size_t id = 0; id < logits.size(); ++id)
            if (!(mask[id / 64] >> (id % 64) & 1)) logits[id] = -INFINITY;
    if (sampling_.temperature > 0) return draw(logits, scratch);
    TokenId best = -1;
    for (std::size_t id = 0; id < logits.size(); ++id)
        if (std::isfinite(logits[id]) && (best < 0 || logits[id] > logits[best])) best = TokenId(id);
    return best;
}

TokenId Sampler::draw(std::span<const float> logits, SamplerScratch& scratch) {
    auto& all = scratch.candidates;
    std::size_t n = 0;
    for (std::size_t id = 0; id < logits.size(); ++id)
        if (std::isfinite(logits[id])) all[n++] = {logits[id], TokenId(id)};
    if (n == 0) return -1;
    const auto begin = all.begin();
    const bool cut = sampling_.top_k > 0 && std::size_t(sampling_.top_k) < n;
    if (cut) {
        std::nth_element(begin, begin + sampling_.top_k, begin + std::ptrdiff_t(n), better);
        n = std::size_t(sampling_.top_k);
    }
    float largest = begin->first;
    for (std::size_t i = 0; i < n; ++i) largest = std::max(largest, all[i].first);
    double total = 0;
    for (std::size_t i = 0; i < n; ++i) {  // from here on: unnormalised probabilities, the best is 1
        all[i].first = float(std::exp((double(all[i].first) - largest) / sampling_.temperature));
        total += all[i].first;
    }
    // Tokens below this share together weigh less than 1 - top_p, so the nucleus is full before them.
    const bool nucleus = sampling_.top_p < 1;
    const double least = nucleus ? (1.0 - sampling_.top_p) * total / double(n) : sampling_.min_p;
    const auto small = [&](const auto& c) { return c.first < least && c.first < 1; };
    n = std::size_t(std::remove_if(begin, begin + std::ptrdiff_t(n), small) - begin);
    if (nucleus) {
        std::sort(begin, begin + std::ptrdiff_t(n), better);
        double sum = 0;
        std::size_t keep = 0;
        while (keep < n && (keep == 0 || sum < sampling_.top_p * total)) sum += all[keep++].first;
        n = keep;
        while (n > 1 && all[n - 1].first < sampling_.min_p) --n;
    }
    total = 0;
    for (std::size_t i = 0; i < n; ++i) total += all[i].first;
    double point = random_.uniform() * total;
    for (std::size_t i = 0; i < n; ++i)
        if ((point -= all[i].first) < 0) return all[i].second;
    return all[n - 1].second;
}

void top_logprobs(std::span<const float> logits, int n, SamplerScratch& scratch, std::vector<TokenLogprob>& out) {
    out.clear();
    float largest = -INFINITY;
    for (const float x : logits) largest = std::max(largest, x);
    double total = 0;
    for (std::size_t id = 0; id < logits.size(); ++id) {
        scratch.candidates[id] = {logits[id], TokenId(id)};
        total += std::exp(double(logits[id]) - largest);
    }
    const auto begin = scratch.candidates.begin();
    const auto end = begin + std::ptrdiff_t(std::min(std::size_t(std::max(0, n)), logits.size()));
    std::partial_sort(begin, end, begin + std::ptrdiff_t(logits.size()), better);
    for (auto it = begin; it != end; ++it)
        out.push_back({it->second, float(double(it->first) - largest - std::log(total))});
}

}  // namespace engine
