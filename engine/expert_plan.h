// A decoder's memory, with its experts in it or only some of them.
#pragma once

#include "engine/memory_plan.h"
#include "engine/model/weights.h"

namespace engine {

struct PlannedFile {
    const ModelFile& file;
    const Config& config;
    const Ops& ops;
};
// As the options want the experts, or all of them in memory where they fit. `weights`: bytes of the model's where they do; input
// has what else is loaded with it.
base::Result<MemoryPlan> plan_model(const PlannedFile& of, const PlanInput& input, std::uint64_t weights, const LoadOptions& options);

}  // namespace engine
