// Products of BF16 weights with activations rounded to BF16: pairs of columns by bfdot, sums in float32, straight from the
// panels, whose words are such pairs.
#include "engine/ops/kernels.i8mm.h"
#include "engine/ops/simd.neon.h"

#define HEARTH_TARGET neon
#include "engine/ops/codes.simd.h"

namespace engine::i8mm {
namespace {

using namespace neon;

constexpr int tile_width = 4;

HEARTH_INLINE bfloat16x8_t pairs(Bytes v) { return vreinterpretq_bf16_u8(v); }

template <int N>
void tile(const Panels& w, int panel, const uint16_t* x, size_t x_stride, const Results& to, int first) {
    const uint8_t* const data = w.data + size_t(panel) * panel_bytes(Format::bf16, w.columns);
    Register f[kParts][N];
    EACH_PART HEARTH_UNROLL for (int n = 0; n < N; ++n) f[p][n] = splat(0.f);
    for (int c = 0; c < w.columns; c += 2) {
        bfloat16x8_t v[kParts];
        EACH_PART v[p] = pairs(load(data + 32 * size_t(c) + kWidth * p));
        HEARTH_UNROLL for (int n = 0; n < N; ++n) {
            const bfloat16x8_t s = pairs(broadcast4(x + n * x_stride + c));
            EACH_PART f[p][n] = vbfdotq_f32(f[p][n], v[p], s);
        }
    }
    EACH_PART HEARTH_UNROLL for (int n = 0; n < N; ++n) {
        const int row = panel_rows * panel + kLanes * p;
        store_result(to.out + size_t(first + n) * to.stride + row, to.bias ? to.bias + row : nullptr, to.accumulate, w.rows - row, f[p][n] * splat(w.scale));
    }
}

using Tile = void (*)(const Panels&, int, const uint16_t*, size_t, const Results&, int);
constexpr Tile tiles[tile_width] = {tile<1>, tile<2>, tile<3>, tile<4>};

}  // namespace

void to_bf16(const float* x, int columns, uint16_t* to) {
    int c = 0;
    for (; c + 4 <= columns; c += 4) vst1_u16(to + c, vreinterpret_u16_bf16(vcvt_bf16_f32(load_floats(x + c))));
    for (; c < columns; ++c) to[c] = vget_lane_u16(vreinterpret_u16_bf16(vcvt_bf16_f32(splat(x[c]))), 0);
    if (columns % 2) to[columns] = 0;
}

void matmul_bf16(const Panels& w, const uint16_t* x, size_t x_stride, int n_rows, const Results& to, int begin, int end) {
    for (int panel = begin; panel < end; ++panel)
        for (int first = 0; first < n_rows; first += tile_width)
            tiles[(n_rows - first < tile_width ? n_rows - first : tile_width) - 1](w, panel, x + size_t(first) * x_stride, x_stride, to, first);
}

}  // namespace engine::i8mm
