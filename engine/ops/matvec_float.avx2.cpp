// Decode with float weights: one row of activations times panels, in registers throughout. The additions and their order are
// those of the float tiles, so that a row's result does not depend on its batch.
#include "engine/ops/kernels.avx2.h"
#include "engine/ops/simd.avx2.h"

namespace engine::avx2 {
namespace {

constexpr int together = 2;  // panels: four chains of additions that do not wait for each other

// Columns c and c + 1 of 8 rows, which lie in a word of a lane.
template <Format F> HEARTH_INLINE void two_columns(const uint8_t* word, __m256 (&v)[2]) {
    const __m256i pair = load(word);
    if constexpr (F == Format::f16) {
        const __m256i order = _mm256_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15, 0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
        const __m256i sorted = _mm256_permute4x64_epi64(_mm256_shuffle_epi8(pair, order), 0xd8);
        v[0] = _mm256_cvtph_ps(_mm256_castsi256_si128(sorted));
        v[1] = _mm256_cvtph_ps(_mm256_extracti128_si256(sorted, 1));
    } else {
        v[0] = _mm256_castsi256_ps(_mm256_slli_epi32(pair, 16));
        v[1] = _mm256_castsi256_ps(_mm256_and_si256(pair, _mm256_set1_epi32(static_cast<int>(0xffff0000u))));
    }
}

// Registers of 8 rows: two a panel.
#define EACH_REGISTER HEARTH_UNROLL for (int i = 0; i < 2 * P; ++i)

template <Format F, int P>
void panels_at(const Panels& w, int panel, const float* x, const Results& to) {
    const size_t bytes = panel_bytes(F, w.columns);
    const uint8_t* const data = w.data + size_t(panel) * bytes;
    const int row = panel_rows * panel;
    const __m256 scale = _mm256_set1_ps(w.scale);
    __m256 f[2 * P], a[2 * P];
    EACH_REGISTER f[i] = to.accumulate ? _mm256_maskload_ps(to.out + row + 8 * i, first_lanes(w.rows - row - 8 * i)) : _mm256_setzero_ps();
    for (int b = 0; b < w.columns; b += 32) {
        const int end = b + 32 < w.columns ? b + 32 : w.columns;
        EACH_REGISTER a[i] = _mm256_setzero_ps();
        if constexpr (F == Format::f32) {
            for (int c = b; c < end; ++c) {
                const __m256 s = _mm256_set1_ps(x[c]);
                EACH_REGISTER a[i] = _mm256_fmadd_ps(_mm256_load_ps(reinterpret_cast<const float*>(data + i / 2 * bytes + 64 * size_t(c) + 32 * (i % 2))), s, a[i]);
            }
        } else if constexpr (F == Format::fp8) {
            const uint8_t* const block = data + 18 * size_t(b);  // 576 bytes for 32 columns
            for (int c = 0; c < 32; ++c)
                HEARTH_UNROLL for (int p = 0; p < P; ++p) {
                    const float* const of_block = reinterpret_cast<const float*>(block + p * bytes);
                    __m256 v[2];
                    fp8_column(block + p * bytes + 64 + 16 * c, v);
                    HEARTH_UNROLL for (int h = 0; h < 2; ++h)
                        a[2 * p + h] = _mm256_fmadd_ps(_mm256_mul_ps(v[h], _mm256_load_ps(of_block + 8 * h)), _mm256_set1_ps(x[b + c]), a[2 * p + h]);
                }
        } else {
            for (int c = b; c < end; c += 2) {
                __m256 v[2 * P][2];
                EACH_REGISTER two_columns<F>(data + i / 2 * bytes + 32 * size_t(c) + 32 * (i % 2), v[i]);
                EACH_REGISTER a[i] = _mm256_fmadd_ps(v[i][0], _mm256_set1_ps(x[c]), a[i]);
                if (c + 1 < end) EACH_REGISTER a[i] = _mm256_fmadd_ps(v[i][1], _mm256_set1_ps(x[c + 1]), a[i]);
            }
        }
        EACH_REGISTER f[i] = _mm256_fmadd_ps(a[i], scale, f[i]);
    }
    EACH_REGISTER store_result(to.out + row + 8 * i, to.bias ? to.bias + row + 8 * i : nullptr, false, w.rows - row - 8 * i, f[i]);
}

template <Format F> void run(const Panels& w, const float* x, const Results& to, int begin, int end) {
    int p = begin;
    for (; p + together <= end; p += together) panels_at<F, together>(w, p, x, to);
    for (; p < end; ++p) panels_at<F, 1>(w, p, x, to);
}

}  // namespace

void matvec_float(const Panels& w, const float* x, const Results& to, int begin, int end) {
    switch (w.format) {
        case Format::f32: return run<Format::f32>(w, x, to, begin, end);
        case Format::f16: return run<Format::f16>(w, x, to, begin, end);
        case Format::bf16: return run<Format::bf16>(w, x, to, begin, end);
        case Format::fp8: return run<Format::fp8>(w, x, to, begin, end);
        default: return;
    }
}

}  // namespace engine::avx2
