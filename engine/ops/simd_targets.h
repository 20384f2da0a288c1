// The targets of this processor family beside ref.
#pragma once

#include <string>

#include "engine/ops/ops.h"

namespace engine {

// Null where this build has none. exact: float activations, rows independent of their batch.
const Ops* avx512_ops(bool exact);  // with VNNI and BF16
const Ops* avx2_ops(bool exact);    // with FMA and F16C

// What the processor lacks for it, as a list; empty: it runs.
std::string avx512_missing();
std::string avx2_missing();

}  // namespace engine
