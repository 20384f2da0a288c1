// The tiles of int8 products, by the target's `multiply` (see dots.NAME.h). Included by matmul.NAME.cpp.
#pragma once

#include "engine/ops/matmul.simd.h"

namespace engine::HEARTH_TARGET {
namespace {

// Rows of one group of activations, from one of them on; n: the group's size.
struct Group {
    int n;
    const int8_t* q;
    const float *scale, *scaled;
    const int32_t *sum, *sum16;
};
Group group_at(const Activations& x, int first) {
    const size_t r = first / group_rows * group_rows, c = x.columns, lane = size_t(first) - r;
    const int n = x.rows - int(r) < group_rows ? x.rows - int(r) : group_rows;
    return {n, x.q + r * c + 4 * lane, x.scale + r * (c / 32) + lane, x.scaled + r * (c / 32) + lane,
            x.sum + r * (c / 32) + lane, x.sum16 + r * (c / 16) + lane};
}

#define EACH_ACCUMULATOR HEARTH_UNROLL for (int p = 0; p < kTileParts; ++p) HEARTH_UNROLL for (int i = 0; i < N; ++i)

template <int N> HEARTH_INLINE void start(const int32_t* sum, int zero, Sums (&a)[kTileParts][N]) {
    EACH_ACCUMULATOR a[p][i] = splat_int(-zero * sum[i]);
}

template <int N>
HEARTH_INLINE void add_scaled(const Sums (&a)[kTileParts][N], const float* w_scale, const float* x_scale, Register (&f)[kTileParts][N]) {
    Register d[kTileParts];
    HEARTH_UNROLL for (int p = 0; p < kTileParts; ++p) d[p] = load_floats(w_scale + kLanes * p);
    EACH_ACCUMULATOR f[p][i] = fmadd(to_float(a[p][i]), d[p] * splat(x_scale[i]), f[p][i]);
}

// f += m * x for rows' minima m.
template <int N> HEARTH_INLINE void add_minimum(const float* minimum, const float (&x)[N], Register (&f)[kTileParts][N]) {
    Register m[kTileParts];
    HEARTH_UNROLL for (int p = 0; p < kTileParts; ++p) m[p] = load_floats(minimum + kLanes * p);
    EACH_ACCUMULATOR f[p][i] = fmadd(m[p], splat(x[i]), f[p][i]);
}

enum class Kind { plain, minimum, sixteen, sixteen_minimum };

// BITS: of unsigned codes; 8: signed ones. `part`: the first register of the panel's rows.
template <int N, int BITS, Kind kind>
HEARTH_INLINE void tile_at(const Unpacked& w, const Group& x, int columns, int zero, const Corner& to, int part) {
    Register f[kTileParts][N];
    Sums a[kTileParts][N];
    EACH_ACCUMULATOR f[p][i] = splat(0.f);
    const size_t n = size_t(x.n);
    const uint8_t* const q = w.q + kPartBytes * part;
    const float *const w_scale = w.scale + kLanes * part, *const w_minimum = w.minimum + kLanes * part;
    constexpr bool minimum = kind == Kind::minimum || kind == Kind::sixteen_minimum;
    if constexpr (kind == Kind::sixteen || kind == Kind::sixteen_minimum) {
        for (int u = 0; u < columns / 16; ++u) {
            const int at = w.quarters ? unit_of_quarters(u) : u;  // in 16 columns
            const int32_t* const sum = x.sum16 + size_t(at) * n;
            const float* const scale = x.scale + size_t(at / 2) * n;
            start<N>(sum, minimum || BITS == 8 ? 0 : zero, a);
            multiply<N, BITS, 4>(q + size_t(u) * 256, x.q + size_t(at) * 16 * n, x.n, a);
            add_scaled<N>(a, w_scale + size_t(u) * 16, scale, f);
            if constexpr (minimum) {
                float scaled[N];
                HEARTH_UNROLL for (int i = 0; i < N; ++i) scaled[i] = scale[i] * float(sum[i]);
                add_minimum<N>(w_minimum + size_t(u) * 16, scaled, f);
            }
        }
    } else {
        for (int b = 0; b < columns / 32; ++b) {
            start<N>(x.sum + size_t(b) * n, minimum || BITS == 8 ? 0 : zero, a);
            multiply<N, BITS, 8>(q + size_t(b) * 512, x.q + size_t(b) * 32 * n, x.n, a);
            add_scaled<N>(a, w_scale + size_t(b) * 16, x.scale + size_t(b) * n, f);
            if constexpr (minimum) {
                float scaled[N];
                HEARTH_UNROLL for (int i = 0; i < N; ++i) scaled[i] = x.scaled[size_t(b) * n + i];
                add_minimum<N>(w_minimum + size_t(b) * 16, scaled, f);
            }
        }
    }
    EACH_ACCUMULATOR {
        const int row = kLanes * (part + p);
        store_result(to.out + i * to.stride + row, to.bias ? to.bias + row : nullptr, to.accumulate, to.rows - row, f[p][i] * splat(to.scale));
    }
}

template <int N, int BITS, Kind kind>
void tile(const Unpacked& w, const Group& x, int columns, int zero, const Corner& to) {
    for (int part = 0; part < kParts; part += kTileParts) tile_at<N, BITS, kind>(w, x, columns, zero, to, part);
}

using Tile = void (*)(const Unpacked&, const Group&, int, int, const Corner&);
template <int BITS, Kind kind>
constexpr Tile tiles[kTileWidth] = {tile<1, tile_bits(BITS), kind>, tile<2, tile_bits(BITS), kind>, tile<3, tile_bits(BITS), kind>, tile<4, tile_bits(BITS), kind>};
const Tile* tiles_of(Format f) {
    switch (f) {
        case Format::q4_0: return tiles<4, Kind::plain>;
        case Format::q4_1: case Format::q4_k: return tiles<4, Kind::minimum>;
        case Format::q5_0: return tiles<5, Kind::plain>;
        case Format::q5_1: case Format::q5_k: return tiles<5, Kind::minimum>;
        case Format::q6_k: return tiles<6, Kind::sixteen>;
        case Format::q3_k: return tiles<4, Kind::sixteen>;
        case Format::q2_k: return tiles<4, Kind::sixteen_minimum>;
        default: return scale_columns(f) == 16 ? tiles<8, Kind::sixteen> : tiles<8, Kind::plain>;
    }
}

}  // namespace

void matmul_int8(const Panels& w, const Activations& x, const Results& to, int begin, int end, void* scratch) {
    if (x.rows <= kFewRows && has_matvec(w.format)) return matvec_int8(w, x, to, begin, end);
    const size_t bytes = panel_bytes(w.format, w.columns);
    const Unpacked u = unpacked_at(scratch, w.format, w.columns);
    const Tile* table = tiles_of(w.format);
    const int zero = zero_shift(w.format) < 0 ? 0 : 1 << zero_shift(w.format);
    for (int panel = begin; panel < end; ++panel) {
        unpack_int8(w.format, w.data + panel * bytes, w.columns, u, 0, 1);
        arrange(u.q, w.columns);
        const int row = panel_rows * panel;
        Corner corner{to.out + row, to.stride, to.bias ? to.bias + row : nullptr, to.accumulate, w.scale, w.rows - row};
        for (int first = 0; first < x.rows; first += kTileWidth) {
            const int rows = x.rows - first < kTileWidth ? x.rows - first : kTileWidth;
            table[rows - 1](u, group_at(x, first), w.columns, zero, corner);
            corner.out += kTileWidth * to.stride;
        }
    }
}

#undef EACH_ACCUMULATOR

}  // namespace engine::HEARTH_TARGET
