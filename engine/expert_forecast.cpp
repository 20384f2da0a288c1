#include "engine/expert_forecast.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "engine/memory_plan.h"

namespace engine {
namespace {

// Whether an expert was used within `tokens`.
double seen_within(double chance, double tokens) { return 1 - std::pow(1 - std::min(1.0, chance), tokens); }

// Within how many tokens as many different experts are used as there are slots.
double characteristic_tokens(std::span<const double> chances, double slots) {
    double low = 0, high = 1;
    const auto distinct = [&](double tokens) {
        return std::accumulate(chances.begin(), chances.end(), 0.0, [&](double sum, double chance) { return sum + seen_within(chance, tokens); });
    };
    while (distinct(high) < slots && high < 1e12) high *= 2;
    for (int i = 0; i < 50; ++i) (distinct((low + high) / 2) < slots ? low : high) = (low + high) / 2;
    return high;
}

}  // namespace

double predict_hits(std::span<const double> chances, std::size_t slots, std::size_t pinned) {
    if (slots >= chances.size()) return 1;
    std::vector<double> sorted(chances.begin(), chances.end());
    std::ranges::sort(sorted, std::greater<>());
    const double all = std::accumulate(sorted.begin(), sorted.end(), 0.0);
    if (all <= 0) return double(slots) / double(chances.size());
    pinned = std::min(pinned, slots);
    double found = std::accumulate(sorted.begin(), sorted.begin() + std::ptrdiff_t(pinned), 0.0);
    const auto others = std::span(sorted).subspan(pinned);
    const double tokens = characteristic_tokens(others, double(slots - pinned));
    for (const double chance : others) found += chance * seen_within(chance, tokens);
    return found / all;
}

double predict_seconds(const ExpertPlan& plan, double hits, const ExpertCosts& costs) {
    const int used = plan.used;
    double layer = 0, chance = std::pow(hits, used);  // that just so many are missing
    for (int missing = 0; missing <= used; ++missing) {
        const int known = std::min(missing, ExpertCosts::kTogether);
        const double read = missing > 0 ? costs.read[std::size_t(known)] * missing / known : 0;
        const double there = costs.layer * (used - missing) / used;
        layer += chance * (std::max(read, there) + costs.layer - there);
        if (hits > 0) chance *= double(used - missing) / (missing + 1) * (1 - hits) / hits;
        else chance = missing + 1 == used ? 1 : 0;
    }
    return costs.computing + plan.layers * (layer - costs.layer);
}

base::Result<ExpertPlan> plan_experts(ExpertPlan needs, std::uint64_t room, std::uint64_t asked) {
    const std::uint64_t least = std::uint64_t(needs.layers) * std::uint64_t(needs.used);
    const std::uint64_t bytes = asked > 0 ? std::min(asked, room) : room;
    needs.slots = std::min(bytes / std::max<std::uint64_t>(1, needs.slot_bytes), needs.all());
    if (needs.slots >= least) return needs;
    const bool by_setting = asked > 0 && asked <= room;
    return base::error(base::Code::resource_exhausted,
                       "a cache of " + std::to_string(needs.slots) + " experts (" + mib(bytes) + (by_setting ? " as asked" : " are left for it") + ") is smaller than what one token uses: " +
                           std::to_string(needs.layers) + " layers of " + std::to_string(needs.used) + " are " + std::to_string(least) + " experts of " + std::to_string(needs.slot_bytes) + " bytes, " +
                           mib(least * needs.slot_bytes),
                       by_setting ? "raise model.expert_memory to at least " + std::to_string(least * needs.slot_bytes) + ", or leave it at 0"
                                  : "use a smaller model or quantisation, a shorter context, or raise the memory limit");
}

}  // namespace engine
