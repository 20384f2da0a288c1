// The panels of each format that has float values, with one row. Included behind what it names, by matvec_float.simd.h and matvec_float.avx512.cpp.
#pragma once

namespace engine::HEARTH_TARGET {
namespace {

template <Format F> void run(const Panels& w, const float* x, const Results& to, int begin, int end) {
    int p = begin;
    for (; p + together <= end; p += together) panels_at<F, together>(w, p, x, to);
    for (; p < end; ++p) panels_at<F, 1>(w, p, x, to);
}

}  // namespace

void matvec_float(const Panels& w, const float* x, const Results& to, int begin, int end) {
    switch (w.format) {
        case Format::f32: return run<Format::f32>(w, x, to, begin, end);
        case Format::f16: return run<Format::f16>(w, x, to, begin, end);
        case Format::bf16: return run<Format::bf16>(w, x, to, begin, end);
        case Format::fp8: return run<Format::fp8>(w, x, to, begin, end);
        default: return;
    }
}

}  // namespace engine::HEARTH_TARGET
