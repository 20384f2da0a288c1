// Quantises rows of activations: int8 per 32 columns, with the sums that the weights' offsets need.
#include "engine/ops/kernels.neon.h"
#include "engine/ops/simd.neon.h"

namespace engine::neon {
namespace {

// Block b of one row, which is member `lane` of a group of n.
HEARTH_INLINE void quantise_block(const float* x, const Activations& to, size_t row, int b, int lane, int n) {
    Register v[8];
    HEARTH_UNROLL for (int i = 0; i < 8; ++i) v[i] = load_floats(x + 4 * i);
    Register most = magnitude(v[0]);
    HEARTH_UNROLL for (int i = 1; i < 8; ++i) most = larger(most, magnitude(v[i]));
    const float top = max_of(most);
    const float scale = top / 127.f;
    const Register inverse = splat(top > 0 ? 127.f / top : 0.f);
    int16x8_t words[4];
    HEARTH_UNROLL for (int i = 0; i < 4; ++i)
        words[i] = vcombine_s16(vqmovn_s32(vcvtnq_s32_f32(v[2 * i] * inverse)), vqmovn_s32(vcvtnq_s32_f32(v[2 * i + 1] * inverse)));
    const int s0 = vaddlvq_s16(vaddq_s16(words[0], words[1])), s1 = vaddlvq_s16(vaddq_s16(words[2], words[3]));

    int8_t bytes[32];
    HEARTH_UNROLL for (int i = 0; i < 2; ++i) vst1q_s8(bytes + 16 * i, vcombine_s8(vqmovn_s16(words[2 * i]), vqmovn_s16(words[2 * i + 1])));
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

}  // namespace engine::neon
