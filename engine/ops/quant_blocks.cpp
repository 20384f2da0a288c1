// Formats whose codes are integers: ggml's legacy, K and ternary ones.
#include "engine/ops/quant_blocks.h"

namespace engine::blocks {

void q8_0(Block b, float* out) {
    const float d = half_to_float(load_u16(b));
    for (int i = 0; i < 32; ++i) out[i] = d * float(std::int8_t(b[2 + i]));
}

void q4_0(Block b, float* out) {
    const float d = half_to_float(load_u16(b));
    for (int i = 0; i < 16; ++i) {
        out[i] = d * float((b[2 + i] & 15) - 8);
        out[i + 16] = d * float((b[2 + i] >> 4) - 8);
    }
}

void q4_1(Block b, float* out) {
    const float d = half_to_float(load_u16(b)), m = half_to_float(load_u16(b + 2));
    for (int i = 0; i < 16; ++i) {
        out[i] = d * float(b[4 + i] & 15) + m;
        out[i + 16] = d * float(b[4 + i] >> 4) + m;
    }
}

void q5_0(Block b, float* out) {
    const float d = half_to_float(load_u16(b));
    std::uint32_t high;
    std::memcpy(&high, b + 2, 4);
    for (int i = 0; i < 16; ++i) {
        const int low = int(b[6 + i] & 15) | int(high >> i & 1) << 4;
        const int top = int(b[6 + i] >> 4) | int(high >> (i + 16) & 1) << 4;
        out[i] = d * float(low - 16);
        out[i + 16] = d * float(top - 16);
    }
}

void q5_1(Block b, float* out) {
    const float d = half_to_float(load_u16(b)), m = half_to_float(load_u16(b + 2));
    std::uint32_t high;
    std::memcpy(&high, b + 4, 4);
    for (int i = 0; i < 16; ++i) {
        out[i] = d * float(int(b[8 + i] & 15) | int(high >> i & 1) << 4) + m;
        out[i + 16] = d * float(int(b[8 + i] >> 4) | int(high >> (i + 16) & 1) << 4) + m;
    }
}

// 16 bytes of scale (low) and minimum (high nibble) of 16 values each, 64 bytes of 2-bit codes, d f16, dmin f16. A
// half of 128 values lies in 32 bytes: value 32s + i in bits 2s of byte i.
void q2_k(Block b, float* out) {
    const float d = half_to_float(load_u16(b + 80)), dmin = half_to_float(load_u16(b + 82));
    for (int j = 0; j < 16; ++j, out += 16) {
        const float step = d * float(b[j] & 15), offset = dmin * float(b[j] >> 4);
        Block q = b + 16 + j / 8 * 32 + j % 2 * 16;
        const int shift = j % 8 / 2 * 2;
        for (int i = 0; i < 16; ++i) out[i] = step * float(q[i] >> shift & 3) - offset;
    }
}

// 32 bytes of third bits (bit s of byte i: value 32s + i; where it is clear the code is 4 less), 64 bytes of 2-bit
// codes as in Q2_K, 16 scales of 6 bits less 32 (low nibbles in 8 bytes, high bit pairs in 4), d f16.
void q3_k(Block b, float* out) {
    const float d = half_to_float(load_u16(b + 108));
    for (int j = 0; j < 16; ++j, out += 16) {
        const float step = d * float(q3_k_scale(b, j));
        Block q = b + 32 + j / 8 * 32 + j % 2 * 16, third = b + j % 2 * 16;
        const int shift = j % 8 / 2 * 2;
        for (int i = 0; i < 16; ++i) out[i] = step * float(int(q[i] >> shift & 3) - (third[i] >> j / 2 & 1 ? 0 : 4));
    }
}

// d f16, dmin f16, 12 bytes of scales, [32 bytes of fifth bits], 128 bytes of nibbles.
static void q45_k(Block b, float* out, bool five_bits) {
    const float d = half_to_float(load_u16(b)), dmin = half_to_float(load_u16(b + 2));
    Block scales = b + 4, high = b + 16, nibbles = five_bits ? b + 48 : b + 16;
    for (int j = 0; j < 8; ++j) {
        int scale, minimum;
        scale_and_min(j, scales, scale, minimum);
        const float step = d * float(scale), offset = dmin * float(minimum);
        Block q = nibbles + (j / 2) * 32;
        for (int i = 0; i < 32; ++i) {
            int value = j % 2 ? q[i] >> 4 : q[i] & 15;
            if (five_bits) value += (high[i] >> j & 1) << 4;
            out[j * 32 + i] = step * float(value) - offset;
        }
    }
}

void q4_k(Block b, float* out) { q45_k(b, out, false); }
void q5_k(Block b, float* out) { q45_k(b, out, true); }

// 128 low nibbles, 64 bytes of high bit pairs, 16 int8 scales, d f16.
void q6_k(Block b, float* out) {
    const float d = half_to_float(load_u16(b + 208));
    for (int half = 0; half < 2; ++half) {
        Block low = b + half * 64, high = b + 128 + half * 32, scales = b + 192 + half * 8;
        for (int i = 0; i < 32; ++i) {
            const int values[4] = {
                (low[i] & 15) | (high[i] & 3) << 4, (low[i + 32] & 15) | (high[i] >> 2 & 3) << 4,
                low[i] >> 4 | (high[i] >> 4 & 3) << 4, low[i + 32] >> 4 | (high[i] >> 6) << 4};
            for (int group = 0; group < 4; ++group) {
                const float step = d * float(std::int8_t(scales[group * 2 + i / 16]));
                out[half * 128 + group * 32 + i] = step * float(values[group] - 32);
            }
        }
    }
}

// Ternary: a byte holds five digits (a fraction of 256 in base 3, the first digit highest), the last four bytes four.
// Digit n of byte i of a run of bytes is value n * length + i of the run.
void tq1_0(Block b, float* out) {
    const float d = half_to_float(load_u16(b + 52));
    const struct {
        int bytes, digits;
    } runs[] = {{32, 5}, {16, 5}, {4, 4}};
    for (const auto& run : runs) {
        for (int i = 0; i < run.bytes; ++i) {
            std::uint8_t rest = b[i];
            for (int n = 0; n < run.digits; ++n, rest = std::uint8_t(rest * 3))
                out[n * run.bytes + i] = d * float((rest * 3 >> 8) - 1);
        }
        b += run.bytes;
        out += run.bytes * run.digits;
    }
}

// 64 bytes of 2-bit codes less 1, in halves as in Q2_K; d f16.
void tq2_0(Block b, float* out) {
    const float d = half_to_float(load_u16(b + 64));
    for (int j = 0; j < 8; ++j, out += 32) {
        Block q = b + j / 4 * 32;
        for (int i = 0; i < 32; ++i) out[i] = d * float((q[i] >> j % 4 * 2 & 3) - 1);
    }
}

}  // namespace engine::blocks
