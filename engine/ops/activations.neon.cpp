#include "engine/ops/kernels.neon.h"
#include "engine/ops/simd.neon.h"

namespace engine::neon {
namespace {

HEARTH_INLINE QuantisedBlock quantised(const float* x) {
    QuantisedBlock block;
    Register v[8];
    HEARTH_UNROLL for (int i = 0; i < 8; ++i) v[i] = load_floats(x + 4 * i);
    Register most = magnitude(v[0]);
    HEARTH_UNROLL for (int i = 1; i < 8; ++i) most = larger(most, magnitude(v[i]));
    const float top = max_of(most);
    block.scale = top / 127.f;
    const Register inverse = splat(top > 0 ? 127.f / top : 0.f);
    int16x8_t words[4];
    HEARTH_UNROLL for (int i = 0; i < 4; ++i)
        words[i] = vcombine_s16(vqmovn_s32(vcvtnq_s32_f32(v[2 * i] * inverse)), vqmovn_s32(vcvtnq_s32_f32(v[2 * i + 1] * inverse)));
    block.sums[0] = vaddlvq_s16(vaddq_s16(words[0], words[1]));
    block.sums[1] = vaddlvq_s16(vaddq_s16(words[2], words[3]));

    HEARTH_UNROLL for (int i = 0; i < 2; ++i) vst1q_s8(block.codes + 16 * i, vcombine_s8(vqmovn_s16(words[2 * i]), vqmovn_s16(words[2 * i + 1])));
    return block;
}

}  // namespace
}  // namespace engine::neon

#include "engine/ops/activations.simd.h"
