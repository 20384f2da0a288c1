// A model in memory: its configuration and every tensor, checked against each other and laid out as
// the target's kernels want them.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/expert_options.h"
#include "engine/model/config.h"
#include "engine/model/kept_arrays.h"
#include "engine/model/model_file.h"
#include "engine/ops/ops.h"

namespace engine {

// A gated FFN.
struct Ffn {
    Weight gate, up, down;                          // (I, H), (I, H), (H, I)
};

struct Experts {
    Weight router;                                  // (E, H)
    const float* router_norm = nullptr;             // (H): what the router reads is the residual, normalised by this weight; or none
    const float *router_bias = nullptr;             // (E), of its logits
    const float *choice_bias = nullptr;             // (E), of the choice alone
    const float *scale = nullptr;                   // (E), of the chosen ones' weights
    Weight gate, up, down;                          // stacks of E
    const float *gate_bias = nullptr, *up_bias = nullptr, *down_bias = nullptr;
    Ffn shared;                                     // that every row uses
    Weight shared_gate;                             // (1, H): the sigmoid of its result scales the shared one; rows 0: nothing does
};

// Attention over latent rows.
struct Latent {
    Weight q_down;                                  // (q_rank, H), where there is a rank
    const float* q_norm = nullptr;                  // (q_rank)
    Weight q;                                       // (heads*(plain + rotated), q_rank or H)
    Weight kv_down;                                 // (kv_rank + rotated, H)
    const float* kv_norm = nullptr;                 // (kv_rank)
    Weight key, value;                              // stacks of the heads': (kv_rank, plain), (value, kv_rank)
    Weight o;                                       // (H, heads*value)
};

// A layer's mixer that carries a state from row to row; which matrices there are is the mixer's matter.
//   short_convolution: in = [b | c | x], each (H, H); out (H, H)
//   selective_scan: in = [z (heads*P) | xBC (width) | dt (heads)], each of H columns; out (H, heads*P)
//   gated_delta: in = [qkv (width) | z (Hv*Dv) | beta (Hv) | alpha (Hv)]; out (H, Hv*Dv)
struct Recurrent {
    Weight in[4], out;
    bool grouped = false;                           // gated_delta: in[2] is (2*Hv, H), of each key head its betas, then its alphas
    const float* convolution = nullptr;             // (K, width)
    const float* convolution_bias = nullptr;        // (width)
    const float *a = nullptr, *d = nullptr, *dt_bias = nullptr;  // (heads)
    const float* norm = nullptr;                    // gated_delta: (Dv); selective_scan: (heads*P)
};

// What is null or has no rows a family lacks.
struct Layer {
    const float* attention_norm = nullptr;          // (H)
    const float *q_norm = nullptr, *k_norm = nullptr;  // (d), or (heads*d), (kv_heads*d)
    Weight q, k, v, o;                              // (heads*d, H), (kv_heads*d, H) ×2, (H, heads*d)
    const float *q_bias = nullptr, *k_bias = nullptr, *v_bias = nullptr, *o_bias = nullptr;
    const float* sinks = nullptr;                   // (heads)
    Recurrent recurrent;
    Latent latent;
    const float* attention_post_norm = nullptr;     // (H)
    const float* ffn_norm = nullptr;                // (H)
    Ffn ffn;
    Experts experts;
    const float* ffn_post_norm = nullptr;           // (H)
    // gemma4: experts beside the dense FFN, each with norms of its own
    const float *experts_norm = nullptr, *dense_post_norm = nullptr, *experts_post_norm = nullptr;  // (H)
    Weight own_gate, own_projection;                // (P, H), (H, P): of this layer's own embedding
    const float* own_norm = nullptr;                // (H)
    float output_scale = 1;
};

class ExpertCache;
class ExpertRecord;

struct Model {
    Model();
    ~Model();
    Config config;
    std::unique_ptr<ModelFile> file;                // mapped as long as the model lives
    const Ops* ops = nullptr;
    Weight embedding;                               // (V, H), plain
    Weight output;                                  // (V, H)
    const float* output_norm = nullptr;             // (H)
    std::vector<const float*> inverse_frequencies;  // of each Config::ropes, (dim / 2)
    // gemma4: embeddings that each layer has of its own, P wide
    Weight own_embedding;                           // (V, layers*P), plain
    Weight own_projection;                          // (layers*P, H), of the embeddings that all share
    const float* own_norm = nullptr;                // (P)
    std::vector<Layer> layers;

    DeviceMemory packed;                            // matrices that were laid out anew; none where the file holds them so
    KeptArrays arrays;                              // what the pointers to numbers point to
    std::unique_ptr<ExpertCache> experts;           // null: all of them are in memory
    std::uint64_t parameters = 0, active_parameters = 0;
    std::uint64_t bytes_per_token = 0;              // of weights that one decode step reads
    std::vector<const float*> key_offsets;          // of each layer (kv_heads*d), or null; or empty: what keys of eight bits are kept without, see key_offset.h
};

// Bytes of own memory and of the file's mapping that load_model would use.
struct WeightBytes {
    std::uint64_t packed = 0, mapped = 0;
};
// What a model's weights take and are, nothing of them read.
struct Measured {
    WeightBytes bytes;
    std::uint64_t parameters = 0, active_parameters = 0, bytes_per_token = 0;
    std::array<std::uint64_t, kFormatCount> values{};  // of matrices, by their format
    std::uint64_t eight_bits = 0;                   // of those of INT4: that hold 8 bits
    int widest = 0;                                 // see Config::widest
};
// `look` is shown the model without its weights' values, and may refuse it.
base::Result<Measured> measure_model(const ModelFile& file, const Config& config, const Ops& ops, const std::function<base::Result<void>(const Model&)>& look = {});

// `progress` is told the share done, 0..1.
base::Result<std::unique_ptr<Model>> load_model(std::unique_ptr<ModelFile> file, Config config, const Ops& ops, Pool& pool,
                                                const std::function<void(double)>& progress);

// The same of a model that is larger than the memory: with as many experts in memory as the plan has slots.
base::Result<std::unique_ptr<Model>> load_model(std::unique_ptr<ModelFile> file, Config config, const Ops& ops, Pool& pool, const ExpertPlan& plan, ExpertRecord record,
                                                const std::function<void(double)>& progress);

}  // namespace engine
