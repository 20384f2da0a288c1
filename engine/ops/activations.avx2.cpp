#include "engine/ops/kernels.avx2.h"
#include "engine/ops/simd.avx2.h"

namespace engine::avx2 {
namespace {

HEARTH_INLINE QuantisedBlock quantised(const float* x) {
    QuantisedBlock block;
    __m256 v[4];
    HEARTH_UNROLL for (int i = 0; i < 4; ++i) v[i] = _mm256_loadu_ps(x + 8 * i);
    const __m256 sign = _mm256_set1_ps(-0.f);
    __m256 most = _mm256_andnot_ps(sign, v[0]);
    HEARTH_UNROLL for (int i = 1; i < 4; ++i) most = _mm256_max_ps(most, _mm256_andnot_ps(sign, v[i]));
    const float top = max_of(most);
    block.scale = top / 127.f;
    const __m256 inverse = _mm256_set1_ps(top > 0 ? 127.f / top : 0.f);
    __m256i q[4];
    HEARTH_UNROLL for (int i = 0; i < 4; ++i) q[i] = _mm256_cvtps_epi32(_mm256_mul_ps(v[i], inverse));
    block.sums[0] = sum_of(_mm256_add_epi32(q[0], q[1]));
    block.sums[1] = sum_of(_mm256_add_epi32(q[2], q[3]));

    // Packing works on halves of 128 bits: the order of the 4-byte groups is restored at the end.
    const __m256i p = _mm256_packs_epi16(_mm256_packs_epi32(q[0], q[1]), _mm256_packs_epi32(q[2], q[3]));
    _mm256_store_si256(reinterpret_cast<__m256i*>(block.codes), _mm256_permutevar8x32_epi32(p, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)));
    return block;
}

}  // namespace
}  // namespace engine::avx2

#include "engine/ops/activations.simd.h"
