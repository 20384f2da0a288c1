// What a register is to the kernels of NAME.simd.h on avx2, and what it can do. Included by the .avx2.cpp files only.
#pragma once

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "engine/ops/quant.h"

#define HEARTH_INLINE static inline __attribute__((always_inline))
#define HEARTH_UNROLL _Pragma("GCC unroll 32")

namespace engine::avx2 {

constexpr int kLanes = 8;           // floats of a register, and rows of one of bytes: four columns of each
constexpr int kParts = 16 / kLanes;  // registers of a panel's rows
constexpr int kTileParts = kParts;   // of which a tile of int8 products takes so many at once
constexpr int kTileWidth = 4;        // rows of activations of a tile
constexpr int kFewRows = 4;          // that meet the panels' codes as they are made: up to here that is faster than unpacking first
constexpr int kFewFloatRows = 8;     // the same of float weights
constexpr int kDoubles = kLanes / 2;
using Register = __m256;
using Bytes = __m256i;
using Sums = __m256i;    // of products of bytes, 32 bits
using Pairs = __m256i;   // sums on their way to them
using Mask = __m256i;
using Doubles = __m256d;
typedef long long Longs __attribute__((vector_size(sizeof(Doubles))));

HEARTH_INLINE __m256i load(const void* p) { return _mm256_load_si256(static_cast<const __m256i*>(p)); }
HEARTH_INLINE void store_bytes(void* p, __m256i v) { _mm256_store_si256(static_cast<__m256i*>(p), v); }
HEARTH_INLINE __m256 load_floats(const float* p) { return _mm256_loadu_ps(p); }
HEARTH_INLINE void store_floats(float* p, __m256 v) { _mm256_storeu_ps(p, v); }
HEARTH_INLINE __m256 splat(float v) { return _mm256_set1_ps(v); }
HEARTH_INLINE __m256i splat_byte(int v) { return _mm256_set1_epi8(static_cast<char>(v)); }
HEARTH_INLINE __m256i splat_int(int v) { return _mm256_set1_epi32(v); }
HEARTH_INLINE __m256i table(const int8_t (&values)[16]) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(values)));
}
// Bytes of a table by their numbers, below 16.
HEARTH_INLINE __m256i look_up(__m256i table, __m256i at) { return _mm256_shuffle_epi8(table, at); }
HEARTH_INLINE __m256i add_bytes(__m256i a, __m256i b) { return _mm256_add_epi8(a, b); }
// Bytes moved by bits; those that come from a neighbour are masked away by the caller.
template <int N> HEARTH_INLINE __m256i up(__m256i v) { return _mm256_slli_epi16(v, N); }
template <int N> HEARTH_INLINE __m256i down(__m256i v) { return _mm256_srli_epi16(v, N); }
HEARTH_INLINE __m256i down_by(__m256i v, int n) { return _mm256_srl_epi16(v, _mm_cvtsi32_si128(n)); }
// Column t of the four of each row.
HEARTH_INLINE __m256i column_of(__m256i word, int t, bool is_signed) {
    const __m256i top = _mm256_slli_epi32(word, 24 - 8 * t);
    return is_signed ? _mm256_srai_epi32(top, 24) : _mm256_srli_epi32(top, 24);
}
// Low and high four bits of kLanes bytes.
HEARTH_INLINE __m256i low_fours(const uint8_t* p) {
    return _mm256_and_si256(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))), _mm256_set1_epi32(15));
}
HEARTH_INLINE __m256i high_fours(const uint8_t* p) {
    return _mm256_srli_epi32(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))), 4);
}

HEARTH_INLINE __m256i add_ints(__m256i a, __m256i b) { return _mm256_add_epi32(a, b); }
HEARTH_INLINE float first_of(__m256 v) { return _mm256_cvtss_f32(v); }
HEARTH_INLINE __m256 fmadd(__m256 a, __m256 b, __m256 c) { return _mm256_fmadd_ps(a, b, c); }    // a·b + c
HEARTH_INLINE __m256 fmadd_splat(const float* a, __m256 b, __m256 c) { return fmadd(splat(*a), b, c); }
HEARTH_INLINE __m256 fnmadd(__m256 a, __m256 b, __m256 c) { return _mm256_fnmadd_ps(a, b, c); }  // c - a·b
HEARTH_INLINE __m256 fmsub(__m256 a, __m256 b, __m256 c) { return _mm256_fmsub_ps(a, b, c); }    // a·b - c
HEARTH_INLINE __m256 smaller(__m256 a, __m256 b) { return _mm256_min_ps(a, b); }
HEARTH_INLINE __m256 larger(__m256 a, __m256 b) { return _mm256_max_ps(a, b); }
HEARTH_INLINE __m256 magnitude(__m256 v) { return _mm256_andnot_ps(_mm256_set1_ps(-0.f), v); }
HEARTH_INLINE __m256i is_positive(__m256 v) { return _mm256_castps_si256(_mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_GT_OQ)); }
HEARTH_INLINE __m256 choose(__m256i where, __m256 a, __m256 b) { return _mm256_blendv_ps(b, a, _mm256_castsi256_ps(where)); }
HEARTH_INLINE __m256 kept(__m256i where, __m256 v) { return _mm256_and_ps(v, _mm256_castsi256_ps(where)); }
HEARTH_INLINE __m256i but(__m256i a, __m256i b) { return _mm256_andnot_si256(b, a); }  // a and not b
// Keeps the compiler from fusing what is rounded by itself.
HEARTH_INLINE __m256 rounded(__m256 v) {
    asm("" : "+x"(v));
    return v;
}

HEARTH_INLINE __m256i broadcast4(const void* p) {
    int v;
    memcpy(&v, p, 4);
    return _mm256_set1_epi32(v);
}

HEARTH_INLINE __m256 to_float(__m256i v) { return _mm256_cvtepi32_ps(v); }
HEARTH_INLINE __m256 halves(const void* p) { return _mm256_cvtph_ps(_mm_loadu_si128(static_cast<const __m128i*>(p))); }
HEARTH_INLINE __m256 unsigned_bytes(const void* p) {  // 8 of them as floats
    return to_float(_mm256_cvtepu8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(p))));
}
HEARTH_INLINE __m256 signed_bytes(const void* p) {
    return to_float(_mm256_cvtepi8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(p))));
}
HEARTH_INLINE __m256 bf16_values(const void* p) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(static_cast<const __m128i*>(p))), 16));
}
// Codes of E4M3 with their sign extended to 16 bits, as halves of 1/256 of their values.
HEARTH_INLINE __m128i e4m3_as_halves(__m128i words) { return _mm_and_si128(_mm_slli_epi16(words, 7), _mm_set1_epi16(static_cast<short>(0xbf80))); }
HEARTH_INLINE __m256i e4m3_as_halves(__m256i words) { return _mm256_and_si256(_mm256_slli_epi16(words, 7), _mm256_set1_epi16(static_cast<short>(0xbf80))); }
HEARTH_INLINE __m256 e4m3_parts(const void* p) {  // 1/256 of the values
    return _mm256_cvtph_ps(e4m3_as_halves(_mm_cvtepi8_epi16(_mm_loadl_epi64(static_cast<const __m128i*>(p)))));
}
// Codes of E4M3 of one column of 16 rows, as 1/256 of their values.
HEARTH_INLINE void fp8_column(const uint8_t* codes, __m256 (&v)[2]) {
    const __m256i half = e4m3_as_halves(_mm256_cvtepi8_epi16(_mm_load_si128(reinterpret_cast<const __m128i*>(codes))));
    v[0] = _mm256_cvtph_ps(_mm256_castsi256_si128(half));
    v[1] = _mm256_cvtph_ps(_mm256_extracti128_si256(half, 1));
}

// 8 scales E4M3, times 128: half of the values, for codes that are twice theirs.
HEARTH_INLINE __m256 half_e4m3(const uint8_t* codes) {
    const __m128i half = e4m3_as_halves(_mm_cvtepi8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(codes)))), most = _mm_set1_epi16(0x3f80);
    const __m128i nan = _mm_and_si128(_mm_cmpeq_epi16(_mm_and_si128(half, most), most), _mm_set1_epi16(0x7c00));
    return _mm256_mul_ps(_mm256_cvtph_ps(_mm_or_si128(half, nan)), _mm256_set1_ps(128));
}

// Columns c and c + 1 of a row, which lie in a word of its lane.
template <Format F> HEARTH_INLINE void two_columns(const void* word, __m256 (&v)[2]) {
    const __m256i pair = load(word);
    if constexpr (F == Format::f16) {
        const __m256i order = _mm256_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15, 0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
        const __m256i sorted = _mm256_permute4x64_epi64(_mm256_shuffle_epi8(pair, order), 0xd8);
        v[0] = _mm256_cvtph_ps(_mm256_castsi256_si128(sorted));
        v[1] = _mm256_cvtph_ps(_mm256_extracti128_si256(sorted, 1));
    } else {
        v[0] = _mm256_castsi256_ps(_mm256_slli_epi32(pair, 16));
        v[1] = _mm256_castsi256_ps(_mm256_and_si256(pair, _mm256_set1_epi32(static_cast<int>(0xffff0000u))));
    }
}

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

// Lane i: the sum of v[i]'s lanes.
HEARTH_INLINE __m256 sums_of(const __m256* v) {
    const __m256 a = _mm256_hadd_ps(_mm256_hadd_ps(v[0], v[1]), _mm256_hadd_ps(v[2], v[3]));
    const __m256 b = _mm256_hadd_ps(_mm256_hadd_ps(v[4], v[5]), _mm256_hadd_ps(v[6], v[7]));
    return _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
}

// All bits set in the first n of 8 lanes; n may be anything.
HEARTH_INLINE __m256i first_lanes(int n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

// The first n of 8 floats, the others 0; n may be anything.
HEARTH_INLINE __m256 some(const float* p, long n) {
    return n >= 8 ? _mm256_loadu_ps(p) : _mm256_maskload_ps(p, first_lanes(static_cast<int>(n)));
}
HEARTH_INLINE void store_some(float* p, long n, __m256 v) {
    if (n >= 8) _mm256_storeu_ps(p, v);
    else _mm256_maskstore_ps(p, first_lanes(static_cast<int>(n)), v);
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

// The first n of 4 floats times a factor, rounded to float.
HEARTH_INLINE __m256d doubles(const float* p, int n, float factor) {
    return _mm256_cvtps_pd(_mm_mul_ps(_mm_maskload_ps(p, _mm256_castsi256_si128(first_lanes(n))), _mm_set1_ps(factor)));
}
// The first n of 4 doubles, as floats times a factor.
HEARTH_INLINE void store_doubles(float* p, int n, __m256d v, float factor) {
    _mm_maskstore_ps(p, _mm256_castsi256_si128(first_lanes(n)), _mm_mul_ps(_mm256_cvtpd_ps(v), _mm_set1_ps(factor)));
}
HEARTH_INLINE __m256d splat(double v) { return _mm256_set1_pd(v); }
HEARTH_INLINE __m256d fmadd(__m256d a, __m256d b, __m256d c) { return _mm256_fmadd_pd(a, b, c); }
HEARTH_INLINE __m256d fnmadd(__m256d a, __m256d b, __m256d c) { return _mm256_fnmadd_pd(a, b, c); }
HEARTH_INLINE __m256d to_nearest(__m256d v) { return _mm256_round_pd(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
HEARTH_INLINE Longs to_longs(__m256d v) { return (Longs)_mm256_cvtepi32_epi64(_mm256_cvtpd_epi32(v)); }

}  // namespace engine::avx2
