// Decode: a few rows of activations times panels, at the speed of memory; the weights' codes are made in registers and meet all
// rows there. Lane r of every register is row r of the panel; a lane takes four columns at a time, the activation's four bytes
// are broadcast.
#include "engine/ops/kernels.avx512.h"
#include "engine/ops/simd.avx512.h"

namespace engine::avx512 {
namespace {

#define EACH_ROW HEARTH_UNROLL for (int n = 0; n < N; ++n)

// sum[n] += products with row n of the group's activations x: unsigned weights, signed activations, of which one word in memory
// serves all lanes, and so needs no instruction of its own.
template <int N> HEARTH_INLINE void dot(__m512i (&sum)[N], __m512i w, const int8_t* x) {
    EACH_ROW asm("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(sum[n]) : "v"(w), "m"(*reinterpret_cast<const int8_t(*)[4]>(x + 4 * n)));
}

// Sums that begin at factor * start[n].
template <int N> HEARTH_INLINE void begin_at(__m512i (&sum)[N], int factor, const int32_t* start) {
    EACH_ROW sum[n] = _mm512_madd_epi16(_mm512_set1_epi32(start[n]), _mm512_set1_epi32(factor & 0xffff));
}
template <int N> HEARTH_INLINE void clear(__m512i (&sum)[N]) { EACH_ROW sum[n] = _mm512_setzero_si512(); }

// f[n] += codes[n] * (scale * x[n])
template <int N> HEARTH_INLINE void add_scaled(const __m512i (&codes)[N], __m512 scale, const float* x, __m512 (&f)[N]) {
    EACH_ROW f[n] = _mm512_fmadd_ps(to_float(codes[n]), _mm512_mul_ps(scale, _mm512_set1_ps(x[n])), f[n]);
}

// Fetches `lines` cache lines some distance ahead. Measured on Zen 5: the K formats run at half the speed
// of memory without it, Q5_0, Q4_0 and Q6_K gain 5 to 10 %, Q8_0 loses 5 % with one row; with several it gains 20 to 40 % (Emerald Rapids).
template <int lines> HEARTH_INLINE void prefetch(const uint8_t* w) {
    constexpr int ahead = 8192;
    HEARTH_UNROLL for (int j = 0; j < lines; ++j) _mm_prefetch(w + ahead + 64 * j, _MM_HINT_T0);
}

// Integer dot products of 16 rows with 32 columns. The weights' offset times the activations' sum is
// the start value, so it costs nothing.
template <Format F, int N> HEARTH_INLINE void dot32(const uint8_t* w, const int8_t* x, const int32_t* sum, __m512i (&even)[N]) {
    const __m512i low = _mm512_set1_epi8(15);
    __m512i odd[N];
    clear(odd);
    if constexpr (F == Format::q8_0) {
        begin_at(even, -128, sum);
        HEARTH_UNROLL for (int j = 0; j < 8; j += 2) {
            dot(even, load(w + 64 * j), x + 4 * j * N);
            dot(odd, load(w + 64 * j + 64), x + 4 * (j + 1) * N);
        }
        EACH_ROW even[n] = _mm512_add_epi32(even[n], odd[n]);
    } else if constexpr (F == Format::q4_0 || F == Format::q4_1) {
        // High nibbles stay in place: their sum is exactly 16 times too big, shifted once at the end.
        begin_at(even, F == Format::q4_0 ? -8 : 0, sum);
        HEARTH_UNROLL for (int j = 0; j < 4; ++j) {
            const __m512i v = load(w + 64 * j);
            dot(even, _mm512_and_si512(v, low), x + 4 * j * N);
            dot(odd, _mm512_andnot_si512(low, v), x + (16 + 4 * j) * N);
        }
        EACH_ROW even[n] = _mm512_add_epi32(even[n], _mm512_srai_epi32(odd[n], 4));
    } else {
        static_assert(F == Format::q5_0 || F == Format::q5_1);
        begin_at(even, F == Format::q5_0 ? -16 : 0, sum);
        const __m512i h = load(w);
        HEARTH_UNROLL for (int j = 0; j < 4; ++j) {
            const __m512i v = load(w + 64 + 64 * j), l = _mm512_and_si512(v, low);
            const __m512i u = _mm512_and_si512(_mm512_srli_epi16(v, 4), low);
            dot(even, add_fifth(l, h, j), x + 4 * j * N);
            dot(odd, add_fifth(u, h, j + 4), x + (16 + 4 * j) * N);
        }
        EACH_ROW even[n] = _mm512_add_epi32(even[n], odd[n]);
    }
}

template <Format F, int N> HEARTH_INLINE void panel_pairs(const uint8_t* w, const Group& x, int columns, __m512 (&f)[N]) {
    constexpr int data = F == Format::q4_0 ? 256 : F == Format::q5_0 ? 320 : 512;
    const int blocks = columns / 32;
    for (int b = 0; b < blocks; ++b) {
        if constexpr (F != Format::q8_0 || N > 1) prefetch<(data + 95) / 64>(w);
        const uint8_t* scales = b & 1 ? w - data - 32 : w;
        if (!(b & 1)) w += 64;
        __m512i sum[N];
        dot32<F>(w, x.q + 32 * b * N, x.sum + b * N, sum);
        add_scaled(sum, half16(scales), x.scale + b * N, f);
        w += data;
    }
}

template <Format F, int N> HEARTH_INLINE void panel_minimum(const uint8_t* w, const Group& x, int columns, __m512 (&f)[N]) {
    for (int b = 0; b < columns / 32; ++b, w += F == Format::q5_1 ? 384 : 320) {
        __m512i sum[N];
        dot32<F>(w + 64, x.q + 32 * b * N, x.sum + b * N, sum);
        add_scaled(sum, half16(w), x.scale + b * N, f);
        const __m512 minimum = half16(w + 32);
        EACH_ROW f[n] = _mm512_fmadd_ps(minimum, _mm512_set1_ps(x.scaled[b * N + n]), f[n]);
    }
}

template <Format F, int N> HEARTH_INLINE void panel_float_scales(const uint8_t* w, const Group& x, int columns, __m512 (&f)[N]) {
    constexpr int head = F == Format::int4 ? 128 : 64;
    const __m512i low = _mm512_set1_epi8(15);
    for (int b = 0; b < columns / 32; ++b, w += head + 256) {
        prefetch<(head + 256) / 64>(w);
        const __m512i help = code_help<F>(w + 64);
        __m512i even[N], odd[N];
        begin_at(even, -128, x.sum + b * N);
        clear(odd);
        const int8_t* z = x.q + 32 * b * N;
        HEARTH_UNROLL for (int j = 0; j < 4; ++j) {
            const __m512i v = load(w + head + 64 * j);
            dot(even, raised_code<F>(_mm512_and_si512(v, low), help), z + 4 * j * N);
            dot(odd, raised_code<F>(_mm512_and_si512(_mm512_srli_epi16(v, 4), low), help), z + (16 + 4 * j) * N);
        }
        EACH_ROW even[n] = _mm512_add_epi32(even[n], odd[n]);
        add_scaled(even, _mm512_load_ps(w), x.scale + b * N, f);
    }
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

template <bool five, int N> HEARTH_INLINE void panel_k(const uint8_t* w, const Group& x, int columns, __m512 (&f)[N]) {
    const __m512i low = _mm512_set1_epi8(15);
    KTable table;
    // Sums of sub-block s of the block that x's numbers begin with.
    const auto add = [&](const __m512i (&sum)[N], int s, const float* scale, const float* scaled) {
        add_scaled(sum, _mm512_load_ps(table.scale[s]), scale + s * N, f);
        const __m512 minimum = _mm512_load_ps(table.minimum[s]);
        EACH_ROW f[n] = _mm512_fnmadd_ps(minimum, _mm512_set1_ps(scaled[s * N + n]), f[n]);
    };
    for (int block = 0; block < columns / 256; ++block) {
        k_table(w, table);
        const uint8_t* fifth = w + 256;
        w += five ? 768 : 256;
        for (int s = 0; s < 8; s += 2, w += 512) {
            prefetch<five ? 11 : 9>(w);
            const int8_t* z = x.q + (256 * block + 32 * s) * N;
            const __m512i bit0 = _mm512_set1_epi8(static_cast<char>(1 << s)), bit1 = _mm512_add_epi8(bit0, bit0);
            __m512i l[N], h[N];
            clear(l), clear(h);
            HEARTH_UNROLL for (int j = 0; j < 8; ++j) {
                const __m512i v = load(w + 64 * j);
                if constexpr (five) {
                    const __m512i bits = load(fifth + 64 * j);
                    const __m512i u = _mm512_and_si512(_mm512_srli_epi16(v, 4), low);
                    dot(l, add_sixteen(_mm512_and_si512(v, low), bits, bit0), z + 4 * j * N);
                    dot(h, add_sixteen(u, bits, bit1), z + (32 + 4 * j) * N);
                } else {
                    dot(l, _mm512_and_si512(v, low), z + 4 * j * N);
                    dot(h, _mm512_andnot_si512(low, v), z + (32 + 4 * j) * N);
                }
            }
            if constexpr (!five) EACH_ROW h[n] = _mm512_srai_epi32(h[n], 4);
            const float *scale = x.scale + 8 * block * N, *scaled = x.scaled + 8 * block * N;
            add(l, s, scale, scaled);
            add(h, s + 1, scale, scaled);
        }
    }
}

template <Format F, int N> HEARTH_INLINE void panel_quarters(const uint8_t* w, const Group& x, int columns, __m512 (&f)[N]) {
    using Q = Quarters<F>;
    constexpr int zero = Q::minimum ? 0 : 1 << zero_shift(F);
    for (int block = 0; block < columns / 256; ++block, w += Q::data) {
        const __m512 d = half16(Q::pair && block & 1 ? w - Q::data - 32 : w), dmin = half16(Q::pair ? w : w + 32);
        if (!(Q::pair && block & 1)) w += 64;
        for (int quarter = 0; quarter < 4; ++quarter) {
            const uint8_t* const scales = w + Q::before + Q::bytes * quarter;
            prefetch<Q::data / 256>(scales);
            const int at = 256 * block + 128 * (quarter / 2) + 16 * (quarter & 1);
            const int8_t* z = x.q + at * N;
            // Of many rows the sums of four groups would not find registers: two groups then, and the codes made twice.
            constexpr int together = N > 4 ? 2 : 4;
            HEARTH_UNROLL for (int first = 0; first < 4; first += together) {
                __m512i a[together][N];
                HEARTH_UNROLL for (int g = 0; g < together; ++g) begin_at(a[g], -zero, x.sum16 + (at / 16 + 2 * (first + g)) * N);
                HEARTH_UNROLL for (int j = 0; j < 4; ++j) {
                    __m512i v[4];
                    quarter_words<F>(w, quarter / 2, quarter & 1, j, v);
                    HEARTH_UNROLL for (int g = 0; g < together; ++g) dot(a[g], v[first + g], z + (32 * (first + g) + 4 * j) * N);
                }
                HEARTH_UNROLL for (int g = 0; g < together; ++g) {
                    const float* const x_scale = x.scale + (at / 32 + first + g) * N;
                    __m512 scale, minimum;
                    quarter_scale<F>(scales, first + g, d, dmin, &scale, &minimum);
                    add_scaled(a[g], scale, x_scale, f);
                    if constexpr (Q::minimum)
                        EACH_ROW f[n] = _mm512_fnmadd_ps(minimum, _mm512_set1_ps(x_scale[n] * float(x.sum16[(at / 16 + 2 * (first + g)) * N + n])), f[n]);
                }
            }
        }
    }
}

template <Format F, int N> HEARTH_INLINE void panel_of(const uint8_t* w, const Group& x, int columns, __m512 (&f)[N]) {
    if constexpr (F == Format::q4_0 || F == Format::q5_0 || F == Format::q8_0) panel_pairs<F>(w, x, columns, f);
    else if constexpr (F == Format::q4_1 || F == Format::q5_1) panel_minimum<F>(w, x, columns, f);
    else if constexpr (F == Format::q4_k || F == Format::q5_k) panel_k<F == Format::q5_k>(w, x, columns, f);
    else if constexpr (has_quarters(F)) panel_quarters<F>(w, x, columns, f);
    else panel_float_scales<F>(w, x, columns, f);
}

template <Format F, int N>
void run(const Panels& w, const Group& x, const Results& to, int begin, int end) {
    const size_t bytes = panel_bytes(w.format, w.columns);
    for (int p = begin; p < end; ++p) {
        __m512 f[N];
        EACH_ROW f[n] = _mm512_setzero_ps();
        panel_of<F>(w.data + p * bytes, x, w.columns, f);
        const int row = panel_rows * p;
        EACH_ROW store_result(to.out + n * to.stride + row, to.bias ? to.bias + row : nullptr, to.accumulate, first_lanes(w.rows - row), _mm512_mul_ps(f[n], _mm512_set1_ps(w.scale)));
    }
}

template <Format F>
void run_group(const Panels& w, const Activations& x, const Results& to, int begin, int end) {
    static constexpr void (*by_rows[group_rows])(const Panels&, const Group&, const Results&, int, int) = {run<F, 1>, run<F, 2>, run<F, 3>, run<F, 4>, run<F, 5>, run<F, 6>, run<F, 7>, run<F, 8>};
    by_rows[x.rows - 1](w, group_at(x, 0), to, begin, end);
}

}  // namespace

void matvec_int8(const Panels& w, const Activations& x, const Results& to, int begin, int end) {
    switch (w.format) {
        case Format::q4_0: return run_group<Format::q4_0>(w, x, to, begin, end);
        case Format::q4_1: return run_group<Format::q4_1>(w, x, to, begin, end);
        case Format::q5_1: return run_group<Format::q5_1>(w, x, to, begin, end);
        case Format::q5_0: return run_group<Format::q5_0>(w, x, to, begin, end);
        case Format::q8_0: return run_group<Format::q8_0>(w, x, to, begin, end);
        case Format::q4_k: return run_group<Format::q4_k>(w, x, to, begin, end);
        case Format::q5_k: return run_group<Format::q5_k>(w, x, to, begin, end);
        case Format::q6_k: return run_group<Format::q6_k>(w, x, to, begin, end);
        case Format::q3_k: return run_group<Format::q3_k>(w, x, to, begin, end);
        case Format::q2_k: return run_group<Format::q2_k>(w, x, to, begin, end);
        case Format::mxfp4: return run_group<Format::mxfp4>(w, x, to, begin, end);
        case Format::iq4_nl: case Format::iq4_xs: return run_group<Format::iq4_nl>(w, x, to, begin, end);
        case Format::int4: return run_group<Format::int4>(w, x, to, begin, end);
        default: return;
    }
}

}  // namespace engine::avx512
