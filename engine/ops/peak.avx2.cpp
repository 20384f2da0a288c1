#include "engine/ops/kernels.avx2.h"
#include "engine/ops/simd.avx2.h"

namespace engine::avx2 {
namespace {

constexpr int sums = 10;  // at once, with two factors and a product: as many as there are registers

}  // namespace

// Bytes are multiplied in pairs, whose sums of 16 bits are seldom widened; there are no products of BF16.
double peak(Arithmetic arithmetic, long rounds) {
    __m256i a = _mm256_set1_epi8(3), b = _mm256_set1_epi8(-2), integers[sums];
    __m256 x = _mm256_set1_ps(0.5f), floats[sums];
    HEARTH_UNROLL for (int i = 0; i < sums; ++i) {
        integers[i] = _mm256_setzero_si256(), floats[i] = _mm256_setzero_ps();
        asm volatile("" : "+x"(integers[i]), "+x"(floats[i]));  // else one sum is computed for all of them, which are alike
    }
    for (long r = 0; r < rounds; ++r) {
        asm volatile("" : "+x"(a), "+x"(x));
        if (arithmetic == Arithmetic::int8) {
            HEARTH_UNROLL for (int i = 0; i < sums; ++i) {
                __m256i product = _mm256_maddubs_epi16(a, b);
                asm volatile("" : "+x"(product));  // each sum has a product of its own
                integers[i] = _mm256_add_epi16(integers[i], product);
            }
        } else {
            HEARTH_UNROLL for (int i = 0; i < sums; ++i) floats[i] = _mm256_fmadd_ps(x, x, floats[i]);
        }
    }
    HEARTH_UNROLL for (int i = 0; i < sums; ++i) asm volatile("" : : "x"(integers[i]), "x"(floats[i]));
    return double(rounds) * sums * (arithmetic == Arithmetic::int8 ? 32 : 8) * 2;
}

}  // namespace engine::avx2
