// Integer dot products of the i8mm kernels: smmla multiplies two rows of eight signed bytes with two others. Included by the
// .i8mm.cpp files only.
#pragma once

#include "engine/ops/simd.neon.h"

namespace engine::i8mm {

using namespace neon;

// Kinds of codes that tiles tell apart: unsigned and signed ones.
constexpr int tile_bits(int bits) { return bits == 8 ? 8 : 4; }
// Bytes from a register's words of arranged panels to the next one's: two words of four rows.
constexpr int kPartBytes = 32;

// Two words of 16 rows (four columns each) become eight registers of two rows with eight columns each.
HEARTH_INLINE void arrange(uint8_t* q, int columns) {
    for (int c = 0; c < columns; c += 8, q += 128) {
        int32x4_t first[4], second[4];
        HEARTH_UNROLL for (int p = 0; p < 4; ++p) {
            first[p] = vreinterpretq_s32_u8(load(q + 16 * p));
            second[p] = vreinterpretq_s32_u8(load(q + 64 + 16 * p));
        }
        HEARTH_UNROLL for (int p = 0; p < 4; ++p) {
            store_bytes(q + 32 * p, vreinterpretq_u8_s32(vzip1q_s32(first[p], second[p])));
            store_bytes(q + 32 * p + 16, vreinterpretq_u8_s32(vzip2q_s32(first[p], second[p])));
        }
    }
}

// Eight columns of rows 2k and 2k + 1 of N, of which the last may stand in for one that is not there.
template <int N> HEARTH_INLINE void two_rows(const int8_t* x, int n, int8x16_t (&z)[(N + 1) / 2]) {
    if constexpr (N == 4) {
        const int32x4_t first = vreinterpretq_s32_s8(vld1q_s8(x)), second = vreinterpretq_s32_s8(vld1q_s8(x + 4 * n));
        z[0] = vreinterpretq_s8_s32(vzip1q_s32(first, second));
        z[1] = vreinterpretq_s8_s32(vzip2q_s32(first, second));
    } else {
        HEARTH_UNROLL for (int k = 0; k < (N + 1) / 2; ++k) {
            int8_t room[16];
            HEARTH_UNROLL for (int i = 0; i < 2; ++i) {
                const int row = 2 * k + i < N ? 2 * k + i : N - 1;
                memcpy(room + 8 * i, x + 4 * row, 4);
                memcpy(room + 8 * i + 4, x + 4 * (n + row), 4);
            }
            z[k] = vld1q_s8(room);
        }
    }
}

// a[p][i] += w (WORDS words of the tile's rows) · x (rows i of a group of n).
template <int N, int BITS, int WORDS>
HEARTH_INLINE void multiply(const uint8_t* w, const int8_t* x, int n, Sums (&a)[kTileParts][N]) {
    constexpr int pairs = (N + 1) / 2;
    Sums square[2 * kTileParts][pairs];  // of two rows of w and two of x
    HEARTH_UNROLL for (int r = 0; r < 2 * kTileParts; ++r) HEARTH_UNROLL for (int k = 0; k < pairs; ++k) square[r][k] = vdupq_n_s32(0);
    HEARTH_UNROLL for (int j = 0; j < WORDS; j += 2) {
        int8x16_t z[pairs];
        two_rows<N>(x + j * n * 4, n, z);
        HEARTH_UNROLL for (int r = 0; r < 2 * kTileParts; ++r) {
            const int8x16_t v = vreinterpretq_s8_u8(load(w + 64 * j + 16 * r));
            HEARTH_UNROLL for (int k = 0; k < pairs; ++k) square[r][k] = vmmlaq_s32(square[r][k], v, z[k]);
        }
    }
    HEARTH_UNROLL for (int p = 0; p < kTileParts; ++p) HEARTH_UNROLL for (int k = 0; k < pairs; ++k) {
        a[p][2 * k] = vaddq_s32(a[p][2 * k], vuzp1q_s32(square[2 * p][k], square[2 * p + 1][k]));
        if (2 * k + 1 < N) a[p][2 * k + 1] = vaddq_s32(a[p][2 * k + 1], vuzp2q_s32(square[2 * p][k], square[2 * p + 1][k]));
    }
}

}  // namespace engine::i8mm
