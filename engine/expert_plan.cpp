#include "engine/expert_plan.h"

#include <algorithm>
#include <string>

#include "engine/expert_forecast.h"
#include "engine/model/expert_cache.h"

namespace engine {
namespace {

// Of a model whose experts are not all in memory: its trunk and one conversation come first, the cache gets what they leave.
base::Result<MemoryPlan> plan_with_cache(const PlannedFile& of, PlanInput input, const LoadOptions& options) {
    constexpr std::uint64_t usual_context = 8192;
    Model model;
    auto file = ExpertFile::open(of.file, of.config, of.ops, model);
    if (!file) return std::move(file).error();
    input.weights += (*file)->trunk_bytes() + ExpertCache::kReaders * (*file)->work_bytes();
    LoadOptions narrowed = options;
    narrowed.fill = false;
    if (options.context == 0 && options.kv_tokens == 0) narrowed.context = int(std::min<std::uint64_t>(usual_context, std::uint64_t(std::max(1, input.trained_context))));
    if (options.kv_tokens == 0) narrowed.kv_tokens = std::uint64_t(narrowed.context + kKvBlock - 1) / kKvBlock * kKvBlock;
    auto trunk = plan_memory(input, narrowed);
    if (!trunk) return trunk;
    auto experts = plan_experts((*file)->needs(), trunk->limit - trunk->total, options.experts.memory);
    if (!experts) return std::move(experts).error();
    input.weights += experts->slots * experts->slot_bytes;
    auto plan = plan_memory(input, experts->slots < experts->all() ? narrowed : options);
    if (plan) plan->experts = *experts;
    return plan;
}

base::Result<MemoryPlan> plan_mixture(const PlannedFile& of, const PlanInput& input, const PlanInput& resident, const LoadOptions& options) {
    if (options.experts.place == ExpertPlace::mapped) return plan_with_cache(of, input, options);
    auto plan = plan_memory(resident, options);
    if (plan || plan.error().code != base::Code::resource_exhausted) return plan;
    auto cached = plan_with_cache(of, input, options);
    if (cached) return cached;
    base::Error error = std::move(plan).error();
    error.message += "; with a cache of experts: " + cached.error().message;
    if (!cached.error().remedy.empty()) error.remedy = cached.error().remedy;
    return error;
}

}  // namespace

base::Result<MemoryPlan> plan_model(const PlannedFile& of, const PlanInput& input, std::uint64_t weights, const LoadOptions& options) {
    PlanInput resident = input;
    resident.weights += weights;
    if (of.config.experts == 0 || options.experts.place == ExpertPlace::resident) return plan_memory(resident, options);
    // A cache of experts needs little: only where that little does not fit may it take the larger share.
    LoadOptions share = options;
    share.needed_percent = 0;
    auto plan = plan_mixture(of, input, resident, share);
    if (plan || plan.error().code != base::Code::resource_exhausted || options.needed_percent <= options.memory_percent) return plan;
    share.memory_percent = options.needed_percent;
    return plan_mixture(of, input, resident, share);
}

}  // namespace engine
