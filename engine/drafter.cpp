#include "engine/drafter.h"

#include <algorithm>

#include "engine/steady_seconds.h"

namespace engine {
namespace {

constexpr int kSpread = 64;  // tokens of an answer that a prompt's reading is spread over, at most

}  // namespace

Drafter::Drafter(Runner& runner, int vocabulary, double share) : runner_(runner), vocabulary_(vocabulary), share_(share) {
    parts_.reserve(std::size_t(runner.shape().sequences));
    asked_.reserve(std::size_t(runner.shape().sequences));
}

text::TokenId Drafter::likeliest(std::span<const float> logits) const {
    const auto known = logits.first(std::min(logits.size(), std::size_t(vocabulary_)));
    return text::TokenId(std::ranges::max_element(known) - known.begin());
}

double Drafter::guess(std::span<Wanted> wanted) {
    const double began = steady_seconds();
    for (Wanted& w : wanted)
        if (!prepare(w)) w.n = 0;
    for (int i = 0;; ++i) {
        asked_.clear();
        for (Wanted& w : wanted)
            if (w.n > i) asked_.push_back(&w);
        if (asked_.empty()) return steady_seconds() - began;
        const double pass = steady_seconds();
        const int rows = compute(asked_, i);
        for (std::size_t k = 0; k < asked_.size(); ++k) {
            asked_[k]->guessed[std::size_t(i)] = likeliest(runner_.logits(int(k)));
            asked_[k]->row = int(k);
        }
        if (cold_ > 0) --cold_;
        else passes_.took(rows, steady_seconds() - pass);
    }
}

double Drafter::pass(int rows, const StepCost& target) const {
    const double own = passes_.of(rows);
    return own > 0 ? own : share_ * target.of(rows);
}

Drafter::Cost Drafter::cost(int behind, int together, int left, const StepCost& target) const {
    const double one = pass(1, target);
    double once = std::max(0.0, pass(behind, target) - one);
    if (behind > kMostDraft + 1) once /= std::clamp(left, 1, kSpread);
    return {once, pass(together, target) / std::max(1, together)};
}

}  // namespace engine
