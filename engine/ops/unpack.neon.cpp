#include "engine/ops/kernels.neon.h"
#include "engine/ops/simd.neon.h"
#include "engine/ops/unpack.simd.h"
