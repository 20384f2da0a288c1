#include "engine/ops/kernels.neon.h"
#include "engine/ops/simd.neon.h"

namespace engine::neon {
namespace {

typedef uint32_t Lanes __attribute__((vector_size(16)));
typedef uint16_t Shorts __attribute__((vector_size(16)));
typedef float Floats __attribute__((vector_size(16)));

// Bytes of each 16 bytes of v.
HEARTH_INLINE Lanes shuffle(Lanes v, Lanes at) { return (Lanes)look_up((Bytes)v, (Bytes)at); }
HEARTH_INLINE Lanes gather(const uint32_t* from, Lanes at) { return Lanes{from[at[0]], from[at[1]], from[at[2]], from[at[3]]}; }
// Bytes of v, negated where `where` is not 0.
HEARTH_INLINE Lanes negated(Lanes v, Lanes where) {
    const uint8x16_t mask = vtstq_u8((Bytes)where, (Bytes)where);
    return (Lanes)vsubq_u8(veorq_u8((Bytes)v, mask), mask);
}
HEARTH_INLINE Lanes stored(Lanes codes) { return codes; }

}  // namespace
}  // namespace engine::neon

#include "engine/ops/unpack_words.simd.h"
