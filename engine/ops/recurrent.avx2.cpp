#include "engine/ops/kernels.avx2.h"
#include "engine/ops/simd.avx2.h"
#include "engine/ops/recurrent.simd.h"
