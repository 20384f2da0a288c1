#include "tested_targets.h"

namespace engine {

std::vector<Target> tested_targets(bool exact) { return targets(exact); }

}  // namespace engine
