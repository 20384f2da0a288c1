// What a model's file says about its shape. One table row a family; what the table does not know is
// refused, never run as something else.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/model/gguf.h"
#include "engine/request.h"
#include "text/tokenizer.h"

namespace engine {

enum class RopePairing { adjacent, neox };  // (2i, 2i+1) or (i, i + dim/2)

// A family is its differences from llama.
struct Family {
    const char* name;          // general.architecture
    RopePairing pairing;
    bool qkv_bias;             // biases on q, k, v are required
    bool qk_norm;              // RMSNorm per head on q and k before rope
    bool normalise_experts;    // default of expert_weights_norm: weights of the chosen experts sum to 1
};
const std::vector<Family>& families();

struct Config {
    const Family* family = nullptr;
    std::string architecture, name;
    int layers = 0;
    int hidden = 0;            // H
    int ffn = 0;               // I of dense layers; 0 when every layer is MoE
    int heads = 0, kv_heads = 0;
    int head_dim = 0;          // of q, k and v
    int vocabulary = 0;        // V
    int trained_context = 0;
    int rope_dim = 0;          // dimensions of a head that are rotated
    float rope_base = 10000, rope_scale = 1;  // position is divided by rope_scale (linear scaling)
    float norm_epsilon = 0;
    int experts = 0, experts_used = 0;
    int expert_ffn = 0;        // I of one expert
    bool normalise_experts = false;
    float expert_scale = 1;
};

base::Result<Config> read_config(const Gguf& gguf);
base::Result<text::Vocabulary> read_vocabulary(const Gguf& gguf);
// The file's general.sampling.* keys; fields that it does not name stay at `Sampling{}`.
base::Result<Sampling> read_sampling(const Gguf& gguf);

}  // namespace engine
