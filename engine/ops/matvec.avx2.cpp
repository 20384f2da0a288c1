#include "engine/ops/kernels.avx2.h"
#include "engine/ops/dots.avx2.h"
#include "engine/ops/matvec.simd.h"
