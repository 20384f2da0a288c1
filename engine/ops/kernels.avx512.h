// The kernels of the avx512 target; contracts in kernels.h.
#pragma once

#define HEARTH_TARGET avx512
#include "engine/ops/kernels.simd.h"

namespace engine::avx512 {

void to_bf16(const float* x, int columns, uint16_t* to);
void matmul_bf16(const Panels& w, const uint16_t* x, size_t x_stride, int n_rows, const Results& to, int begin, int end);

}  // namespace engine::avx512
