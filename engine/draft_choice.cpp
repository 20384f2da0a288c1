#include "engine/draft_choice.h"

#include <algorithm>

namespace engine {
namespace {

// Before anything was seen: as measured over prose, code and JSON, on the low side.
constexpr float kFirstChance[] = {0.25f, 0.35f, 0.5f, 0.65f, 0.8f, 0.9f};
constexpr float kWeight = 4;         // of what others saw, in guesses
constexpr float kKept = 0.97f;       // of what was seen before, with each guess
constexpr float kLeastGain = 1.03f;  // below it a guess is left: costs are not known to a hair
constexpr double kFirstSlope = 0.12; // of one row more, in the time of a step of one, until it is measured

}  // namespace

int Acceptance::kind(int length) { return length < 3 ? 0 : length < 4 ? 1 : length < 6 ? 2 : length < 9 ? 3 : length < 16 ? 4 : 5; }

void Acceptance::saw(int length, bool right) {
    Kind& k = kinds_[std::size_t(kind(length))];
    k.right = k.right * kKept + (right ? 1.0f : 0.0f);
    k.seen = k.seen * kKept + 1;
}

double Acceptance::chance(int length, const Acceptance& all) const {
    const auto i = std::size_t(kind(length));
    const Kind &own = kinds_[i], &other = all.kinds_[i];
    const float before = (other.right + kWeight * kFirstChance[i]) / (other.seen + kWeight);
    return (own.right + kWeight * before) / (own.seen + kWeight);
}

bool StepCost::fresh(int rows, std::uint64_t steps) const {
    const Measured& m = measured_[std::size_t(rows)];
    return m.at > 0 && steps_ - m.at < steps;
}

void StepCost::took(int rows, double seconds) {
    if (rows < 1 || rows > kRows) return;
    ++steps_;
    Measured& m = measured_[std::size_t(rows)];
    // Somebody else's work on the machine lengthens a step by any factor: one alone says little.
    if (m.at == 0) m.seconds = steps_ == 1 ? seconds : std::min(seconds, 3 * of(rows));
    else m.seconds += (std::clamp(seconds, m.seconds / 2, m.seconds * 1.5) - m.seconds) / 8;
    m.at = steps_;
}

double StepCost::of(int rows) const {
    rows = std::max(rows, 1);
    int below = std::min(rows, kRows), above = rows;
    while (below > 0 && !fresh(below, kFresh)) --below;
    while (above <= kRows && !fresh(above, kFresh)) ++above;
    if (below == rows) return measured_[std::size_t(rows)].seconds;
    const bool has_above = above <= kRows;
    if (below > 0 && has_above) {
        const double from = measured_[std::size_t(below)].seconds, to = std::max(from, measured_[std::size_t(above)].seconds);
        return from + (to - from) * (rows - below) / (above - below);
    }
    // A step of one row is the time to read the weights, each further row has its products.
    if (below > 0) return measured_[std::size_t(below)].seconds * (1 + kFirstSlope * rows) / (1 + kFirstSlope * below);
    if (has_above) return measured_[std::size_t(above)].seconds * (1 + kFirstSlope * rows) / (1 + kFirstSlope * above);
    return 0;
}

void choose_drafts(std::span<Draftable> sequences, int rows, int tokens, const Acceptance& all, const StepCost& cost) {
    for (Draftable& s : sequences) s.chosen = 0;
    if (!cost.knows(tokens)) return;
    // The likeliest guess first: every prefix of this order is the best choice of so many.
    int best = 0;
    double best_rate = kLeastGain * tokens / cost.of(rows), gained = 0;
    std::array<int, kMostDraftRows> order{};
    const auto next_chance = [&](const Draftable& s) {
        double chance = 1;
        for (int i = 0; i <= s.chosen; ++i) chance *= s.own->chance(s.length + i, all);
        return chance;
    };
    for (int n = 1; n <= kMostDraftRows; ++n) {
        int likeliest = -1;
        double chance = 0.02;  // less is not worth its look
        for (int i = 0; i < int(sequences.size()); ++i) {
            const Draftable& s = sequences[std::size_t(i)];
            if (s.chosen >= std::min(s.most, kMostDraft)) continue;
            if (const double c = next_chance(s); c > chance) likeliest = i, chance = c;
        }
        if (likeliest < 0) break;
        order[std::size_t(n - 1)] = likeliest;
        ++sequences[std::size_t(likeliest)].chosen;
        gained += chance;
        double again = 0;  // rows that wrong guesses have computed again
        for (const Draftable& s : sequences) {
            if (!s.replays || s.chosen == 0) continue;
            double right = 1, expected = 0;
            for (int i = 0; i < s.chosen; ++i) expected += right *= s.own->chance(s.length + i, all);
            again += (1 - right) * (1 + expected);
        }
        const double rate = (tokens + gained) / (cost.of(rows + n) + again * (cost.of(rows + n) - cost.of(rows)) / n);
        if (rate > best_rate) best = n, best_rate = rate;
    }
    for (Draftable& s : sequences) s.chosen = 0;
    for (int n = 0; n < best; ++n) ++sequences[std::size_t(order[std::size_t(n)])].chosen;
}

}  // namespace engine
