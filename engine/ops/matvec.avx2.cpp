// Decode: one row of activations times panels. A panel's 16 rows are two registers of 8; lane r is a row,
// a lane takes four columns at a time, the activation's four bytes are broadcast.
#include "engine/ops/dots.avx2.h"
#include "engine/ops/kernels.avx2.h"

namespace engine::avx2 {
namespace {

struct Two {  // rows 0-7 and 8-15 of a panel
    __m256i half[2];
};
struct TwoFloats {
    __m256 half[2];
};

#define EACH_HALF HEARTH_UNROLL for (int h = 0; h < 2; ++h)

HEARTH_INLINE Two start_at(int32_t value) {
    const __m256i v = _mm256_set1_epi32(value);
    return {{v, v}};
}

// f += a * d * x for 16 rows.
HEARTH_INLINE void add_scaled(TwoFloats& f, const Two& a, const TwoFloats& d, float x) {
    EACH_HALF f.half[h] = _mm256_fmadd_ps(to_float(a.half[h]), _mm256_mul_ps(d.half[h], _mm256_set1_ps(x)), f.half[h]);
}
HEARTH_INLINE TwoFloats halves(const uint8_t* p) { return {{half8(p), half8(p + 16)}}; }

// Sums of 32 columns, the weights' offset included.
HEARTH_INLINE Two dot_nibbles(const uint8_t* w, const int8_t* x, int32_t offset) {
    Two a = start_at(offset), pairs = start_at(0);
    HEARTH_UNROLL for (int j = 0; j < 4; ++j) {
        const __m256i x0 = broadcast4(x + 4 * j), x1 = broadcast4(x + 16 + 4 * j);
        EACH_HALF {
            const __m256i v = load(w + 64 * j + 32 * h);
            pairs.half[h] = add_pairs(pairs.half[h], low_nibbles(v), x0);
            pairs.half[h] = add_pairs(pairs.half[h], high_nibbles(v), x1);
        }
    }
    EACH_HALF a.half[h] = widen(a.half[h], pairs.half[h]);
    return a;
}

template <int J> HEARTH_INLINE void five_bits(const uint8_t* w, const int8_t* x, Two& low, Two& high) {
    const __m256i x0 = broadcast4(x + 4 * J), x1 = broadcast4(x + 16 + 4 * J);
    EACH_HALF {
        const __m256i fifth = load(w + 32 * h), v = load(w + 64 + 64 * J + 32 * h);
        low.half[h] = add_pairs(low.half[h], add_fifth<J>(low_nibbles(v), fifth), x0);
        high.half[h] = add_pairs(high.half[h], add_fifth<J + 4>(high_nibbles(v), fifth), x1);
    }
}
HEARTH_INLINE Two dot_five_bits(const uint8_t* w, const int8_t* x, int32_t offset) {
    Two a = start_at(offset), low = start_at(0), high = low;
    five_bits<0>(w, x, low, high);
    five_bits<1>(w, x, low, high);
    five_bits<2>(w, x, low, high);
    five_bits<3>(w, x, low, high);
    EACH_HALF a.half[h] = widen(widen(a.half[h], low.half[h]), high.half[h]);
    return a;
}

HEARTH_INLINE Two dot_q8_0(const uint8_t* w, const int8_t* x) {
    Two a = start_at(0);
    HEARTH_UNROLL for (int j = 0; j < 8; ++j) {
        const __m256i z = broadcast4(x + 4 * j);
        EACH_HALF {
            const __m256i v = _mm256_xor_si256(load(w + 64 * j + 32 * h), _mm256_set1_epi8(-128));
            a.half[h] = widen(a.half[h], signed_pairs(_mm256_abs_epi8(v), v, z));
        }
    }
    return a;
}

template <Format F> HEARTH_INLINE TwoFloats panel_float_scales(const uint8_t* w, const Activations& x) {
    constexpr int head = F == Format::int4 ? 128 : 64;
    TwoFloats f{{_mm256_setzero_ps(), _mm256_setzero_ps()}};
    for (int b = 0; b < x.columns / 32; ++b, w += head + 256) {
        const int8_t* z = x.q + 32 * b;
        Two a = start_at(0);
        TwoFloats d;
        EACH_HALF {
            const __m256i help = code_help<F>(w + 64 + 32 * h);
            HEARTH_UNROLL for (int j = 0; j < 4; ++j) {
                const __m256i v = load(w + head + 64 * j + 32 * h);
                const __m256i l = signed_code<F>(low_nibbles(v), help), u = signed_code<F>(high_nibbles(v), help);
                a.half[h] = widen(a.half[h], signed_pairs(_mm256_abs_epi8(l), l, broadcast4(z + 4 * j)));
                a.half[h] = widen(a.half[h], signed_pairs(_mm256_abs_epi8(u), u, broadcast4(z + 16 + 4 * j)));
            }
            d.half[h] = _mm256_load_ps(reinterpret_cast<const float*>(w) + 8 * h);
        }
        add_scaled(f, a, d, x.scale[b]);
    }
    return f;
}

template <Format F> HEARTH_INLINE TwoFloats panel_pairs(const uint8_t* w, const Activations& x) {
    constexpr int data = F == Format::q4_0 ? 256 : F == Format::q5_0 ? 320 : 512;
    TwoFloats f{{_mm256_setzero_ps(), _mm256_setzero_ps()}};
    for (int b = 0; b < x.columns / 32; ++b) {
        const TwoFloats d = halves(b & 1 ? w - data - 32 : w);
        if (!(b & 1)) w += 64;
        const int8_t* z = x.q + 32 * b;
        if constexpr (F == Format::q4_0) add_scaled(f, dot_nibbles(w, z, -8 * x.sum[b]), d, x.scale[b]);
        if constexpr (F == Format::q5_0) add_scaled(f, dot_five_bits(w, z, -16 * x.sum[b]), d, x.scale[b]);
        if constexpr (F == Format::q8_0) add_scaled(f, dot_q8_0(w, z), d, x.scale[b]);
        w += data;
    }
    return f;
}

template <bool five> HEARTH_INLINE TwoFloats panel_minimum(const uint8_t* w, const Activations& x) {
    TwoFloats f{{_mm256_setzero_ps(), _mm256_setzero_ps()}};
    for (int b = 0; b < x.columns / 32; ++b, w += five ? 384 : 320) {
        const int8_t* z = x.q + 32 * b;
        add_scaled(f, five ? dot_five_bits(w + 64, z, 0) : dot_nibbles(w + 64, z, 0), halves(w), x.scale[b]);
        const TwoFloats m = halves(w + 32);
        EACH_HALF f.half[h] = _mm256_fmadd_ps(m.half[h], _mm256_set1_ps(x.scaled[b]), f.half[h]);
    }
    return f;
}

// One sub-block of 32 columns of a K format: the low or the high nibbles of a chunk.
template <bool five, int S> HEARTH_INLINE Two dot_k(const uint8_t* chunk, const uint8_t* fifth, const int8_t* x) {
    constexpr int parts = five ? 2 : 1, words = 8 / parts;
    Two a = start_at(0);
    HEARTH_UNROLL for (int part = 0; part < parts; ++part) {
        Two pairs = start_at(0);
        HEARTH_UNROLL for (int j = words * part; j < words * part + words; ++j) {
            const __m256i z = broadcast4(x + 4 * j);
            EACH_HALF {
                const __m256i v = load(chunk + 64 * j + 32 * h);
                __m256i codes = S & 1 ? high_nibbles(v) : low_nibbles(v);
                if constexpr (five) codes = add_fifth<S>(codes, load(fifth + 64 * j + 32 * h));
                pairs.half[h] = add_pairs(pairs.half[h], codes, z);
            }
        }
        EACH_HALF a.half[h] = widen(a.half[h], pairs.half[h]);
    }
    return a;
}

template <bool five, int S>
HEARTH_INLINE void k_sub_block(const uint8_t* head, const KScales& scales, const Activations& x, int block, TwoFloats& f) {
    const uint8_t* fifth = head + 256;
    const uint8_t* chunk = head + (five ? 768 : 256) + 512 * (S / 2);
    const int b = 8 * block + S;
    const Two a = dot_k<five, S>(chunk, fifth, x.q + 32 * b);
    const TwoFloats d = halves(head), dmin = halves(head + 32);
    EACH_HALF {
        const __m256 scale = _mm256_mul_ps(d.half[h], unsigned_bytes(scales.scale[S] + 8 * h));
        const __m256 minimum = _mm256_mul_ps(dmin.half[h], unsigned_bytes(scales.minimum[S] + 8 * h));
        f.half[h] = _mm256_fmadd_ps(to_float(a.half[h]), _mm256_mul_ps(scale, _mm256_set1_ps(x.scale[b])), f.half[h]);
        f.half[h] = _mm256_fnmadd_ps(minimum, _mm256_set1_ps(x.scaled[b]), f.half[h]);
    }
}

template <bool five> HEARTH_INLINE TwoFloats panel_k(const uint8_t* w, const Activations& x) {
    TwoFloats f{{_mm256_setzero_ps(), _mm256_setzero_ps()}};
    KScales scales;
    for (int block = 0; block < x.columns / 256; ++block, w += five ? 2816 : 2304) {
        k_scales(w, scales);
        k_sub_block<five, 0>(w, scales, x, block, f);
        k_sub_block<five, 1>(w, scales, x, block, f);
        k_sub_block<five, 2>(w, scales, x, block, f);
        k_sub_block<five, 3>(w, scales, x, block, f);
        k_sub_block<five, 4>(w, scales, x, block, f);
        k_sub_block<five, 5>(w, scales, x, block, f);
        k_sub_block<five, 6>(w, scales, x, block, f);
        k_sub_block<five, 7>(w, scales, x, block, f);
    }
    return f;
}

// A quarter: 16 columns of each of four groups. Codes of 6 bits may be added twice in 16 bits, smaller ones oftener.
template <Format F> HEARTH_INLINE void dot_quarter(const uint8_t* block, int quarter, const int8_t* x, const int32_t* sum16, Two (&a)[4]) {
    constexpr int zero = Quarters<F>::minimum ? 0 : 1 << zero_shift(F), words = F == Format::q6_k ? 2 : 4;
    HEARTH_UNROLL for (int g = 0; g < 4; ++g) a[g] = start_at(-zero * sum16[2 * g]);
    HEARTH_UNROLL for (int part = 0; part < 4; part += words) EACH_HALF {
        __m256i pairs[4];
        HEARTH_UNROLL for (int g = 0; g < 4; ++g) pairs[g] = _mm256_setzero_si256();
        HEARTH_UNROLL for (int j = part; j < part + words; ++j) {
            __m256i v[4];
            quarter_words<F>(block, quarter / 2, quarter & 1, j, h, v);
            HEARTH_UNROLL for (int g = 0; g < 4; ++g) pairs[g] = add_pairs(pairs[g], v[g], broadcast4(x + 32 * g + 4 * j));
        }
        HEARTH_UNROLL for (int g = 0; g < 4; ++g) a[g].half[h] = widen(a[g].half[h], pairs[g]);
    }
}

template <Format F> HEARTH_INLINE TwoFloats panel_quarters(const uint8_t* w, const Activations& x) {
    using Q = Quarters<F>;
    TwoFloats f{{_mm256_setzero_ps(), _mm256_setzero_ps()}};
    for (int block = 0; block < x.columns / 256; ++block, w += Q::data) {
        const uint8_t* head = Q::pair && block & 1 ? w - Q::data - 32 : w;
        const TwoFloats d = halves(head), dmin = halves(Q::minimum ? head + 32 : head);
        if (!(Q::pair && block & 1)) w += 64;
        for (int quarter = 0; quarter < 4; ++quarter) {
            const int at = 256 * block + 128 * (quarter / 2) + 16 * (quarter & 1);
            const int32_t* const sum16 = x.sum16 + at / 16;
            Two a[4];
            dot_quarter<F>(w, quarter, x.q + at, sum16, a);
            HEARTH_UNROLL for (int g = 0; g < 4; ++g) {
                const float x_scale = x.scale[at / 32 + g];
                TwoFloats s, m;
                EACH_HALF quarter_scale<F>(w + Q::before + Q::bytes * quarter + 16 * g + 8 * h, d.half[h], dmin.half[h], &s.half[h], &m.half[h]);
                add_scaled(f, a[g], s, x_scale);
                if constexpr (Q::minimum)
                    EACH_HALF f.half[h] = _mm256_fnmadd_ps(m.half[h], _mm256_set1_ps(x_scale * float(sum16[2 * g])), f.half[h]);
            }
        }
    }
    return f;
}

template <TwoFloats (*panel)(const uint8_t*, const Activations&)>
void run(const Panels& w, const Activations& x, const Results& to, int begin, int end) {
    const size_t bytes = panel_bytes(w.format, w.columns);
    for (int p = begin; p < end; ++p) {
        const TwoFloats y = panel(w.data + p * bytes, x);
        EACH_HALF {
            const int row = panel_rows * p + 8 * h;
            store_result(to.out + row, to.bias ? to.bias + row : nullptr, to.accumulate, w.rows - row, _mm256_mul_ps(y.half[h], _mm256_set1_ps(w.scale)));
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

}  // namespace engine::avx2
