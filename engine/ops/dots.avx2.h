// Integer dot products of the avx2 kernels: unsigned bytes times signed ones. Products are summed in pairs
// to 16 bits, so how many of them may be added before they are widened depends on the weights' largest
// code: 127 * 2 * code must stay below 32768 divided by their number. Included by the .avx2.cpp files only.
#pragma once

#include "engine/ops/simd.avx2.h"

namespace engine::avx2 {

HEARTH_INLINE Pairs no_pairs() { return _mm256_setzero_si256(); }
// a += pairs of codes * x, in 16 bits.
HEARTH_INLINE Pairs add_pairs(Pairs a, Bytes codes, Bytes x) { return _mm256_add_epi16(a, _mm256_maddubs_epi16(codes, x)); }
// a += sums of neighbouring 16-bit values, in 32 bits.
HEARTH_INLINE Sums widen(Sums a, Pairs pairs) { return _mm256_add_epi32(a, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1))); }

// Signed bytes times signed ones: the sign of w goes to x.
HEARTH_INLINE Pairs signed_pairs(Bytes magnitude, Bytes w, Bytes x) { return _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(x, w)); }
HEARTH_INLINE Sums add_signed(Sums a, Bytes w, Bytes x) { return widen(a, signed_pairs(_mm256_abs_epi8(w), w, x)); }

// Kinds of codes that tiles tell apart.
constexpr int tile_bits(int bits) { return bits; }
// Bytes from a register's words of unpacked panels to the next one's.
constexpr int kPartBytes = 32;
HEARTH_INLINE void arrange(uint8_t*, int) {}

// a[p][i] += w (WORDS words of the tile's rows) · x (rows i of a group of n). BITS of unsigned codes; 8: signed ones.
template <int N, int BITS, int WORDS>
HEARTH_INLINE void multiply(const uint8_t* w, const int8_t* x, int n, Sums (&a)[kTileParts][N]) {
    if constexpr (BITS == 8) {
        HEARTH_UNROLL for (int j = 0; j < WORDS; ++j) {
            const Bytes v[2] = {load(w + 64 * j), load(w + 64 * j + 32)};
            const Bytes magnitude[2] = {_mm256_abs_epi8(v[0]), _mm256_abs_epi8(v[1])};
            HEARTH_UNROLL for (int i = 0; i < N; ++i) {
                const Bytes z = broadcast4(x + (j * n + i) * 4);
                HEARTH_UNROLL for (int p = 0; p < 2; ++p) a[p][i] = widen(a[p][i], signed_pairs(magnitude[p], v[p], z));
            }
        }
    } else {
        constexpr int most = BITS == 4 ? 8 : BITS == 5 ? 4 : 2, words = most < WORDS ? most : WORDS;
        HEARTH_UNROLL for (int part = 0; part < WORDS; part += words) {
            Pairs pairs[2][N];
            HEARTH_UNROLL for (int p = 0; p < 2; ++p) HEARTH_UNROLL for (int i = 0; i < N; ++i) pairs[p][i] = no_pairs();
            HEARTH_UNROLL for (int j = part; j < part + words; ++j) {
                const Bytes v[2] = {load(w + 64 * j), load(w + 64 * j + 32)};
                HEARTH_UNROLL for (int i = 0; i < N; ++i) {
                    const Bytes z = broadcast4(x + (j * n + i) * 4);
                    HEARTH_UNROLL for (int p = 0; p < 2; ++p) pairs[p][i] = add_pairs(pairs[p][i], v[p], z);
                }
            }
            HEARTH_UNROLL for (int p = 0; p < 2; ++p) HEARTH_UNROLL for (int i = 0; i < N; ++i) a[p][i] = widen(a[p][i], pairs[p][i]);
        }
    }
}

}  // namespace engine::avx2
