#pragma once

#include <vector>

#include "engine/ops/ops.h"

namespace engine {

// The targets that are held against ref: those of this processor, or, in a program of its own, the emulated CUDA target.
std::vector<Target> tested_targets(bool exact);

}  // namespace engine
