#include "engine/ops/kernels.avx512.h"
#include "engine/ops/simd.avx512.h"

namespace engine::avx512 {
namespace {

constexpr int sums = 12;  // at once: more than two a cycle need by their latency; both kinds of them find registers

}  // namespace

double peak(Arithmetic arithmetic, long rounds) {
    __m512i a = _mm512_set1_epi8(3), b = _mm512_set1_epi8(-2), integers[sums];
    __m512 x = _mm512_set1_ps(0.5f), floats[sums];
    HEARTH_UNROLL for (int i = 0; i < sums; ++i) {
        integers[i] = _mm512_setzero_si512(), floats[i] = _mm512_setzero_ps();
        asm volatile("" : "+v"(integers[i]), "+v"(floats[i]));  // else one sum is computed for all of them, which are alike
    }
    for (long r = 0; r < rounds; ++r) {
        asm volatile("" : "+v"(a), "+v"(x));
        if (arithmetic == Arithmetic::int8) {
            HEARTH_UNROLL for (int i = 0; i < sums; ++i) integers[i] = _mm512_dpbusd_epi32(integers[i], a, b);
        } else if (arithmetic == Arithmetic::bf16) {
            HEARTH_UNROLL for (int i = 0; i < sums; ++i) floats[i] = _mm512_dpbf16_ps(floats[i], reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
        } else {
            HEARTH_UNROLL for (int i = 0; i < sums; ++i) floats[i] = _mm512_fmadd_ps(x, x, floats[i]);
        }
    }
    HEARTH_UNROLL for (int i = 0; i < sums; ++i) asm volatile("" : : "v"(integers[i]), "v"(floats[i]));
    const int products = arithmetic == Arithmetic::int8 ? 64 : arithmetic == Arithmetic::bf16 ? 32 : 16;  // of a register
    return double(rounds) * sums * products * 2;
}

}  // namespace engine::avx512
