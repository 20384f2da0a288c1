#include "engine/ops/kernels.neon.h"
#include "engine/ops/simd.neon.h"
#include "engine/ops/matvec_float.simd.h"
