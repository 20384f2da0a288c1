// Quantises rows of activations: int8 per 32 columns, with the sums that the weights' offsets need.
#include "engine/ops/kernels.avx512.h"
#include "engine/ops/simd.avx512.h"

namespace engine::avx512 {
namespace {

// Block b of one row, which is member `lane` of a group of n.
HEARTH_INLINE void quantise_block(const float* x, const Activations& to, size_t row, int b, int lane, int n) {
    const __m512 v0 = _mm512_loadu_ps(x), v1 = _mm512_loadu_ps(x + 16);
    const float top = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_abs_ps(v0), _mm512_abs_ps(v1)));
    const float scale = top / 127.f;
    const __m512 inverse = _mm512_set1_ps(top > 0 ? 127.f / top : 0.f);
    const __m512i q0 = _mm512_cvtps_epi32(_mm512_mul_ps(v0, inverse));
    const __m512i q1 = _mm512_cvtps_epi32(_mm512_mul_ps(v1, inverse));
    const int s0 = _mm512_reduce_add_epi32(q0), s1 = _mm512_reduce_add_epi32(q1);

    int8_t* q = to.q + row * to.columns + (size_t(b) * 8 * n + lane) * 4;
    const size_t at = row * (to.columns / 32) + size_t(b) * n + lane;
    alignas(16) int8_t bytes[32];
    _mm_store_si128(reinterpret_cast<__m128i*>(bytes), _mm512_cvtepi32_epi8(q0));
    _mm_store_si128(reinterpret_cast<__m128i*>(bytes + 16), _mm512_cvtepi32_epi8(q1));
    for (int j = 0; j < 8; ++j) memcpy(q + size_t(j) * 4 * n, bytes + 4 * j, 4);
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
    if (n == 1)
        for (int b = begin; b < end; ++b) quantise_block(x + 32 * b, to, first, b, 0, 1);
    else
        for (int b = begin; b < end; ++b) quantise_block(x + 32 * b, to, first, b, r - first, n);
}

}  // namespace engine::avx512
