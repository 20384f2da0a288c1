// A weight as kernels read it, and the sum of products that all of them make, in one order: so a row's result does not depend on which
// kernel computed it, nor beside which other rows.
#pragma once

#include "engine/cuda/decode.cuh"
#include "engine/ops/ops.h"

namespace engine::cuda {

struct Matrix {
    Weight w;
    std::size_t row_bytes = 0;
    int block_bytes = 0;
};
inline Matrix matrix(const Weight& w) { return {w, row_bytes(w.format, std::size_t(w.cols)), info(w.format).bytes}; }

// sum[n] = Σ x_n(order(c)) · w(e, row, c), x_n = x + n * x_stride, for N rows of x: by a warp, every lane gets them.
template <Format F, int N>
__device__ inline void dots(const Matrix& m, int e, int row, const float* x, std::size_t x_stride, const Tables& t, float (&sum)[N]) {
    const Weight& w = m.w;
    Block const values = w.data + std::size_t(w.places ? w.places[e] : e) * w.stride + std::size_t(row) * m.row_bytes;
    const std::int32_t* const order = w.order ? w.order + std::size_t(e) * w.cols : nullptr;
    const float factor = w.scales ? w.scales[e] : 1.0f;
    for (int n = 0; n < N; ++n) sum[n] = 0;
    for (int c = lane() * run_values; c < w.cols; c += warp_size * run_values) {
        float run[run_values];
        decode_run<F>(values, c, w.cols, m.block_bytes, t, run);
        const int most = w.cols - c < run_values ? w.cols - c : run_values;
        for (int i = 0; i < most; ++i) {
            const float value = w.scales ? run[i] * factor : run[i];
            const int at = order ? order[c + i] : c + i;
            for (int n = 0; n < N; ++n) sum[n] = fmaf(value, x[std::size_t(n) * x_stride + std::size_t(at)], sum[n]);
        }
    }
    for (int n = 0; n < N; ++n) sum[n] = warp_sum(sum[n]);
}

}  // namespace engine::cuda
