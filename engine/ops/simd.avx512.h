// Short names for the intrinsics that the .avx512.cpp files share. Included by those files only.
#pragma once

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "engine/ops/panel.h"

#define HEARTH_INLINE static inline __attribute__((always_inline))
#define HEARTH_UNROLL _Pragma("GCC unroll 32")

namespace engine::avx512 {

HEARTH_INLINE __m512i load(const void* p) { return _mm512_load_si512(p); }

HEARTH_INLINE __m512i broadcast4(const void* p) {
    int v;
    memcpy(&v, p, 4);
    return _mm512_set1_epi32(v);
}

HEARTH_INLINE __m512 to_float(__m512i v) { return _mm512_cvtepi32_ps(v); }
HEARTH_INLINE __m512 half16(const void* p) {
    return _mm512_cvtph_ps(_mm256_load_si256(static_cast<const __m256i*>(p)));
}
// Codes of E4M3 with their sign extended to 16 bits, as halves of 1/256 of their values.
HEARTH_INLINE __m256i e4m3_as_halves(__m256i words) { return _mm256_and_si256(_mm256_slli_epi16(words, 7), _mm256_set1_epi16(static_cast<short>(0xbf80))); }
HEARTH_INLINE __m512i e4m3_as_halves(__m512i words) { return _mm512_and_si512(_mm512_slli_epi16(words, 7), _mm512_set1_epi16(static_cast<short>(0xbf80))); }
// Codes of E4M3 of two columns of 16 rows, as 1/256 of their values.
HEARTH_INLINE void fp8_columns(const uint8_t* codes, __m512 (&v)[2]) {
    const __m512i half = e4m3_as_halves(_mm512_cvtepi8_epi16(_mm256_load_si256(reinterpret_cast<const __m256i*>(codes))));
    v[0] = _mm512_cvtph_ps(_mm512_castsi512_si256(half));
    v[1] = _mm512_cvtph_ps(_mm512_extracti64x4_epi64(half, 1));
}

// 16 scales E4M3, times 128: half of the values, for codes that are twice theirs.
HEARTH_INLINE __m512 half_e4m3(const uint8_t* codes) {
    const __m256i half = e4m3_as_halves(_mm256_cvtepi8_epi16(_mm_load_si128(reinterpret_cast<const __m128i*>(codes)))), most = _mm256_set1_epi16(0x3f80);
    const __m256i nan = _mm256_and_si256(_mm256_cmpeq_epi16(_mm256_and_si256(half, most), most), _mm256_set1_epi16(0x7c00));
    return _mm512_mul_ps(_mm512_cvtph_ps(_mm256_or_si256(half, nan)), _mm512_set1_ps(128));
}

HEARTH_INLINE __m512i or_and(__m512i a, __m512i b, __m512i mask) {  // a | (b & mask)
    return _mm512_ternarylogic_epi64(a, b, mask, 0xF8);
}
HEARTH_INLINE float sum_of(__m512 v) { return _mm512_reduce_add_ps(v); }
template <int I> HEARTH_INLINE __m512 unsigned_bytes(__m512i v) {  // quarter I of v as 16 floats
    return to_float(_mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(v, I)));
}

// Adds bias and what is there already (see Results), then stores 16 results cut by the mask.
HEARTH_INLINE void store_result(float* out, const float* bias, bool accumulate, __mmask16 mask, __m512 v) {
    if (bias) v = _mm512_add_ps(v, _mm512_maskz_loadu_ps(mask, bias));
    if (accumulate) v = _mm512_add_ps(v, _mm512_maskz_loadu_ps(mask, out));
    _mm512_mask_storeu_ps(out, mask, v);
}
// The first n of 16 lanes; n may be anything.
HEARTH_INLINE __mmask16 first_lanes(int n) { return n >= 16 ? 0xffff : n <= 0 ? 0 : static_cast<__mmask16>((1u << n) - 1); }

// The fifth bit of 64 codes: adds 16 where a byte of h has a bit of `bit`.
HEARTH_INLINE __m512i add_sixteen(__m512i low, __m512i h, __m512i bit) {
    return _mm512_mask_add_epi8(low, _mm512_test_epi8_mask(h, bit), low, _mm512_set1_epi8(16));
}
HEARTH_INLINE __m512i add_fifth(__m512i low, __m512i h, int bit) {
    return add_sixteen(low, h, _mm512_set1_epi8(static_cast<char>(1 << bit)));
}

// Nibbles of a format with float scales as its integers + 128. `help`: its table, or the offsets of INT4.
template <Format F> HEARTH_INLINE __m512i code_help(const uint8_t* offsets) {
    if constexpr (F == Format::int4) return load(offsets);
    const __m128i table = _mm_loadu_si128(reinterpret_cast<const __m128i*>(F == Format::iq4_nl ? kNonLinear : kTwiceE2m1));
    return _mm512_xor_si512(_mm512_broadcast_i32x4(table), _mm512_set1_epi8(-128));
}
template <Format F> HEARTH_INLINE __m512i raised_code(__m512i nibbles, __m512i help) {
    return F == Format::int4 ? _mm512_add_epi8(nibbles, help) : _mm512_shuffle_epi8(help, nibbles);
}

// Codes of word j of the four groups of quarter (n, h) of a block.
template <Format F> HEARTH_INLINE void quarter_words(const uint8_t* block, int n, int h, int j, __m512i (&v)[4]) {
    using Q = Quarters<F>;
    const uint8_t* w = block + Q::before + Q::bytes * (2 * n + h) + 64;
    if constexpr (F == Format::q6_k) {
        const __m512i low = _mm512_set1_epi8(15), two = _mm512_set1_epi8(48);
        const __m512i top = load(w + 192 * j), l0 = load(w + 192 * j + 64), l1 = load(w + 192 * j + 128);
        const __m512i u0 = _mm512_and_si512(_mm512_srli_epi16(l0, 4), low), u1 = _mm512_and_si512(_mm512_srli_epi16(l1, 4), low);
        v[0] = or_and(_mm512_and_si512(l0, low), _mm512_slli_epi16(top, 4), two);
        v[1] = or_and(_mm512_and_si512(l1, low), _mm512_slli_epi16(top, 2), two);
        v[2] = or_and(u0, top, two);
        v[3] = or_and(u1, _mm512_srli_epi16(top, 2), two);
    } else {
        const __m512i two = _mm512_set1_epi8(3), codes = load(w + 64 * j);
        v[0] = _mm512_and_si512(codes, two);
        v[1] = _mm512_and_si512(_mm512_srli_epi16(codes, 2), two);
        v[2] = _mm512_and_si512(_mm512_srli_epi16(codes, 4), two);
        v[3] = _mm512_and_si512(_mm512_srli_epi16(codes, 6), two);
        if constexpr (F == Format::q3_k) {
            const __m512i four = _mm512_set1_epi8(4), third = _mm512_srl_epi16(load(block + 256 * h + 64 * j), _mm_cvtsi32_si128(4 * n));
            v[0] = or_and(v[0], _mm512_slli_epi16(third, 2), four);
            v[1] = or_and(v[1], _mm512_slli_epi16(third, 1), four);
            v[2] = or_and(v[2], third, four);
            v[3] = or_and(v[3], _mm512_srli_epi16(third, 1), four);
        }
    }
}

// Scale and minimum of group g of a quarter.
template <Format F> HEARTH_INLINE void quarter_scale(const uint8_t* quarter, int g, __m512 d, __m512 dmin, __m512* scale, __m512* minimum) {
    const __m128i bytes = _mm_load_si128(reinterpret_cast<const __m128i*>(quarter + 16 * g));
    if constexpr (Quarters<F>::minimum) {
        const __m512i both = _mm512_cvtepu8_epi32(bytes);
        *scale = _mm512_mul_ps(d, to_float(_mm512_and_si512(both, _mm512_set1_epi32(15))));
        *minimum = _mm512_mul_ps(dmin, to_float(_mm512_srli_epi32(both, 4)));
    } else {
        *scale = _mm512_mul_ps(d, to_float(_mm512_cvtepi8_epi32(bytes)));
    }
}

// 2^t to a relative error of about 2e-7: Taylor's series of degree 7 on [-1/2, 1/2], exponent by scaling.
HEARTH_INLINE __m512 exp2_full(__m512 t) {
    t = _mm512_min_ps(_mm512_max_ps(t, _mm512_set1_ps(-150.f)), _mm512_set1_ps(127.f));
    const __m512 n = _mm512_roundscale_ps(t, 8), r = _mm512_sub_ps(t, n);
    const float c[] = {1.54035304e-4f, 1.33335581e-3f, 9.61812911e-3f, 5.55041087e-2f, 2.40226507e-1f, 6.93147181e-1f, 1.f};
    __m512 p = _mm512_set1_ps(1.52527338e-5f);
    HEARTH_UNROLL for (int i = 0; i < 7; ++i) p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(c[i]));
    return _mm512_scalef_ps(p, n);
}

// Scales and minima of a 256-column K block, 6 bits each, four sub-blocks x 16 rows a register.
struct KScales {
    __m512i scale[2], minimum[2];
};
HEARTH_INLINE KScales k_scales(const uint8_t* head) {
    const __m512i six = _mm512_set1_epi8(63);
    const __m512i p0 = load(head + 64), p1 = load(head + 128), p2 = load(head + 192);
    __m512i high = _mm512_and_si512(_mm512_srli_epi16(p0, 6), _mm512_set1_epi8(3));
    high = or_and(high, _mm512_srli_epi16(p1, 4), _mm512_set1_epi8(12));
    high = or_and(high, _mm512_srli_epi16(p2, 2), _mm512_set1_epi8(48));
    return {{_mm512_and_si512(p0, six), _mm512_and_si512(p1, six)}, {_mm512_and_si512(p2, six), high}};
}

}  // namespace engine::avx512
