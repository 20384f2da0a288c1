#include "engine/ops/kernels.i8mm.h"
#include "engine/ops/kernels.neon.h"
#include "engine/ops/simd.neon.h"

namespace engine::i8mm {
namespace {

constexpr int sums = 16;  // at once: more than the latency of one instruction needs

}  // namespace

// Two rows by two: of eight bytes each, or of four BF16.
double peak(Arithmetic arithmetic, long rounds) {
    if (arithmetic == Arithmetic::float32) return neon::peak(arithmetic, rounds);
    int8x16_t a = vdupq_n_s8(3), b = vdupq_n_s8(-2);
    float32x4_t floats[sums];
    int32x4_t integers[sums];
    HEARTH_UNROLL for (int i = 0; i < sums; ++i) {
        integers[i] = vdupq_n_s32(0), floats[i] = vdupq_n_f32(0);
        asm volatile("" : "+w"(integers[i]), "+w"(floats[i]));  // else one sum is computed for all of them, which are alike
    }
    for (long r = 0; r < rounds; ++r) {
        asm volatile("" : "+w"(a));
        if (arithmetic == Arithmetic::int8) {
            HEARTH_UNROLL for (int i = 0; i < sums; ++i) integers[i] = vmmlaq_s32(integers[i], a, b);
        } else {
            HEARTH_UNROLL for (int i = 0; i < sums; ++i) floats[i] = vbfmmlaq_f32(floats[i], vreinterpretq_bf16_s8(a), vreinterpretq_bf16_s8(b));
        }
    }
    HEARTH_UNROLL for (int i = 0; i < sums; ++i) asm volatile("" : : "w"(integers[i]), "w"(floats[i]));
    return double(rounds) * sums * (arithmetic == Arithmetic::int8 ? 32 : 16) * 2;
}

}  // namespace engine::i8mm
