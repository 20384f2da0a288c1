#include "engine/ops/kernels.avx512.h"
#include "engine/ops/simd.avx512.h"

namespace engine::avx512 {
constexpr int kLanes = 16;
using Register = __m512;
}
#include "engine/ops/recurrent.simd.h"
