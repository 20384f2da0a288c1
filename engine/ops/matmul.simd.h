// Prefill and batches: a panel is unpacked once, then register tiles of its 16 rows x up to 4 rows of
// activations run over all columns. Lanes are weight rows, so results land row-major and no side is
// ever transposed. Included by matmul.NAME.cpp.
#pragma once

#include "engine/ops/codes.simd.h"

namespace engine::HEARTH_TARGET {
namespace {

// Where a tile's results go: the first row of the tile, the first row of the panel, of which `rows` are there.
struct Corner {
    float* out;
    size_t stride;
    const float* bias;
    bool accumulate;
    float scale;  // of the weights
    int rows;
};

// Unit u of a 256-column block: half u/8, then h, then group (see panel.h).
HEARTH_INLINE int unit_of_quarters(int u) { return (u & ~15) | (u & 8) | (u & 3) << 1 | (u >> 2 & 1); }

Unpacked unpacked_at(void* scratch, Format format, int columns) {
    uint8_t* q = static_cast<uint8_t*>(scratch);
    float* scale = reinterpret_cast<float*>(q + size_t(columns) * 16);
    return {q, scale, scale + size_t(columns) / 16 * 16, has_quarters(format)};
}

}  // namespace
}  // namespace engine::HEARTH_TARGET
