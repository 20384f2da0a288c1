// Packed panels to the unsigned bytes and float scales of the integer tiles, or to floats.
#include "engine/ops/kernels.avx512.h"
#include "engine/ops/simd.avx512.h"

namespace engine::avx512 {
namespace {

// Where member p of n panels goes.
struct Out {
    uint8_t* q;
    float *scale, *minimum;
    size_t q_step, f_step;  // bytes a word, floats a block

    void word(int j, __m512i v) const { _mm512_store_si512(q + j * q_step, v); }
    void block(__m512 d) {
        _mm512_store_ps(scale, d);
        scale += f_step;
    }
    void block(__m512 d, __m512 m) {
        block(d);
        _mm512_store_ps(minimum, m);
        minimum += f_step;
    }
};

HEARTH_INLINE void nibbles(const uint8_t* w, const Out& to) {
    const __m512i low = _mm512_set1_epi8(15);
    HEARTH_UNROLL for (int j = 0; j < 4; ++j) {
        const __m512i v = load(w + 64 * j);
        to.word(j, _mm512_and_si512(v, low));
        to.word(j + 4, _mm512_and_si512(_mm512_srli_epi16(v, 4), low));
    }
}

HEARTH_INLINE void nibbles_and_fifth(const uint8_t* w, const Out& to) {
    const __m512i low = _mm512_set1_epi8(15), h = load(w);
    HEARTH_UNROLL for (int j = 0; j < 4; ++j) {
        const __m512i v = load(w + 64 + 64 * j);
        to.word(j, add_fifth(_mm512_and_si512(v, low), h, j));
        to.word(j + 4, add_fifth(_mm512_and_si512(_mm512_srli_epi16(v, 4), low), h, j + 4));
    }
}

template <Format F> void unpack_pairs(const uint8_t* w, int columns, Out to) {
    constexpr int data = F == Format::q4_0 ? 256 : F == Format::q5_0 ? 320 : 512;
    for (int b = 0; b < columns / 32; ++b) {
        to.block(half16(b & 1 ? w - data - 32 : w));
        if (!(b & 1)) w += 64;
        if constexpr (F == Format::q4_0) nibbles(w, to);
        if constexpr (F == Format::q5_0) nibbles_and_fifth(w, to);
        if constexpr (F == Format::q8_0) {
            HEARTH_UNROLL for (int j = 0; j < 8; ++j) to.word(j, load(w + 64 * j));
        }
        w += data;
        to.q += 8 * to.q_step;
    }
}

template <bool five> void unpack_minimum(const uint8_t* w, int columns, Out to) {
    for (int b = 0; b < columns / 32; ++b, w += five ? 384 : 320, to.q += 8 * to.q_step) {
        to.block(half16(w), half16(w + 32));
        five ? nibbles_and_fifth(w + 64, to) : nibbles(w + 64, to);
    }
}

template <Format F> void unpack_float_scales(const uint8_t* w, int columns, Out to) {
    constexpr int head = F == Format::int4 ? 128 : 64;
    const __m512i low = _mm512_set1_epi8(15);
    for (int b = 0; b < columns / 32; ++b, w += head + 256, to.q += 8 * to.q_step) {
        to.block(_mm512_load_ps(w));
        const __m512i help = code_help<F>(w + 64);
        HEARTH_UNROLL for (int j = 0; j < 4; ++j) {
            const __m512i v = load(w + head + 64 * j);
            to.word(j, raised_code<F>(_mm512_and_si512(v, low), help));
            to.word(j + 4, raised_code<F>(_mm512_and_si512(_mm512_srli_epi16(v, 4), low), help));
        }
    }
}

void unpack_e4m3_scales(const uint8_t* w, int columns, Out to) {
    const __m512i low = _mm512_set1_epi8(15), help = code_help<Format::e2m1>(w);
    for (int u = 0; u < columns / 16; ++u, to.q += 4 * to.q_step) {
        const uint8_t *pair = w + 576 * (u / 4), *words = pair + 64 + 128 * (u % 4);
        to.block(half_e4m3(pair + 16 * (u % 4)));
        HEARTH_UNROLL for (int j = 0; j < 2; ++j) {
            const __m512i v = load(words + 64 * j);
            to.word(j, raised_code<Format::e2m1>(_mm512_and_si512(v, low), help));
            to.word(j + 2, raised_code<Format::e2m1>(_mm512_and_si512(_mm512_srli_epi16(v, 4), low), help));
        }
    }
}

template <bool five, int C> HEARTH_INLINE void unpack_k_chunk(const uint8_t* w, const KScales& k, Out& to) {
    constexpr int I = 2 * C & 3;
    const __m512i low = _mm512_set1_epi8(15);
    const uint8_t* q = w + (five ? 768 : 256) + 512 * C;
    HEARTH_UNROLL for (int j = 0; j < 8; ++j) {
        const __m512i v = load(q + 64 * j);
        __m512i l = _mm512_and_si512(v, low), h = _mm512_and_si512(_mm512_srli_epi16(v, 4), low);
        if constexpr (five) {
            const __m512i bits = load(w + 256 + 64 * j);
            l = add_fifth(l, bits, 2 * C);
            h = add_fifth(h, bits, 2 * C + 1);
        }
        to.word(j, l);
        to.word(j + 8, h);
    }
    to.q += 16 * to.q_step;
    const __m512 d = half16(w), dmin = half16(w + 32), zero = _mm512_setzero_ps();
    const __m512 m0 = _mm512_mul_ps(dmin, unsigned_bytes<I>(k.minimum[C / 2]));
    const __m512 m1 = _mm512_mul_ps(dmin, unsigned_bytes<I + 1>(k.minimum[C / 2]));
    to.block(_mm512_mul_ps(d, unsigned_bytes<I>(k.scale[C / 2])), _mm512_sub_ps(zero, m0));
    to.block(_mm512_mul_ps(d, unsigned_bytes<I + 1>(k.scale[C / 2])), _mm512_sub_ps(zero, m1));
}

template <bool five> void unpack_k(const uint8_t* w, int columns, Out to) {
    for (int block = 0; block < columns / 256; ++block, w += five ? 2816 : 2304) {
        const KScales k = k_scales(w);
        unpack_k_chunk<five, 0>(w, k, to);
        unpack_k_chunk<five, 1>(w, k, to);
        unpack_k_chunk<five, 2>(w, k, to);
        unpack_k_chunk<five, 3>(w, k, to);
    }
}

template <Format F> void unpack_quarters(const uint8_t* w, int columns, Out to) {
    using Q = Quarters<F>;
    for (int block = 0; block < columns / 256; ++block, w += Q::data) {
        const __m512 d = half16(Q::pair && block & 1 ? w - Q::data - 32 : w), dmin = half16(Q::pair ? w : w + 32);
        if (!(Q::pair && block & 1)) w += 64;
        for (int quarter = 0; quarter < 4; ++quarter, to.q += 16 * to.q_step) {
            HEARTH_UNROLL for (int g = 0; g < 4; ++g) {
                __m512 scale, minimum;
                quarter_scale<F>(w + Q::before + Q::bytes * quarter, g, d, dmin, &scale, &minimum);
                if constexpr (Q::minimum) to.block(scale, _mm512_sub_ps(_mm512_setzero_ps(), minimum));
                else to.block(scale);
            }
            HEARTH_UNROLL for (int j = 0; j < 4; ++j) {
                __m512i v[4];
                quarter_words<F>(w, quarter / 2, quarter % 2, j, v);
                HEARTH_UNROLL for (int g = 0; g < 4; ++g) to.word(j + 4 * g, v[g]);
            }
        }
    }
}

}  // namespace
}  // namespace engine::avx512

#include "engine/ops/unpack_formats.simd.h"
