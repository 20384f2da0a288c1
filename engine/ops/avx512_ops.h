// The AVX-512 target (VNNI, BF16).
#pragma once

#include <string>

#include "engine/ops/ops.h"

namespace engine {

// Null where this build has none. exact: float activations, rows independent of their batch.
const Ops* avx512_ops(bool exact);

// What the processor lacks for it, as a list; empty: it runs.
std::string avx512_missing();

}  // namespace engine
