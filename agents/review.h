// Looks at what has failed since it last looked, puts together what is alike, and files an issue for each kind, with the runs that show it.
// No model takes part.
#pragma once

#include <string>
#include <vector>

#include "store/issues.h"

namespace agents {

// Failures that are alike: of the same agent or tool, in the same words but for names, numbers, paths and quoted texts. A tool's failure
// belongs to everyday work until kRunsOfTool runs show it. Pure.
inline constexpr std::size_t kRunsOfTool = 3;
std::vector<store::Cluster> clusters_of(const std::vector<store::Failure>& failures);
// The words of an error that are the same each time.
std::string pattern_of(const std::string& error);

struct Reviewed {
    std::size_t failures = 0;
    int fresh = 0, known = 0, back = 0;  // issues
};
// In one transaction of the owner; of what was looked at before nothing is counted again. The first time it looks a day back.
Reviewed review(store::Tx& tx, base::TimePoint now, const std::string& build);

}  // namespace agents
