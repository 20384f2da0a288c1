// Integer dot products of the avx2 kernels: unsigned bytes times signed ones. Products are summed in pairs
// to 16 bits, so how many of them may be added before they are widened depends on the weights' largest
// code: 127 * 2 * code must stay below 32768 divided by their number. Included by the .avx2.cpp files only.
#pragma once

#include "engine/ops/panel.h"
#include "engine/ops/simd.avx2.h"

namespace engine::avx2 {

// a += pairs of codes * x, in 16 bits.
HEARTH_INLINE __m256i add_pairs(__m256i a, __m256i codes, __m256i x) {
    return _mm256_add_epi16(a, _mm256_maddubs_epi16(codes, x));
}
// a += sums of neighbouring 16-bit values, in 32 bits.
HEARTH_INLINE __m256i widen(__m256i a, __m256i pairs) { return _mm256_add_epi32(a, _mm256_madd_epi16(pairs, ones16())); }

// Signed bytes times signed ones: the sign of w goes to x.
HEARTH_INLINE __m256i signed_pairs(__m256i magnitude, __m256i w, __m256i x) {
    return _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(x, w));
}

HEARTH_INLINE __m256i low_nibbles(__m256i v) { return _mm256_and_si256(v, _mm256_set1_epi8(15)); }
HEARTH_INLINE __m256i high_nibbles(__m256i v) { return low_nibbles(_mm256_srli_epi16(v, 4)); }

// Nibbles of a format with float scales as its integers. `help`: its table, or the offsets of INT4 less 128.
template <Format F> HEARTH_INLINE __m256i code_help(const uint8_t* offsets) {
    if constexpr (F == Format::int4) return _mm256_xor_si256(load(offsets), _mm256_set1_epi8(-128));
    return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(F == Format::iq4_nl ? kNonLinear : kTwiceE2m1)));
}
template <Format F> HEARTH_INLINE __m256i signed_code(__m256i nibbles, __m256i help) {
    return F == Format::int4 ? _mm256_add_epi8(nibbles, help) : _mm256_shuffle_epi8(help, nibbles);
}

// Adds 16 where bit `bit` of a byte of h is set.
template <int bit> HEARTH_INLINE __m256i add_fifth(__m256i low, __m256i h) {
    const __m256i moved = bit < 4 ? _mm256_slli_epi16(h, bit < 4 ? 4 - bit : 0) : _mm256_srli_epi16(h, bit < 4 ? 0 : bit - 4);
    return _mm256_or_si256(low, _mm256_and_si256(moved, _mm256_set1_epi8(16)));
}

// Codes of Q6_K: four bits from l, two more at bits 4 and 5 of h.
HEARTH_INLINE __m256i six_bits(__m256i l, __m256i h) { return _mm256_or_si256(l, _mm256_and_si256(h, _mm256_set1_epi8(48))); }

// Codes of word j of the four groups of quarter (n, h) of a block: rows 8 half … 8 half + 7.
template <Format F> HEARTH_INLINE void quarter_words(const uint8_t* block, int n, int h, int j, int half, __m256i (&v)[4]) {
    using Q = Quarters<F>;
    const uint8_t* w = block + Q::before + Q::bytes * (2 * n + h) + 64 + 32 * half;
    if constexpr (F == Format::q6_k) {
        const __m256i top = load(w + 192 * j), l0 = load(w + 192 * j + 64), l1 = load(w + 192 * j + 128);
        v[0] = six_bits(low_nibbles(l0), _mm256_slli_epi16(top, 4));
        v[1] = six_bits(low_nibbles(l1), _mm256_slli_epi16(top, 2));
        v[2] = six_bits(high_nibbles(l0), top);
        v[3] = six_bits(high_nibbles(l1), _mm256_srli_epi16(top, 2));
    } else {
        const __m256i two = _mm256_set1_epi8(3), codes = load(w + 64 * j);
        v[0] = _mm256_and_si256(codes, two);
        v[1] = _mm256_and_si256(_mm256_srli_epi16(codes, 2), two);
        v[2] = _mm256_and_si256(_mm256_srli_epi16(codes, 4), two);
        v[3] = _mm256_and_si256(_mm256_srli_epi16(codes, 6), two);
        if constexpr (F == Format::q3_k) {
            const __m256i four = _mm256_set1_epi8(4);
            const __m256i third = _mm256_srl_epi16(load(block + 256 * h + 64 * j + 32 * half), _mm_cvtsi32_si128(4 * n));
            v[0] = _mm256_or_si256(v[0], _mm256_and_si256(_mm256_slli_epi16(third, 2), four));
            v[1] = _mm256_or_si256(v[1], _mm256_and_si256(_mm256_slli_epi16(third, 1), four));
            v[2] = _mm256_or_si256(v[2], _mm256_and_si256(third, four));
            v[3] = _mm256_or_si256(v[3], _mm256_and_si256(_mm256_srli_epi16(third, 1), four));
        }
    }
}

// Scale and minimum of 8 rows in a group of a quarter.
template <Format F> HEARTH_INLINE void quarter_scale(const uint8_t* bytes, __m256 d, __m256 dmin, __m256* scale, __m256* minimum) {
    if constexpr (Quarters<F>::minimum) {
        const __m256i both = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes)));
        *scale = _mm256_mul_ps(d, to_float(_mm256_and_si256(both, _mm256_set1_epi32(15))));
        *minimum = _mm256_mul_ps(dmin, to_float(_mm256_srli_epi32(both, 4)));
    } else {
        *scale = _mm256_mul_ps(d, signed_bytes(bytes));
    }
}

// Scales and minima of a 256-column K block as bytes: sub-block x 16 rows (see panel.h).
struct KScales {
    alignas(32) uint8_t scale[8][16], minimum[8][16];
};
HEARTH_INLINE void k_scales(const uint8_t* head, KScales& to) {
    const __m256i six = _mm256_set1_epi8(63);
    HEARTH_UNROLL for (int i = 0; i < 2; ++i) {  // two sub-blocks
        const __m256i p0 = load(head + 64 + 32 * i), p1 = load(head + 128 + 32 * i), p2 = load(head + 192 + 32 * i);
        __m256i high = _mm256_and_si256(_mm256_srli_epi16(p0, 6), _mm256_set1_epi8(3));
        high = _mm256_or_si256(high, _mm256_and_si256(_mm256_srli_epi16(p1, 4), _mm256_set1_epi8(12)));
        high = _mm256_or_si256(high, _mm256_and_si256(_mm256_srli_epi16(p2, 2), _mm256_set1_epi8(48)));
        _mm256_store_si256(reinterpret_cast<__m256i*>(to.scale[2 * i]), _mm256_and_si256(p0, six));
        _mm256_store_si256(reinterpret_cast<__m256i*>(to.scale[4 + 2 * i]), _mm256_and_si256(p1, six));
        _mm256_store_si256(reinterpret_cast<__m256i*>(to.minimum[2 * i]), _mm256_and_si256(p2, six));
        _mm256_store_si256(reinterpret_cast<__m256i*>(to.minimum[4 + 2 * i]), high);
    }
}

}  // namespace engine::avx2
