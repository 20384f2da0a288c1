#include "engine/ops/kernels.neon.h"
#include "engine/ops/kernels.i8mm.h"
#include "engine/ops/dots.i8mm.h"

// One row gains nothing from two rows at once, and panels are unpacked as for neon.
namespace engine::i8mm {
using neon::matvec_int8;
using neon::unpack_int8;
}  // namespace engine::i8mm

#undef HEARTH_TARGET
#define HEARTH_TARGET i8mm
#include "engine/ops/matmul_int8.simd.h"
