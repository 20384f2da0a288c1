#include "engine/target_choice.h"

#include <algorithm>

#include "engine/op_check.h"

namespace engine {
namespace {

base::Result<Target> find_target(const LoadOptions& options) {
    std::string names;
    for (const Target& target : targets(options.profile == Profile::exact)) {
        if (options.target.empty() ? target.available : target.name == options.target) {
            if (target.available) return target;
            return base::error(base::Code::unsupported, "target '" + target.name + "' cannot run here: " + target.reason,
                               "leave the target open to get the best one");
        }
        names += (names.empty() ? "" : ", ") + target.name;
    }
    return base::error(base::Code::invalid_argument, "target '" + options.target + "' is unknown", "known are " + names);
}

}  // namespace

base::Result<Target> choose_target(const LoadOptions& options) {
    auto target = find_target(options);
    if (!target || target->name == "ref") return target;
    Ops ops = *target->ops;
    for (const std::string& name : options.plain_ops) {
        if (!leave_to_ref(ops, name)) {
            std::string known;
            for (const std::string& one : switchable_ops()) known += (known.empty() ? "" : ", ") + one;
            return base::error(base::Code::invalid_argument, "there is no operation '" + name + "' that could be computed plainly", "known are " + known);
        }
        target->left.push_back({name, "switched off"});
    }
    Pool pool(1);
    for (const FailedOp& failed : failed_ops(ops, options.profile == Profile::exact, pool)) {
        leave_to_ref(ops, failed.name);
        target->left.push_back({failed.name, failed.reason});
    }
    if (target->left.empty()) return target;
    target->changed = std::make_shared<const Ops>(ops);
    target->ops = target->changed.get();
    return target;
}

std::vector<TargetChoice> target_choices(const Target& target, Profile profile, const std::vector<NamedOp>& ops) {
    std::vector<std::string> candidates;
    for (const Target& t : targets(profile == Profile::exact)) candidates.push_back(t.available ? t.name : t.name + " (" + t.reason + ")");
    std::vector<TargetChoice> out;
    for (const auto& [name, plain] : ops) {
        const std::string group = std::string(name) == "moe_ffn" ? "matmul" : name;  // which lie alike
        const auto left = std::ranges::find(target.left, group, &Target::Left::op);
        if (left != target.left.end())
            out.push_back({name, "ref", left->reason, candidates});
        else if (plain && target.name != "ref")
            out.push_back({name, "ref", "no kernel of " + target.name + " for it", candidates});
        else
            out.push_back({name, target.name, target.reason, candidates});
    }
    return out;
}

}  // namespace engine
