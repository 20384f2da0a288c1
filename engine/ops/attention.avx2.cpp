#include "engine/ops/kernels.avx2.h"
#include "engine/ops/simd.avx2.h"
#include "engine/ops/attention.simd.h"
