// Which target a load takes, and what is said of it.
#pragma once

#include <initializer_list>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "engine/ops/ops.h"

namespace engine {

// The best one that runs here, or the one that was asked for.
base::Result<Target> choose_target(const LoadOptions& options);

// `plain`: the target left the reference's entry as it was.
struct NamedOp {
    const char* name;
    bool plain;
};
std::vector<TargetChoice> target_choices(const Target& target, Profile profile, std::initializer_list<NamedOp> ops);

}  // namespace engine
