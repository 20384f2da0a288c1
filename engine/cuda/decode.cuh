// Values of weights on the device: what quant.h's dequantise gives, bit for bit, eight at a time, so that the lanes of a warp share a block.
#pragma once

#include "engine/cuda/device.cuh"
#include "engine/ops/quant_blocks.h"

namespace engine::cuda {

// What codes are looked up in; memory of the device, made when it is first asked for.
struct Tables {
    std::uint16_t iq2_xxs[256], iq2_xs[512], iq2_s[1024], iq1[2048], iq3_xxs[256], iq3_s[512];
    std::int8_t non_linear[16];
};
const Tables* tables();

// A lane's share of a row: the values of one run of eight columns, fewer only at the end of a row of plain floats.
constexpr int run_values = 8;

using Block = const std::uint8_t*;

__host__ __device__ constexpr int block_values(Format f) {
    switch (f) {
        case Format::f32: case Format::f16: case Format::bf16: return 1;
        case Format::e2m1: return 16;
        case Format::q8_0: case Format::q4_0: case Format::q4_1: case Format::q5_0: case Format::q5_1:
        case Format::iq4_nl: case Format::mxfp4: case Format::int4: case Format::fp8: return 32;
        case Format::nvfp4: return 64;
        default: return 256;
    }
}

__device__ inline std::uint32_t u32(Block p) { return std::uint32_t(p[0]) | std::uint32_t(p[1]) << 8 | std::uint32_t(p[2]) << 16 | std::uint32_t(p[3]) << 24; }
__device__ inline float f32(Block p) {
    const std::uint32_t bits = u32(p);
    float value;
    memcpy(&value, &bits, 4);
    return value;
}
// Eight bytes, by loads as wide as the alignment of the format's blocks allows: `Aligned` bytes.
template <int Aligned>
__device__ inline std::uint64_t eight(Block p) {
    if constexpr (Aligned == 8) return *reinterpret_cast<const std::uint64_t*>(p);
    const std::uint16_t* const words = reinterpret_cast<const std::uint16_t*>(p);
    return std::uint64_t(words[0]) | std::uint64_t(words[1]) << 16 | std::uint64_t(words[2]) << 32 | std::uint64_t(words[3]) << 48;
}
__device__ inline int byte(std::uint64_t eight, int i) { return int(eight >> 8 * i & 255); }
__device__ inline float f16(Block p) { return half_to_float(load_u16(p)); }
// Nibble i of a run of 2n: the low ones first.
__device__ inline int nibble(Block q, int i, int n) { return i < n ? q[i] & 15 : q[i - n] >> 4; }
// Seven signs as they are, the eighth makes their number even.
__device__ inline unsigned eight_signs(unsigned seven) { return seven | unsigned(__popc(seven) & 1) << 7; }
__device__ inline float with_sign(float value, unsigned signs, int i) { return signs >> i & 1 ? -value : value; }

__device__ inline void iq2_row(unsigned row, unsigned signs, float step, float* out) {
    for (int i = 0; i < 8; ++i) {
        const unsigned code = row >> 2 * i & 3;
        out[i] = with_sign(step * (code == 0 ? 8.0f : code == 1 ? 25.0f : 43.0f), signs, i);
    }
}
__device__ inline void iq1_row(unsigned row, float step, float delta, float* out) {
    for (int i = 0; i < 8; ++i) out[i] = step * (float(int(row >> 2 * i & 3) - 1) + delta);
}
// Digit n of a byte of TQ1_0, the first highest.
__device__ inline int trit(unsigned byte, int n) {
    for (; n > 0; --n) byte = byte * 3 & 255;
    return int(byte * 3 >> 8) - 1;
}
__device__ inline int tq1_code(Block b, int v) {
    if (v < 160) return trit(b[v % 32], v / 32);
    if (v < 240) return trit(b[32 + (v - 160) % 16], (v - 160) / 16);
    return trit(b[48 + (v - 240) % 4], (v - 240) / 4);
}

// Values 8j … 8j+7 of block b. The layouts are told in quant_blocks.cpp and quant_tables.cpp.
template <Format F>
__device__ inline void decode(Block b, int j, const Tables& t, float* out) {
    const int v = 8 * j;
    if constexpr (F == Format::q8_0) {
        const float d = f16(b);
        const std::uint64_t q = eight<2>(b + 2 + v);
        for (int i = 0; i < 8; ++i) out[i] = d * float(std::int8_t(byte(q, i)));
    } else if constexpr (F == Format::q4_0 || F == Format::iq4_nl) {
        const float d = f16(b);
        for (int i = 0; i < 8; ++i) {
            const int code = nibble(b + 2, v + i, 16);
            out[i] = d * float(F == Format::q4_0 ? code - 8 : int(t.non_linear[code]));
        }
    } else if constexpr (F == Format::q4_1) {
        const float d = f16(b), m = f16(b + 2);
        for (int i = 0; i < 8; ++i) out[i] = d * float(nibble(b + 4, v + i, 16)) + m;
    } else if constexpr (F == Format::q5_0) {
        const float d = f16(b);
        const std::uint32_t high = u32(b + 2);
        for (int i = 0; i < 8; ++i) out[i] = d * float((nibble(b + 6, v + i, 16) | int(high >> (v + i) & 1) << 4) - 16);
    } else if constexpr (F == Format::q5_1) {
        const float d = f16(b), m = f16(b + 2);
        const std::uint32_t high = u32(b + 4);
        for (int i = 0; i < 8; ++i) out[i] = d * float(nibble(b + 8, v + i, 16) | int(high >> (v + i) & 1) << 4) + m;
    } else if constexpr (F == Format::q2_k) {
        const int g = v / 16, shift = g % 8 / 2 * 2;
        const float step = f16(b + 80) * float(b[g] & 15), offset = f16(b + 82) * float(b[g] >> 4);
        Block q = b + 16 + g / 8 * 32 + v % 32;
        for (int i = 0; i < 8; ++i) out[i] = step * float(q[i] >> shift & 3) - offset;
    } else if constexpr (F == Format::q3_k) {
        const int g = v / 16, shift = g % 8 / 2 * 2;
        const float step = f16(b + 108) * float(blocks::q3_k_scale(b, g));
        Block q = b + 32 + g / 8 * 32 + v % 32, third = b + v % 32;
        for (int i = 0; i < 8; ++i) out[i] = step * float(int(q[i] >> shift & 3) - (third[i] >> g / 2 & 1 ? 0 : 4));
    } else if constexpr (F == Format::q4_k || F == Format::q5_k) {
        const int g = v / 32;
        int scale, minimum;
        scale_and_min(g, b + 4, scale, minimum);
        const float step = f16(b) * float(scale), offset = f16(b + 2) * float(minimum);
        const std::uint64_t q = eight<8>(b + (F == Format::q5_k ? 48 : 16) + g / 2 * 32 + v % 32) >> g % 2 * 4;
        const std::uint64_t high = F == Format::q5_k ? eight<8>(b + 16 + v % 32) >> g : 0;
        for (int i = 0; i < 8; ++i) {
            const int code = (byte(q, i) & 15) + (byte(high, i) & 1) * 16;
            out[i] = step * float(code) - offset;
        }
    } else if constexpr (F == Format::q6_k) {
        const int half = v / 128, group = v % 128 / 32, at = v % 32;
        const std::uint64_t low = eight<2>(b + half * 64 + group % 2 * 32 + at) >> group / 2 * 4, high = eight<2>(b + 128 + half * 32 + at) >> 2 * group;
        const float step = f16(b + 208) * float(std::int8_t(b[192 + half * 8 + group * 2 + at / 16]));
        for (int i = 0; i < 8; ++i) out[i] = step * float(((byte(low, i) & 15) | (byte(high, i) & 3) << 4) - 32);
    } else if constexpr (F == Format::tq1_0) {
        const float d = f16(b + 52);
        for (int i = 0; i < 8; ++i) out[i] = d * float(tq1_code(b, v + i));
    } else if constexpr (F == Format::tq2_0) {
        const float d = f16(b + 64);
        Block q = b + v / 128 * 32 + v % 32;
        for (int i = 0; i < 8; ++i) out[i] = d * float((q[i] >> v % 128 / 32 * 2 & 3) - 1);
    } else if constexpr (F == Format::iq4_xs) {
        const float step = blocks::iq4_xs_scale(b, v / 32);
        for (int i = 0; i < 8; ++i) out[i] = step * float(t.non_linear[nibble(b + 8 + v / 32 * 16, v % 32 + i, 16)]);
    } else if constexpr (F == Format::mxfp4) {
        const float step = e8m0_to_float(b[0]);
        for (int i = 0; i < 8; ++i) out[i] = step * e2m1_to_float(nibble(b + 1, v + i, 16));
    } else if constexpr (F == Format::nvfp4) {
        const int run = v / 16, code = b[run] & 0x7f;
        const float step = code == 0x7f ? 0.0f : e4m3_to_float(std::uint8_t(code));
        for (int i = 0; i < 8; ++i) out[i] = step * e2m1_to_float(nibble(b + 4 + 8 * run, v % 16 + i, 8));
    } else if constexpr (F == Format::e2m1) {
        const float step = e4m3_to_float(b[0]);
        for (int i = 0; i < 8; ++i) out[i] = step * e2m1_to_float(nibble(b + 1, v + i, 8));
    } else if constexpr (F == Format::int4) {
        const float step = f32(b);
        for (int i = 0; i < 8; ++i) out[i] = step * float(nibble(b + 5, v + i, 16) - int(b[4]));
    } else if constexpr (F == Format::fp8) {
        const float step = f32(b);
        for (int i = 0; i < 8; ++i) out[i] = step * e4m3_to_float(b[4 + v + i]);
    } else if constexpr (F == Format::iq2_xxs) {
        Block q = b + 2 + j / 4 * 8;
        const std::uint32_t signs = u32(q + 4);
        iq2_row(t.iq2_xxs[q[j % 4]], eight_signs(signs >> 7 * (j % 4) & 127), f16(b) * (0.5f + float(signs >> 28)) * 0.25f, out);
    } else if constexpr (F == Format::iq2_xs) {
        const unsigned code = load_u16(b + 2 + 2 * j), scale = b[66 + j / 4] >> j / 2 % 2 * 4 & 15;
        iq2_row(t.iq2_xs[code & 511], eight_signs(code >> 9), f16(b) * (0.5f + float(scale)) * 0.25f, out);
    } else if constexpr (F == Format::iq2_s) {
        const unsigned high = b[66 + j / 4] >> j % 4 * 2 & 3, scale = b[74 + j / 4] >> j / 2 % 2 * 4 & 15;
        iq2_row(t.iq2_s[b[2 + j] | high << 8], b[34 + j], f16(b) * (0.5f + float(scale)) * 0.25f, out);
    } else if constexpr (F == Format::iq3_xxs) {
        const std::uint32_t word = u32(b + 66 + 4 * (j / 4));
        const float step = f16(b) * (0.5f + float(word >> 28)) * 0.5f;
        const unsigned signs = eight_signs(word >> 7 * (j % 4) & 127);
        for (int i = 0; i < 8; ++i) {
            const unsigned code = unsigned(t.iq3_xxs[b[2 + 2 * j + i / 4]]) >> 3 * (i % 4) & 7;
            out[i] = with_sign(step * (code == 7 ? 62.0f : float(8 * code + 4)), signs, i);
        }
    } else if constexpr (F == Format::iq3_s) {
        const unsigned scale = b[106 + j / 8] >> j / 4 % 2 * 4 & 15, signs = b[74 + j];
        const float step = f16(b) * float(1 + 2 * scale);
        for (int i = 0; i < 8; ++i) {
            const int n = 2 * j + i / 4;
            const unsigned high = b[66 + n / 8] >> n % 8 & 1, row = t.iq3_s[b[2 + n] | high << 8];
            out[i] = with_sign(step * float(2 * (row >> 3 * (i % 4) & 7) + 1), signs, i);
        }
    } else if constexpr (F == Format::iq1_s) {
        const unsigned code = load_u16(b + 34 + j / 4 * 2), high = code >> j % 4 * 3 & 7;
        iq1_row(t.iq1[b[2 + j] | high << 8], f16(b) * float(2 * (code >> 12 & 7) + 1), code & 0x8000 ? -0.125f : 0.125f, out);
    } else {
        static_assert(F == Format::iq1_m);
        const unsigned high = b[32 + j / 2] >> j % 2 * 4 & 15, scale = load_u16(b + 48 + j / 8 * 2) >> j / 2 % 4 * 3 & 7;
        iq1_row(t.iq1[b[j] | (high & 7) << 8], half_to_float(blocks::iq1_m_scale(b)) * float(2 * scale + 1), high & 8 ? -0.125f : 0.125f, out);
    }
}

// Columns [c, c + 8) of a row of `cols`; c is a multiple of 8. What is beyond the row is 0. A matrix lies on 16 bytes.
template <Format F>
__device__ inline void decode_run(Block row, int c, int cols, int block_bytes, const Tables& t, float* out) {
    if constexpr (block_values(F) > 1) {
        decode<F>(row + std::size_t(c / block_values(F)) * block_bytes, c % block_values(F) / 8, t, out);
    } else if (cols % run_values == 0) {  // rows are as aligned as the matrix is
        const float4* const from = reinterpret_cast<const float4*>(row + std::size_t(c) * block_bytes);
        if constexpr (F == Format::f32) {
            const float4 words[2] = {from[0], from[1]};
            memcpy(out, words, sizeof words);
        } else {
            const float4 words = from[0];
            std::uint16_t halves[run_values];
            memcpy(halves, &words, sizeof words);
            for (int i = 0; i < run_values; ++i) out[i] = F == Format::f16 ? half_to_float(halves[i]) : bf16_to_float(halves[i]);
        }
    } else {
        for (int i = 0; i < run_values; ++i) {
            if (c + i >= cols) out[i] = 0;
            else if constexpr (F == Format::f32) out[i] = reinterpret_cast<const float*>(row)[c + i];
            else if constexpr (F == Format::f16) out[i] = half_to_float(reinterpret_cast<const std::uint16_t*>(row)[c + i]);
            else out[i] = bf16_to_float(reinterpret_cast<const std::uint16_t*>(row)[c + i]);
        }
    }
}

// f.operator()<Format>() for the format of a weight.
template <class F>
void with_format(Format format, F&& f) {
    switch (format) {
#define HEARTH_FORMAT(name) case Format::name: return f.template operator()<Format::name>();
        HEARTH_FORMAT(f32) HEARTH_FORMAT(f16) HEARTH_FORMAT(bf16) HEARTH_FORMAT(q8_0) HEARTH_FORMAT(q4_0) HEARTH_FORMAT(q4_1)
        HEARTH_FORMAT(q5_0) HEARTH_FORMAT(q4_k) HEARTH_FORMAT(q5_k) HEARTH_FORMAT(q6_k) HEARTH_FORMAT(q5_1) HEARTH_FORMAT(q2_k)
        HEARTH_FORMAT(q3_k) HEARTH_FORMAT(iq4_nl) HEARTH_FORMAT(iq4_xs) HEARTH_FORMAT(iq2_xxs) HEARTH_FORMAT(iq2_xs) HEARTH_FORMAT(iq2_s)
        HEARTH_FORMAT(iq3_xxs) HEARTH_FORMAT(iq3_s) HEARTH_FORMAT(iq1_s) HEARTH_FORMAT(iq1_m) HEARTH_FORMAT(tq1_0) HEARTH_FORMAT(tq2_0)
        HEARTH_FORMAT(mxfp4) HEARTH_FORMAT(nvfp4) HEARTH_FORMAT(int4) HEARTH_FORMAT(fp8) HEARTH_FORMAT(e2m1)
#undef HEARTH_FORMAT
    }
}

}  // namespace engine::cuda
