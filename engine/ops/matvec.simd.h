// Decode: one row of activations times panels. A panel's 16 rows are kParts registers; a lane is a row and takes four
// columns at a time, the activation's four bytes are broadcast. Included by matvec.NAME.cpp.
#pragma once

#include "engine/ops/codes.simd.h"

namespace engine::HEARTH_TARGET {
namespace {

// Of the 16 rows of a panel.
struct PanelSums {
    Sums part[kParts];
};
struct PanelPairs {
    Pairs part[kParts];
};
struct PanelFloats {
    Register part[kParts];
};

HEARTH_INLINE PanelSums start_at(int32_t value) {
    PanelSums a;
    EACH_PART a.part[p] = splat_int(value);
    return a;
}
HEARTH_INLINE PanelPairs start_pairs() {
    PanelPairs a;
    EACH_PART a.part[p] = no_pairs();
    return a;
}
HEARTH_INLINE void widen_all(PanelSums& a, const PanelPairs& pairs) { EACH_PART a.part[p] = widen(a.part[p], pairs.part[p]); }
HEARTH_INLINE PanelFloats zeroes() {
    PanelFloats f;
    EACH_PART f.part[p] = splat(0.f);
    return f;
}

// f += a * d * x for 16 rows.
HEARTH_INLINE void add_scaled(PanelFloats& f, const PanelSums& a, const PanelFloats& d, float x) {
    EACH_PART f.part[p] = fmadd(to_float(a.part[p]), d.part[p] * splat(x), f.part[p]);
}
HEARTH_INLINE PanelFloats panel_halves(const uint8_t* from) {
    PanelFloats d;
    EACH_PART d.part[p] = halves(from + 2 * kLanes * p);
    return d;
}

// Sums of 32 columns, the weights' offset included.
HEARTH_INLINE PanelSums dot_nibbles(const uint8_t* w, const int8_t* x, int32_t offset) {
    PanelSums a = start_at(offset);
    PanelPairs pairs = start_pairs();
    HEARTH_UNROLL for (int j = 0; j < 4; ++j) {
        const Bytes x0 = broadcast4(x + 4 * j), x1 = broadcast4(x + 16 + 4 * j);
        EACH_PART {
            const Bytes v = load(w + 64 * j + kWidth * p);
            pairs.part[p] = add_pairs(pairs.part[p], low_nibbles(v), x0);
            pairs.part[p] = add_pairs(pairs.part[p], high_nibbles(v), x1);
        }
    }
    widen_all(a, pairs);
    return a;
}

template <int J> HEARTH_INLINE void five_bits(const uint8_t* w, const int8_t* x, PanelPairs& low, PanelPairs& high) {
    const Bytes x0 = broadcast4(x + 4 * J), x1 = broadcast4(x + 16 + 4 * J);
    EACH_PART {
        const Bytes fifth = load(w + kWidth * p), v = load(w + 64 + 64 * J + kWidth * p);
        low.part[p] = add_pairs(low.part[p], add_fifth<J>(low_nibbles(v), fifth), x0);
        high.part[p] = add_pairs(high.part[p], add_fifth<J + 4>(high_nibbles(v), fifth), x1);
    }
}
HEARTH_INLINE PanelSums dot_five_bits(const uint8_t* w, const int8_t* x, int32_t offset) {
    PanelSums a = start_at(offset);
    PanelPairs low = start_pairs(), high = low;
    five_bits<0>(w, x, low, high);
    five_bits<1>(w, x, low, high);
    five_bits<2>(w, x, low, high);
    five_bits<3>(w, x, low, high);
    widen_all(a, low);
    widen_all(a, high);
    return a;
}

HEARTH_INLINE PanelSums dot_q8_0(const uint8_t* w, const int8_t* x) {
    PanelSums a = start_at(0);
    HEARTH_UNROLL for (int j = 0; j < 8; ++j) {
        const Bytes z = broadcast4(x + 4 * j);
        EACH_PART a.part[p] = add_signed(a.part[p], load(w + 64 * j + kWidth * p) ^ splat_byte(128), z);
    }
    return a;
}

template <Format F> HEARTH_INLINE PanelFloats panel_float_scales(const uint8_t* w, const Activations& x) {
    constexpr int head = F == Format::int4 ? 128 : 64;
    PanelFloats f = zeroes();
    for (int b = 0; b < x.columns / 32; ++b, w += head + 256) {
        const int8_t* z = x.q + 32 * b;
        PanelSums a = start_at(0);
        PanelFloats d;
        EACH_PART {
            const Bytes help = code_help<F>(w + 64 + kWidth * p);
            HEARTH_UNROLL for (int j = 0; j < 4; ++j) {
                const Bytes v = load(w + head + 64 * j + kWidth * p);
                a.part[p] = add_signed(a.part[p], signed_code<F>(low_nibbles(v), help), broadcast4(z + 4 * j));
                a.part[p] = add_signed(a.part[p], signed_code<F>(high_nibbles(v), help), broadcast4(z + 16 + 4 * j));
            }
            d.part[p] = load_floats(reinterpret_cast<const float*>(w) + kLanes * p);
        }
        add_scaled(f, a, d, x.scale[b]);
    }
    return f;
}

template <Format F> HEARTH_INLINE PanelFloats panel_pairs(const uint8_t* w, const Activations& x) {
    constexpr int data = F == Format::q4_0 ? 256 : F == Format::q5_0 ? 320 : 512;
    PanelFloats f = zeroes();
    for (int b = 0; b < x.columns / 32; ++b) {
        const PanelFloats d = panel_halves(b & 1 ? w - data - 32 : w);
        if (!(b & 1)) w += 64;
        const int8_t* z = x.q + 32 * b;
        if constexpr (F == Format::q4_0) add_scaled(f, dot_nibbles(w, z, -8 * x.sum[b]), d, x.scale[b]);
        if constexpr (F == Format::q5_0) add_scaled(f, dot_five_bits(w, z, -16 * x.sum[b]), d, x.scale[b]);
        if constexpr (F == Format::q8_0) add_scaled(f, dot_q8_0(w, z), d, x.scale[b]);
        w += data;
    }
    return f;
}

template <bool five> HEARTH_INLINE PanelFloats panel_minimum(const uint8_t* w, const Activations& x) {
    PanelFloats f = zeroes();
    for (int b = 0; b < x.columns / 32; ++b, w += five ? 384 : 320) {
        const int8_t* z = x.q + 32 * b;
        add_scaled(f, five ? dot_five_bits(w + 64, z, 0) : dot_nibbles(w + 64, z, 0), panel_halves(w), x.scale[b]);
        const PanelFloats m = panel_halves(w + 32);
        EACH_PART f.part[p] = fmadd(m.part[p], splat(x.scaled[b]), f.part[p]);
    }
    return f;
}

// f += of sub-block S of a K block, whose products are a.
template <int S>
HEARTH_INLINE void k_sub_block(const uint8_t* head, const KScales& scales, const Activations& x, int block, const PanelSums& a, PanelFloats& f) {
    const int b = 8 * block + S;
    const PanelFloats d = panel_halves(head), dmin = panel_halves(head + 32);
    EACH_PART {
        const Register scale = d.part[p] * unsigned_bytes(scales.scale + 16 * S + kLanes * p);
        const Register minimum = dmin.part[p] * unsigned_bytes(scales.minimum + 16 * S + kLanes * p);
        f.part[p] = fmadd(to_float(a.part[p]), scale * splat(x.scale[b]), f.part[p]);
        f.part[p] = fnmadd(minimum, splat(x.scaled[b]), f.part[p]);
    }
}

// The sub-blocks of chunk C: 32 columns in low nibbles, 32 in high ones.
template <bool five, int C>
HEARTH_INLINE void k_chunk(const uint8_t* head, const KScales& scales, const Activations& x, int block, PanelFloats& f) {
    constexpr int words = five ? 4 : 8;  // that may be added in 16 bits
    const uint8_t* const fifth = head + 256;
    const uint8_t* const chunk = head + (five ? 768 : 256) + 512 * C;
    const int8_t* const z = x.q + 256 * block + 64 * C;
    PanelSums low = start_at(0), high = low;
    HEARTH_UNROLL for (int first = 0; first < 8; first += words) {
        PanelPairs of_low = start_pairs(), of_high = of_low;
        HEARTH_UNROLL for (int j = first; j < first + words; ++j) {
            const Bytes x0 = broadcast4(z + 4 * j), x1 = broadcast4(z + 32 + 4 * j);
            EACH_PART {
                const Bytes v = load(chunk + 64 * j + kWidth * p);
                Bytes l = low_nibbles(v), h = high_nibbles(v);
                if constexpr (five) {
                    const Bytes bits = load(fifth + 64 * j + kWidth * p);
                    l = add_fifth<2 * C>(l, bits);
                    h = add_fifth<2 * C + 1>(h, bits);
                }
                of_low.part[p] = add_pairs(of_low.part[p], l, x0);
                of_high.part[p] = add_pairs(of_high.part[p], h, x1);
            }
        }
        widen_all(low, of_low);
        widen_all(high, of_high);
    }
    k_sub_block<2 * C>(head, scales, x, block, low, f);
    k_sub_block<2 * C + 1>(head, scales, x, block, high, f);
}

template <bool five> HEARTH_INLINE PanelFloats panel_k(const uint8_t* w, const Activations& x) {
    PanelFloats f = zeroes();
    KScales scales;
    for (int block = 0; block < x.columns / 256; ++block, w += five ? 2816 : 2304) {
        k_scales(w, scales);
        k_chunk<five, 0>(w, scales, x, block, f);
        k_chunk<five, 1>(w, scales, x, block, f);
        k_chunk<five, 2>(w, scales, x, block, f);
        k_chunk<five, 3>(w, scales, x, block, f);
    }
    return f;
}

// A quarter: 16 columns of each of four groups. Codes of 6 bits may be added twice in 16 bits, smaller ones oftener.
template <Format F> HEARTH_INLINE void dot_quarter(const uint8_t* block, int quarter, const int8_t* x, const int32_t* sum16, PanelSums (&a)[4]) {
    constexpr int zero = Quarters<F>::minimum ? 0 : 1 << zero_shift(F), words = F == Format::q6_k ? 2 : 4;
    HEARTH_UNROLL for (int g = 0; g < 4; ++g) a[g] = start_at(-zero * sum16[2 * g]);
    HEARTH_UNROLL for (int first = 0; first < 4; first += words) EACH_PART {
        Pairs pairs[4];
        HEARTH_UNROLL for (int g = 0; g < 4; ++g) pairs[g] = no_pairs();
        HEARTH_UNROLL for (int j = first; j < first + words; ++j) {
            Bytes v[4];
            quarter_words<F>(block, quarter / 2, quarter & 1, j, p, v);
            HEARTH_UNROLL for (int g = 0; g < 4; ++g) pairs[g] = add_pairs(pairs[g], v[g], broadcast4(x + 32 * g + 4 * j));
        }
        HEARTH_UNROLL for (int g = 0; g < 4; ++g) a[g].part[p] = widen(a[g].part[p], pairs[g]);
    }
}

template <Format F> HEARTH_INLINE PanelFloats panel_quarters(const uint8_t* w, const Activations& x) {
    using Q = Quarters<F>;
    PanelFloats f = zeroes();
    for (int block = 0; block < x.columns / 256; ++block, w += Q::data) {
        const uint8_t* head = Q::pair && block & 1 ? w - Q::data - 32 : w;
        const PanelFloats d = panel_halves(head), dmin = panel_halves(Q::minimum ? head + 32 : head);
        if (!(Q::pair && block & 1)) w += 64;
        for (int quarter = 0; quarter < 4; ++quarter) {
            const int at = 256 * block + 128 * (quarter / 2) + 16 * (quarter & 1);
            const int32_t* const sum16 = x.sum16 + at / 16;
            PanelSums a[4];
            dot_quarter<F>(w, quarter, x.q + at, sum16, a);
            HEARTH_UNROLL for (int g = 0; g < 4; ++g) {
                const float x_scale = x.scale[at / 32 + g];
                PanelFloats s, m;
                EACH_PART quarter_scale<F>(w + Q::before + Q::bytes * quarter + 16 * g + kLanes * p, d.part[p], dmin.part[p], &s.part[p], &m.part[p]);
                add_scaled(f, a[g], s, x_scale);
                if constexpr (Q::minimum) EACH_PART f.part[p] = fnmadd(m.part[p], splat(x_scale * float(sum16[2 * g])), f.part[p]);
            }
        }
    }
    return f;
}

template <PanelFloats (*panel)(const uint8_t*, const Activations&)>
void run(const Panels& w, const Activations& x, const Results& to, int begin, int end) {
    const size_t bytes = panel_bytes(w.format, w.columns);
    for (int at = begin; at < end; ++at) {
        const PanelFloats y = panel(w.data + at * bytes, x);
        EACH_PART {
            const int row = panel_rows * at + kLanes * p;
            store_result(to.out + row, to.bias ? to.bias + row : nullptr, to.accumulate, w.rows - row, y.part[p] * splat(w.scale));
        }
    }
}

}  // namespace

void matvec_int8(const Panels& w, const Activations& x, const Results& to, int begin, int end) {
    switch (w.format) {
        case Format::q4_0: return run<panel_pairs<Format::q4_0>>(w, x, to, begin, end);
        case Format::q4_1: return run<panel_minimum<false>>(w, x, to, begin, end);
        case Format::q5_1: return run<panel_minimum<true>>(w, x, to, begin, end);
        case Format::q5_0: return run<panel_pairs<Format::q5_0>>(w, x, to, begin, end);
        case Format::q8_0: return run<panel_pairs<Format::q8_0>>(w, x, to, begin, end);
        case Format::q4_k: return run<panel_k<false>>(w, x, to, begin, end);
        case Format::q5_k: return run<panel_k<true>>(w, x, to, begin, end);
        case Format::q6_k: return run<panel_quarters<Format::q6_k>>(w, x, to, begin, end);
        case Format::q3_k: return run<panel_quarters<Format::q3_k>>(w, x, to, begin, end);
        case Format::q2_k: return run<panel_quarters<Format::q2_k>>(w, x, to, begin, end);
        case Format::mxfp4: return run<panel_float_scales<Format::mxfp4>>(w, x, to, begin, end);
        case Format::iq4_nl: case Format::iq4_xs: return run<panel_float_scales<Format::iq4_nl>>(w, x, to, begin, end);
        case Format::int4: return run<panel_float_scales<Format::int4>>(w, x, to, begin, end);
        default: return;
    }
}

}  // namespace engine::HEARTH_TARGET
