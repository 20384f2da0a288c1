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

// That at most `slots` different experts are used where `mean` are expected. The experts that one token uses of a layer exclude
// each other, which halves the variance of independent ones.
double fit(double mean, double variance, double slots) { return 0.5 * std::erfc((mean - slots - 0.5) / std::sqrt(std::max(1e-9, variance))); }

// The share of choices that find their expert where the least recently used leaves: the one before was g tokens ago, and no more
// experts than there are slots were used since.
double found_again(std::span<const double> chances, double slots) {
    constexpr int longest = 4096;  // tokens
    std::vector<double> unused(chances.size(), 1.0);  // within g - 1 tokens
    double found = 0;
    for (int g = 1; g <= longest; ++g) {
        double mean = 0, variance = 0, again = 0;
        for (std::size_t i = 0; i < chances.size(); ++i) {
            again += chances[i] * chances[i] * unused[i];
            unused[i] *= 1 - chances[i];
            mean += 1 - unused[i];
            variance += unused[i] * (1 - unused[i]);
        }
        const double there = fit(mean, variance, slots);
        found += again * there;
        if (there < 1e-3) break;
    }
    return found;
}

}  // namespace

double predict_hits(std::span<const double> chances, std::size_t slots, std::size_t pinned) {
    if (slots >= chances.size()) return 1;
    std::vector<double> sorted(chances.begin(), chances.end());
    std::ranges::sort(sorted, std::greater<>());
    const double all = std::accumulate(sorted.begin(), sorted.end(), 0.0);
    if (all <= 0) return double(slots) / double(chances.size());
    pinned = std::min(pinned, slots);
    const double kept = std::accumulate(sorted.begin(), sorted.begin() + std::ptrdiff_t(pinned), 0.0);
    return (kept + found_again(std::span<const double>(sorted).subspan(pinned), double(slots - pinned))) / all;
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
                                  : "use a smaller model or quantisation, a shorter context, or raise the memory limit (model.utilisation, model.memory_mib)");
}

}  // namespace engine
