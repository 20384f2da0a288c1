// Packed panels to the bytes and float scales of the integer tiles. Codes of Q8_0 and of formats with float
// scales are signed. Included by unpack.NAME.cpp.
#pragma once

#include "engine/ops/codes.simd.h"

namespace engine::HEARTH_TARGET {
namespace {

// Where member p of n panels goes.
struct Out {
    uint8_t* q;
    float *scale, *minimum;
    size_t q_step, f_step;  // bytes a word, floats a block

    void word(int j, int p, Bytes v) const { store_bytes(q + j * q_step + kWidth * p, v); }
    void scales(int p, Register d) const { store_floats(scale + kLanes * p, d); }
    void minima(int p, Register m) const { store_floats(minimum + kLanes * p, m); }
    void next_block() {
        scale += f_step;
        minimum += f_step;
    }
};

HEARTH_INLINE void nibbles(const uint8_t* w, const Out& to) {
    HEARTH_UNROLL for (int j = 0; j < 4; ++j) EACH_PART {
        const Bytes v = load(w + 64 * j + kWidth * p);
        to.word(j, p, low_nibbles(v));
        to.word(j + 4, p, high_nibbles(v));
    }
}

template <int J> HEARTH_INLINE void five_bits(const uint8_t* w, const Out& to) {
    EACH_PART {
        const Bytes fifth = load(w + kWidth * p), v = load(w + 64 + 64 * J + kWidth * p);
        to.word(J, p, add_fifth<J>(low_nibbles(v), fifth));
        to.word(J + 4, p, add_fifth<J + 4>(high_nibbles(v), fifth));
    }
}

HEARTH_INLINE void nibbles_and_fifth(const uint8_t* w, const Out& to) {
    five_bits<0>(w, to);
    five_bits<1>(w, to);
    five_bits<2>(w, to);
    five_bits<3>(w, to);
}

template <Format F> void unpack_pairs(const uint8_t* w, int columns, Out to) {
    constexpr int data = F == Format::q4_0 ? 256 : F == Format::q5_0 ? 320 : 512;
    for (int b = 0; b < columns / 32; ++b) {
        const uint8_t* d = b & 1 ? w - data - 32 : w;
        EACH_PART to.scales(p, halves(d + 2 * kLanes * p));
        to.next_block();
        if (!(b & 1)) w += 64;
        if constexpr (F == Format::q4_0) nibbles(w, to);
        if constexpr (F == Format::q5_0) nibbles_and_fifth(w, to);
        if constexpr (F == Format::q8_0) {
            HEARTH_UNROLL for (int j = 0; j < 8; ++j) EACH_PART to.word(j, p, load(w + 64 * j + kWidth * p) ^ splat_byte(128));
        }
        w += data;
        to.q += 8 * to.q_step;
    }
}

template <bool five> void unpack_minimum(const uint8_t* w, int columns, Out to) {
    for (int b = 0; b < columns / 32; ++b, w += five ? 384 : 320, to.q += 8 * to.q_step) {
        EACH_PART {
            to.scales(p, halves(w + 2 * kLanes * p));
            to.minima(p, halves(w + 32 + 2 * kLanes * p));
        }
        to.next_block();
        five ? nibbles_and_fifth(w + 64, to) : nibbles(w + 64, to);
    }
}

template <Format F> void unpack_float_scales(const uint8_t* w, int columns, Out to) {
    constexpr int head = F == Format::int4 ? 128 : 64;
    for (int b = 0; b < columns / 32; ++b, w += head + 256, to.q += 8 * to.q_step, to.next_block())
        EACH_PART {
            to.scales(p, load_floats(reinterpret_cast<const float*>(w) + kLanes * p));
            const Bytes help = code_help<F>(w + 64 + kWidth * p);
            HEARTH_UNROLL for (int j = 0; j < 4; ++j) {
                const Bytes v = load(w + head + 64 * j + kWidth * p);
                to.word(j, p, signed_code<F>(low_nibbles(v), help));
                to.word(j + 4, p, signed_code<F>(high_nibbles(v), help));
            }
        }
}

void unpack_e4m3_scales(const uint8_t* w, int columns, Out to) {
    const Bytes help = code_help<Format::e2m1>(w);
    for (int u = 0; u < columns / 16; ++u, to.q += 4 * to.q_step, to.next_block()) {
        const uint8_t *pair = w + 576 * (u / 4), *words = pair + 64 + 128 * (u % 4);
        EACH_PART {
            to.scales(p, half_e4m3(pair + 16 * (u % 4) + kLanes * p));
            HEARTH_UNROLL for (int j = 0; j < 2; ++j) {
                const Bytes v = load(words + 64 * j + kWidth * p);
                to.word(j, p, signed_code<Format::e2m1>(low_nibbles(v), help));
                to.word(j + 2, p, signed_code<Format::e2m1>(high_nibbles(v), help));
            }
        }
    }
}

template <bool five, int S> HEARTH_INLINE void k_sub_block(const uint8_t* w, const KScales& k, Out& to) {
    const uint8_t* chunk = w + (five ? 768 : 256) + 512 * (S / 2);
    HEARTH_UNROLL for (int j = 0; j < 8; ++j) EACH_PART {
        const Bytes v = load(chunk + 64 * j + kWidth * p);
        Bytes codes = S & 1 ? high_nibbles(v) : low_nibbles(v);
        if constexpr (five) codes = add_fifth<S>(codes, load(w + 256 + 64 * j + kWidth * p));
        to.word(j, p, codes);
    }
    EACH_PART {
        const int at = 16 * S + kLanes * p;
        to.scales(p, halves(w + 2 * kLanes * p) * unsigned_bytes(k.scale + at));
        to.minima(p, splat(0.f) - halves(w + 32 + 2 * kLanes * p) * unsigned_bytes(k.minimum + at));
    }
    to.next_block();
    to.q += 8 * to.q_step;
}

template <bool five> void unpack_k(const uint8_t* w, int columns, Out to) {
    KScales k;
    for (int block = 0; block < columns / 256; ++block, w += five ? 2816 : 2304) {
        k_scales(w, k);
        k_sub_block<five, 0>(w, k, to);
        k_sub_block<five, 1>(w, k, to);
        k_sub_block<five, 2>(w, k, to);
        k_sub_block<five, 3>(w, k, to);
        k_sub_block<five, 4>(w, k, to);
        k_sub_block<five, 5>(w, k, to);
        k_sub_block<five, 6>(w, k, to);
        k_sub_block<five, 7>(w, k, to);
    }
}

template <Format F> void unpack_quarters(const uint8_t* w, int columns, Out to) {
    using Q = Quarters<F>;
    for (int block = 0; block < columns / 256; ++block, w += Q::data) {
        const uint8_t* head = Q::pair && block & 1 ? w - Q::data - 32 : w;
        if (!(Q::pair && block & 1)) w += 64;
        for (int quarter = 0; quarter < 4; ++quarter, to.q += 16 * to.q_step) {
            for (int g = 0; g < 4; ++g, to.next_block()) EACH_PART {
                Register scale, minimum;
                const uint8_t *bytes = w + Q::before + Q::bytes * quarter + 16 * g + kLanes * p, *d = head + 2 * kLanes * p;
                quarter_scale<F>(bytes, halves(d), halves(Q::minimum ? d + 32 : d), &scale, &minimum);
                to.scales(p, scale);
                if constexpr (Q::minimum) to.minima(p, splat(0.f) - minimum);
            }
            HEARTH_UNROLL for (int j = 0; j < 4; ++j) EACH_PART {
                Bytes v[4];
                quarter_words<F>(w, quarter / 2, quarter % 2, j, p, v);
                HEARTH_UNROLL for (int g = 0; g < 4; ++g) to.word(j + 4 * g, p, v[g]);
            }
        }
    }
}

}  // namespace
}  // namespace engine::HEARTH_TARGET

#include "engine/ops/unpack_formats.simd.h"
