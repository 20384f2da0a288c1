// Block formats of quantised weights, as GGUF stores them (ggml's layouts), those that quantised
// safetensors are brought into, and their exact expansion to float: every operation of a format's
// definition is rounded by itself. Helpers that CUDA code shares are marked HEARTH_BOTH.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/ops/both.h"

namespace engine {

enum class Format : std::uint8_t {
    f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q4_k, q5_k, q6_k,
    q5_1, q2_k, q3_k, iq4_nl, iq4_xs, iq2_xxs, iq2_xs, iq2_s, iq3_xxs, iq3_s, iq1_s, iq1_m, tq1_0, tq2_0, mxfp4, nvfp4,
    int4, fp8, e2m1,  // not of GGUF
};
inline constexpr int kFormatCount = int(Format::e2m1) + 1;

// Values and bytes of one block; plain float formats have blocks of one value.
struct FormatInfo {
    const char* name;
    int ggml_type;  // the number in a GGUF file; -1: never in one
    int values, bytes;
};
const FormatInfo& info(Format format);
inline std::size_t row_bytes(Format format, std::size_t cols) {
    return cols / std::size_t(info(format).values) * std::size_t(info(format).bytes);
}

// IEEE half to float, exact, subnormals and infinities included.
HEARTH_BOTH inline float half_to_float(std::uint16_t h) {
    const std::uint32_t sign = std::uint32_t(h & 0x8000u) << 16;
    std::uint32_t exponent = (h >> 10) & 31u, mantissa = h & 1023u;
    std::uint32_t bits;
    if (exponent == 31) {
        bits = sign | 0x7f800000u | mantissa << 13;
    } else if (exponent == 0) {
        float value = float(mantissa) * 5.9604644775390625e-8f;  // 2^-24
        std::uint32_t raw;
        std::memcpy(&raw, &value, 4);
        bits = sign | raw;
    } else {
        bits = sign | (exponent + 112) << 23 | mantissa << 13;
    }
    float out;
    std::memcpy(&out, &bits, 4);
    return out;
}

HEARTH_BOTH inline float bf16_to_float(std::uint16_t b) {
    const std::uint32_t bits = std::uint32_t(b) << 16;
    float out;
    std::memcpy(&out, &bits, 4);
    return out;
}

// Round to nearest even; NaN stays NaN.
HEARTH_BOTH inline std::uint16_t float_to_bf16(float value) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, 4);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return std::uint16_t(bits >> 16 | 64);
    return std::uint16_t((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

// The code, without a sign, of a positive float that is in the range of such a format: to nearest even. `bits` are the float's, `Digits`
// the bits of the format's mantissa and `Bias` that of its exponent.
template <int Digits, int Bias>
HEARTH_BOTH inline std::uint32_t rounded_code(std::uint32_t bits) {
    constexpr int cut = 23 - Digits;
    if (bits < std::uint32_t(128 - Bias) << 23) {  // subnormal: let float addition do the rounding
        constexpr std::uint32_t one_bits = std::uint32_t(128 - Bias + cut) << 23;  // whose last place is the code's
        float magnitude, one;
        std::memcpy(&magnitude, &bits, 4);
        std::memcpy(&one, &one_bits, 4);
        magnitude += one;
        std::memcpy(&bits, &magnitude, 4);
        return bits - one_bits;
    }
    bits += (1u << (cut - 1)) - 1 + (bits >> cut & 1u);
    return (bits - (std::uint32_t(127 - Bias) << 23)) >> cut;
}

// Round to nearest even; what is too large becomes infinity.
HEARTH_BOTH inline std::uint16_t float_to_half(float value) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, 4);
    const std::uint16_t sign = std::uint16_t(bits >> 16 & 0x8000u);
    bits &= 0x7fffffffu;
    if (bits > 0x7f800000u) return sign | 0x7e00u;
    if (bits >= 0x47800000u) return sign | 0x7c00u;  // 65536 and more
    return std::uint16_t(sign | rounded_code<10, 15>(bits));
}

// OCP E4M3: no infinities, NaN where all bits but the sign are set.
HEARTH_BOTH inline float e4m3_to_float(std::uint8_t code) {
    const std::uint32_t sign = std::uint32_t(code & 0x80u) << 24, exponent = (code >> 3) & 15u, mantissa = code & 7u;
    std::uint32_t bits;
    if ((code & 0x7fu) == 0x7fu) {
        bits = 0x7fc00000u;
    } else if (exponent == 0) {
        const float value = float(mantissa) * 0.001953125f;  // 2^-9
        std::memcpy(&bits, &value, 4);
    } else {
        bits = (exponent + 120) << 23 | mantissa << 20;
    }
    bits |= sign;
    float out;
    std::memcpy(&out, &bits, 4);
    return out;
}

// Round to nearest even; what is too large, and NaN, becomes the largest number, 448.
HEARTH_BOTH inline std::uint8_t float_to_e4m3(float value) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, 4);
    const std::uint8_t sign = std::uint8_t(bits >> 24 & 0x80u);
    bits &= 0x7fffffffu;
    if (bits >= 0x43e00000u) return sign | 0x7eu;
    return std::uint8_t(sign | rounded_code<3, 7>(bits));
}

// OCP E8M0: 2^(code - 127), NaN for 255.
HEARTH_BOTH inline float e8m0_to_float(std::uint8_t code) {
    const std::uint32_t bits = code == 0 ? 0x00400000u : code == 255 ? 0x7fc00000u : std::uint32_t(code) << 23;
    float out;
    std::memcpy(&out, &bits, 4);
    return out;
}

// OCP E2M1: 0, 0.5, 1, 1.5, 2, 3, 4, 6; bit 3 is the sign.
HEARTH_BOTH inline float e2m1_to_float(int code) {
    const int exponent = code >> 1 & 3, mantissa = code & 1;
    const float magnitude = exponent == 0 ? 0.5f * float(mantissa) : (1.0f + 0.5f * float(mantissa)) * float(1 << exponent) * 0.5f;
    return code & 8 ? -magnitude : magnitude;
}

// What the codes of IQ4_NL and IQ4_XS stand for.
inline constexpr std::int8_t kNonLinear[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
// Twice the values of E2M1, which are then integers.
inline constexpr std::int8_t kTwiceE2m1[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

HEARTH_BOTH inline std::uint16_t load_u16(const std::uint8_t* p) { return std::uint16_t(p[0] | p[1] << 8); }

// Scale and minimum `j` (0..7) of a K-quant superblock: 12 bytes hold eight 6-bit pairs.
HEARTH_BOTH inline void scale_and_min(int j, const std::uint8_t* packed, int& scale, int& minimum) {
    if (j < 4) {
        scale = packed[j] & 63;
        minimum = packed[j + 4] & 63;
    } else {
        scale = (packed[j + 4] & 15) | (packed[j - 4] >> 6) << 4;
        minimum = packed[j + 4] >> 4 | (packed[j] >> 6) << 4;
    }
}

// Expands `n` values (a multiple of the format's block) from `data` to `out`.
void dequantise(Format format, const void* data, float* out, std::size_t n);

}  // namespace engine
