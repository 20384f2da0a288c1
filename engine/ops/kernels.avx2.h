// The kernels of the avx2 target.
#pragma once

#define HEARTH_TARGET avx2
#include "engine/ops/kernels.simd.h"
