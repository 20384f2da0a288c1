// Decode: one row of activations times panels, at the speed of memory. Lane r of every register is
// row r of the panel; a lane takes four columns at a time, the activation's four bytes are broadcast.
#include "engine/ops/kernels.avx512.h"
#include "engine/ops/simd.avx512.h"

namespace engine::avx512 {
namespace {

HEARTH_INLINE __m512i dot(__m512i sum, __m512i w, const int8_t* x) {
    return _mm512_dpbusd_epi32(sum, w, broadcast4(x));  // unsigned weights, signed activations
}

// Fetches `lines` cache lines some distance ahead. Measured on Zen 5: the K formats run at half the speed
// of memory without it, Q5_0, Q4_0 and Q6_K gain 5 to 10 %, Q8_0 loses 5 %.
template <int lines> HEARTH_INLINE void prefetch(const uint8_t* w) {
    constexpr int ahead = 8192;
    HEARTH_UNROLL for (int j = 0; j < lines; ++j) _mm_prefetch(w + ahead + 64 * j, _MM_HINT_T0);
}

// Integer dot products of 16 rows with 32 columns. The weights' offset times the activations' sum is
// the start value, so it costs nothing.
template <Format F> HEARTH_INLINE __m512i dot32(const uint8_t* w, const int8_t* x, int32_t sum) {
    const __m512i low = _mm512_set1_epi8(15);
    __m512i odd = _mm512_setzero_si512();
    if constexpr (F == Format::q8_0) {
        __m512i even = _mm512_set1_epi32(-128 * sum);
        HEARTH_UNROLL for (int j = 0; j < 8; j += 2) {
            even = dot(even, load(w + 64 * j), x + 4 * j);
            odd = dot(odd, load(w + 64 * j + 64), x + 4 * j + 4);
        }
        return _mm512_add_epi32(even, odd);
    } else if constexpr (F == Format::q4_0 || F == Format::q4_1) {
        // High nibbles stay in place: their sum is exactly 16 times too big, shifted once at the end.
        __m512i even = _mm512_set1_epi32(F == Format::q4_0 ? -8 * sum : 0);
        HEARTH_UNROLL for (int j = 0; j < 4; ++j) {
            const __m512i v = load(w + 64 * j);
            even = dot(even, _mm512_and_si512(v, low), x + 4 * j);
            odd = dot(odd, _mm512_andnot_si512(low, v), x + 16 + 4 * j);
        }
        return _mm512_add_epi32(even, _mm512_srai_epi32(odd, 4));
    } else {
        static_assert(F == Format::q5_0 || F == Format::q5_1);
        __m512i even = _mm512_set1_epi32(F == Format::q5_0 ? -16 * sum : 0);
        const __m512i h = load(w);
        HEARTH_UNROLL for (int j = 0; j < 4; ++j) {
            const __m512i v = load(w + 64 + 64 * j), l = _mm512_and_si512(v, low);
            const __m512i u = _mm512_and_si512(_mm512_srli_epi16(v, 4), low);
            even = dot(even, add_fifth(l, h, j), x + 4 * j);
            odd = dot(odd, add_fifth(u, h, j + 4), x + 16 + 4 * j);
        }
        return _mm512_add_epi32(even, odd);
    }
}

template <Format F> HEARTH_INLINE __m512 panel_pairs(const uint8_t* w, const Activations& x) {
    constexpr int data = F == Format::q4_0 ? 256 : F == Format::q5_0 ? 320 : 512;
    __m512 f = _mm512_setzero_ps();
    const int blocks = x.columns / 32;
    for (int b = 0; b < blocks; ++b) {
        if constexpr (F != Format::q8_0) prefetch<(data + 95) / 64>(w);
        const uint8_t* scales = b & 1 ? w - data - 32 : w;
        if (!(b & 1)) w += 64;
        const __m512 s = _mm512_mul_ps(half16(scales), _mm512_set1_ps(x.scale[b]));
        f = _mm512_fmadd_ps(to_float(dot32<F>(w, x.q + 32 * b, x.sum[b])), s, f);
        w += data;
    }
    return f;
}

template <Format F> HEARTH_INLINE __m512 panel_minimum(const uint8_t* w, const Activations& x) {
    __m512 f = _mm512_setzero_ps();
    for (int b = 0; b < x.columns / 32; ++b, w += F == Format::q5_1 ? 384 : 320) {
        const __m512 s = _mm512_mul_ps(half16(w), _mm512_set1_ps(x.scale[b]));
        f = _mm512_fmadd_ps(to_float(dot32<F>(w + 64, x.q + 32 * b, 0)), s, f);
        f = _mm512_fmadd_ps(half16(w + 32), _mm512_set1_ps(x.scaled[b]), f);
    }
    return f;
}

template <Format F> HEARTH_INLINE __m512 panel_float_scales(const uint8_t* w, const Activations& x) {
    constexpr int head = F == Format::int4 ? 128 : 64;
    const __m512i low = _mm512_set1_epi8(15);
    __m512 f = _mm512_setzero_ps();
    for (int b = 0; b < x.columns / 32; ++b, w += head + 256) {
        prefetch<(head + 256) / 64>(w);
        const __m512i help = code_help<F>(w + 64);
        __m512i even = _mm512_set1_epi32(-128 * x.sum[b]), odd = _mm512_setzero_si512();
        const int8_t* z = x.q + 32 * b;
        HEARTH_UNROLL for (int j = 0; j < 4; ++j) {
            const __m512i v = load(w + head + 64 * j);
            even = dot(even, raised_code<F>(_mm512_and_si512(v, low), help), z + 4 * j);
            odd = dot(odd, raised_code<F>(_mm512_and_si512(_mm512_srli_epi16(v, 4), low), help), z + 16 + 4 * j);
        }
        const __m512 s = _mm512_mul_ps(_mm512_load_ps(w), _mm512_set1_ps(x.scale[b]));
        f = _mm512_fmadd_ps(to_float(_mm512_add_epi32(even, odd)), s, f);
    }
    return f;
}

// Scales and minima of a 256-column K block as floats: sub-block x 16 rows.
struct KTable {
    alignas(64) float scale[8][16], minimum[8][16];
};
template <int I> HEARTH_INLINE void k_quarter(const KScales& k, int half, __m512 d, __m512 dmin, KTable& to) {
    _mm512_store_ps(to.scale[4 * half + I], _mm512_mul_ps(d, unsigned_bytes<I>(k.scale[half])));
    _mm512_store_ps(to.minimum[4 * half + I], _mm512_mul_ps(dmin, unsigned_bytes<I>(k.minimum[half])));
}
HEARTH_INLINE void k_table(const uint8_t* head, KTable& to) {
    const __m512 d = half16(head), dmin = half16(head + 32);
    const KScales k = k_scales(head);
    HEARTH_UNROLL for (int half = 0; half < 2; ++half) {
        k_quarter<0>(k, half, d, dmin, to);
        k_quarter<1>(k, half, d, dmin, to);
        k_quarter<2>(k, half, d, dmin, to);
        k_quarter<3>(k, half, d, dmin, to);
    }
}

template <bool five> HEARTH_INLINE __m512 panel_k(const uint8_t* w, const Activations& x) {
    const __m512i low = _mm512_set1_epi8(15);
    __m512 f = _mm512_setzero_ps();
    KTable table;
    for (int block = 0; block < x.columns / 256; ++block) {
        k_table(w, table);
        const uint8_t* fifth = w + 256;
        w += five ? 768 : 256;
        for (int s = 0; s < 8; s += 2, w += 512) {
            prefetch<five ? 11 : 9>(w);
            const int8_t* z = x.q + 256 * block + 32 * s;
            const __m512i bit0 = _mm512_set1_epi8(static_cast<char>(1 << s)), bit1 = _mm512_add_epi8(bit0, bit0);
            __m512i l = _mm512_setzero_si512(), h = l;
            HEARTH_UNROLL for (int j = 0; j < 8; ++j) {
                const __m512i v = load(w + 64 * j);
                if constexpr (five) {
                    const __m512i bits = load(fifth + 64 * j);
                    const __m512i u = _mm512_and_si512(_mm512_srli_epi16(v, 4), low);
                    l = dot(l, add_sixteen(_mm512_and_si512(v, low), bits, bit0), z + 4 * j);
                    h = dot(h, add_sixteen(u, bits, bit1), z + 32 + 4 * j);
                } else {
                    l = dot(l, _mm512_and_si512(v, low), z + 4 * j);
                    h = dot(h, _mm512_andnot_si512(low, v), z + 32 + 4 * j);
                }
            }
            if constexpr (!five) h = _mm512_srai_epi32(h, 4);
            const float *scale = x.scale + 8 * block + s, *scaled = x.scaled + 8 * block + s;
            const __m512 s0 = _mm512_mul_ps(_mm512_load_ps(table.scale[s]), _mm512_set1_ps(scale[0]));
            f = _mm512_fmadd_ps(to_float(l), s0, f);
            f = _mm512_fnmadd_ps(_mm512_load_ps(table.minimum[s]), _mm512_set1_ps(scaled[0]), f);
            const __m512 s1 = _mm512_mul_ps(_mm512_load_ps(table.scale[s + 1]), _mm512_set1_ps(scale[1]));
            f = _mm512_fmadd_ps(to_float(h), s1, f);
            f = _mm512_fnmadd_ps(_mm512_load_ps(table.minimum[s + 1]), _mm512_set1_ps(scaled[1]), f);
        }
    }
    return f;
}

template <Format F> HEARTH_INLINE __m512 panel_quarters(const uint8_t* w, const Activations& x) {
    using Q = Quarters<F>;
    constexpr int zero = Q::minimum ? 0 : 1 << zero_shift(F);
    __m512 f = _mm512_setzero_ps();
    for (int block = 0; block < x.columns / 256; ++block, w += Q::data) {
        const __m512 d = half16(Q::pair && block & 1 ? w - Q::data - 32 : w), dmin = half16(Q::pair ? w : w + 32);
        if (!(Q::pair && block & 1)) w += 64;
        for (int quarter = 0; quarter < 4; ++quarter) {
            const uint8_t* const scales = w + Q::before + Q::bytes * quarter;
            prefetch<Q::data / 256>(scales);
            const int at = 256 * block + 128 * (quarter / 2) + 16 * (quarter & 1);
            const int8_t* z = x.q + at;
            __m512i a[4];
            HEARTH_UNROLL for (int g = 0; g < 4; ++g) a[g] = _mm512_set1_epi32(-zero * x.sum16[at / 16 + 2 * g]);
            HEARTH_UNROLL for (int j = 0; j < 4; ++j) {
                __m512i v[4];
                quarter_words<F>(w, quarter / 2, quarter & 1, j, v);
                HEARTH_UNROLL for (int g = 0; g < 4; ++g) a[g] = dot(a[g], v[g], z + 32 * g + 4 * j);
            }
            HEARTH_UNROLL for (int g = 0; g < 4; ++g) {
                const float x_scale = x.scale[at / 32 + g];
                __m512 scale, minimum;
                quarter_scale<F>(scales, g, d, dmin, &scale, &minimum);
                f = _mm512_fmadd_ps(to_float(a[g]), _mm512_mul_ps(scale, _mm512_set1_ps(x_scale)), f);
                if constexpr (Q::minimum) f = _mm512_fnmadd_ps(minimum, _mm512_set1_ps(x_scale * float(x.sum16[at / 16 + 2 * g])), f);
            }
        }
    }
    return f;
}

template <__m512 (*panel)(const uint8_t*, const Activations&)>
void run(const Panels& w, const Activations& x, const Results& to, int begin, int end) {
    const size_t bytes = panel_bytes(w.format, w.columns);
    for (int p = begin; p < end; ++p) {
        const __m512 y = _mm512_mul_ps(panel(w.data + p * bytes, x), _mm512_set1_ps(w.scale));
        const int row = panel_rows * p;
        store_result(to.out + row, to.bias ? to.bias + row : nullptr, to.accumulate, first_lanes(w.rows - row), y);
    }
}

}  // namespace

void matvec_int8(const Panels& w, const Activations& x, const Results& to, int begin, int end) {
    switch (w.format) {
        case Format::q4_0: return run<panel_pairs<Format::q4_0>>(w, x, to, begin, end);
        case Format::q4_1: return run<panel_minimum<Format::q4_1>>(w, x, to, begin, end);
        case Format::q5_1: return run<panel_minimum<Format::q5_1>>(w, x, to, begin, end);
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

}  // namespace engine::avx512
