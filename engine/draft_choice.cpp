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

double next_chance(const Draftable& s) {
    double chance = 1;
    for (int i = 0; i <= s.chosen; ++i) chance *= s.own->chance(s.length + i, *s.all);
    return chance;
}

// The rows that wrong guesses are expected to have computed again.
double rows_again(std::span<const Draftable> sequences) {
    double again = 0;
    for (const Draftable& s : sequences) {
        if (!s.replays || s.chosen == 0) continue;
        double right = 1, expected = 0;
        for (int i = 0; i < s.chosen; ++i) expected += right *= s.own->chance(s.length + i, *s.all);
        again += (1 - right) * (1 + expected);
    }
    return again;
}

double seconds_of_sources(std::span<const Draftable> sequences) {
    double out = 0;
    for (const Draftable& s : sequences)
        if (s.chosen > 0) out += s.once + s.each * s.chosen;
    return out;
}

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

Acceptance Acceptance::certain() {
    Acceptance out;
    for (Kind& k : out.kinds_) k.right = k.seen = 1e6f;
    return out;
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

double choose_drafts(std::span<Draftable> sequences, int rows, int tokens, const StepCost& cost) {
    for (Draftable& s : sequences) s.chosen = 0;
    if (!cost.knows(tokens)) return 0;
    // The likeliest guess first, less what could be had without it in the time that its source takes: where that is none, every
    // prefix of this order is the best choice of so many.
    int best = 0;
    const double plain_rate = tokens / cost.of(rows);
    double best_rate = kLeastGain * plain_rate, gained = 0;
    std::array<int, kMostDraftRows> order{};
    for (int n = 1; n <= kMostDraftRows; ++n) {
        int likeliest = -1;
        double most = 0.02, chance = 0;  // less is not worth its look
        for (int i = 0; i < int(sequences.size()); ++i) {
            const Draftable& s = sequences[std::size_t(i)];
            if (s.chosen >= std::min(s.most, kMostDraft)) continue;
            const double c = next_chance(s);
            if (const double worth = c - s.each * plain_rate; worth > most) likeliest = i, most = worth, chance = c;
        }
        if (likeliest < 0) break;
        order[std::size_t(n - 1)] = likeliest;
        ++sequences[std::size_t(likeliest)].chosen;
        gained += chance;
        const double again = rows_again(sequences) * (cost.of(rows + n) - cost.of(rows)) / n;
        const double rate = (tokens + gained) / (cost.of(rows + n) + again + seconds_of_sources(sequences));
        if (rate > best_rate) best = n, best_rate = rate;
    }
    for (Draftable& s : sequences) s.chosen = 0;
    for (int n = 0; n < best; ++n) ++sequences[std::size_t(order[std::size_t(n)])].chosen;
    for (Draftable& s : sequences) s.chosen = std::max(s.chosen, std::min(s.least, s.most));
    return best > 0 ? best_rate : plain_rate;
}

}  // namespace engine
