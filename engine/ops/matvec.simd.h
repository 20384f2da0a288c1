// Decode and a few rows: activations times panels, whose codes are made in registers and meet all rows of a tile there. A panel's
// 16 rows are kParts registers; a lane is a row and takes four columns at a time, the activation's four bytes are broadcast.
// Included by matvec.NAME.cpp.
#pragma once

#include "engine/ops/codes.simd.h"

namespace engine::HEARTH_TARGET {
namespace {

// Registers of a panel's rows that go together where a block has many sums: they stay in registers.
template <int N> constexpr int parts_together = N == 1 ? kParts : 1;

// N rows of activations, and their sums with a panel's rows.
#define EACH_ROW HEARTH_UNROLL for (int i = 0; i < N; ++i)
#define EACH_SUM EACH_PART EACH_ROW
#define EACH_OF_PARTS HEARTH_UNROLL for (int p = 0; p < P; ++p)

// Word j of row i.
template <int N> HEARTH_INLINE Bytes word_of(const int8_t* x, int j, int i) { return broadcast4(x + 4 * (j * N + i)); }

// Sums that begin at factor * start[i].
template <int N> HEARTH_INLINE void begin_at(int factor, const int32_t* start, Sums (&a)[kParts][N]) {
    EACH_SUM a[p][i] = splat_int(factor * start[i]);
}
template <int N> HEARTH_INLINE void clear(Pairs (&pairs)[kParts][N]) { EACH_SUM pairs[p][i] = no_pairs(); }
template <int N> HEARTH_INLINE void widen_all(Sums (&a)[kParts][N], const Pairs (&pairs)[kParts][N]) {
    EACH_SUM a[p][i] = widen(a[p][i], pairs[p][i]);
}

// f += a * d * x
template <int N> HEARTH_INLINE void add_scaled(const Sums (&a)[kParts][N], const Register (&d)[kParts], const float* x, Register (&f)[kParts][N]) {
    EACH_SUM f[p][i] = fmadd(to_float(a[p][i]), d[p] * splat(x[i]), f[p][i]);
}
HEARTH_INLINE void panel_halves(const uint8_t* from, Register (&d)[kParts]) { EACH_PART d[p] = halves(from + 2 * kLanes * p); }

// Products of 32 columns.
template <int N> HEARTH_INLINE void add_nibbles(const uint8_t* w, const int8_t* x, Sums (&a)[kParts][N]) {
    Pairs pairs[kParts][N];
    clear(pairs);
    HEARTH_UNROLL for (int j = 0; j < 4; ++j) {
        Bytes low[kParts], high[kParts];
        EACH_PART {
            const Bytes v = load(w + 64 * j + kWidth * p);
            low[p] = low_nibbles(v), high[p] = high_nibbles(v);
        }
        EACH_ROW {
            const Bytes x0 = word_of<N>(x, j, i), x1 = word_of<N>(x, j + 4, i);
            EACH_PART pairs[p][i] = add_pairs(add_pairs(pairs[p][i], low[p], x0), high[p], x1);
        }
    }
    widen_all(a, pairs);
}

template <int J, int N> HEARTH_INLINE void five_bits(const uint8_t* w, const int8_t* x, Pairs (&pairs)[kParts][N]) {
    Bytes low[kParts], high[kParts];
    EACH_PART {
        const Bytes fifth = load(w + kWidth * p), v = load(w + 64 + 64 * J + kWidth * p);
        low[p] = add_fifth<J>(low_nibbles(v), fifth), high[p] = add_fifth<J + 4>(high_nibbles(v), fifth);
    }
    EACH_ROW {
        const Bytes x0 = word_of<N>(x, J, i), x1 = word_of<N>(x, J + 4, i);
        EACH_PART pairs[p][i] = add_pairs(add_pairs(pairs[p][i], low[p], x0), high[p], x1);
    }
}
// Words J and J + 1: as many codes of five bits as may be added in 16.
template <int J, int N> HEARTH_INLINE void two_of_five_bits(const uint8_t* w, const int8_t* x, Sums (&a)[kParts][N]) {
    Pairs pairs[kParts][N];
    clear(pairs);
    five_bits<J>(w, x, pairs);
    five_bits<J + 1>(w, x, pairs);
    widen_all(a, pairs);
}
template <int N> HEARTH_INLINE void add_five_bits(const uint8_t* w, const int8_t* x, Sums (&a)[kParts][N]) {
    two_of_five_bits<0>(w, x, a);
    two_of_five_bits<2>(w, x, a);
}

template <int N> HEARTH_INLINE void add_q8_0(const uint8_t* w, const int8_t* x, Sums (&a)[kParts][N]) {
    HEARTH_UNROLL for (int j = 0; j < 8; ++j) {
        Bytes v[kParts];
        EACH_PART v[p] = load(w + 64 * j + kWidth * p) ^ splat_byte(128);
        EACH_ROW {
            const Bytes z = word_of<N>(x, j, i);
            EACH_PART a[p][i] = add_signed(a[p][i], v[p], z);
        }
    }
}

template <Format F, int N> HEARTH_INLINE void panel_float_scales(const uint8_t* w, const Activations& x, Register (&f)[kParts][N]) {
    constexpr int head = F == Format::int4 ? 128 : 64;
    for (int b = 0; b < x.columns / 32; ++b, w += head + 256) {
        const int8_t* const z = x.q + 32 * b * N;
        Sums a[kParts][N];
        Register d[kParts];
        EACH_PART {
            const Bytes help = code_help<F>(w + 64 + kWidth * p);
            EACH_ROW a[p][i] = splat_int(0);
            HEARTH_UNROLL for (int j = 0; j < 4; ++j) {
                const Bytes v = load(w + head + 64 * j + kWidth * p), low = signed_code<F>(low_nibbles(v), help), high = signed_code<F>(high_nibbles(v), help);
                EACH_ROW a[p][i] = add_signed(add_signed(a[p][i], low, word_of<N>(z, j, i)), high, word_of<N>(z, j + 4, i));
            }
            d[p] = load_floats(reinterpret_cast<const float*>(w) + kLanes * p);
        }
        add_scaled(a, d, x.scale + b * N, f);
    }
}

template <Format F, int N> HEARTH_INLINE void panel_pairs(const uint8_t* w, const Activations& x, Register (&f)[kParts][N]) {
    constexpr int data = F == Format::q4_0 ? 256 : F == Format::q5_0 ? 320 : 512, zero = F == Format::q4_0 ? 8 : F == Format::q5_0 ? 16 : 0;
    for (int b = 0; b < x.columns / 32; ++b, w += data) {
        Register d[kParts];
        panel_halves(b & 1 ? w - data - 32 : w, d);
        if (!(b & 1)) w += 64;
        const int8_t* const z = x.q + 32 * b * N;
        Sums a[kParts][N];
        begin_at(-zero, x.sum + b * N, a);
        if constexpr (F == Format::q4_0) add_nibbles(w, z, a);
        if constexpr (F == Format::q5_0) add_five_bits(w, z, a);
        if constexpr (F == Format::q8_0) add_q8_0(w, z, a);
        add_scaled(a, d, x.scale + b * N, f);
    }
}

template <bool five, int N> HEARTH_INLINE void panel_minimum(const uint8_t* w, const Activations& x, Register (&f)[kParts][N]) {
    for (int b = 0; b < x.columns / 32; ++b, w += five ? 384 : 320) {
        const int8_t* const z = x.q + 32 * b * N;
        Sums a[kParts][N];
        begin_at(0, x.sum + b * N, a);
        if constexpr (five) add_five_bits(w + 64, z, a);
        else add_nibbles(w + 64, z, a);
        Register d[kParts], m[kParts];
        panel_halves(w, d);
        panel_halves(w + 32, m);
        add_scaled(a, d, x.scale + b * N, f);
        EACH_SUM f[p][i] = fmadd(m[p], splat(x.scaled[b * N + i]), f[p][i]);
    }
}

// f += of sub-block S of a K block, whose products with register p of the rows are a.
template <int S, int N>
HEARTH_INLINE void k_sub_block(const uint8_t* head, const KScales& scales, const Activations& x, int block, int p, const Sums (&a)[N], Register (&f)[N]) {
    const int b = (8 * block + S) * N;
    const Register scale = halves(head + 2 * kLanes * p) * unsigned_bytes(scales.scale + 16 * S + kLanes * p);
    const Register minimum = halves(head + 32 + 2 * kLanes * p) * unsigned_bytes(scales.minimum + 16 * S + kLanes * p);
    EACH_ROW {
        f[i] = fmadd(to_float(a[i]), scale * splat(x.scale[b + i]), f[i]);
        f[i] = fnmadd(minimum, splat(x.scaled[b + i]), f[i]);
    }
}

// The sub-blocks of chunk C, 32 columns in low nibbles and 32 in high ones, for some registers of the rows from `part` on.
template <bool five, int C, int N>
HEARTH_INLINE void k_chunk(const uint8_t* head, const KScales& scales, const Activations& x, int block, int part, Register (&f)[kParts][N]) {
    constexpr int words = five ? 4 : 8, P = parts_together<N>;  // words that may be added in 16 bits
    const uint8_t* const chunk = head + (five ? 768 : 256) + 512 * C + kWidth * part;
    const int8_t* const z = x.q + (256 * block + 64 * C) * N;
    Sums low[P][N], high[P][N];
    EACH_OF_PARTS EACH_ROW low[p][i] = high[p][i] = splat_int(0);
    HEARTH_UNROLL for (int first = 0; first < 8; first += words) {
        Pairs of_low[P][N], of_high[P][N];
        EACH_OF_PARTS EACH_ROW of_low[p][i] = of_high[p][i] = no_pairs();
        HEARTH_UNROLL for (int j = first; j < first + words; ++j) EACH_OF_PARTS {
            const Bytes v = load(chunk + 64 * j + kWidth * p);
            Bytes l = low_nibbles(v), h = high_nibbles(v);
            if constexpr (five) {
                const Bytes bits = load(head + 256 + 64 * j + kWidth * (part + p));
                l = add_fifth<2 * C>(l, bits);
                h = add_fifth<2 * C + 1>(h, bits);
            }
            EACH_ROW of_low[p][i] = add_pairs(of_low[p][i], l, word_of<N>(z, j, i));
            EACH_ROW of_high[p][i] = add_pairs(of_high[p][i], h, word_of<N>(z, j + 8, i));
        }
        EACH_OF_PARTS EACH_ROW {
            low[p][i] = widen(low[p][i], of_low[p][i]);
            high[p][i] = widen(high[p][i], of_high[p][i]);
        }
    }
    EACH_OF_PARTS {
        k_sub_block<2 * C>(head, scales, x, block, part + p, low[p], f[part + p]);
        k_sub_block<2 * C + 1>(head, scales, x, block, part + p, high[p], f[part + p]);
    }
}

template <bool five, int N> HEARTH_INLINE void panel_k(const uint8_t* w, const Activations& x, Register (&f)[kParts][N]) {
    KScales scales;
    for (int block = 0; block < x.columns / 256; ++block, w += five ? 2816 : 2304) {
        k_scales(w, scales);
        HEARTH_UNROLL for (int part = 0; part < kParts; part += parts_together<N>) {
            k_chunk<five, 0>(w, scales, x, block, part, f);
            k_chunk<five, 1>(w, scales, x, block, part, f);
            k_chunk<five, 2>(w, scales, x, block, part, f);
            k_chunk<five, 3>(w, scales, x, block, part, f);
        }
    }
}

// Some registers of the rows from `part` on in a quarter: 16 columns of each of four groups. Codes of 6 bits may be added twice in 16 bits,
// smaller ones oftener.
template <Format F, int P, int N>
HEARTH_INLINE void dot_quarter(const uint8_t* block, int quarter, const int8_t* x, const int32_t* sum16, int part, Sums (&a)[4][P][N]) {
    constexpr int zero = Quarters<F>::minimum ? 0 : 1 << zero_shift(F), words = F == Format::q6_k ? 2 : 4;
    HEARTH_UNROLL for (int g = 0; g < 4; ++g) EACH_OF_PARTS EACH_ROW a[g][p][i] = splat_int(-zero * sum16[2 * g * N + i]);
    HEARTH_UNROLL for (int first = 0; first < 4; first += words) EACH_OF_PARTS {
        Pairs pairs[4][N];
        HEARTH_UNROLL for (int g = 0; g < 4; ++g) EACH_ROW pairs[g][i] = no_pairs();
        HEARTH_UNROLL for (int j = first; j < first + words; ++j) {
            Bytes v[4];
            quarter_words<F>(block, quarter / 2, quarter & 1, j, part + p, v);
            HEARTH_UNROLL for (int g = 0; g < 4; ++g) EACH_ROW pairs[g][i] = add_pairs(pairs[g][i], v[g], word_of<N>(x, 8 * g + j, i));
        }
        HEARTH_UNROLL for (int g = 0; g < 4; ++g) EACH_ROW a[g][p][i] = widen(a[g][p][i], pairs[g][i]);
    }
}

template <Format F, int N> HEARTH_INLINE void panel_quarters(const uint8_t* w, const Activations& x, Register (&f)[kParts][N]) {
    using Q = Quarters<F>;
    constexpr int P = parts_together<N>;
    for (int block = 0; block < x.columns / 256; ++block, w += Q::data) {
        const uint8_t* head = Q::pair && block & 1 ? w - Q::data - 32 : w;
        Register d[kParts], dmin[kParts];
        panel_halves(head, d);
        panel_halves(Q::minimum ? head + 32 : head, dmin);
        if (!(Q::pair && block & 1)) w += 64;
        for (int quarter = 0; quarter < 4; ++quarter) {
            const int at = 256 * block + 128 * (quarter / 2) + 16 * (quarter & 1);
            const int32_t* const sum16 = x.sum16 + at / 16 * N;
            HEARTH_UNROLL for (int part = 0; part < kParts; part += P) {
                Sums a[4][P][N];
                dot_quarter<F>(w, quarter, x.q + at * N, sum16, part, a);
                HEARTH_UNROLL for (int g = 0; g < 4; ++g) EACH_OF_PARTS {
                    const int r = part + p;
                    const float* const x_scale = x.scale + (at / 32 + g) * N;
                    Register s, m;
                    quarter_scale<F>(w + Q::before + Q::bytes * quarter + 16 * g + kLanes * r, d[r], dmin[r], &s, &m);
                    EACH_ROW f[r][i] = fmadd(to_float(a[g][p][i]), s * splat(x_scale[i]), f[r][i]);
                    if constexpr (Q::minimum) EACH_ROW f[r][i] = fnmadd(m, splat(x_scale[i] * float(sum16[2 * g * N + i])), f[r][i]);
                }
            }
        }
    }
}

template <Format F, int N> HEARTH_INLINE void panel_of(const uint8_t* w, const Activations& x, Register (&f)[kParts][N]) {
    if constexpr (F == Format::q4_0 || F == Format::q5_0 || F == Format::q8_0) panel_pairs<F>(w, x, f);
    else if constexpr (F == Format::q4_1 || F == Format::q5_1) panel_minimum<F == Format::q5_1>(w, x, f);
    else if constexpr (F == Format::q4_k || F == Format::q5_k) panel_k<F == Format::q5_k>(w, x, f);
    else if constexpr (has_quarters(F)) panel_quarters<F>(w, x, f);
    else panel_float_scales<F>(w, x, f);
}

template <Format F, int N> void run(const Panels& w, const Activations& x, const Results& to, int begin, int end) {
    if constexpr (N > 1)
        if (x.rows < N) return run<F, N - 1>(w, x, to, begin, end);
    const size_t bytes = panel_bytes(w.format, w.columns);
    for (int panel = begin; panel < end; ++panel) {
        Register f[kParts][N];
        EACH_SUM f[p][i] = splat(0.f);
        panel_of<F>(w.data + panel * bytes, x, f);
        EACH_SUM {
            const int row = panel_rows * panel + kLanes * p;
            store_result(to.out + i * to.stride + row, to.bias ? to.bias + row : nullptr, to.accumulate, w.rows - row, f[p][i] * splat(w.scale));
        }
    }
}

}  // namespace

void matvec_int8(const Panels& w, const Activations& x, const Results& to, int begin, int end) {
    switch (w.format) {
        case Format::q4_0: return run<Format::q4_0, kFewRows>(w, x, to, begin, end);
        case Format::q4_1: return run<Format::q4_1, kFewRows>(w, x, to, begin, end);
        case Format::q5_1: return run<Format::q5_1, kFewRows>(w, x, to, begin, end);
        case Format::q5_0: return run<Format::q5_0, kFewRows>(w, x, to, begin, end);
        case Format::q8_0: return run<Format::q8_0, kFewRows>(w, x, to, begin, end);
        case Format::q4_k: return run<Format::q4_k, kFewRows>(w, x, to, begin, end);
        case Format::q5_k: return run<Format::q5_k, kFewRows>(w, x, to, begin, end);
        case Format::q6_k: return run<Format::q6_k, kFewRows>(w, x, to, begin, end);
        case Format::q3_k: return run<Format::q3_k, kFewRows>(w, x, to, begin, end);
        case Format::q2_k: return run<Format::q2_k, kFewRows>(w, x, to, begin, end);
        case Format::mxfp4: return run<Format::mxfp4, kFewRows>(w, x, to, begin, end);
        case Format::iq4_nl: case Format::iq4_xs: return run<Format::iq4_nl, kFewRows>(w, x, to, begin, end);
        case Format::int4: return run<Format::int4, kFewRows>(w, x, to, begin, end);
        default: return;
    }
}

}  // namespace engine::HEARTH_TARGET
