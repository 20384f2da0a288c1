// Decode with float weights: one row of activations times panels, in registers throughout. The additions and their order are
// those of the float tiles, so that a row's result does not depend on its batch.
#include "engine/ops/kernels.avx512.h"
#include "engine/ops/simd.avx512.h"

namespace engine::avx512 {
namespace {

constexpr int together = 4;  // panels: chains of additions that do not wait for each other

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

template <Format F, int P>
void panels_at(const Panels& w, int panel, const float* x, const Results& to) {
    const size_t bytes = panel_bytes(F, w.columns);
    const uint8_t* const data = w.data + size_t(panel) * bytes;
    const __m512 scale = _mm512_set1_ps(w.scale);
    __m512 f[P], a[P];
    __mmask16 mask[P];
    HEARTH_UNROLL for (int p = 0; p < P; ++p) {
        const int row = panel_rows * (panel + p);
        mask[p] = first_lanes(w.rows - row);
        f[p] = to.accumulate ? _mm512_maskz_loadu_ps(mask[p], to.out + row) : _mm512_setzero_ps();
    }
    for (int b = 0; b < w.columns; b += 32) {
        const int end = b + 32 < w.columns ? b + 32 : w.columns;
        HEARTH_UNROLL for (int p = 0; p < P; ++p) a[p] = _mm512_setzero_ps();
        if constexpr (F == Format::f32) {
            for (int c = b; c < end; ++c)
                HEARTH_UNROLL for (int p = 0; p < P; ++p)
                    a[p] = _mm512_fmadd_ps(_mm512_load_ps(data + p * bytes + 64 * size_t(c)), _mm512_set1_ps(x[c]), a[p]);
        } else if constexpr (F == Format::fp8) {
            const uint8_t* const block = data + 18 * size_t(b);  // 576 bytes for 32 columns
            for (int c = 0; c < 32; c += 2)
                HEARTH_UNROLL for (int p = 0; p < P; ++p) {
                    const __m512 of_block = _mm512_load_ps(block + p * bytes);
                    __m512 v[2];
                    fp8_columns(block + p * bytes + 64 + 16 * c, v);
                    a[p] = _mm512_fmadd_ps(_mm512_mul_ps(v[0], of_block), _mm512_set1_ps(x[b + c]), a[p]);
                    a[p] = _mm512_fmadd_ps(_mm512_mul_ps(v[1], of_block), _mm512_set1_ps(x[b + c + 1]), a[p]);
                }
        } else {
            for (int c = b; c < end; c += 2) {
                __m512 v[P][2];
                HEARTH_UNROLL for (int p = 0; p < P; ++p) two_columns<F>(data + p * bytes + 32 * size_t(c), v[p]);
                HEARTH_UNROLL for (int p = 0; p < P; ++p) a[p] = _mm512_fmadd_ps(v[p][0], _mm512_set1_ps(x[c]), a[p]);
                if (c + 1 < end)
                    HEARTH_UNROLL for (int p = 0; p < P; ++p) a[p] = _mm512_fmadd_ps(v[p][1], _mm512_set1_ps(x[c + 1]), a[p]);
            }
        }
        HEARTH_UNROLL for (int p = 0; p < P; ++p) f[p] = _mm512_fmadd_ps(a[p], scale, f[p]);
    }
    HEARTH_UNROLL for (int p = 0; p < P; ++p) {
        const int row = panel_rows * (panel + p);
        store_result(to.out + row, to.bias ? to.bias + row : nullptr, false, mask[p], f[p]);
    }
}

}  // namespace
}  // namespace engine::avx512

#include "engine/ops/matvec_float_formats.simd.h"
