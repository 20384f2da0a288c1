#pragma once

#include "engine/cuda/device.cuh"
#include "engine/ops/plain_args.h"

namespace engine::cuda {

__device__ inline float activated(Activation activation, float gate, float up) {
    switch (activation) {
        case Activation::silu: return gate * sigmoid(gate) * up;
        case Activation::gelu_tanh: {
            const float inner = 0.7978845608028654f * (gate + 0.044715f * gate * gate * gate);  // √(2/π)
            return 0.5f * gate * (1 + tanhf(inner)) * up;
        }
        case Activation::clamped_silu: {
            const float g = fminf(gate, 7.0f);
            return (fminf(fmaxf(up, -7.0f), 7.0f) + 1) * g * sigmoid(1.702f * g);
        }
        case Activation::sigmoid: return up * sigmoid(gate);
        case Activation::identity: break;
    }
    return gate * up;
}

}  // namespace engine::cuda
