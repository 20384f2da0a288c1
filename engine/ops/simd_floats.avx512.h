// What a register of floats is to the kernels of NAME.simd.h on avx512, and what it can do. Included by .avx512.cpp files only.
#pragma once

#include "engine/ops/simd.avx512.h"

namespace engine::avx512 {

constexpr int kLanes = 16;
using Register = __m512;
using Mask = __mmask16;

HEARTH_INLINE __m512 load_floats(const float* p) { return _mm512_loadu_ps(p); }
HEARTH_INLINE void store_floats(float* p, __m512 v) { _mm512_storeu_ps(p, v); }
HEARTH_INLINE __m512 splat(float v) { return _mm512_set1_ps(v); }
HEARTH_INLINE __m512 halves(const void* p) { return _mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i*>(p))); }
HEARTH_INLINE __m512 signed_bytes(const void* p) { return to_float(_mm512_cvtepi8_epi32(_mm_loadu_si128(static_cast<const __m128i*>(p)))); }
HEARTH_INLINE __m512 bf16_values(const void* p) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(static_cast<const __m256i*>(p))), 16));
}
HEARTH_INLINE __m512 e4m3_parts(const void* p) {  // 1/256 of the values
    return _mm512_cvtph_ps(e4m3_as_halves(_mm256_cvtepi8_epi16(_mm_loadu_si128(static_cast<const __m128i*>(p)))));
}
HEARTH_INLINE __m512 fmadd(__m512 a, __m512 b, __m512 c) { return _mm512_fmadd_ps(a, b, c); }  // a·b + c
// The same with one number in memory for all lanes of a: it needs no instruction of its own.
HEARTH_INLINE __m512 fmadd_splat(const float* a, __m512 b, __m512 c) {
    asm("vfmadd231ps %2%{1to16%}, %1, %0" : "+v"(c) : "v"(b), "m"(*a));
    return c;
}
// Keeps the compiler from fusing what is rounded by itself, and from loading twice what is used twice.
HEARTH_INLINE __m512 rounded(__m512 v) {
    asm("" : "+v"(v));
    return v;
}
HEARTH_INLINE __m512 larger(__m512 a, __m512 b) { return _mm512_max_ps(a, b); }
HEARTH_INLINE __m512 choose(__mmask16 where, __m512 a, __m512 b) { return _mm512_mask_mov_ps(b, where, a); }
HEARTH_INLINE __m512 kept(__mmask16 where, __m512 v) { return _mm512_maskz_mov_ps(where, v); }
HEARTH_INLINE __mmask16 but(__mmask16 a, __mmask16 b) { return static_cast<__mmask16>(a & ~b); }  // a and not b
HEARTH_INLINE float first_of(__m512 v) { return _mm512_cvtss_f32(v); }
HEARTH_INLINE float max_of(__m512 v) { return _mm512_reduce_max_ps(v); }

// Lane i: the sum of v[i]'s lanes.
HEARTH_INLINE __m512 sums_of(const __m512* v) {
    __m512 s[8], t[4], u[2];
    HEARTH_UNROLL for (int i = 0; i < 8; ++i) {  // pairs (i, i+8) of vectors: low and high halves
        const __m512 low = _mm512_shuffle_f32x4(v[i], v[i + 8], 0x44), high = _mm512_shuffle_f32x4(v[i], v[i + 8], 0xee);
        s[i] = _mm512_add_ps(low, high);
    }
    HEARTH_UNROLL for (int i = 0; i < 4; ++i) {
        const __m512 low = _mm512_shuffle_f32x4(s[i], s[i + 4], 0x88), high = _mm512_shuffle_f32x4(s[i], s[i + 4], 0xdd);
        t[i] = _mm512_add_ps(low, high);  // quarters: v[i], v[i+8], v[i+4], v[i+12]
    }
    HEARTH_UNROLL for (int i = 0; i < 2; ++i)
        u[i] = _mm512_add_ps(_mm512_unpacklo_ps(t[i], t[i + 2]), _mm512_unpackhi_ps(t[i], t[i + 2]));
    // Within a quarter: u[i] holds (i, i+2) twice.
    const __m512d lo = _mm512_unpacklo_pd(_mm512_castps_pd(u[0]), _mm512_castps_pd(u[1]));
    const __m512d hi = _mm512_unpackhi_pd(_mm512_castps_pd(u[0]), _mm512_castps_pd(u[1]));
    const __m512 sum = _mm512_add_ps(_mm512_castpd_ps(lo), _mm512_castpd_ps(hi));
    // Lane 4q+j holds vector order[j] + {0, 8, 4, 12}[q] with order 0, 2, 1, 3.
    const __m512i order = _mm512_setr_epi32(0, 2, 1, 3, 8, 10, 9, 11, 4, 6, 5, 7, 12, 14, 13, 15);
    return _mm512_permutexvar_ps(order, sum);
}

}  // namespace engine::avx512
