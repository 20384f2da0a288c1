// Decode and a few rows with float weights: activations times panels, in registers throughout. The additions and their order are
// those of the float tiles, so that a row's result does not depend on its batch.
#include "engine/ops/kernels.avx512.h"
#include "engine/ops/simd.avx512.h"

namespace engine::avx512 {
namespace {

constexpr int panels_of_one = 4;  // that one row meets at once: chains of additions that do not wait for each other
constexpr int rows_of_tile = group_rows;

// Panels, and their sums with N rows of activations.
#define EACH_PANEL HEARTH_UNROLL for (int p = 0; p < P; ++p)
#define EACH_ROW HEARTH_UNROLL for (int i = 0; i < N; ++i)
#define EACH_SUM EACH_PANEL EACH_ROW

// Columns c and c + 1 of 16 rows, which lie in a word of a lane.
template <Format F> HEARTH_INLINE void two_columns(const uint8_t* word, __m512 (&v)[2]) {
    const __m512i pair = load(word);
    if constexpr (F == Format::f16) {
        v[0] = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(pair));
        v[1] = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32(pair, 16)));
    } else {
        v[0] = _mm512_castsi512_ps(_mm512_slli_epi32(pair, 16));
        v[1] = _mm512_castsi512_ps(_mm512_and_si512(pair, _mm512_set1_epi32(static_cast<int>(0xffff0000u))));
    }
}

// a += a column of the panels times that of the activations.
template <int P, int N> HEARTH_INLINE void add_column(const __m512 (&v)[P], const float* x, size_t x_stride, __m512 (&a)[P][N]) {
    EACH_ROW {
        const __m512 s = _mm512_set1_ps(x[i * x_stride]);
        EACH_PANEL a[p][i] = _mm512_fmadd_ps(v[p], s, a[p][i]);
    }
}

template <Format F, int P, int N>
void panels_at(const Panels& w, int panel, const float* x, size_t x_stride, const Results& to) {
    const size_t bytes = panel_bytes(F, w.columns);
    const uint8_t* const data = w.data + size_t(panel) * bytes;
    const __m512 scale = _mm512_set1_ps(w.scale);
    __m512 f[P][N], a[P][N];
    __mmask16 mask[P];
    EACH_PANEL {
        const int row = panel_rows * (panel + p);
        mask[p] = first_lanes(w.rows - row);
        EACH_ROW f[p][i] = to.accumulate ? _mm512_maskz_loadu_ps(mask[p], to.out + i * to.stride + row) : _mm512_setzero_ps();
    }
    for (int b = 0; b < w.columns; b += 32) {
        const int end = b + 32 < w.columns ? b + 32 : w.columns;
        EACH_SUM a[p][i] = _mm512_setzero_ps();
        if constexpr (F == Format::f32) {
            for (int c = b; c < end; ++c) {
                __m512 v[P];
                EACH_PANEL v[p] = _mm512_load_ps(data + p * bytes + 64 * size_t(c));
                add_column(v, x + c, x_stride, a);
            }
        } else {
            for (int c = b; c < end; c += 2) {
                __m512 both[2], v[P], next[P];
                EACH_PANEL {
                    if constexpr (F == Format::fp8) {
                        const uint8_t* const block = data + p * bytes + 18 * size_t(b);  // 576 bytes for 32 columns
                        const __m512 of_block = _mm512_load_ps(block);
                        fp8_columns(block + 64 + 16 * (c - b), both);
                        both[0] = _mm512_mul_ps(both[0], of_block), both[1] = _mm512_mul_ps(both[1], of_block);
                    } else {
                        two_columns<F>(data + p * bytes + 32 * size_t(c), both);
                    }
                    v[p] = both[0], next[p] = both[1];
                }
                add_column(v, x + c, x_stride, a);
                if (c + 1 < end) add_column(next, x + c + 1, x_stride, a);
            }
        }
        EACH_SUM f[p][i] = _mm512_fmadd_ps(a[p][i], scale, f[p][i]);
    }
    EACH_SUM {
        const int row = panel_rows * (panel + p);
        store_result(to.out + i * to.stride + row, to.bias ? to.bias + row : nullptr, false, mask[p], f[p][i]);
    }
}

}  // namespace
}  // namespace engine::avx512

#include "engine/ops/matvec_float_formats.simd.h"
