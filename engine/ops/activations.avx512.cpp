#include "engine/ops/kernels.avx512.h"
#include "engine/ops/simd.avx512.h"

namespace engine::avx512 {
namespace {

HEARTH_INLINE QuantisedBlock quantised(const float* x) {
    QuantisedBlock block;
    const __m512 v0 = _mm512_loadu_ps(x), v1 = _mm512_loadu_ps(x + 16);
    const float top = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_abs_ps(v0), _mm512_abs_ps(v1)));
    block.scale = top / 127.f;
    const __m512 inverse = _mm512_set1_ps(top > 0 ? 127.f / top : 0.f);
    const __m512i q0 = _mm512_cvtps_epi32(_mm512_mul_ps(v0, inverse));
    const __m512i q1 = _mm512_cvtps_epi32(_mm512_mul_ps(v1, inverse));
    const __m256i codes = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm512_cvtepi32_epi8(q0)), _mm512_cvtepi32_epi8(q1), 1);
    // Sums of eight unsigned bytes, which are all too high by 128.
    const __m256i eights = _mm256_sad_epu8(_mm256_xor_si256(codes, _mm256_set1_epi8(-128)), _mm256_setzero_si256());
    const __m256i halves = _mm256_add_epi64(eights, _mm256_shuffle_epi32(eights, 0x4e));
    block.sums[0] = _mm256_extract_epi32(halves, 0) - 16 * 128;
    block.sums[1] = _mm256_extract_epi32(halves, 4) - 16 * 128;
    _mm256_store_si256(reinterpret_cast<__m256i*>(block.codes), codes);
    return block;
}

}  // namespace
}  // namespace engine::avx512

#include "engine/ops/activations.simd.h"
