// Quantises rows of activations: int8 per 32 columns, with the sums that the weights' offsets need. Before it stands
// quantised(x), one block by the target's registers.
#pragma once

#include <string.h>

namespace engine::HEARTH_TARGET {
namespace {

// Block b of one row, which is member `lane` of a group of n.
HEARTH_INLINE void quantise_block(const float* x, const Activations& to, size_t row, int b, int lane, int n) {
    const QuantisedBlock block = quantised(x);
    int8_t* q = to.q + row * to.columns + (size_t(b) * 8 * n + lane) * 4;
    for (int j = 0; j < 8; ++j) memcpy(q + size_t(j) * 4 * n, block.codes + 4 * j, 4);
    const size_t at = row * (to.columns / 32) + size_t(b) * n + lane;
    const int sum = block.sums[0] + block.sums[1];
    to.scale[at] = block.scale;
    to.sum[at] = sum;
    to.scaled[at] = block.scale * float(sum);
    int32_t* sum16 = to.sum16 + row * (to.columns / 16) + size_t(b) * 2 * n + lane;
    sum16[0] = block.sums[0];
    sum16[n] = block.sums[1];
}

}  // namespace

void quantise_blocks(const float* x, const Activations& to, int r, int begin, int end) {
    const int first = r / group_rows * group_rows;
    const int n = to.rows - first < group_rows ? to.rows - first : group_rows;
    if (n == 1)
        for (int b = begin; b < end; ++b) quantise_block(x + 32 * b, to, first, b, 0, 1);
    else
        for (int b = begin; b < end; ++b) quantise_block(x + 32 * b, to, first, b, r - first, n);
}

}  // namespace engine::HEARTH_TARGET
