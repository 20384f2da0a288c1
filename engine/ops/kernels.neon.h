// The kernels of the neon target, which i8mm shares but for those of kernels.i8mm.h.
#pragma once

#define HEARTH_TARGET neon
#include "engine/ops/kernels.simd.h"
