// What a model's file says about its shape. One table row a family; what the table does not know is
// refused, never run as something else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "engine/model/pooling.h"
#include "engine/ops/plain_args.h"

namespace engine {

enum class RopePairing { adjacent, neox };  // (2i, 2i+1) or (i, i + dim/2)
// RMSNorm on q and k before rope: of each head with one weight (d), also only where a file has it, or of the whole projection.
enum class QkNorm { none, head, head_if_there, projection };

// What mixes the rows of a sequence in a layer.
enum class Mixer { attention, short_convolution, selective_scan, gated_delta };

struct Config;
class ConfigKeys;

// A family is its differences from llama.
struct Family {
    const char* name;          // general.architecture
    RopePairing pairing = RopePairing::neox;  // in GGUF
    bool qkv_bias = false;     // biases on q, k, v are required
    QkNorm qk_norm = QkNorm::none;
    bool normalise_experts = false;  // default of expert_weights_norm: weights of the chosen experts sum to 1
    Activation activation = Activation::silu;
    bool pre_norms = true;     // what attention and FFN read is normalised
    bool post_norms = false;   // what attention and FFN give is normalised before it is added
    Mixer other_mixer = Mixer::attention;  // of its layers without attention
    bool gated_attention = false;  // q comes with a gate: d values of one, then d of the other for each head
    bool keys_as_values = false;  // a layer without a projection of values takes that of its keys
    bool latent = false;       // attention over latent rows
    bool drafts = false;       // its head for drafting is run, where a file has one
    bool sinks = false;        // a logit of each head that takes attention and gives no value
    // What a file may have or not; of other families it is asked for nowhere, so that a file that has it is refused.
    bool expert_biases = false;  // of the router and the experts
    bool choice_bias = false;    // of the choice of experts
    bool shared_gate = false;    // of the expert that every row uses
    bool scales = false;         // of experts, of what the router reads, of a layer's result
    void (*read)(ConfigKeys&, Config&) = nullptr;  // what else its keys say
};
const std::vector<Family>& families();

// Angles of one kind of layer: position * inverse frequency.
struct RopeConfig {
    int dim = 0;               // dimensions of a head that are rotated
    float base = 10000;
    float scale = 1;           // position is divided by it (linear scaling)
    bool divisors_in_file = false;  // the frequencies are divided by the file's rope_freqs.weight, where it has one
    std::vector<float> divisor = {};  // (dim / 2), or empty: by these
    // yarn: factor 1 is none
    bool yarn_whole = true;    // its ramp begins and ends at whole dimensions
    float yarn_factor = 1, yarn_original = 0, beta_fast = 32, beta_slow = 1;
    float magnitude = 1;       // of the rotated vectors
};

// Where yarn's ramp over the dimensions begins and ends (Peng et al. 2023, §3.2); `whole`: at whole ones.
std::pair<double, double> yarn_ramp(const RopeConfig& rope, bool whole);

// The shapes of a family's recurrent layers.
struct RecurrentConfig {
    int kernel = 0;            // rows that the convolution sees
    int width = 0;             // of the convolution
    int heads = 0, head_dim = 0;    // of the values
    int key_heads = 0, key_dim = 0;  // gated_delta
    int state_size = 0, groups = 0;  // selective_scan
    bool tiled = false;        // DeltaArgs
    std::size_t state_values(Mixer mixer) const;  // floats of one layer and sequence
};

// Attention over latent rows (MLA), absorbed: the cache holds of each position its latent, kv_rank wide, and one rotated key
// that all heads share; keys and values of the heads are never made.
struct LatentConfig {
    int kv_rank = 0;           // 0: the family has none
    int q_rank = 0;            // 0: queries are projected at once
    int plain = 0, rotated = 0;  // dimensions of a query head
    int value = 0;             // of a value head
};

struct LayerConfig {
    Mixer mixer = Mixer::attention;
    int kv_heads = 0;
    int head_dim = 0;          // of q, k and v
    int window = 0;            // positions that a row sees, its own included; 0: all before it
    int rope = 0;              // which of Config::ropes; -1: positions are not encoded
    int kv_layer = 0;          // whose keys and values it reads: its own index, or an earlier layer's
    bool moe = false;
    int ffn = 0;               // I of the dense FFN; 0: there is none
    std::size_t state = 0;     // floats into a sequence's state, where a recurrent layer's begins
};

struct Config {
    const Family* family = nullptr;
    std::string architecture, name;
    RopePairing pairing = RopePairing::neox;
    int layers = 0;
    int hidden = 0;            // H
    int heads = 0;
    int vocabulary = 0;        // V
    int trained_context = 0;
    float norm_epsilon = 0;
    std::vector<LayerConfig> layer;
    std::vector<RopeConfig> ropes;
    RecurrentConfig recurrent;
    LatentConfig latent;
    std::size_t state_values = 0;  // floats of a sequence's state over all layers; 0: no layer is recurrent
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
    std::optional<Pooling> pooling;  // of a model that was trained to make vectors of texts
    int per_layer_width = 0;   // of the embedding that each layer has of its own (gemma4); 0: there is none

    int widest = 0;            // columns of a matrix that has more than its inputs, as its weights are stored; 0: none has

    int largest_ffn() const;
    int largest_heads_width() const;  // heads * d
    int largest_kv_width() const;     // kv_heads * d
    int largest_kv_heads() const;
};

class KeyValues;
// Beyond GGUF's keys it knows, below "ARCHITECTURE.", what other containers can say: rope.pairing ("neox", "adjacent"),
// rope.scaling.{truncate, magnitude, low_freq_factor, high_freq_factor, rotated}, attention.scale and
// attention.sliding_window(_pattern) of every family, ssm.value_heads_tiled.
base::Result<Config> read_config(const KeyValues& values);

}  // namespace engine
