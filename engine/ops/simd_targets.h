// The targets beside ref, each of one processor family.
#pragma once

#include <string>

#include "engine/ops/ops.h"

namespace engine {

// Null where this build has none. exact: float activations, rows independent of their batch.
const Ops* avx512_ops(bool exact);  // with VNNI and BF16
const Ops* avx2_ops(bool exact);    // with FMA and F16C
const Ops* i8mm_ops(bool exact);    // neon with products of two rows by two, and BF16
const Ops* neon_ops(bool exact);    // with dot products

// What the processor lacks for it, as a list; empty: it runs.
std::string avx512_missing();
std::string avx2_missing();
std::string i8mm_missing();
std::string neon_missing();

}  // namespace engine
