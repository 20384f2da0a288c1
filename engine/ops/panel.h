// The packed layout of weights for the SIMD targets: panels of 16 rows, read strictly forward.
//
// A lane of 32 bits is a row: a register has 16, 8 or 4. "word j" is columns 4j … 4j+3 of each of the 16 rows, one
// byte a column, 64 bytes in all. Every part is a multiple of 64 bytes; scales lie before the data
// they belong to, so a matrix is one stream of cache lines. A matrix is its panels one after another;
// the last panel is filled up with rows of zeroes. One copy serves decode and prefill.
//
//   Q4_0, pair of 32-column blocks: | 16 f16 d | 16 f16 d' | word 0..3 | word 0..3 |
//         low nibble of byte t in word j: column 4j+t, high: 16+4j+t
//   Q4_1, block:  | 16 f16 d | 16 f16 m | word 0..3 |
//   Q5_0, pair:   | 16 f16 d | 16 f16 d' | H, word 0..3 | H, word 0..3 |
//         bit j of byte t of a lane in H: fifth bit of column 4j+t
//   Q5_1, block:  | 16 f16 d | 16 f16 m | H, word 0..3 |
//   Q8_0, pair:   | 16 f16 d | 16 f16 d' | word 0..7 | word 0..7 |   bytes hold q + 128
//   Q4_K, 256 columns: | 16 f16 d | 16 f16 dmin | P0 | P1 | P2 | chunk 0..3: word 0..7 each |
//         low 6 bits of P0/P1/P2 (4 sub-blocks x 16 rows): scales 0-3, scales 4-7, minima 0-3; their
//         top 2 bits: bits 0-1, 2-3, 4-5 of minima 4-7. Chunk c: low nibbles sub-block 2c, high 2c+1
//   Q5_K, 256 columns: as Q4_K with 8 words of fifth bits (bit s: sub-block s) before the chunks
//   Q6_K, pair of 256 columns: | 16 f16 d | 16 f16 d' | 4 quarters | 4 quarters |
//         quarter (half n, h): | 4 x 16 int8 scales of groups 0-3 | 4 x (qh word, ql word of groups
//         0 and 2, ql word of groups 1 and 3) |, columns 16h … 16h+15 of each group of 32
//   Q3_K, pair of 256 columns: | 16 f16 d | 16 f16 d' | third bits, 4 quarters | third bits, 4 quarters |
//         third bits: word 4h+j (h as in a quarter) holds columns 16h+4j … of group g of half n in bits 4n+g; quarter:
//         | 4 x 16 int8 scales of groups 0-3 | 4 words: 2 bits a group |
//   Q2_K, 256 columns: | 16 f16 d | 16 f16 dmin | 4 quarters |, as in Q3_K; scales in low nibbles, minima in high ones
//   MXFP4, IQ4_NL, IQ4_XS, per 32 columns: | 16 f32 scales | word 0..3 |, nibbles as in Q4_0
//   NVFP4, E2M1, pair of 32 columns: | 4 x 16 scales E4M3 of 16 columns each | word 0..3 | word 0..3 |
//         words 2u, 2u+1 belong to 16 columns u: low nibble of byte t in word 2u+j: column 16u+4j+t, high: 16u+8+4j+t
//   IQ1 to IQ3, TQ, pair of 256 columns: | 16 f16 d | 16 f16 d' | words | words |
//         words: what the file's block has beside d (of IQ1_M: also its four parts of d), four bytes of each row a word
//   INT4, per 32 columns: | 16 f32 scales | 16 x 4 bytes 128 - zero | word 0..3 |, nibbles as in Q4_0
//         Their scales are no halves: a power of two, a product, or any float.
//   FP8, per 32 columns: | 16 f32 256 * scales | per column 16 codes |
//         With E4M3's exponent as a half's, a code stands for 1/256 of its value. A scale is NaN where one of its codes is.
//   F16, BF16: per 2 columns 16 pairs;  F32: per column 16 values
// A pair whose second half is missing keeps the room of its scales and has no second data.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "engine/ops/quant.h"

namespace engine {

constexpr int panel_rows = 16;

// Nibbles that stand for integers, with a float scale for 32 columns.
constexpr bool has_float_scales(Format f) {
    return f == Format::mxfp4 || f == Format::iq4_nl || f == Format::iq4_xs || f == Format::int4;
}

constexpr bool has_e4m3_scales(Format f) { return f == Format::nvfp4 || f == Format::e2m1; }
constexpr bool has_quarters(Format f) { return f == Format::q6_k || f == Format::q3_k || f == Format::q2_k; }

// Of a format whose panels keep the words of its blocks: how many 256 columns have. 0: other panels.
constexpr int words_of_block(Format f) {
    switch (f) {
        case Format::iq2_xxs: case Format::tq2_0: return 16;
        case Format::iq2_xs: return 18;
        case Format::iq2_s: return 20;
        case Format::iq3_xxs: return 24;
        case Format::iq3_s: return 27;
        case Format::iq1_s: return 12;
        case Format::iq1_m: return 14;
        case Format::tq1_0: return 13;
        default: return 0;
    }
}

// Columns that share a scale.
constexpr int scale_columns(Format f) {
    return has_quarters(f) || has_e4m3_scales(f) || f == Format::iq2_xs || f == Format::iq2_s || f == Format::iq1_m ? 16 : 32;
}

// Whether a product with such panels has float activations in every profile.
constexpr bool has_float_values(Format f) { return f == Format::f32 || f == Format::f16 || f == Format::bf16 || f == Format::fp8; }

// Of a format with quarters: they come after `before` bytes of a block's data.
template <Format F> struct Quarters {
    static constexpr bool minimum = F == Format::q2_k, pair = !minimum;
    static constexpr int before = F == Format::q3_k ? 512 : 0, bytes = F == Format::q6_k ? 832 : 320, data = before + 4 * bytes;
};

// The formats above. Weights of the others stay as the file has them, and those of E2M1 that 32 columns do not divide.
bool has_panels(Format format, int columns);

// The rows of the grid of an IQ1, IQ2 or IQ3 format as kernels want them. IQ3: the magnitudes of four columns, a byte each.
// Else the codes of columns 0 … 3 in the low nibbles of four bytes, those of 4 … 7 in the high ones.
const uint32_t* grid_rows(Format format);

// Bytes of one panel of `columns` columns (a multiple of the format's block).
size_t panel_bytes(Format format, int columns);

// Packs `rows` (1 … 16) rows of file blocks, `row_bytes` apart, into one panel.
void pack_panel(Format format, const uint8_t* source, size_t row_bytes, int rows, int columns, uint8_t* panel);

}  // namespace engine
