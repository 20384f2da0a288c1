#include "engine/ops/kernels.avx2.h"
#include "engine/ops/simd.avx2.h"

namespace engine::avx2 {
constexpr int kLanes = 8;
using Register = __m256;
}
#define HEARTH_TARGET avx2
#include "engine/ops/recurrent.simd.h"
