// Decode: one row of activations times panels, at the speed of memory. Lane r of every register is
// row r of the panel; a lane takes four columns at a time, the activation's four bytes are broadcast.
#include "engine/ops/kernels.h"
#include "engine/ops/matmul.avx512.h"
#include "engine/ops/simd.avx512.h"

namespace engine::avx512 {
namespace {

HEARTH_INLINE __m512i dot(__m512i sum, __m512i w, const int8_t* x) {
    return _mm512_dpbusd_epi32(sum, w, broadcast4(x));  // unsigned weights, signed activations
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
        static_assert(F == Format::q5_0);
        __m512i even = _mm512_set1_epi32(-16 * sum);
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
        const uint8_t* scales = b & 1 ? w - data - 32 : w;
        if (!(b & 1)) w += 64;
        const __m512 s = _mm512_mul_ps(half16(scales), _mm512_set1_ps(x.scale[b]));
        f = _mm512_fmadd_ps(to_float(dot32<F>(w, x.q + 32 * b, x.sum[b])), s, f);
        w += data;
    }
    return f;
}

HEARTH_INLINE __m512 panel_q4_1(const uint8_t* w, const Activations& x) {
    __m512 f = _mm512_setzero_ps();
    for (int b = 0; b < x.columns / 32; ++b, w += 320) {
        const __m512 s = _mm512_mul_ps(half16(w), _mm512_set1_ps(x.scale[b]));
        f = _mm512_fmadd_ps(to_float(dot32<Format::q4_1>(w + 64, x.q + 32 * b, 0)), s, f);
        f = _mm512_fmadd_ps(half16(w + 32), _mm512_set1_ps(x.scaled[b]), f);
    }
    return f;
}

// Sub-blocks 2C (low nibbles) and 2C+1 (high) of a 256-column block.
template <bool five, int C>
HEARTH_INLINE __m512 k_chunk(__m512 f, const uint8_t* head, const KScales& k, const Activations& x, int block) {
    constexpr int I = 2 * C & 3;
    const uint8_t* q = head + (five ? 768 : 256) + 512 * C;
    const int8_t* z = x.q + 256 * block + 64 * C;
    const __m512i low = _mm512_set1_epi8(15);
    __m512i l = _mm512_setzero_si512(), h = l;
    HEARTH_UNROLL for (int j = 0; j < 8; ++j) {
        const __m512i v = load_in_order(q + 64 * j);
        if constexpr (five) {
            const __m512i bits = load(head + 256 + 64 * j);
            const __m512i u = _mm512_and_si512(_mm512_srli_epi16(v, 4), low);
            l = dot(l, add_fifth(_mm512_and_si512(v, low), bits, 2 * C), z + 4 * j);
            h = dot(h, add_fifth(u, bits, 2 * C + 1), z + 32 + 4 * j);
        } else {
            l = dot(l, _mm512_and_si512(v, low), z + 4 * j);
            h = dot(h, _mm512_andnot_si512(low, v), z + 32 + 4 * j);
        }
    }
    if constexpr (!five) h = _mm512_srai_epi32(h, 4);
    const __m512 d = half16(head), dmin = half16(head + 32);
    const int b = 8 * block + 2 * C;
    const __m512 s0 = _mm512_mul_ps(d, unsigned_bytes<I>(k.scale[C / 2]));
    const __m512 m0 = _mm512_mul_ps(dmin, unsigned_bytes<I>(k.minimum[C / 2]));
    f = _mm512_fmadd_ps(to_float(l), _mm512_mul_ps(s0, _mm512_set1_ps(x.scale[b])), f);
    f = _mm512_fnmadd_ps(m0, _mm512_set1_ps(x.scaled[b]), f);
    const __m512 s1 = _mm512_mul_ps(d, unsigned_bytes<I + 1>(k.scale[C / 2]));
    const __m512 m1 = _mm512_mul_ps(dmin, unsigned_bytes<I + 1>(k.minimum[C / 2]));
    f = _mm512_fmadd_ps(to_float(h), _mm512_mul_ps(s1, _mm512_set1_ps(x.scale[b + 1])), f);
    return _mm512_fnmadd_ps(m1, _mm512_set1_ps(x.scaled[b + 1]), f);
}

template <bool five> HEARTH_INLINE __m512 panel_k(const uint8_t* w, const Activations& x) {
    __m512 f = _mm512_setzero_ps();
    for (int block = 0; block < x.columns / 256; ++block, w += five ? 2816 : 2304) {
        const KScales k = k_scales(w);
        f = k_chunk<five, 0>(f, w, k, x, block);
        f = k_chunk<five, 1>(f, w, k, x, block);
        f = k_chunk<five, 2>(f, w, k, x, block);
        f = k_chunk<five, 3>(f, w, k, x, block);
    }
    return f;
}

HEARTH_INLINE __m512 panel_q6_k(const uint8_t* w, const Activations& x) {
    const __m512i low = _mm512_set1_epi8(15), two = _mm512_set1_epi8(48);
    __m512 f = _mm512_setzero_ps();
    for (int block = 0; block < x.columns / 256; ++block) {
        const __m512 d = half16(block & 1 ? w - 3328 - 32 : w);
        if (!(block & 1)) w += 64;
        for (int quarter = 0; quarter < 4; ++quarter, w += 832) {
            const int at = 256 * block + 128 * (quarter / 2) + 16 * (quarter & 1);
            const int8_t* z = x.q + at;
            __m512i a[4];
            HEARTH_UNROLL for (int g = 0; g < 4; ++g) a[g] = _mm512_set1_epi32(-32 * x.sum16[at / 16 + 2 * g]);
            HEARTH_UNROLL for (int j = 0; j < 4; ++j) {
                const uint8_t* p = w + 64 + 192 * j;
                const __m512i h = load(p), l0 = load(p + 64), l1 = load(p + 128);
                const __m512i u0 = _mm512_and_si512(_mm512_srli_epi16(l0, 4), low);
                const __m512i u1 = _mm512_and_si512(_mm512_srli_epi16(l1, 4), low);
                a[0] = dot(a[0], or_and(_mm512_and_si512(l0, low), _mm512_slli_epi16(h, 4), two), z + 4 * j);
                a[1] = dot(a[1], or_and(_mm512_and_si512(l1, low), _mm512_slli_epi16(h, 2), two), z + 32 + 4 * j);
                a[2] = dot(a[2], or_and(u0, h, two), z + 64 + 4 * j);
                a[3] = dot(a[3], or_and(u1, _mm512_srli_epi16(h, 2), two), z + 96 + 4 * j);
            }
            HEARTH_UNROLL for (int g = 0; g < 4; ++g) {
                const __m128i bytes = _mm_load_si128(reinterpret_cast<const __m128i*>(w + 16 * g));
                const __m512 s = _mm512_mul_ps(d, to_float(_mm512_cvtepi8_epi32(bytes)));
                f = _mm512_fmadd_ps(to_float(a[g]), _mm512_mul_ps(s, _mm512_set1_ps(x.scale[at / 32 + g])), f);
            }
        }
    }
    return f;
}

template <__m512 (*panel)(const uint8_t*, const Activations&)>
void run(const Panels& w, const Activations& x, const Results& to, int begin, int end) {
    const size_t bytes = panel_bytes(w.format, w.columns);
    for (int p = begin; p < end; ++p) {
        const __m512 y = panel(w.data + p * bytes, x);
        const int row = panel_rows * p;
        store_result(to.out + row, to.bias ? to.bias + row : nullptr, to.accumulate, first_lanes(w.rows - row), y);
    }
}

}  // namespace

void matvec_int8(const Panels& w, const Activations& x, const Results& to, int begin, int end) {
    switch (w.format) {
        case Format::q4_0: return run<panel_pairs<Format::q4_0>>(w, x, to, begin, end);
        case Format::q4_1: return run<panel_q4_1>(w, x, to, begin, end);
        case Format::q5_0: return run<panel_pairs<Format::q5_0>>(w, x, to, begin, end);
        case Format::q8_0: return run<panel_pairs<Format::q8_0>>(w, x, to, begin, end);
        case Format::q4_k: return run<panel_k<false>>(w, x, to, begin, end);
        case Format::q5_k: return run<panel_k<true>>(w, x, to, begin, end);
        case Format::q6_k: return run<panel_q6_k>(w, x, to, begin, end);
        default: return;
    }
}

}  // namespace engine::avx512
