#include "engine/ops/kernels.avx512.h"
#include "engine/ops/simd.avx512.h"

namespace engine::avx512 {
namespace {

constexpr int kLanes = 16;
typedef uint32_t Lanes __attribute__((vector_size(64)));
typedef uint16_t Shorts __attribute__((vector_size(64)));
typedef float Floats __attribute__((vector_size(64)));

HEARTH_INLINE Lanes table(const int8_t (&values)[16]) {
    return (Lanes)_mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(values)));
}
// Bytes of each 16 bytes of v.
HEARTH_INLINE Lanes shuffle(Lanes v, Lanes at) { return (Lanes)_mm512_shuffle_epi8((__m512i)v, (__m512i)at); }
HEARTH_INLINE Lanes gather(const uint32_t* from, Lanes at) { return (Lanes)_mm512_i32gather_epi32((__m512i)at, from, 4); }
// Bytes of v, negated where `where` is not 0.
HEARTH_INLINE Lanes negated(Lanes v, Lanes where) {
    const __mmask64 mask = _mm512_test_epi8_mask((__m512i)where, (__m512i)where);
    return (Lanes)_mm512_mask_sub_epi8((__m512i)v, mask, _mm512_setzero_si512(), (__m512i)v);
}
HEARTH_INLINE Floats halves(const uint8_t* p) { return (Floats)half16(p); }
HEARTH_INLINE Lanes stored(Lanes codes) { return codes ^ 0x80808080u; }  // tiles want them raised by 128

}  // namespace
}  // namespace engine::avx512

#include "engine/ops/unpack_words.simd.h"
