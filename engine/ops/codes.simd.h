// The codes and scales of packed panels (see panel.h) in registers, each of which holds kLanes rows: shared by the kernels
// that unpack panels and by those that multiply straight from them. A target's simd and dots headers come first.
#pragma once

#include "engine/ops/panel.h"

namespace engine::HEARTH_TARGET {

#define EACH_PART HEARTH_UNROLL for (int p = 0; p < kParts; ++p)
constexpr int kWidth = 4 * kLanes;  // bytes of a register

HEARTH_INLINE Bytes low_nibbles(Bytes v) { return v & splat_byte(15); }
HEARTH_INLINE Bytes high_nibbles(Bytes v) { return down<4>(v) & splat_byte(15); }

// Nibbles of a format with float scales as its integers. `help`: its table, or the offsets of INT4 less 128.
template <Format F> HEARTH_INLINE Bytes code_help(const uint8_t* offsets) {
    if constexpr (F == Format::int4) return load(offsets) ^ splat_byte(128);
    else return table(F == Format::iq4_nl ? kNonLinear : kTwiceE2m1);
}
template <Format F> HEARTH_INLINE Bytes signed_code(Bytes nibbles, Bytes help) {
    return F == Format::int4 ? add_bytes(nibbles, help) : look_up(help, nibbles);
}

// Adds 16 where bit `bit` of a byte of h is set.
template <int bit> HEARTH_INLINE Bytes add_fifth(Bytes low, Bytes h) {
    if constexpr (bit < 4) return low | (up<4 - bit>(h) & splat_byte(16));
    else if constexpr (bit == 4) return low | (h & splat_byte(16));
    else return low | (down<bit - 4>(h) & splat_byte(16));
}

// Codes of Q6_K: four bits from l, two more at bits 4 and 5 of h.
HEARTH_INLINE Bytes six_bits(Bytes l, Bytes h) { return l | (h & splat_byte(48)); }

// Codes of word j of the four groups of quarter (n, h) of a block: register `part` of its rows.
template <Format F> HEARTH_INLINE void quarter_words(const uint8_t* block, int n, int h, int j, int part, Bytes (&v)[4]) {
    using Q = Quarters<F>;
    const uint8_t* w = block + Q::before + Q::bytes * (2 * n + h) + 64 + kWidth * part;
    if constexpr (F == Format::q6_k) {
        const Bytes top = load(w + 192 * j), l0 = load(w + 192 * j + 64), l1 = load(w + 192 * j + 128);
        v[0] = six_bits(low_nibbles(l0), up<4>(top));
        v[1] = six_bits(low_nibbles(l1), up<2>(top));
        v[2] = six_bits(high_nibbles(l0), top);
        v[3] = six_bits(high_nibbles(l1), down<2>(top));
    } else {
        const Bytes two = splat_byte(3), codes = load(w + 64 * j);
        v[0] = codes & two;
        v[1] = down<2>(codes) & two;
        v[2] = down<4>(codes) & two;
        v[3] = down<6>(codes) & two;
        if constexpr (F == Format::q3_k) {
            const Bytes four = splat_byte(4), third = down_by(load(block + 256 * h + 64 * j + kWidth * part), 4 * n);
            v[0] = v[0] | (up<2>(third) & four);
            v[1] = v[1] | (up<1>(third) & four);
            v[2] = v[2] | (third & four);
            v[3] = v[3] | (down<1>(third) & four);
        }
    }
}

// Scale and minimum of a register's rows in a group of a quarter.
template <Format F> HEARTH_INLINE void quarter_scale(const uint8_t* bytes, Register d, Register dmin, Register* scale, Register* minimum) {
    if constexpr (Quarters<F>::minimum) {
        *scale = d * to_float(low_fours(bytes));
        *minimum = dmin * to_float(high_fours(bytes));
    } else {
        *scale = d * signed_bytes(bytes);
    }
}

// Scales and minima of a 256-column K block as bytes: sub-block x 16 rows (see panel.h).
struct KScales {
    alignas(64) uint8_t scale[8 * 16], minimum[8 * 16];
};
HEARTH_INLINE void k_scales(const uint8_t* head, KScales& to) {
    const Bytes six = splat_byte(63);
    HEARTH_UNROLL for (int i = 0; i < 64; i += kWidth) {
        const Bytes p0 = load(head + 64 + i), p1 = load(head + 128 + i), p2 = load(head + 192 + i);
        const Bytes high = (down<6>(p0) & splat_byte(3)) | (down<4>(p1) & splat_byte(12)) | (down<2>(p2) & splat_byte(48));
        store_bytes(to.scale + i, p0 & six);
        store_bytes(to.scale + 64 + i, p1 & six);
        store_bytes(to.minimum + i, p2 & six);
        store_bytes(to.minimum + 64 + i, high);
    }
}

// The rows of a panel that is not full, out of the way of the others.
static __attribute__((noinline)) void store_last(float* out, const float* bias, bool accumulate, int n, Register v) {
    if (bias) v = v + some(bias, n);
    if (accumulate) v = v + some(out, n);
    store_some(out, n, v);
}
// Adds bias and what is there already (see Results), then stores the first n results of a register.
HEARTH_INLINE void store_result(float* out, const float* bias, bool accumulate, int n, Register v) {
    if (n >= kLanes) {
        if (bias) v = v + load_floats(bias);
        if (accumulate) v = v + load_floats(out);
        store_floats(out, v);
    } else if (n > 0) {
        store_last(out, bias, accumulate, n, v);
    }
}

}  // namespace engine::HEARTH_TARGET
