// One block of each format to floats; the table of formats is in quant.cpp.
#pragma once

#include "engine/ops/quant.h"

namespace engine::blocks {

using Block = const std::uint8_t*;

void q8_0(Block b, float* out);
void q4_0(Block b, float* out);
void q4_1(Block b, float* out);
void q5_0(Block b, float* out);
void q5_1(Block b, float* out);
void q2_k(Block b, float* out);
void q3_k(Block b, float* out);
// 32 bytes of third bits, 64 bytes of 2-bit codes, then 16 scales of 6 bits less 32 (low nibbles in 8 bytes, high bit pairs in 4):
// the one of the 16 values from 16j on.
HEARTH_BOTH inline int q3_k_scale(Block b, int j) {
    Block scales = b + 96;
    const int low = scales[j % 8] >> j / 8 * 4 & 15, high = scales[8 + j % 4] >> j / 4 * 2 & 3;
    return (low | high << 4) - 32;
}
void q4_k(Block b, float* out);
void q5_k(Block b, float* out);
void q6_k(Block b, float* out);
void tq1_0(Block b, float* out);
void tq2_0(Block b, float* out);
void iq4_nl(Block b, float* out);
void iq4_xs(Block b, float* out);
// d f16, then eight scales of 6 bits less 32 (u16 of high bit pairs, 4 bytes of low nibbles): the one of the 32 values from 32j on.
HEARTH_BOTH inline float iq4_xs_scale(Block b, int j) {
    const int low = b[4 + j / 2] >> j % 2 * 4 & 15, high = load_u16(b + 2) >> 2 * j & 3;
    return half_to_float(load_u16(b)) * float((low | high << 4) - 32);
}
void mxfp4(Block b, float* out);
void nvfp4(Block b, float* out);
void int4(Block b, float* out);
void fp8(Block b, float* out);
void e2m1(Block b, float* out);
void iq2_xxs(Block b, float* out);
void iq2_xs(Block b, float* out);
void iq2_s(Block b, float* out);
void iq3_xxs(Block b, float* out);
void iq3_s(Block b, float* out);
void iq1_s(Block b, float* out);
void iq1_m(Block b, float* out);
// d f16, from the top nibbles of the four u16 behind 48 bytes.
HEARTH_BOTH inline std::uint16_t iq1_m_scale(Block b) {
    unsigned bits = 0;
    for (int i = 0; i < 4; ++i) bits |= unsigned(load_u16(b + 48 + 2 * i) >> 12) << 4 * i;
    return std::uint16_t(bits);
}

// Rows of the grids that the IQ formats index, rising. Eight values of 2 bits: 0, 1, 2 stand for 8, 25, 43 (IQ2) or
// -1, 0, 1 (IQ1). Four values of 3 bits: c stands for 2c + 1 (IQ3_S), or 8c + 4, the last for 62 (IQ3_XXS).
extern const std::uint16_t iq2_xxs_grid[256], iq2_xs_grid[512], iq2_s_grid[1024], iq1_grid[2048];
extern const std::uint16_t iq3_xxs_grid[256], iq3_s_grid[512];

}  // namespace engine::blocks
