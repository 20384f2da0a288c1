#include "engine/ops/quant.h"

namespace engine {
namespace {

using Block = const std::uint8_t*;

constexpr FormatInfo kFormats[] = {
    {"F32", 0, 1, 4},     {"F16", 1, 1, 2},      {"BF16", 30, 1, 2},     {"Q8_0", 8, 32, 34},   {"Q4_0", 2, 32, 18},
    {"Q4_1", 3, 32, 20},  {"Q5_0", 6, 32, 22},   {"Q4_K", 12, 256, 144}, {"Q5_K", 13, 256, 176}, {"Q6_K", 14, 256, 210},
};

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

// d f16, dmin f16, 12 bytes of scales, [32 bytes of fifth bits], 128 bytes of nibbles.
void q45_k(Block b, float* out, bool five_bits) {
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

}  // namespace

const FormatInfo& info(Format format) { return kFormats[int(format)]; }

void dequantise(Format format, const void* data, float* out, std::size_t n) {
    Block p = static_cast<Block>(data);
    const FormatInfo& f = info(format);
    for (std::size_t i = 0; i < n; i += f.values, p += f.bytes, out += f.values) {
        switch (format) {
            case Format::f32: std::memcpy(out, p, 4); break;
            case Format::f16: *out = half_to_float(load_u16(p)); break;
            case Format::bf16: *out = bf16_to_float(load_u16(p)); break;
            case Format::q8_0: q8_0(p, out); break;
            case Format::q4_0: q4_0(p, out); break;
            case Format::q4_1: q4_1(p, out); break;
            case Format::q5_0: q5_0(p, out); break;
            case Format::q4_k: q45_k(p, out, false); break;
            case Format::q5_k: q45_k(p, out, true); break;
            case Format::q6_k: q6_k(p, out); break;
        }
    }
}

}  // namespace engine
