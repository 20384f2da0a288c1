// Which target a load takes, and what is said of it.
#pragma once

#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "engine/ops/op_list.h"

namespace engine {

// The best one that runs here, or the one that was asked for.
base::Result<Target> choose_target(const LoadOptions& options);

// `plain`: the target left the reference's entry as it was.
struct NamedOp {
    const char* name;
    bool plain;
};
std::vector<TargetChoice> target_choices(const Target& target, Profile profile, const std::vector<NamedOp>& ops);

// list: of op_list.h
template <class List>
std::vector<TargetChoice> target_choices(const Target& target, Profile profile, const List& list) {
    std::vector<NamedOp> ops;
    each_op(list, [&](const auto& listed) { ops.push_back({listed.name, target.ops->*listed.op == ref_ops().*listed.op}); });
    return target_choices(target, profile, ops);
}

}  // namespace engine
