// The families: a row each, and what their keys say beyond those that all have.
#include <algorithm>
#include <cmath>

#include "engine/model/config.h"
#include "engine/model/config_keys.h"

namespace engine {
namespace {

constexpr std::int64_t kMostWidth = 1 << 20;

float positive(ConfigKeys& keys, const char* key, float otherwise) {
    const float value = keys.real(key, otherwise);
    keys.check(std::isfinite(value) && value > 0, std::string(key) + " must be a number above 0");
    return value;
}

int window_of(ConfigKeys& keys) { return keys.required("attention.sliding_window", 1, INT32_MAX); }

// Granite's multipliers; it divides logits.
void read_granite(ConfigKeys& keys, Config& c) {
    c.embedding_scale = positive(keys, "embedding_scale", 1);
    c.residual_scale = positive(keys, "residual_scale", 1);
    c.logit_scale = 1 / positive(keys, "logit_scale", 1);
}

void read_qwen2moe(ConfigKeys& keys, Config& c) { c.shared_ffn = keys.optional("expert_shared_feed_forward_length", 0, 0, kMostWidth); }

// Layers with a window (true) have frequencies of their own, unscaled.
void read_local_layers(ConfigKeys& keys, Config& c, const std::vector<bool>& local, float base = 10000) {
    const int window = std::ranges::count(local, true) > 0 ? window_of(keys) : 0;
    RopeConfig near;
    near.dim = keys.optional("rope.dimension_count_swa", c.layer[0].head_dim, 2, kMostWidth);
    near.base = keys.real("rope.freq_base_swa", base);
    keys.check(std::isfinite(near.base) && near.base > 1, "rope.freq_base_swa must be a number above 1");
    c.ropes.push_back(near);
    for (std::size_t i = 0; i < c.layer.size(); ++i)
        if (local[i]) c.layer[i].window = window, c.layer[i].rope = 1;
}

void read_gemma3(ConfigKeys& keys, Config& c) {
    c.embedding_scale = std::sqrt(float(c.hidden));
    c.logit_cap = keys.real("final_logit_softcapping", 0);
    // The file has no key for it: the largest model's queries are scaled by the width of a head that H gives.
    constexpr int kLayersOf27b = 62;
    if (c.layers == kLayersOf27b && !keys.has("attention.scale")) c.attention_scale = 1 / std::sqrt(float(c.hidden) / float(c.heads));
    std::vector<bool> local = keys.flags_of_layers("attention.sliding_window_pattern", c.layers);
    if (local.empty())
        for (int i = 0; i < c.layers; ++i) local.push_back((i + 1) % 6 != 0);
    read_local_layers(keys, c, local);
}

// Local and global layers have heads of different sizes; the last layers read the keys and values of the last ones
// of their kind before them.
void read_gemma4(ConfigKeys& keys, Config& c) {
    c.embedding_scale = std::sqrt(float(c.hidden));
    c.attention_scale = 1;
    c.normalise_values = true;
    c.logit_cap = keys.real("final_logit_softcapping", 0);
    c.per_layer_width = keys.optional("embedding_length_per_layer_input", 0, 0, kMostWidth);
    std::vector<bool> local = keys.flags_of_layers("attention.sliding_window_pattern", c.layers);
    keys.check(!local.empty(), "key 'gemma4.attention.sliding_window_pattern' is missing");
    local.resize(std::size_t(c.layers), false);
    const int near_dim = keys.optional("attention.key_length_swa", c.layer[0].head_dim, 1, 1024);
    for (std::size_t i = 0; i < c.layer.size(); ++i)
        if (local[i]) c.layer[i].head_dim = near_dim;
    read_local_layers(keys, c, local);
    c.ropes[1].dim = keys.optional("rope.dimension_count_swa", near_dim, 2, near_dim);
    const int shared = keys.optional("attention.shared_kv_layers", 0, 0, c.layers - 1);
    const int own = c.layers - shared;
    for (int i = own; i < c.layers && !keys.error(); ++i) {
        int from = own - 1;
        while (from >= 0 && local[std::size_t(from)] != local[std::size_t(i)]) --from;
        keys.check(from >= 0, "layer " + std::to_string(i) + " shares keys and values, but no layer of its kind has any");
        if (from >= 0) c.layer[std::size_t(i)].kv_layer = from;
    }
}

// olmo3, which is olmo2 with windows: all layers but every fourth have one, unless the file says which.
void read_olmo2(ConfigKeys& keys, Config& c) {
    if (!keys.has("attention.sliding_window")) return;
    std::vector<bool> local = keys.flags_of_layers("attention.sliding_window_pattern", c.layers);
    if (local.empty())
        for (int i = 0; i < c.layers; ++i) local.push_back((i + 1) % 4 != 0);
    read_local_layers(keys, c, local, c.ropes[0].base);
}

// Every second layer has a window, the first among them, unless the file says which.
void read_gpt_oss(ConfigKeys& keys, Config& c) {
    if (keys.has("attention.sliding_window_pattern")) return;
    const int window = window_of(keys);
    for (std::size_t i = 0; i < c.layer.size(); i += 2) c.layer[i].window = window;
}

// Blocks for drafting come last and are counted; they are no layers of the model (see draft.h).
void leave_drafting_out(ConfigKeys& keys, Config& c) {
    c.layers -= keys.optional("nextn_predict_layers", 0, 0, c.layers - 1);
    c.layer.resize(std::size_t(c.layers));
}

void read_lfm2(ConfigKeys& keys, Config& c) {
    c.recurrent.kernel = keys.required("shortconv.l_cache", 2, 64);
    c.recurrent.width = c.hidden;
}

void read_granitehybrid(ConfigKeys& keys, Config& c) {
    read_granite(keys, c);
    c.shared_ffn = c.experts > 0 ? keys.optional("expert_shared_feed_forward_length", 0, 0, kMostWidth) : 0;
    RecurrentConfig& r = c.recurrent;
    const int inner = keys.required("ssm.inner_size", 1, kMostWidth);
    r.kernel = keys.required("ssm.conv_kernel", 2, 64);
    r.state_size = keys.required("ssm.state_size", 1, kMostWidth);
    r.groups = keys.required("ssm.group_count", 1, kMostWidth);
    r.heads = keys.required("ssm.time_step_rank", 1, inner);
    keys.check(inner % r.heads == 0 && r.heads % r.groups == 0, "ssm.inner_size, time_step_rank and group_count do not divide each other");
    r.head_dim = inner / r.heads;
    const std::int64_t width = inner + 2 * std::int64_t(r.groups) * r.state_size;
    keys.check(width <= kMostWidth, "ssm.group_count " + std::to_string(r.groups) + " times state_size " + std::to_string(r.state_size) + " makes rows that are too wide");
    r.width = int(std::min(width, kMostWidth));
    if (!keys.boolean("rope.scaling.finetuned", true))
        for (LayerConfig& layer : c.layer) layer.rope = -1;
}

// Every full_attention_interval-th layer attends, the others follow the gated delta rule.
void read_qwen3next(ConfigKeys& keys, Config& c) {
    c.shared_ffn = c.experts > 0 ? keys.optional("expert_shared_feed_forward_length", 0, 0, kMostWidth) : 0;
    RecurrentConfig& r = c.recurrent;
    const int inner = keys.required("ssm.inner_size", 1, kMostWidth);
    r.kernel = keys.required("ssm.conv_kernel", 2, 64);
    r.key_dim = keys.required("ssm.state_size", 1, 4096);
    r.key_heads = keys.required("ssm.group_count", 1, 4096);
    r.heads = keys.required("ssm.time_step_rank", 1, inner);
    keys.check(inner % r.heads == 0 && r.heads % r.key_heads == 0, "ssm.inner_size, time_step_rank and group_count do not divide each other");
    r.head_dim = inner / r.heads;
    r.width = 2 * r.key_heads * r.key_dim + inner;
    const int interval = keys.optional("full_attention_interval", 4, 1, c.layers);
    std::vector<bool> recurrent = keys.flags_of_layers("attention.recurrent_layers", c.layers);
    if (recurrent.empty())
        for (int i = 0; i < c.layers; ++i) recurrent.push_back((i + 1) % interval != 0);
    for (std::size_t i = 0; i < c.layer.size(); ++i)
        if (recurrent[i]) c.layer[i].mixer = Mixer::gated_delta;
    leave_drafting_out(keys, c);
}

// GGUF's converter wrote the value heads in the order of their keys' heads.
void read_qwen35(ConfigKeys& keys, Config& c) {
    read_qwen3next(keys, c);
    c.recurrent.tiled = keys.boolean("ssm.value_heads_tiled", true);
}

// Scores of experts are sigmoids unless the file says otherwise.
void read_scores(ConfigKeys& keys, Config& c) { c.sigmoid_router = keys.optional("expert_gating_func", 2, 1, 2) == 2; }

// DeepSeek's experts: a choice within groups, dense layers first.
void read_deepseek_experts(ConfigKeys& keys, Config& c) {
    read_scores(keys, c);
    c.expert_groups = keys.optional("expert_group_count", 1, 1, c.experts);
    c.expert_groups_used = keys.optional("expert_group_used_count", 1, 1, c.expert_groups);
    keys.check(c.experts % c.expert_groups == 0 && c.experts / c.expert_groups * c.expert_groups_used >= c.experts_used,
               "its experts cannot be chosen from " + std::to_string(c.expert_groups_used) + " of " + std::to_string(c.expert_groups) + " groups");
    c.shared_ffn = c.expert_ffn * keys.optional("expert_shared_count", 0, 0, 1024);
    leave_drafting_out(keys, c);
    const int dense = keys.optional("leading_dense_block_count", 0, 0, c.layers);
    for (int i = 0; i < c.layers; ++i) c.layer[std::size_t(i)].moe = i >= dense;
}

void read_deepseek2(ConfigKeys& keys, Config& c) {
    read_deepseek_experts(keys, c);
    LatentConfig& l = c.latent;
    l.kv_rank = keys.required("attention.kv_lora_rank", 1, kMostWidth);
    l.q_rank = keys.optional("attention.q_lora_rank", 0, 0, kMostWidth);
    l.value = keys.required("attention.value_length_mla", 1, kMostWidth);
    const int key = keys.required("attention.key_length_mla", 1, kMostWidth);
    RopeConfig& rope = c.ropes[0];
    l.rotated = rope.dim;
    l.plain = key - l.rotated;
    keys.check(l.plain > 0, "attention.key_length_mla is " + std::to_string(key) + ", expected more than rope.dimension_count " + std::to_string(l.rotated));
    for (LayerConfig& layer : c.layer) layer.kv_heads = 1, layer.head_dim = l.kv_rank + l.rotated;
    // Yarn's change of length lies in the softmax here, squared for q and k, and not in what is rotated unless the file says so.
    if (!keys.has("rope.scaling.magnitude")) rope.magnitude = 1;
    const float length = 1 + keys.real("rope.scaling.yarn_log_multiplier", 0) * std::log(rope.yarn_factor);
    c.attention_scale = length * length / std::sqrt(float(key));
}

}  // namespace

const std::vector<Family>& families() {
    static const std::vector<Family> rows = {
        {.name = "llama", .pairing = RopePairing::adjacent, .normalise_experts = true},
        {.name = "qwen2", .qkv_bias = true},
        {.name = "qwen2moe", .qkv_bias = true, .shared_gate = true, .read = read_qwen2moe},
        {.name = "qwen3", .qk_norm = QkNorm::head},
        {.name = "qwen3moe", .qk_norm = QkNorm::head, .normalise_experts = true},
        {.name = "qwen3vlmoe", .qk_norm = QkNorm::head, .normalise_experts = true},
        {.name = "olmoe", .qk_norm = QkNorm::projection},
        {.name = "olmo2", .qk_norm = QkNorm::projection, .pre_norms = false, .post_norms = true, .read = read_olmo2},
        {.name = "granite", .pairing = RopePairing::adjacent, .read = read_granite},
        {.name = "granitemoe", .pairing = RopePairing::adjacent, .normalise_experts = true, .read = read_granite},
        {.name = "gemma3", .qk_norm = QkNorm::head, .activation = Activation::gelu_tanh, .post_norms = true, .read = read_gemma3},
        {.name = "gemma4", .qk_norm = QkNorm::head, .normalise_experts = true, .activation = Activation::gelu_tanh, .post_norms = true, .keys_as_values = true, .scales = true, .read = read_gemma4},
        {.name = "gpt-oss", .qkv_bias = true, .normalise_experts = true, .activation = Activation::clamped_silu, .sinks = true, .expert_biases = true, .read = read_gpt_oss},
        {.name = "lfm2", .qk_norm = QkNorm::head, .other_mixer = Mixer::short_convolution, .read = read_lfm2},
        {.name = "granitehybrid", .pairing = RopePairing::adjacent, .normalise_experts = true, .other_mixer = Mixer::selective_scan, .read = read_granitehybrid},
        {.name = "qwen3next", .qk_norm = QkNorm::head, .normalise_experts = true, .other_mixer = Mixer::gated_delta, .gated_attention = true, .drafts = true, .shared_gate = true, .read = read_qwen3next},
        {.name = "qwen35", .qk_norm = QkNorm::head, .other_mixer = Mixer::gated_delta, .gated_attention = true, .drafts = true, .read = read_qwen35},
        {.name = "qwen35moe", .qk_norm = QkNorm::head, .normalise_experts = true, .other_mixer = Mixer::gated_delta, .gated_attention = true, .drafts = true, .shared_gate = true, .read = read_qwen35},
        {.name = "glm4moe", .qk_norm = QkNorm::head_if_there, .normalise_experts = true, .choice_bias = true, .read = read_deepseek_experts},
        {.name = "seed_oss", .qkv_bias = true},
        {.name = "minimax-m2", .qk_norm = QkNorm::projection, .normalise_experts = true, .choice_bias = true, .read = read_scores},
        {.name = "deepseek2", .pairing = RopePairing::adjacent, .normalise_experts = true, .latent = true, .choice_bias = true, .read = read_deepseek2},
    };
    return rows;
}

}  // namespace engine
