// Integer dot products of the neon kernels: sdot adds four products of signed bytes to a lane; no unsigned code has more
// than seven bits. Included by the .neon.cpp files only.
#pragma once

#include "engine/ops/simd.neon.h"

namespace engine::neon {

HEARTH_INLINE Sums add_signed(Sums a, Bytes w, Bytes x) { return vdotq_s32(a, vreinterpretq_s8_u8(w), vreinterpretq_s8_u8(x)); }
HEARTH_INLINE Pairs no_pairs() { return vdupq_n_s32(0); }
HEARTH_INLINE Pairs add_pairs(Pairs a, Bytes codes, Bytes x) { return add_signed(a, codes, x); }
HEARTH_INLINE Sums widen(Sums a, Pairs pairs) { return vaddq_s32(a, pairs); }

// Kinds of codes that tiles tell apart: unsigned and signed ones.
constexpr int tile_bits(int bits) { return bits == 8 ? 8 : 4; }
// Bytes from a register's words of unpacked panels to the next one's.
constexpr int kPartBytes = 16;
HEARTH_INLINE void arrange(uint8_t*, int) {}

// a[p][i] += w (WORDS words of the tile's rows) · x (rows i of a group of n).
template <int N, int BITS, int WORDS>
HEARTH_INLINE void multiply(const uint8_t* w, const int8_t* x, int n, Sums (&a)[kTileParts][N]) {
    HEARTH_UNROLL for (int j = 0; j < WORDS; ++j) {
        const int8x16_t v[kTileParts] = {vreinterpretq_s8_u8(load(w + 64 * j)), vreinterpretq_s8_u8(load(w + 64 * j + 16))};
        if constexpr (N == 4) {
            const int8x16_t z = vld1q_s8(x + j * n * 4);
            HEARTH_UNROLL for (int p = 0; p < kTileParts; ++p) {
                a[p][0] = vdotq_laneq_s32(a[p][0], v[p], z, 0);
                a[p][1] = vdotq_laneq_s32(a[p][1], v[p], z, 1);
                a[p][2] = vdotq_laneq_s32(a[p][2], v[p], z, 2);
                a[p][3] = vdotq_laneq_s32(a[p][3], v[p], z, 3);
            }
        } else {
            HEARTH_UNROLL for (int i = 0; i < N; ++i) {
                const int8x16_t z = vreinterpretq_s8_u8(broadcast4(x + (j * n + i) * 4));
                HEARTH_UNROLL for (int p = 0; p < kTileParts; ++p) a[p][i] = vdotq_s32(a[p][i], v[p], z);
            }
        }
    }
}

}  // namespace engine::neon
