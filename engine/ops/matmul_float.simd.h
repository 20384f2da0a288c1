// The tiles of float products. Included by matmul.NAME.cpp.
#pragma once

#include "engine/ops/matmul.simd.h"

namespace engine::HEARTH_TARGET {
namespace {

constexpr int chunk_columns = 512;  // whole pairs of blocks of every format

#define EACH_ACCUMULATOR EACH_PART HEARTH_UNROLL for (int i = 0; i < N; ++i)

template <int N>
void float_tile(const float* w, const float* x, size_t x_stride, int columns, const Corner& to) {
    const Register scale = splat(to.scale);
    Register f[kParts][N], a[kParts][N];
    EACH_ACCUMULATOR f[p][i] = splat(0.f);
    if (to.accumulate) EACH_ACCUMULATOR f[p][i] = some(to.out + i * to.stride + kLanes * p, to.rows - kLanes * p);
    for (int b = 0; b < columns; b += 32) {
        const int end = b + 32 < columns ? b + 32 : columns;
        EACH_ACCUMULATOR a[p][i] = splat(0.f);
        for (int c = b; c < end; ++c) {
            Register v[kParts];
            EACH_PART v[p] = load_floats(w + size_t(c) * 16 + kLanes * p);
            HEARTH_UNROLL for (int i = 0; i < N; ++i) {
                const Register s = splat(x[i * x_stride + c]);
                EACH_PART a[p][i] = fmadd(v[p], s, a[p][i]);
            }
        }
        EACH_ACCUMULATOR f[p][i] = fmadd(a[p][i], scale, f[p][i]);
    }
    EACH_ACCUMULATOR
        store_result(to.out + i * to.stride + kLanes * p, to.bias ? to.bias + kLanes * p : nullptr, false, to.rows - kLanes * p, f[p][i]);
}

using FloatTile = void (*)(const float*, const float*, size_t, int, const Corner&);
constexpr FloatTile float_tiles[kTileWidth] = {float_tile<1>, float_tile<2>, float_tile<3>, float_tile<4>};

// kLanes rows x 4 columns of codes as floats, in `to[column * 16]`.
HEARTH_INLINE void byte_columns(Bytes word, bool is_signed, int zero, Register scale, Register minimum, float* to) {
    HEARTH_UNROLL for (int t = 0; t < 4; ++t) {
        // Product and sum are rounded one after the other, as the format's definition has it.
        const Register v = rounded(to_float(add_ints(column_of(word, t, is_signed), splat_int(-zero))) * scale);
        store_floats(to + 16 * t, v + minimum);
    }
}

template <Format F> void unpack_pairs(const uint8_t* panel, int begin, int end, float* to) {
    for (int c = begin; c < end; c += 2, to += 32)
        EACH_PART {
            Register v[2];
            two_columns<F>(panel + 32 * size_t(c) + kWidth * p, v);
            store_floats(to + kLanes * p, v[0]);
            store_floats(to + 16 + kLanes * p, v[1]);
        }
}

// Columns [begin, end) of one panel to `to[column][16]`, which has room for an even number of them; begin is a
// multiple of 512.
void unpack_float_chunk(Format format, const uint8_t* panel, int begin, int end, float* to, void* scratch) {
    if (format == Format::f32) {
        memcpy(to, panel + 64 * size_t(begin), size_t(end - begin) * 64);
        return;
    }
    if (format == Format::f16) return unpack_pairs<Format::f16>(panel, begin, end, to);
    if (format == Format::bf16) return unpack_pairs<Format::bf16>(panel, begin, end, to);
    if (format == Format::fp8) {
        const uint8_t* block = panel + panel_bytes(format, begin);
        for (int c = 0; c < end - begin; ++c, to += 16) {
            if (c > 0 && c % 32 == 0) block += 576;
            Register v[kParts];
            fp8_column(block + 64 + 16 * (c % 32), v);
            EACH_PART store_floats(to + kLanes * p, v[p] * load_floats(reinterpret_cast<const float*>(block) + kLanes * p));
        }
        return;
    }
    const Unpacked u = unpacked_at(scratch, format, chunk_columns);
    unpack_int8(format, panel + panel_bytes(format, begin), end - begin, u, 0, 1);
    const bool is_signed = zero_shift(format) == 7;
    const int zero = is_signed || zero_shift(format) < 0 ? 0 : 1 << zero_shift(format);
    const int per_scale = scale_columns(format);
    for (int j = 0; j < (end - begin) / 4; ++j) {
        const int block = 4 * j / per_scale;
        int column = 4 * j;
        if (u.quarters) column = 16 * unit_of_quarters(block) + column % 16;
        EACH_PART {
            const Register minimum = has_minimum(format) ? load_floats(u.minimum + 16 * block + kLanes * p) : splat(-0.f);
            byte_columns(load(u.q + 64 * j + kWidth * p), is_signed, zero, load_floats(u.scale + 16 * block + kLanes * p), minimum,
                         to + size_t(column) * 16 + kLanes * p);
        }
    }
}

}  // namespace

size_t scratch_bytes(int columns) {
    const size_t floats = size_t(chunk_columns) * 16 * sizeof(float);
    const size_t c = columns < chunk_columns ? chunk_columns : columns;
    return floats + c * 16 + 2 * (c / 16 * 16 * sizeof(float));
}

void matmul_float(const Panels& w, const float* x, size_t x_stride, int n_rows, const Results& to, int begin, int end,
                  void* scratch) {
    if (n_rows <= kFewFloatRows && has_float_values(w.format)) return matvec_float(w, x, x_stride, n_rows, to, begin, end);
    const size_t bytes = panel_bytes(w.format, w.columns);
    float* chunk = static_cast<float*>(scratch);
    void* rest = chunk + size_t(chunk_columns) * 16;
    for (int panel = begin; panel < end; ++panel) {
        const int row = panel_rows * panel;
        for (int c = 0; c < w.columns; c += chunk_columns) {
            const int c_end = c + chunk_columns < w.columns ? c + chunk_columns : w.columns;
            unpack_float_chunk(w.format, w.data + panel * bytes, c, c_end, chunk, rest);
            // Bias with the last columns; those after the first add to what is there.
            Corner corner{to.out + row, to.stride, to.bias && c_end == w.columns ? to.bias + row : nullptr, to.accumulate || c > 0, w.scale, w.rows - row};
            for (int first = 0; first < n_rows; first += kTileWidth) {
                const int rows = n_rows - first < kTileWidth ? n_rows - first : kTileWidth;
                float_tiles[rows - 1](chunk, x + first * x_stride + c, x_stride, c_end - c, corner);
                corner.out += kTileWidth * to.stride;
            }
        }
    }
}

#undef EACH_ACCUMULATOR

}  // namespace engine::HEARTH_TARGET
