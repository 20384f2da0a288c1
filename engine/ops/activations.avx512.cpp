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
    block.sums[0] = _mm512_reduce_add_epi32(q0);
    block.sums[1] = _mm512_reduce_add_epi32(q1);

    _mm_store_si128(reinterpret_cast<__m128i*>(block.codes), _mm512_cvtepi32_epi8(q0));
    _mm_store_si128(reinterpret_cast<__m128i*>(block.codes + 16), _mm512_cvtepi32_epi8(q1));
    return block;
}

}  // namespace
}  // namespace engine::avx512

#include "engine/ops/activations.simd.h"
