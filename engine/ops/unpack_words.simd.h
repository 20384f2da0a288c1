// Panels that keep the words of the file's blocks (see panel.h) to the bytes and float scales of the integer tiles: included by
// unpack_words.NAME.cpp, each of which has it in its target's namespace and says what a register of lanes is there and can do.
// Whatever the format, a code is a signed byte.
#pragma once

#include <string.h>

namespace engine::HEARTH_TARGET {
namespace {

// Lanes of a block's words. A lane is a row, and holds four bytes of it.
struct Words {
    const uint8_t* data;
    Lanes operator[](int word) const {
        Lanes v;
        memcpy(&v, data + 64 * word, sizeof v);
        return v;
    }
};

HEARTH_INLINE Floats floats(Lanes v) { return __builtin_convertvector(v, Floats); }

// The lowest byte of a lane in all four.
HEARTH_INLINE Lanes spread(Lanes v) {
    Lanes order;
    for (int i = 0; i < kLanes; ++i) order[i] = 0x04040404u * (i & 3);
    return shuffle(v, order);
}

// Bytes of four columns, negated where a row's signs have a bit: the lower four bits, or the upper ones.
HEARTH_INLINE Lanes with_signs(Lanes v, Lanes signs, bool upper) { return negated(v, spread(signs) & (upper ? 0x80402010u : 0x08040201u)); }

// Seven signs as they are, the eighth makes their number even.
HEARTH_INLINE Lanes eight_signs(Lanes seven) {
    constexpr int8_t odd[16] = {0, -128, -128, 0, -128, 0, 0, -128, -128, 0, 0, -128, 0, -128, -128, 0};
    return seven | shuffle((Lanes)table(odd), (seven ^ seven >> 4) & 15u);
}

// 32 columns: their codes and the scales of the two halves.
struct Codes {
    Lanes word[8];
    Floats scale[2];
};

template <Format F> HEARTH_INLINE void iq2(const Words& w, int j, Floats d, const uint32_t* grid, Codes& to) {
    constexpr int8_t magnitudes[16] = {8, 25, 43};
    const Lanes values = (Lanes)table(magnitudes);
    HEARTH_UNROLL for (int i = 0; i < 4; ++i) {
        Lanes at, signs;
        if constexpr (F == Format::iq2_xxs) {
            at = w[2 * j] >> 8 * i & 255u;
            signs = eight_signs(w[2 * j + 1] >> 7 * i & 127u);
        } else if constexpr (F == Format::iq2_xs) {
            const Lanes code = w[2 * j + i / 2] >> 16 * (i % 2) & 0xffffu;
            at = code & 511u;
            signs = eight_signs(code >> 9);
        } else {
            at = (w[j] >> 8 * i & 255u) | (w[16 + j / 4] >> (8 * (j % 4) + 2 * i) & 3u) << 8;
            signs = w[8 + j] >> 8 * i & 255u;
        }
        const Lanes row = gather(grid, at);
        to.word[2 * i] = with_signs(shuffle(values, row & 0x0f0f0f0fu), signs, false);
        to.word[2 * i + 1] = with_signs(shuffle(values, row >> 4 & 0x0f0f0f0fu), signs, true);
    }
    if constexpr (F == Format::iq2_xxs) {
        to.scale[0] = d * (0.5f + floats(w[2 * j + 1] >> 28)) * 0.25f;
    } else {
        const Lanes both = w[(F == Format::iq2_xs ? 16 : 18) + j / 4] >> 8 * (j % 4);
        to.scale[0] = d * (0.5f + floats(both & 15u)) * 0.25f;
        to.scale[1] = d * (0.5f + floats(both >> 4 & 15u)) * 0.25f;
    }
}

template <Format F> HEARTH_INLINE void iq3(const Words& w, int j, Floats d, const uint32_t* grid, Codes& to) {
    HEARTH_UNROLL for (int i = 0; i < 4; ++i) {
        Lanes signs;
        if constexpr (F == Format::iq3_xxs) signs = eight_signs(w[16 + j] >> 7 * i & 127u);
        else signs = w[18 + j] >> 8 * i & 255u;
        HEARTH_UNROLL for (int r = 2 * i; r < 2 * i + 2; ++r) {
            Lanes at = w[2 * j + r / 4] >> 8 * (r % 4) & 255u;
            if constexpr (F == Format::iq3_s) at |= (w[16 + j / 4] >> (8 * (j % 4) + r) & 1u) << 8;
            to.word[r] = with_signs(gather(grid, at), signs, r % 2 != 0);
        }
    }
    if constexpr (F == Format::iq3_xxs) to.scale[0] = d * (0.5f + floats(w[16 + j] >> 28)) * 0.5f;
    else to.scale[0] = d * floats((w[26] >> 4 * j & 15u) * 2u + 1u);
}

// Codes are eight times the values: -1, 0 or 1, plus or minus an eighth.
template <Format F> HEARTH_INLINE void iq1(const Words& w, int j, Floats d, const uint32_t* grid, Codes& to) {
    constexpr int8_t raised_or_lowered[16] = {-7, 1, 9, 0, -9, -1, 7};
    const Lanes values = (Lanes)table(raised_or_lowered), bits = w[8 + j / 2] >> 16 * (j % 2);
    HEARTH_UNROLL for (int i = 0; i < 4; ++i) {
        const Lanes high = bits >> (F == Format::iq1_s ? 3 : 4) * i & 7u, lowered = bits >> (F == Format::iq1_s ? 15 : 4 * i + 3) & 1u;
        const Lanes row = gather(grid, (w[j] >> 8 * i & 255u) | high << 8) | lowered * 0x44444444u;
        to.word[2 * i] = shuffle(values, row & 0x0f0f0f0fu);
        to.word[2 * i + 1] = shuffle(values, row >> 4 & 0x0f0f0f0fu);
    }
    const Lanes scales = F == Format::iq1_s ? bits >> 12 : w[12 + j / 4] >> (16 * (j / 2 % 2) + 6 * (j % 2));
    to.scale[0] = d * floats((scales & 7u) * 2u + 1u) * 0.125f;
    if constexpr (F == Format::iq1_m) to.scale[1] = d * floats((scales >> 3 & 7u) * 2u + 1u) * 0.125f;
}

// Digit n in base 3 of each byte, the first one the highest of a fraction of 256.
HEARTH_INLINE Lanes digits(Lanes bytes, unsigned power_of_three) {
    const auto of = [&](Shorts v) { return (v * static_cast<uint16_t>(power_of_three) & 255) * 3 >> 8; };
    const Shorts all = (Shorts)bytes;
    return (Lanes)(of(all & 255) | of(all >> 8) << 8);
}

template <Format F> HEARTH_INLINE void ternary(const Words& w, int j, Floats d, Codes& to) {
    constexpr int8_t lowered[16] = {-1, 0, 1, 2};
    constexpr unsigned powers[5] = {1, 3, 9, 27, 81};
    const Lanes values = (Lanes)table(lowered);
    HEARTH_UNROLL for (int k = 0; k < 8; ++k) {
        const int m = 8 * j + k;  // four columns
        Lanes code;
        if constexpr (F == Format::tq2_0) code = w[8 * (j / 4) + k] >> 2 * (j % 4) & 0x03030303u;
        else if (m < 40) code = digits(w[m % 8], powers[m / 8]);
        else if (m < 60) code = digits(w[8 + m % 4], powers[(m - 40) / 4]);
        else code = digits(w[12], powers[m - 60]);
        to.word[k] = shuffle(values, code);
    }
    to.scale[0] = d;
}

template <Format F> void unpack(const uint8_t* panel, int columns, const Unpacked& to, int p, int n_panels) {
    constexpr int scales = 32 / scale_columns(F), data = 64 * words_of_block(F);
    const uint32_t* const grid = grid_rows(F);
    uint8_t* q = to.q + 64 * p;
    float* scale = to.scale + 16 * p;
    const uint8_t* w = panel;
    for (int block = 0; block < columns / 256; ++block, w += data) {
        const uint8_t* const head = block & 1 ? w - data - 32 : w;
        if (!(block & 1)) w += 64;
        for (int j = 0; j < 8; ++j) {
            for (int first = 0; first < 16; first += kLanes) {
                const Words words{w + 4 * first};
                const Floats d = (Floats)halves(head + 2 * first);
                Codes codes;
                if constexpr (F == Format::iq2_xxs || F == Format::iq2_xs || F == Format::iq2_s) iq2<F>(words, j, d, grid, codes);
                else if constexpr (F == Format::iq3_xxs || F == Format::iq3_s) iq3<F>(words, j, d, grid, codes);
                else if constexpr (F == Format::iq1_s || F == Format::iq1_m) iq1<F>(words, j, d, grid, codes);
                else ternary<F>(words, j, d, codes);
                HEARTH_UNROLL for (int k = 0; k < 8; ++k) {
                    const Lanes v = stored(codes.word[k]);
                    memcpy(q + 64 * n_panels * k + 4 * first, &v, sizeof v);
                }
                HEARTH_UNROLL for (int s = 0; s < scales; ++s) memcpy(scale + 16 * n_panels * s + first, &codes.scale[s], sizeof(Floats));
            }
            q += 8 * 64 * n_panels;
            scale += scales * 16 * n_panels;
        }
    }
}

}  // namespace

void unpack_words(Format format, const uint8_t* panel, int columns, const Unpacked& to, int p, int n) {
    switch (format) {
        case Format::iq2_xxs: return unpack<Format::iq2_xxs>(panel, columns, to, p, n);
        case Format::iq2_xs: return unpack<Format::iq2_xs>(panel, columns, to, p, n);
        case Format::iq2_s: return unpack<Format::iq2_s>(panel, columns, to, p, n);
        case Format::iq3_xxs: return unpack<Format::iq3_xxs>(panel, columns, to, p, n);
        case Format::iq3_s: return unpack<Format::iq3_s>(panel, columns, to, p, n);
        case Format::iq1_s: return unpack<Format::iq1_s>(panel, columns, to, p, n);
        case Format::iq1_m: return unpack<Format::iq1_m>(panel, columns, to, p, n);
        case Format::tq1_0: return unpack<Format::tq1_0>(panel, columns, to, p, n);
        case Format::tq2_0: return unpack<Format::tq2_0>(panel, columns, to, p, n);
        default: return;
    }
}

}  // namespace engine::HEARTH_TARGET
