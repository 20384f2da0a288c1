#include "engine/ops/kernels.neon.h"
#include "engine/ops/simd.neon.h"
#include "engine/ops/rows.simd.h"
