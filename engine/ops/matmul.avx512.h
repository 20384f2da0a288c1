// What the matmul kernels share among each other. Included by the .avx512.cpp files only.
#pragma once

#include "engine/ops/kernels.h"

namespace engine::avx512 {

// P panels unpacked for the tiles: q[columns/4][P][16][4], scale[columns/S][P][16] with S = 16 for
// Q6_K (whose columns come in the order of its quarters) and 32 else, minimum[columns/32][P][16].
struct Unpacked {
    uint8_t* q;
    float* scale;
    float* minimum;
};

constexpr bool has_minimum(Format f) {
    return f == Format::q4_1 || f == Format::q4_k || f == Format::q5_k;
}
// log2 of what the stored codes have to be lowered by.
constexpr int zero_shift(Format f) {
    return f == Format::q8_0 ? 7 : f == Format::q6_k ? 5 : f == Format::q5_0 ? 4
         : f == Format::q4_0 ? 3 : -1;
}

// Unpacks one panel as member `p` of `n_panels`. minimum is negated for the K formats, so that the tile adds.
void unpack_int8(Format format, const uint8_t* panel, int columns, const Unpacked& to, int p, int n_panels);

// One row of activations; rows of the last panel that are no rows of the matrix are not written.
void matvec_int8(const Panels& w, const Activations& x, const Results& to, int begin, int end);

}  // namespace engine::avx512
