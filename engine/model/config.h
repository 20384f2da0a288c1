// What a model's file says about its shape. One table row a family; what the table does not know is
// refused, never run as something else.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/model/gguf.h"
#include "engine/ops/plain_args.h"
#include "engine/request.h"
#include "text/tokenizer.h"

namespace engine {

enum class RopePairing { adjacent, neox };  // (2i, 2i+1) or (i, i + dim/2)
// RMSNorm on q and k before rope: of each head with one weight (d), or of the whole projection.
enum class QkNorm { none, head, projection };

struct Config;
class ConfigKeys;

// A family is its differences from llama.
struct Family {
    const char* name;          // general.architecture
    RopePairing pairing = RopePairing::neox;
    bool qkv_bias = false;     // biases on q, k, v are required
    QkNorm qk_norm = QkNorm::none;
    bool normalise_experts = false;  // default of expert_weights_norm: weights of the chosen experts sum to 1
    Activation activation = Activation::silu;
    bool post_norms = false;   // what attention and FFN give is normalised before it is added
    bool sinks = false;        // a logit of each head that takes attention and gives no value
    void (*read)(ConfigKeys&, Config&) = nullptr;  // what else its keys say
};
const std::vector<Family>& families();

// Angles of one kind of layer: position * inverse frequency.
struct RopeConfig {
    int dim = 0;               // dimensions of a head that are rotated
    float base = 10000;
    float scale = 1;           // position is divided by it (linear scaling)
    bool divisors = false;     // the frequencies are divided by the file's rope_freqs.weight
    // yarn: factor 1 is none
    float yarn_factor = 1, yarn_original = 0, beta_fast = 32, beta_slow = 1;
    float magnitude = 1;       // of the rotated vectors
};

struct LayerConfig {
    int kv_heads = 0;
    int head_dim = 0;          // of q, k and v
    int window = 0;            // positions that a row sees, its own included; 0: all before it
    int rope = 0;              // which of Config::ropes
    int kv_layer = 0;          // whose keys and values it reads: its own index, or an earlier layer's
    bool moe = false;
    int ffn = 0;               // I of the dense FFN; 0: there is none
};

struct Config {
    const Family* family = nullptr;
    std::string architecture, name;
    int layers = 0;
    int hidden = 0;            // H
    int heads = 0;
    int vocabulary = 0;        // V
    int trained_context = 0;
    float norm_epsilon = 0;
    std::vector<LayerConfig> layer;
    std::vector<RopeConfig> ropes;
    float attention_scale = 0;  // 0: 1/√d
    bool normalise_values = false;  // RMSNorm without a weight on each head's values
    float embedding_scale = 1, residual_scale = 1, logit_scale = 1;  // factors of embeddings, of each branch's result, of logits
    float logit_cap = 0;       // logits are cap·tanh(logit / cap); 0: they are not
    int experts = 0, experts_used = 0;
    int expert_ffn = 0;        // I of one expert
    int shared_ffn = 0;        // I of the expert that every row uses; 0: there is none
    bool sigmoid_router = false, normalise_experts = false;
    float expert_scale = 1;
    int expert_groups = 1, expert_groups_used = 1;
    int per_layer_width = 0;   // of the embedding that each layer has of its own (gemma4); 0: there is none

    int largest_ffn() const;
    int largest_heads_width() const;  // heads * d
    int largest_kv_width() const;     // kv_heads * d
};

base::Result<Config> read_config(const Gguf& gguf);
base::Result<text::Vocabulary> read_vocabulary(const Gguf& gguf);
// The file's general.sampling.* keys; fields that it does not name stay at `Sampling{}`.
base::Result<Sampling> read_sampling(const Gguf& gguf);

}  // namespace engine
