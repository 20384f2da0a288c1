#include "engine/ops/kernels.avx2.h"
#include "engine/ops/simd.avx2.h"

namespace engine::avx2 {
namespace {

typedef uint32_t Lanes __attribute__((vector_size(32)));
typedef uint16_t Shorts __attribute__((vector_size(32)));
typedef float Floats __attribute__((vector_size(32)));

// Bytes of each 16 bytes of v.
HEARTH_INLINE Lanes shuffle(Lanes v, Lanes at) { return (Lanes)look_up((Bytes)v, (Bytes)at); }
HEARTH_INLINE Lanes gather(const uint32_t* from, Lanes at) {
    return (Lanes)_mm256_i32gather_epi32(reinterpret_cast<const int*>(from), (__m256i)at, 4);
}
// Bytes of v, negated where `where` is not 0.
HEARTH_INLINE Lanes negated(Lanes v, Lanes where) {
    const __m256i kept = _mm256_cmpeq_epi8((__m256i)where, _mm256_setzero_si256());
    return (Lanes)_mm256_sign_epi8((__m256i)v, _mm256_sub_epi8(_mm256_set1_epi8(-1), _mm256_add_epi8(kept, kept)));
}
HEARTH_INLINE Lanes stored(Lanes codes) { return codes; }

}  // namespace
}  // namespace engine::avx2

#include "engine/ops/unpack_words.simd.h"
