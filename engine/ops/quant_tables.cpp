// Formats whose codes stand for values of a table: ggml's IQ formats and the 4-bit floats.
#include <array>

#include "engine/ops/quant_blocks.h"

namespace engine::blocks {
namespace {

std::uint32_t load_u32(Block p) {
    std::uint32_t value;
    std::memcpy(&value, p, 4);
    return value;
}

// As floats, because the ninth is -0.
constexpr float kE2m1[16] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0.0f, -0.5f, -1, -1.5f, -2, -3, -4, -6};

// 2n values: n low nibbles, then the high ones.
template <class Value>
void nibbles(Block q, int n, const Value (&values)[16], float step, float* out) {
    for (int i = 0; i < n; ++i) {
        out[i] = step * float(values[q[i] & 15]);
        out[i + n] = step * float(values[q[i] >> 4]);
    }
}

// Seven signs as they are, the eighth makes their number even.
unsigned eight_signs(unsigned seven) { return seven | unsigned(__builtin_parity(seven)) << 7; }

float with_sign(float value, unsigned signs, int i) { return signs >> i & 1 ? -value : value; }

void iq2_row(unsigned row, unsigned signs, float step, float* out) {
    constexpr float kValues[4] = {8, 25, 43, 0};
    for (int i = 0; i < 8; ++i) out[i] = with_sign(step * kValues[row >> 2 * i & 3], signs, i);
}

void iq3_xxs_row(unsigned row, unsigned signs, float step, float* out) {
    constexpr float kValues[8] = {4, 12, 20, 28, 36, 44, 52, 62};
    for (int i = 0; i < 4; ++i) out[i] = with_sign(step * kValues[row >> 3 * i & 7], signs, i);
}

void iq3_s_row(unsigned row, unsigned signs, float step, float* out) {
    for (int i = 0; i < 4; ++i) out[i] = with_sign(step * float(2 * (row >> 3 * i & 7) + 1), signs, i);
}

void iq1_row(unsigned row, float step, float delta, float* out) {
    for (int i = 0; i < 8; ++i) out[i] = step * (float(int(row >> 2 * i & 3) - 1) + delta);
}

}  // namespace

// d f16, 16 bytes of nibbles.
void iq4_nl(Block b, float* out) { nibbles(b + 2, 16, kNonLinear, half_to_float(load_u16(b)), out); }

// d f16, eight scales of 6 bits less 32 (u16 of high bit pairs, 4 bytes of low nibbles), 128 bytes of nibbles.
void iq4_xs(Block b, float* out) {
    for (int j = 0; j < 8; ++j) nibbles(b + 8 + 16 * j, 16, kNonLinear, iq4_xs_scale(b, j), out + 32 * j);
}

// E8M0 scale, 16 bytes of nibbles.
void mxfp4(Block b, float* out) { nibbles(b + 1, 16, kE2m1, e8m0_to_float(b[0]), out); }

// Four E4M3 scales without sign, 0x7f being zero; four runs of 16 values in 8 bytes of nibbles.
void nvfp4(Block b, float* out) {
    for (int j = 0; j < 4; ++j) {
        const int code = b[j] & 0x7f;
        nibbles(b + 4 + 8 * j, 8, kE2m1, code == 0x7f ? 0.0f : e4m3_to_float(std::uint8_t(code)), out + 16 * j);
    }
}

// Scale f32, zero u8, 16 bytes of nibbles: groups of 4-bit integers of any multiple of 32, whose scales may be F16 or
// BF16 and whose zeros are integers. What a block of 32 repeats of its group costs 0.6 bits a value at groups of 128.
void int4(Block b, float* out) {
    float scale;
    std::memcpy(&scale, b, 4);
    for (int i = 0; i < 16; ++i) {
        out[i] = scale * float(int(b[5 + i] & 15) - int(b[4]));
        out[i + 16] = scale * float(int(b[5 + i] >> 4) - int(b[4]));
    }
}

// Scale f32, 32 codes E4M3: scales of a matrix, of its rows or of its tiles.
void fp8(Block b, float* out) {
    static const auto values = [] {
        std::array<float, 256> all;
        for (int code = 0; code < 256; ++code) all[std::size_t(code)] = e4m3_to_float(std::uint8_t(code));
        return all;
    }();
    float scale;
    std::memcpy(&scale, b, 4);
    for (int i = 0; i < 32; ++i) out[i] = scale * values[b[4 + i]];
}

// Scale E4M3, 8 bytes of nibbles: NVFP4 with rows of any multiple of 16; its second scale is the matrix's.
void e2m1(Block b, float* out) { nibbles(b + 1, 8, kE2m1, e4m3_to_float(b[0]), out); }

// d f16, then for each 32 values four row numbers and a u32: four times seven signs, scale in the top bits.
void iq2_xxs(Block b, float* out) {
    const float d = half_to_float(load_u16(b));
    b += 2;
    for (int j = 0; j < 8; ++j, b += 8) {
        const std::uint32_t signs = load_u32(b + 4);
        const float step = d * (0.5f + float(signs >> 28)) * 0.25f;
        for (int i = 0; i < 4; ++i, out += 8) iq2_row(iq2_xxs_grid[b[i]], eight_signs(signs >> 7 * i & 127), step, out);
    }
}

// d f16, 32 u16 (row number 9 bits, seven signs), 16 scales of 4 bits.
void iq2_xs(Block b, float* out) {
    const float d = half_to_float(load_u16(b));
    for (int j = 0; j < 32; ++j, out += 8) {
        const unsigned code = load_u16(b + 2 + 2 * j), scale = b[66 + j / 4] >> j / 2 % 2 * 4 & 15;
        iq2_row(iq2_xs_grid[code & 511], eight_signs(code >> 9), d * (0.5f + float(scale)) * 0.25f, out);
    }
}

// d f16, 32 low bytes of row numbers, 32 bytes of signs, 8 bytes of the numbers' high bit pairs, 16 scales of 4 bits.
void iq2_s(Block b, float* out) {
    const float d = half_to_float(load_u16(b));
    for (int j = 0; j < 32; ++j, out += 8) {
        const unsigned high = b[66 + j / 4] >> j % 4 * 2 & 3, scale = b[74 + j / 4] >> j / 2 % 2 * 4 & 15;
        iq2_row(iq2_s_grid[b[2 + j] | high << 8], b[34 + j], d * (0.5f + float(scale)) * 0.25f, out);
    }
}

// d f16, 64 row numbers, then for each 32 values a u32: four times seven signs, scale in the top bits.
void iq3_xxs(Block b, float* out) {
    const float d = half_to_float(load_u16(b));
    for (int j = 0; j < 8; ++j) {
        const std::uint32_t signs = load_u32(b + 66 + 4 * j);
        const float step = d * (0.5f + float(signs >> 28)) * 0.5f;
        for (int i = 0; i < 8; ++i, out += 4)
            iq3_xxs_row(iq3_xxs_grid[b[2 + 8 * j + i]], eight_signs(signs >> 7 * (i / 2) & 127) >> i % 2 * 4, step, out);
    }
}

// d f16, 64 low bytes of row numbers, 8 bytes of their ninth bits, 32 bytes of signs, 8 scales of 4 bits.
void iq3_s(Block b, float* out) {
    const float d = half_to_float(load_u16(b));
    for (int j = 0; j < 64; ++j, out += 4) {
        const unsigned high = b[66 + j / 8] >> j % 8 & 1, scale = b[106 + j / 16] >> j / 8 % 2 * 4 & 15;
        iq3_s_row(iq3_s_grid[b[2 + j] | high << 8], b[74 + j / 2] >> j % 2 * 4, d * float(1 + 2 * scale), out);
    }
}

// d f16, 32 low bytes of row numbers, then for each 32 values a u16: four times three high bits, scale of 3 bits, the
// sign of delta.
void iq1_s(Block b, float* out) {
    const float d = half_to_float(load_u16(b));
    for (int j = 0; j < 32; ++j, out += 8) {
        const unsigned code = load_u16(b + 34 + j / 4 * 2), high = code >> j % 4 * 3 & 7;
        iq1_row(iq1_grid[b[2 + j] | high << 8], d * float(2 * (code >> 12 & 7) + 1), code & 0x8000 ? -0.125f : 0.125f, out);
    }
}

// 32 low bytes of row numbers, 16 bytes of nibbles (three high bits, the sign of delta), four u16: four scales of 3
// bits each, and in their top nibbles d f16.
void iq1_m(Block b, float* out) {
    Block scales = b + 48;
    const float d = half_to_float(iq1_m_scale(b));
    for (int j = 0; j < 32; ++j, out += 8) {
        const unsigned high = b[32 + j / 2] >> j % 2 * 4 & 15, scale = load_u16(scales + j / 8 * 2) >> j / 2 % 4 * 3 & 7;
        iq1_row(iq1_grid[b[j] | (high & 7) << 8], d * float(2 * scale + 1), high & 8 ? -0.125f : 0.125f, out);
    }
}

}  // namespace engine::blocks
