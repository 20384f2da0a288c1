// Quantises rows of activations: int8 per 32 columns, with the sums that the weights' offsets need.
#include "engine/ops/kernels.avx2.h"
#include "engine/ops/simd.avx2.h"

namespace engine::avx2 {
namespace {

// Block b of one row, which is member `lane` of a group of n.
HEARTH_INLINE void quantise_block(const float* x, const Activations& to, size_t row, int b, int lane, int n) {
    __m256 v[4];
    HEARTH_UNROLL for (int i = 0; i < 4; ++i) v[i] = _mm256_loadu_ps(x + 8 * i);
    const __m256 sign = _mm256_set1_ps(-0.f);
    __m256 most = _mm256_andnot_ps(sign, v[0]);
    HEARTH_UNROLL for (int i = 1; i < 4; ++i) most = _mm256_max_ps(most, _mm256_andnot_ps(sign, v[i]));
    const float top = max_of(most);
    const float scale = top / 127.f;
    const __m256 inverse = _mm256_set1_ps(top > 0 ? 127.f / top : 0.f);
    __m256i q[4];
    HEARTH_UNROLL for (int i = 0; i < 4; ++i) q[i] = _mm256_cvtps_epi32(_mm256_mul_ps(v[i], inverse));
    const int s0 = sum_of(_mm256_add_epi32(q[0], q[1])), s1 = sum_of(_mm256_add_epi32(q[2], q[3]));

    // Packing works on halves of 128 bits: the order of the 4-byte groups is restored at the end.
    const __m256i p = _mm256_packs_epi16(_mm256_packs_epi32(q[0], q[1]), _mm256_packs_epi32(q[2], q[3]));
    alignas(32) int8_t bytes[32];
    _mm256_store_si256(reinterpret_cast<__m256i*>(bytes),
                       _mm256_permutevar8x32_epi32(p, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)));
    int8_t* to_q = to.q + row * to.columns + (size_t(b) * 8 * n + lane) * 4;
    for (int j = 0; j < 8; ++j) memcpy(to_q + size_t(j) * 4 * n, bytes + 4 * j, 4);
    const size_t at = row * (to.columns / 32) + size_t(b) * n + lane;
    to.scale[at] = scale;
    to.sum[at] = s0 + s1;
    to.scaled[at] = scale * float(s0 + s1);
    int32_t* sum16 = to.sum16 + row * (to.columns / 16) + size_t(b) * 2 * n + lane;
    sum16[0] = s0;
    sum16[n] = s1;
}

}  // namespace

void quantise_blocks(const float* x, const Activations& to, int r, int begin, int end) {
    const int first = r / group_rows * group_rows;
    const int n = to.rows - first < group_rows ? to.rows - first : group_rows;
    for (int b = begin; b < end; ++b) quantise_block(x + 32 * b, to, first, b, r - first, n);
}

}  // namespace engine::avx2
