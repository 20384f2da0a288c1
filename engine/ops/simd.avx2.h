// Short names for the intrinsics that the .avx2.cpp files share. Included by those files only.
#pragma once

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HEARTH_INLINE static inline __attribute__((always_inline))
#define HEARTH_UNROLL _Pragma("GCC unroll 32")

namespace engine::avx2 {

HEARTH_INLINE __m256i load(const void* p) { return _mm256_load_si256(static_cast<const __m256i*>(p)); }

HEARTH_INLINE __m256i broadcast4(const void* p) {
    int v;
    memcpy(&v, p, 4);
    return _mm256_set1_epi32(v);
}

HEARTH_INLINE __m256 to_float(__m256i v) { return _mm256_cvtepi32_ps(v); }
HEARTH_INLINE __m256 half8(const void* p) { return _mm256_cvtph_ps(_mm_loadu_si128(static_cast<const __m128i*>(p))); }
HEARTH_INLINE __m256 unsigned_bytes(const void* p) {  // 8 of them as floats
    return to_float(_mm256_cvtepu8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(p))));
}
HEARTH_INLINE __m256 signed_bytes(const void* p) {
    return to_float(_mm256_cvtepi8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(p))));
}
// Codes of E4M3 of one column of 16 rows, as 1/256 of their values.
HEARTH_INLINE void fp8_column(const uint8_t* codes, __m256 (&v)[2]) {
    const __m256i words = _mm256_cvtepu8_epi16(_mm_load_si128(reinterpret_cast<const __m128i*>(codes)));
    const __m256i magnitude = _mm256_and_si256(_mm256_slli_epi16(words, 7), _mm256_set1_epi16(0x3f80));
    const __m256i half = _mm256_or_si256(magnitude, _mm256_and_si256(_mm256_slli_epi16(words, 8), _mm256_set1_epi16(static_cast<short>(0x8000))));
    v[0] = _mm256_cvtph_ps(_mm256_castsi256_si128(half));
    v[1] = _mm256_cvtph_ps(_mm256_extracti128_si256(half, 1));
}

// 8 scales E4M3, times 128: half of the values, for codes that are twice theirs.
HEARTH_INLINE __m256 half_e4m3(const uint8_t* codes) {
    const __m128i words = _mm_cvtepu8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(codes)));
    const __m128i magnitude = _mm_and_si128(_mm_slli_epi16(words, 7), _mm_set1_epi16(0x3f80));
    const __m128i sign = _mm_and_si128(_mm_slli_epi16(words, 8), _mm_set1_epi16(static_cast<short>(0x8000)));
    const __m128i nan = _mm_and_si128(_mm_cmpeq_epi16(magnitude, _mm_set1_epi16(0x3f80)), _mm_set1_epi16(0x7c00));
    return _mm256_mul_ps(_mm256_cvtph_ps(_mm_or_si128(_mm_or_si128(magnitude, sign), nan)), _mm256_set1_ps(128));
}

HEARTH_INLINE __m256i ones16() { return _mm256_set1_epi16(1); }

HEARTH_INLINE float sum_of(__m256 v) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
HEARTH_INLINE float max_of(__m256 v) {
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}
HEARTH_INLINE int sum_of(__m256i v) {
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
}

// All bits set in the first n of 8 lanes; n may be anything.
HEARTH_INLINE __m256i first_lanes(int n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

// Adds bias and what is there already (see Results), then stores the first n of 8 results.
HEARTH_INLINE void store_result(float* out, const float* bias, bool accumulate, int n, __m256 v) {
    if (n >= 8) {
        if (bias) v = _mm256_add_ps(v, _mm256_loadu_ps(bias));
        if (accumulate) v = _mm256_add_ps(v, _mm256_loadu_ps(out));
        _mm256_storeu_ps(out, v);
    } else if (n > 0) {
        const __m256i mask = first_lanes(n);
        if (bias) v = _mm256_add_ps(v, _mm256_maskload_ps(bias, mask));
        if (accumulate) v = _mm256_add_ps(v, _mm256_maskload_ps(out, mask));
        _mm256_maskstore_ps(out, mask, v);
    }
}

// 2^t to a relative error of about 2e-7: Taylor's series of degree 7 on [-1/2, 1/2], exponent by adding to
// its bits. Below 2^-126 it is 0.
HEARTH_INLINE __m256 exp2_full(__m256 t) {
    const __m256 nothing = _mm256_cmp_ps(t, _mm256_set1_ps(-126.f), _CMP_LT_OQ);
    t = _mm256_min_ps(_mm256_max_ps(t, _mm256_set1_ps(-126.f)), _mm256_set1_ps(127.f));
    const __m256 n = _mm256_round_ps(t, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC), r = _mm256_sub_ps(t, n);
    const float c[] = {1.54035304e-4f, 1.33335581e-3f, 9.61812911e-3f, 5.55041087e-2f, 2.40226507e-1f, 6.93147181e-1f, 1.f};
    __m256 p = _mm256_set1_ps(1.52527338e-5f);
    HEARTH_UNROLL for (int i = 0; i < 7; ++i) p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(c[i]));
    const __m256i exponent = _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23);
    const __m256 scaled = _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), exponent));
    return _mm256_andnot_ps(nothing, scaled);
}

}  // namespace engine::avx2
