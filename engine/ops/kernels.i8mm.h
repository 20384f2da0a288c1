// The kernels of the i8mm target beside neon's; contracts in kernels.h.
#pragma once

#include "engine/ops/kernels.h"

namespace engine::i8mm {

using namespace packed;

void matmul_int8(const Panels& w, const Activations& x, const Results& to, int begin, int end, void* scratch);
void to_bf16(const float* x, int columns, uint16_t* to);
void matmul_bf16(const Panels& w, const uint16_t* x, size_t x_stride, int n_rows, const Results& to, int begin, int end);
double peak(Arithmetic arithmetic, long rounds);

}  // namespace engine::i8mm
