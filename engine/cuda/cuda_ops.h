// The operations computed on a CUDA device. `exact`: as in targets().
#pragma once

#include "engine/ops/ops.h"

namespace engine {

const Ops& cuda_ops(bool exact);

}  // namespace engine
