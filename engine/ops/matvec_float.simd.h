// Decode with float weights: one row of activations times panels, in registers throughout. The additions and their order are
// those of the float tiles, so that a row's result does not depend on its batch. Included by matvec_float.NAME.cpp.
#pragma once

#include "engine/ops/codes.simd.h"

namespace engine::HEARTH_TARGET {
namespace {

constexpr int together = 4 / kParts;  // panels: four chains of additions that do not wait for each other

// Registers of P panels' rows.
#define EACH_REGISTER HEARTH_UNROLL for (int i = 0; i < kParts * P; ++i)

template <Format F, int P>
void panels_at(const Panels& w, int panel, const float* x, const Results& to) {
    const size_t bytes = panel_bytes(F, w.columns);
    const uint8_t* const data = w.data + size_t(panel) * bytes;
    const int row = panel_rows * panel;
    const Register scale = splat(w.scale);
    Register f[kParts * P], a[kParts * P];
    EACH_REGISTER f[i] = to.accumulate ? some(to.out + row + kLanes * i, w.rows - row - kLanes * i) : splat(0.f);
    for (int b = 0; b < w.columns; b += 32) {
        const int end = b + 32 < w.columns ? b + 32 : w.columns;
        EACH_REGISTER a[i] = splat(0.f);
        if constexpr (F == Format::f32) {
            for (int c = b; c < end; ++c) {
                const Register s = splat(x[c]);
                EACH_REGISTER a[i] = fmadd(load_floats(reinterpret_cast<const float*>(data + i / kParts * bytes + 64 * size_t(c) + kWidth * (i % kParts))), s, a[i]);
            }
        } else if constexpr (F == Format::fp8) {
            const uint8_t* const block = data + 18 * size_t(b);  // 576 bytes for 32 columns
            for (int c = 0; c < 32; ++c)
                HEARTH_UNROLL for (int n = 0; n < P; ++n) {
                    const float* const of_block = reinterpret_cast<const float*>(block + n * bytes);
                    Register v[kParts];
                    fp8_column(block + n * bytes + 64 + 16 * c, v);
                    EACH_PART a[kParts * n + p] = fmadd(v[p] * load_floats(of_block + kLanes * p), splat(x[b + c]), a[kParts * n + p]);
                }
        } else {
            for (int c = b; c < end; c += 2) {
                Register v[kParts * P][2];
                EACH_REGISTER two_columns<F>(data + i / kParts * bytes + 32 * size_t(c) + kWidth * (i % kParts), v[i]);
                EACH_REGISTER a[i] = fmadd(v[i][0], splat(x[c]), a[i]);
                if (c + 1 < end) EACH_REGISTER a[i] = fmadd(v[i][1], splat(x[c + 1]), a[i]);
            }
        }
        EACH_REGISTER f[i] = fmadd(a[i], scale, f[i]);
    }
    EACH_REGISTER store_result(to.out + row + kLanes * i, to.bias ? to.bias + row + kLanes * i : nullptr, false, w.rows - row - kLanes * i, f[i]);
}

}  // namespace
}  // namespace engine::HEARTH_TARGET

#include "engine/ops/matvec_float_formats.simd.h"
