// Decode and a few rows with float weights: activations times panels, in registers throughout. The additions and their order are
// those of the float tiles, so that a row's result does not depend on its batch. Included by matvec_float.NAME.cpp.
#pragma once

#include "engine/ops/codes.simd.h"

namespace engine::HEARTH_TARGET {
namespace {

constexpr int panels_of_one = 4 / kParts;  // that one row meets at once: four chains of additions that do not wait for each other
constexpr int rows_of_tile = kFewFloatRows < kTileWidth ? kFewFloatRows : kTileWidth;

// Registers of P panels' rows, and their sums with N rows of activations.
#define EACH_REGISTER HEARTH_UNROLL for (int r = 0; r < kParts * P; ++r)
#define EACH_ROW HEARTH_UNROLL for (int i = 0; i < N; ++i)
#define EACH_SUM EACH_REGISTER EACH_ROW

// a += a column of R registers of rows times that of the activations.
template <int R, int N> HEARTH_INLINE void add_column(const Register (&v)[R], const float* x, size_t x_stride, Register (&a)[R][N]) {
    EACH_ROW {
        const Register s = splat(x[i * x_stride]);
        HEARTH_UNROLL for (int r = 0; r < R; ++r) a[r][i] = fmadd(v[r], s, a[r][i]);
    }
}

template <Format F, int P, int N>
void panels_at(const Panels& w, int panel, const float* x, size_t x_stride, const Results& to) {
    const size_t bytes = panel_bytes(F, w.columns);
    const uint8_t* const data = w.data + size_t(panel) * bytes;
    const int row = panel_rows * panel;
    const Register scale = splat(w.scale);
    Register f[kParts * P][N], a[kParts * P][N];
    EACH_SUM f[r][i] = to.accumulate ? some(to.out + i * to.stride + row + kLanes * r, w.rows - row - kLanes * r) : splat(0.f);
    for (int b = 0; b < w.columns; b += 32) {
        const int end = b + 32 < w.columns ? b + 32 : w.columns;
        EACH_SUM a[r][i] = splat(0.f);
        if constexpr (F == Format::f32) {
            for (int c = b; c < end; ++c) {
                Register v[kParts * P];
                EACH_REGISTER v[r] = load_floats(reinterpret_cast<const float*>(data + r / kParts * bytes + 64 * size_t(c) + kWidth * (r % kParts)));
                add_column(v, x + c, x_stride, a);
            }
        } else if constexpr (F == Format::fp8) {
            const uint8_t* const block = data + 18 * size_t(b);  // 576 bytes for 32 columns
            for (int c = 0; c < 32; ++c) {
                Register v[kParts * P];
                HEARTH_UNROLL for (int n = 0; n < P; ++n) {
                    const float* const of_block = reinterpret_cast<const float*>(block + n * bytes);
                    Register codes[kParts];
                    fp8_column(block + n * bytes + 64 + 16 * c, codes);
                    EACH_PART v[kParts * n + p] = codes[p] * load_floats(of_block + kLanes * p);
                }
                add_column(v, x + b + c, x_stride, a);
            }
        } else {
            for (int c = b; c < end; c += 2) {
                Register both[2], v[kParts * P], next[kParts * P];
                EACH_REGISTER {
                    two_columns<F>(data + r / kParts * bytes + 32 * size_t(c) + kWidth * (r % kParts), both);
                    v[r] = both[0], next[r] = both[1];
                }
                add_column(v, x + c, x_stride, a);
                if (c + 1 < end) add_column(next, x + c + 1, x_stride, a);
            }
        }
        EACH_SUM f[r][i] = fmadd(a[r][i], scale, f[r][i]);
    }
    EACH_SUM store_result(to.out + i * to.stride + row + kLanes * r, to.bias ? to.bias + row + kLanes * r : nullptr, false, w.rows - row - kLanes * r, f[r][i]);
}

#undef EACH_REGISTER
#undef EACH_ROW
#undef EACH_SUM

}  // namespace
}  // namespace engine::HEARTH_TARGET

#include "engine/ops/matvec_float_formats.simd.h"
