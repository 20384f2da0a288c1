#include "engine/ops/kernels.neon.h"
#include "engine/ops/dots.neon.h"
#include "engine/ops/matvec.simd.h"
