#include "engine/ops/kernels.neon.h"
#include "engine/ops/simd.neon.h"

namespace engine::neon {
namespace {

constexpr int sums = 16;  // at once: more than the latency of one instruction needs

}  // namespace

double peak(Arithmetic arithmetic, long rounds) {
    int8x16_t a = vdupq_n_s8(3), b = vdupq_n_s8(-2);
    float32x4_t x = vdupq_n_f32(0.5f), floats[sums];
    int32x4_t integers[sums];
    HEARTH_UNROLL for (int i = 0; i < sums; ++i) {
        integers[i] = vdupq_n_s32(0), floats[i] = vdupq_n_f32(0);
        asm volatile("" : "+w"(integers[i]), "+w"(floats[i]));  // else one sum is computed for all of them, which are alike
    }
    for (long r = 0; r < rounds; ++r) {
        asm volatile("" : "+w"(a), "+w"(x));
        if (arithmetic == Arithmetic::int8) {
            HEARTH_UNROLL for (int i = 0; i < sums; ++i) integers[i] = vdotq_s32(integers[i], a, b);
        } else {
            HEARTH_UNROLL for (int i = 0; i < sums; ++i) floats[i] = vfmaq_f32(floats[i], x, x);
        }
    }
    HEARTH_UNROLL for (int i = 0; i < sums; ++i) asm volatile("" : : "w"(integers[i]), "w"(floats[i]));
    return double(rounds) * sums * (arithmetic == Arithmetic::int8 ? 16 : 4) * 2;
}

}  // namespace engine::neon
