// Products of BF16 weights with activations rounded to BF16: pairs of columns by vdpbf16ps, sums in float32, straight from the
// panels, whose words are such pairs.
#include "engine/ops/kernels.avx512.h"
#include "engine/ops/simd.avx512.h"

namespace engine::avx512 {
namespace {

constexpr int tile_panels = 2;

#define EACH_ACCUMULATOR HEARTH_UNROLL for (int p = 0; p < P; ++p) HEARTH_UNROLL for (int n = 0; n < N; ++n)

HEARTH_INLINE __m512bh pairs(__m512i v) { return reinterpret_cast<__m512bh>(v); }

template <int P, int N>
void tile(const Panels& w, int panel, const uint16_t* x, size_t x_stride, const Results& to, int first) {
    const size_t bytes = panel_bytes(Format::bf16, w.columns);
    const uint8_t* const data = w.data + size_t(panel) * bytes;
    __m512 f[P][N];
    EACH_ACCUMULATOR f[p][n] = _mm512_setzero_ps();
    for (int c = 0; c < w.columns; c += 2) {
        __m512bh v[P];
        HEARTH_UNROLL for (int p = 0; p < P; ++p) v[p] = pairs(load(data + p * bytes + 32 * size_t(c)));
        HEARTH_UNROLL for (int n = 0; n < N; ++n) {
            const __m512bh s = pairs(broadcast4(x + n * x_stride + c));
            HEARTH_UNROLL for (int p = 0; p < P; ++p) f[p][n] = _mm512_dpbf16_ps(f[p][n], v[p], s);
        }
    }
    EACH_ACCUMULATOR {
        const int row = panel_rows * (panel + p);
        store_result(to.out + size_t(first + n) * to.stride + row, to.bias ? to.bias + row : nullptr, to.accumulate, first_lanes(w.rows - row), _mm512_mul_ps(f[p][n], _mm512_set1_ps(w.scale)));
    }
}

using Tile = void (*)(const Panels&, int, const uint16_t*, size_t, const Results&, int);
template <int P>
constexpr Tile tiles[group_rows] = {tile<P, 1>, tile<P, 2>, tile<P, 3>, tile<P, 4>, tile<P, 5>, tile<P, 6>, tile<P, 7>, tile<P, 8>};

}  // namespace

void to_bf16(const float* x, int columns, uint16_t* to) {
    for (int c = 0; c < columns; c += 16) {
        const __mmask16 m = first_lanes(columns - c);
        const __m256bh v = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(m, x + c));
        _mm256_mask_storeu_epi16(to + c, m, reinterpret_cast<__m256i>(v));
    }
    if (columns % 2) to[columns] = 0;
}

void matmul_bf16(const Panels& w, const uint16_t* x, size_t x_stride, int n_rows, const Results& to, int begin, int end) {
    for (int panel = begin; panel < end; panel += tile_panels) {
        const Tile* const table = end - panel < tile_panels ? tiles<1> : tiles<tile_panels>;
        for (int first = 0; first < n_rows; first += group_rows)
            table[(n_rows - first < group_rows ? n_rows - first : group_rows) - 1](w, panel, x + size_t(first) * x_stride, x_stride, to, first);
    }
}

}  // namespace engine::avx512
