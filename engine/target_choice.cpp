#include "engine/target_choice.h"

namespace engine {

base::Result<Target> choose_target(const LoadOptions& options) {
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

std::vector<TargetChoice> target_choices(const Target& target, Profile profile, std::initializer_list<NamedOp> ops) {
    std::vector<std::string> candidates;
    for (const Target& t : targets(profile == Profile::exact)) candidates.push_back(t.available ? t.name : t.name + " (" + t.reason + ")");
    std::vector<TargetChoice> out;
    for (const auto& [name, plain] : ops) {
        if (plain && target.name != "ref")
            out.push_back({name, "ref", "no kernel of " + target.name + " for it", candidates});
        else
            out.push_back({name, target.name, target.reason, candidates});
    }
    return out;
}

}  // namespace engine
