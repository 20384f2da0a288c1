// What a cache of experts is worth before anything runs. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "base/result.h"
#include "engine/expert_options.h"

namespace engine {

// The share of choices that find their expert among `slots`, of which the `pinned` most chosen never leave and the others
// leave by least recent use. chances: of each expert, that a token uses it. As Che, Tung and Wang (2002) by how many different
// experts are used between two uses of one, but counted in whole tokens: a small cache does not hold what two of them use.
double predict_hits(std::span<const double> chances, std::size_t slots, std::size_t pinned);

// What a token costs on this machine.
struct ExpertCosts {
    static constexpr int kTogether = 8;
    double computing = 0;                      // seconds of a token with all its experts in memory
    double layer = 0;                          // of them, what the experts of one layer take
    std::array<double, kTogether + 1> read{};  // seconds until so many experts are there that were asked for together
    bool known() const { return computing > 0 && read[1] > 0; }
};
// Seconds of a token: what misses is read while what is there is computed.
double predict_seconds(const ExpertPlan& plan, double hits, const ExpertCosts& costs);

// How many experts `room` bytes hold. Refuses fewer than one token uses in all layers: each would be read for each token.
base::Result<ExpertPlan> plan_experts(ExpertPlan needs, std::uint64_t room, std::uint64_t asked);

}  // namespace engine
