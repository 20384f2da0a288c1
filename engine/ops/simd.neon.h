// What a register is to the kernels of NAME.simd.h on neon, and what it can do. Included by the .neon.cpp and .i8mm.cpp
// files only.
#pragma once

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "engine/ops/quant.h"

#define HEARTH_INLINE static inline __attribute__((always_inline))
#define HEARTH_UNROLL _Pragma("GCC unroll 32")

namespace engine::neon {

constexpr int kLanes = 4;           // floats of a register, and rows of one of bytes: four columns of each
constexpr int kParts = 16 / kLanes;  // registers of a panel's rows
constexpr int kTileParts = 2;        // of which a tile of int8 products takes so many at once: its sums stay in registers
constexpr int kTileWidth = 4;        // rows of activations of a tile
constexpr int kFewRows = 1;          // that meet the panels' codes as they are made
constexpr int kFewFloatRows = 1;
constexpr int kDoubles = kLanes / 2;
using Register = float32x4_t;
using Bytes = uint8x16_t;
using Sums = int32x4_t;   // of products of bytes
using Pairs = int32x4_t;  // sums on their way to them
using Mask = uint32x4_t;
using Doubles = float64x2_t;
using Longs = int64x2_t;

HEARTH_INLINE Bytes load(const void* p) { return vld1q_u8(static_cast<const uint8_t*>(p)); }
HEARTH_INLINE void store_bytes(void* p, Bytes v) { vst1q_u8(static_cast<uint8_t*>(p), v); }
HEARTH_INLINE Register load_floats(const float* p) { return vld1q_f32(p); }
HEARTH_INLINE void store_floats(float* p, Register v) { vst1q_f32(p, v); }
HEARTH_INLINE Register splat(float v) { return vdupq_n_f32(v); }
HEARTH_INLINE Bytes splat_byte(int v) { return vdupq_n_u8(static_cast<uint8_t>(v)); }
HEARTH_INLINE Sums splat_int(int v) { return vdupq_n_s32(v); }
HEARTH_INLINE Bytes table(const int8_t (&values)[16]) { return vreinterpretq_u8_s8(vld1q_s8(values)); }
// Bytes of a table by their numbers, below 16.
HEARTH_INLINE Bytes look_up(Bytes table, Bytes at) { return vqtbl1q_u8(table, at); }
HEARTH_INLINE Bytes add_bytes(Bytes a, Bytes b) { return vaddq_u8(a, b); }
// Bytes moved by bits.
template <int N> HEARTH_INLINE Bytes up(Bytes v) { return vshlq_n_u8(v, N); }
template <int N> HEARTH_INLINE Bytes down(Bytes v) { return vshrq_n_u8(v, N); }
HEARTH_INLINE Bytes down_by(Bytes v, int n) { return vshlq_u8(v, vdupq_n_s8(static_cast<int8_t>(-n))); }
// Column t of the four of each row.
HEARTH_INLINE Sums column_of(Bytes word, int t, bool is_signed) {
    const uint32x4_t top = vshlq_u32(vreinterpretq_u32_u8(word), vdupq_n_s32(24 - 8 * t));
    return is_signed ? vshrq_n_s32(vreinterpretq_s32_u32(top), 24) : vreinterpretq_s32_u32(vshrq_n_u32(top, 24));
}
HEARTH_INLINE Bytes broadcast4(const void* p) {
    int32_t v;
    memcpy(&v, p, 4);
    return vreinterpretq_u8_s32(vdupq_n_s32(v));
}

HEARTH_INLINE Register to_float(Sums v) { return vcvtq_f32_s32(v); }
HEARTH_INLINE Register halves(const void* p) { return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(static_cast<const uint8_t*>(p)))); }
HEARTH_INLINE uint32x4_t four_bytes(const void* p) {
    uint32_t v;
    memcpy(&v, p, 4);
    return vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(v))));
}
HEARTH_INLINE Register unsigned_bytes(const void* p) { return vcvtq_f32_u32(four_bytes(p)); }
HEARTH_INLINE Register signed_bytes(const void* p) {
    uint32_t v;
    memcpy(&v, p, 4);
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vcreate_s8(v)))));
}
// Low and high four bits of kLanes bytes.
HEARTH_INLINE Sums low_fours(const uint8_t* p) { return vreinterpretq_s32_u32(vandq_u32(four_bytes(p), vdupq_n_u32(15))); }
HEARTH_INLINE Sums high_fours(const uint8_t* p) { return vreinterpretq_s32_u32(vshrq_n_u32(four_bytes(p), 4)); }

// Codes of E4M3 as halves of 1/256 of their values.
HEARTH_INLINE uint16x8_t e4m3_as_halves(uint8x8_t codes) {
    const uint16x8_t words = vmovl_u8(codes);
    return vorrq_u16(vandq_u16(vshlq_n_u16(words, 7), vdupq_n_u16(0x3f80)), vandq_u16(vshlq_n_u16(words, 8), vdupq_n_u16(0x8000)));
}
HEARTH_INLINE Register bf16_values(const void* p) {
    return vreinterpretq_f32_u32(vshlq_n_u32(vmovl_u16(vreinterpret_u16_u8(vld1_u8(static_cast<const uint8_t*>(p)))), 16));
}
HEARTH_INLINE Register e4m3_parts(const void* p) {  // 1/256 of the values
    uint32_t four;
    memcpy(&four, p, 4);
    return vcvt_f32_f16(vget_low_f16(vreinterpretq_f16_u16(e4m3_as_halves(vcreate_u8(four)))));
}
// Codes of E4M3 of one column of 16 rows, as 1/256 of their values.
HEARTH_INLINE void fp8_column(const uint8_t* codes, Register (&v)[kParts]) {
    HEARTH_UNROLL for (int i = 0; i < 2; ++i) {
        const float16x8_t half = vreinterpretq_f16_u16(e4m3_as_halves(vld1_u8(codes + 8 * i)));
        v[2 * i] = vcvt_f32_f16(vget_low_f16(half));
        v[2 * i + 1] = vcvt_high_f32_f16(half);
    }
}
// 4 scales E4M3, times 128: half of the values, for codes that are twice theirs.
HEARTH_INLINE Register half_e4m3(const uint8_t* codes) {
    uint32_t four;
    memcpy(&four, codes, 4);
    const uint16x8_t half = e4m3_as_halves(vcreate_u8(four));
    const uint16x8_t nan = vandq_u16(vceqq_u16(vandq_u16(half, vdupq_n_u16(0x7fff)), vdupq_n_u16(0x3f80)), vdupq_n_u16(0x7c00));
    return vmulq_f32(vcvt_f32_f16(vget_low_f16(vreinterpretq_f16_u16(vorrq_u16(half, nan)))), vdupq_n_f32(128));
}
// Columns c and c + 1 of a row, which lie in a word of its lane.
template <Format F> HEARTH_INLINE void two_columns(const void* word, Register (&v)[2]) {
    const uint8_t* const from = static_cast<const uint8_t*>(word);
    if constexpr (F == Format::f16) {
        const uint16x8_t pair = vreinterpretq_u16_u8(vld1q_u8(from)), sorted = vuzp1q_u16(pair, pair), odd = vuzp2q_u16(pair, pair);
        v[0] = vcvt_f32_f16(vreinterpret_f16_u16(vget_low_u16(sorted)));
        v[1] = vcvt_f32_f16(vreinterpret_f16_u16(vget_low_u16(odd)));
    } else {
        const uint32x4_t pair = vreinterpretq_u32_u8(vld1q_u8(from));
        v[0] = vreinterpretq_f32_u32(vshlq_n_u32(pair, 16));
        v[1] = vreinterpretq_f32_u32(vandq_u32(pair, vdupq_n_u32(0xffff0000u)));
    }
}

HEARTH_INLINE Sums add_ints(Sums a, Sums b) { return vaddq_s32(a, b); }
HEARTH_INLINE float first_of(Register v) { return vgetq_lane_f32(v, 0); }
HEARTH_INLINE Register fmadd(Register a, Register b, Register c) { return vfmaq_f32(c, a, b); }              // a·b + c
HEARTH_INLINE Register fmadd_splat(const float* a, Register b, Register c) { return fmadd(splat(*a), b, c); }
HEARTH_INLINE Register fnmadd(Register a, Register b, Register c) { return vfmsq_f32(c, a, b); }             // c - a·b
HEARTH_INLINE Register fmsub(Register a, Register b, Register c) { return vfmaq_f32(vnegq_f32(c), a, b); }   // a·b - c
HEARTH_INLINE Register smaller(Register a, Register b) { return vminq_f32(a, b); }
HEARTH_INLINE Register larger(Register a, Register b) { return vmaxq_f32(a, b); }
HEARTH_INLINE Register magnitude(Register v) { return vabsq_f32(v); }
HEARTH_INLINE Mask is_positive(Register v) { return vcgtzq_f32(v); }
HEARTH_INLINE Register choose(Mask where, Register a, Register b) { return vbslq_f32(where, a, b); }
HEARTH_INLINE Register kept(Mask where, Register v) { return vreinterpretq_f32_u32(vandq_u32(where, vreinterpretq_u32_f32(v))); }
HEARTH_INLINE Mask but(Mask a, Mask b) { return vbicq_u32(a, b); }  // a and not b
// Keeps the compiler from fusing what is rounded by itself.
HEARTH_INLINE Register rounded(Register v) {
    asm("" : "+w"(v));
    return v;
}

HEARTH_INLINE float sum_of(Register v) { return vaddvq_f32(v); }
HEARTH_INLINE float max_of(Register v) { return vmaxvq_f32(v); }
// Lane i: the sum of v[i]'s lanes.
HEARTH_INLINE Register sums_of(const Register* v) { return vpaddq_f32(vpaddq_f32(v[0], v[1]), vpaddq_f32(v[2], v[3])); }

// All bits set in the first n of 4 lanes; n may be anything.
HEARTH_INLINE Mask first_lanes(int n) {
    constexpr int32_t lanes[4] = {0, 1, 2, 3};
    return vcgtq_s32(vdupq_n_s32(n), vld1q_s32(lanes));
}
// The first n of 4 floats, the others 0; n may be anything.
HEARTH_INLINE Register some(const float* p, long n) {
    if (n >= 4) return vld1q_f32(p);
    float room[4] = {};
    for (int i = 0; i < n; ++i) room[i] = p[i];
    return vld1q_f32(room);
}
HEARTH_INLINE void store_some(float* p, long n, Register v) {
    if (n >= 4) return vst1q_f32(p, v);
    float room[4];
    vst1q_f32(room, v);
    for (int i = 0; i < n; ++i) p[i] = room[i];
}

// 2^t to a relative error of about 2e-7: Taylor's series of degree 7 on [-1/2, 1/2], exponent by adding to
// its bits. Below 2^-126 it is 0.
HEARTH_INLINE Register exp2_full(Register t) {
    const Mask nothing = vcltq_f32(t, vdupq_n_f32(-126.f));
    t = vminq_f32(vmaxq_f32(t, vdupq_n_f32(-126.f)), vdupq_n_f32(127.f));
    const Register n = vrndnq_f32(t), r = t - n;
    const float c[] = {1.54035304e-4f, 1.33335581e-3f, 9.61812911e-3f, 5.55041087e-2f, 2.40226507e-1f, 6.93147181e-1f, 1.f};
    Register p = vdupq_n_f32(1.52527338e-5f);
    HEARTH_UNROLL for (int i = 0; i < 7; ++i) p = fmadd(p, r, vdupq_n_f32(c[i]));
    const int32x4_t exponent = vshlq_n_s32(vcvtnq_s32_f32(n), 23);
    const uint32x4_t scaled = vreinterpretq_u32_s32(vaddq_s32(vreinterpretq_s32_f32(p), exponent));
    return vreinterpretq_f32_u32(vbicq_u32(scaled, nothing));
}

// The first n of 2 floats times a factor, rounded to float.
HEARTH_INLINE Doubles doubles(const float* p, int n, float factor) {
    const float two[2] = {p[0], n > 1 ? p[1] : 0.f};
    return vcvt_f64_f32(vmul_n_f32(vld1_f32(two), factor));
}
// The first n of 2 doubles, as floats times a factor.
HEARTH_INLINE void store_doubles(float* p, int n, Doubles v, float factor) {
    const float32x2_t two = vmul_n_f32(vcvt_f32_f64(v), factor);
    p[0] = vget_lane_f32(two, 0);
    if (n > 1) p[1] = vget_lane_f32(two, 1);
}
HEARTH_INLINE Doubles splat(double v) { return vdupq_n_f64(v); }
HEARTH_INLINE Doubles fmadd(Doubles a, Doubles b, Doubles c) { return vfmaq_f64(c, a, b); }
HEARTH_INLINE Doubles fnmadd(Doubles a, Doubles b, Doubles c) { return vfmsq_f64(c, a, b); }
HEARTH_INLINE Doubles to_nearest(Doubles v) { return vrndnq_f64(v); }
HEARTH_INLINE Longs to_longs(Doubles v) { return vcvtq_s64_f64(v); }

}  // namespace engine::neon
