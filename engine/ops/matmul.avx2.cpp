#include "engine/ops/kernels.avx2.h"
#include "engine/ops/dots.avx2.h"
#include "engine/ops/matmul_float.simd.h"
#include "engine/ops/matmul_int8.simd.h"
