#include "engine/ops/kernels.neon.h"
#include "engine/ops/dots.neon.h"
#include "engine/ops/matmul_float.simd.h"
#include "engine/ops/matmul_int8.simd.h"
