// The kernels of the avx512 target; contracts in kernels.h.
#pragma once

#define HEARTH_TARGET avx512
#include "engine/ops/kernels.simd.h"

namespace engine::avx512 {

// One group of activations.
struct Group {
    const int8_t* q;
    const float *scale, *scaled;
    const int32_t *sum, *sum16;
};
static inline Group group_at(const Activations& x, int first) {
    const size_t r = first, c = x.columns;
    return {x.q + r * c, x.scale + r * (c / 32), x.scaled + r * (c / 32), x.sum + r * (c / 32), x.sum16 + r * (c / 16)};
}

void to_bf16(const float* x, int columns, uint16_t* to);
void matmul_bf16(const Panels& w, const uint16_t* x, size_t x_stride, int n_rows, const Results& to, int begin, int end);

}  // namespace engine::avx512
