// The panels of each format that has float values, with a few rows. Included behind what it names, by matvec_float.simd.h and matvec_float.avx512.cpp.
#pragma once

namespace engine::HEARTH_TARGET {
namespace {

// One panel with n rows, at most N.
template <Format F, int N> void panel_at(const Panels& w, int panel, const float* x, size_t x_stride, int n, const Results& to) {
    if constexpr (N > 1)
        if (n < N) return panel_at<F, N - 1>(w, panel, x, x_stride, n, to);
    panels_at<F, 1, N>(w, panel, x, x_stride, to);
}

template <Format F> void run(const Panels& w, const float* x, size_t x_stride, int n_rows, const Results& to, int begin, int end) {
    int p = begin;
    if (n_rows == 1)
        for (; p + panels_of_one <= end; p += panels_of_one) panels_at<F, panels_of_one, 1>(w, p, x, x_stride, to);
    // Tile after tile of rows meets a panel, which stays near meanwhile.
    const int tiles = (n_rows + rows_of_tile - 1) / rows_of_tile, each = (n_rows + tiles - 1) / tiles;
    for (; p < end; ++p)
        for (int first = 0; first < n_rows; first += each)
            panel_at<F, rows_of_tile>(w, p, x + first * x_stride, x_stride, n_rows - first < each ? n_rows - first : each, {to.out + first * to.stride, to.stride, to.bias, to.accumulate});
}

}  // namespace

void matvec_float(const Panels& w, const float* x, size_t x_stride, int n_rows, const Results& to, int begin, int end) {
    switch (w.format) {
        case Format::f32: return run<Format::f32>(w, x, x_stride, n_rows, to, begin, end);
        case Format::f16: return run<Format::f16>(w, x, x_stride, n_rows, to, begin, end);
        case Format::bf16: return run<Format::bf16>(w, x, x_stride, n_rows, to, begin, end);
        case Format::fp8: return run<Format::fp8>(w, x, x_stride, n_rows, to, begin, end);
        default: return;
    }
}

}  // namespace engine::HEARTH_TARGET
