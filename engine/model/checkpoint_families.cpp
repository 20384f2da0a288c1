// The model_types of checkpoints: a row each, and what their configurations say in words of their own.
#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/model/checkpoint_keys.h"

namespace engine {
namespace {

using base::Json;

std::vector<bool> every(int n, bool value) { return std::vector<bool>(std::size_t(n), value); }

// Layers from max_window_layers on have a window, where layer_types does not say which.
void read_qwen(Translation& t) {
    if (!t.from["use_sliding_window"].flag(false) || !t.from["layer_types"].absent()) return;
    std::vector<bool> local;
    for (int i = 0; i < t.layers(); ++i) local.push_back(i >= t.integer("max_window_layers", 28));
    t.set("attention.sliding_window_pattern", local);
}

// Every decoder_sparse_step-th layer has experts, but for those that are named.
void read_qwen_moe(Translation& t) {
    read_qwen(t);
    const int step = std::max(1, t.integer("decoder_sparse_step", 1));
    std::vector<bool> experts;
    for (int i = 0; i < t.layers(); ++i) experts.push_back((i + 1) % step == 0);
    if (!t.from["mlp_only_layers"].absent())
        for (const text::JsonNode& dense : t.from["mlp_only_layers"].items()) experts[std::size_t(dense.integer(0, t.layers() - 1))] = false;
    t.set("expert_layers", experts);
    if (t.from["norm_topk_prob"].absent()) t.set("expert_weights_norm", false);
}

void read_qwen3_omni(Translation& t) {
    read_qwen_moe(t);
    t.set("expert_weights_norm", t.from["norm_topk_prob"].flag(true));
}

// All layers have the window, where there is one.
void read_mistral(Translation& t) {
    if (!t.from["sliding_window"].absent() && t.from["layer_types"].absent()) t.set("attention.sliding_window_pattern", every(t.layers(), true));
}

void read_gemma3(Translation& t) {
    t.set("attention.scale", 1 / std::sqrt(t.number("query_pre_attn_scalar", 256)));
    if (t.from["layer_types"].absent()) {
        const int pattern = std::max(1, t.integer("sliding_window_pattern", t.integer("_sliding_window_pattern", 6)));
        std::vector<bool> local;
        for (int i = 0; i < t.layers(); ++i) local.push_back((i + 1) % pattern != 0);
        t.set("attention.sliding_window_pattern", local);
    }
    const text::JsonNode near = t.rope(true)["rope_theta"];
    t.set("rope.freq_base_swa", near.absent() || t.from["rope_parameters"].absent() ? t.number("rope_local_base_freq", 10000) : near.number());
    t.set("rope.dimension_count_swa", t.head_dim());
}

// Layers that see everything have heads of a size and number of their own.
void read_gemma4(Translation& t) {
    const std::vector<bool> local = t.layers_called({"sliding_attention"});
    if (local.empty()) return t.from["layer_types"].wrong("a kind for each layer");
    const int near_dim = t.head_dim(), near_heads = t.integer("num_key_value_heads"), layers = t.layers();
    int far_dim = t.integer("global_head_dim", near_dim);
    const bool own_heads = t.from["attention_k_eq_v"].flag(false) && !t.from["num_global_key_value_heads"].absent();
    std::vector<int> heads(local.size(), near_heads), ffn(local.size(), t.integer("intermediate_size"));
    for (std::size_t i = 0; i < local.size(); ++i)
        if (!local[i] && own_heads) heads[i] = t.integer("num_global_key_value_heads");
    if (!t.from["per_layer_config"].absent())
        for (const auto& [layer, ignored] : t.from["per_layer_config"].members().items()) {
            const text::JsonNode own = t.from["per_layer_config"][layer];
            const auto i = std::size_t(std::strtoul(layer.c_str(), nullptr, 10));
            if (i >= local.size() || local[i]) return own.refuse("layers that see everything only");
            far_dim = int(own["head_dim"].integer(1, 1024, far_dim));
            heads[i] = int(own["num_key_value_heads"].integer(1, 1 << 20, heads[i]));
        }
    const int shared = t.integer("num_kv_shared_layers", 0);
    if (t.from["use_double_wide_mlp"].flag(false))
        for (int i = std::max(0, layers - shared); i < layers; ++i) ffn[std::size_t(i)] *= 2;
    t.set("attention.sliding_window_pattern", local);
    t.set("attention.head_count_kv", heads);
    t.set("feed_forward_length", ffn);
    t.set("attention.key_length", far_dim);
    t.set("attention.key_length_swa", near_dim);
    t.set_rope(far_dim);
    const text::JsonNode near = t.rope(true);
    if (!near["rope_theta"].absent()) t.set("rope.freq_base_swa", near["rope_theta"].number());
    t.set("rope.dimension_count_swa", near_dim);
    if (!t.from["enable_moe_block"].flag(false)) t.erase("expert_count");
    if (t.from["use_bidirectional_attention"].text("vision") != "vision") t.from["use_bidirectional_attention"].refuse("null or vision");
}

// All layers but every fourth have a window, where layer_types does not say which; they turn unscaled.
void read_olmo3(Translation& t) {
    if (t.from["layer_types"].absent()) {
        std::vector<bool> local;
        for (int i = 0; i < t.layers(); ++i) local.push_back((i + 1) % 4 != 0);
        t.set("attention.sliding_window_pattern", local);
    }
    const text::JsonNode near = t.rope(true)["rope_theta"];
    if (!near.absent()) t.set("rope.freq_base_swa", near.number());
}

void read_gpt_oss(Translation& t) {
    t.only("swiglu_alpha", 1.702);
    t.only("swiglu_limit", 7.0);
}

// Layers without attention have no heads of keys.
void set_heads(Translation& t, const std::vector<bool>& attends) {
    std::vector<int> heads;
    for (const bool one : attends) heads.push_back(one ? t.integer("num_key_value_heads") : 0);
    t.set("attention.head_count_kv", heads);
}

void read_lfm2(Translation& t) {
    std::vector<bool> attends = t.layers_called({"full_attention"});
    if (attends.empty()) {
        attends = every(t.layers(), false);
        for (const text::JsonNode& index : t.from["full_attn_idxs"].items()) attends[std::size_t(index.integer(0, t.layers() - 1))] = true;
    }
    set_heads(t, attends);
    if (const text::JsonNode theta = t.from["theta"]; !theta.absent() && t.rope(false)["rope_theta"].absent()) t.set("rope.freq_base", theta.number());
    std::int64_t inner = t.integer("block_ff_dim", t.integer("intermediate_size", 0));
    if (t.from["block_auto_adjust_ff_dim"].flag(false)) {
        const std::int64_t step = std::max(1, t.integer("block_multiple_of", 256));
        inner = std::int64_t(t.number("block_ffn_dim_multiplier", 1) * double(2 * inner / 3));
        inner = (inner + step - 1) / step * step;
    }
    t.set("feed_forward_length", inner);
}

void read_granite_hybrid(Translation& t) {
    const std::vector<bool> attends = t.layers_called({"attention", "full_attention"});
    if (attends.empty()) return t.from["layer_types"].wrong("a kind for each layer");
    set_heads(t, attends);
    for (const auto& [ours, theirs] : {std::pair{"ssm.conv_kernel", "mamba_d_conv"}, {"ssm.state_size", "mamba_d_state"}, {"ssm.group_count", "mamba_n_groups"}, {"ssm.time_step_rank", "mamba_n_heads"}})
        t.call(ours, theirs);
    t.set("ssm.inner_size", std::int64_t(t.integer("mamba_expand", 2)) * t.integer("hidden_size"));
    const std::string positions = t.from["position_embedding_type"].text("nope");
    if (positions != "nope" && positions != "rope") t.from["position_embedding_type"].refuse("nope or rope");
    t.set("rope.scaling.finetuned", positions == "rope");
    if (t.integer("num_local_experts", 0) == 0) {
        t.set("feed_forward_length", t.integer("shared_intermediate_size"));
        t.prefer(kGraniteDenseNames);
    }
    // Steps of time are not clamped here: that is what 0 to infinity says.
    const text::JsonNode limit = t.from["time_step_limit"];
    if (!limit.absent() && (limit.size() != 2 || !limit.at(0).value().is_number() || limit.at(0).number() > 0 || limit.at(1).value().is_number()))
        limit.refuse("0 to infinity");
}

// Every fourth layer attends unless the file says which; the others follow the gated delta rule.
void read_qwen3_next(Translation& t) {
    const std::vector<bool> recurrent = t.layers_called({"linear_attention"});
    if (!recurrent.empty()) t.set("attention.recurrent_layers", recurrent);
    t.set("ssm.inner_size", std::int64_t(t.integer("linear_num_value_heads")) * t.integer("linear_value_head_dim"));
    t.set("ssm.value_heads_tiled", false);
    t.only("attn_output_gate", true);
    if (const std::string gate = t.from["output_gate_type"].text("swish"); gate != "swish" && gate != "silu") t.from["output_gate_type"].refuse("swish");
    if (t.integer("num_experts", 0) == 0) return;
    read_qwen_moe(t);
    t.set("expert_weights_norm", t.from["norm_topk_prob"].flag(true));
}

void read_deepseek_experts(Translation& t) {
    const std::string scores = t.from["scoring_func"].text("sigmoid");
    if (scores != "sigmoid" && scores != "softmax") t.from["scoring_func"].refuse("sigmoid or softmax");
    t.set("expert_gating_func", scores == "sigmoid" ? 2 : 1);
}

// Latent attention: its cache is one key of kv_lora_rank and the rotated part.
void read_deepseek(Translation& t) {
    read_deepseek_experts(t);
    const int rotated = t.integer("qk_rope_head_dim"), plain = t.integer("qk_nope_head_dim");
    t.set("attention.head_count_kv", 1);
    t.set("attention.key_length", t.integer("kv_lora_rank") + rotated);
    t.set("attention.key_length_mla", plain + rotated);
    t.set("rope.pairing", t.from["rope_interleave"].flag(true) ? "adjacent" : "neox");
    t.set_rope(rotated);
    const text::JsonNode length = t.rope(false)["mscale_all_dim"];
    if (!length.absent()) t.set("rope.scaling.yarn_log_multiplier", 0.1 * length.number());
}

void read_seed_oss(Translation& t) {
    t.only("attention_bias", true);
    t.only("attention_out_bias", false);
    t.only("mlp_bias", false);
}

void read_minimax_m2(Translation& t) {
    read_deepseek_experts(t);
    if (!t.from["rotary_dim"].absent()) t.set("rope.dimension_count", t.integer("rotary_dim"));
    t.only("use_qk_norm", true);
    t.only("qk_norm_type", "per_layer");
    t.only("shared_intermediate_size", 0);
    if (t.from["attn_type_list"].absent()) return;
    for (const text::JsonNode& kind : t.from["attn_type_list"].items())
        if (kind.integer(0, 1 << 20) != 1) kind.refuse("1, attention with softmax");
}

}  // namespace

const std::vector<CheckpointFamily>& checkpoint_families() {
    static const std::vector<const char*> kDeltaKinds = {"linear_attention", "full_attention"};
    static const char* const kDeltaDefaults = R"({"max_position_embeddings": 32768, "partial_rotary_factor": 0.25})";
    static const char* const kGraniteDefaults = R"({"max_position_embeddings": 2048, "attention_multiplier": 1.0})";
    static const char* const kDeepseekDefaults = R"({"max_position_embeddings": 4096, "routed_scaling_factor": 2.5, "n_group": 8, "topk_group": 4, "n_shared_experts": 1,
        "first_k_dense_replace": 3, "q_lora_rank": 1536})";
    static const std::vector<CheckpointFamily> rows = {
        {"llama", "llama", {&kLlamaNames}},
        {"mistral", "llama", {&kLlamaNames}, read_mistral, R"({"max_position_embeddings": 131072, "sliding_window": 4096})"},
        {"mixtral", "llama", {&kMixtralNames, &kLlamaNames}, read_mistral, R"({"max_position_embeddings": 131072, "rope_theta": 1e6})"},
        {"qwen2", "qwen2", {&kLlamaNames}, read_qwen},
        {"seed_oss", "seed_oss", {&kLlamaNames}, read_seed_oss},
        {"qwen2_moe", "qwen2moe", {&kExpertNames, &kLlamaNames}, read_qwen_moe},
        {"qwen3", "qwen3", {&kLlamaNames}, read_qwen},
        {"qwen3_moe", "qwen3moe", {&kExpertNames, &kLlamaNames}, read_qwen_moe},
        {"qwen3_omni_moe_text", "qwen3vlmoe", {&kExpertNames, &kLlamaNames}, read_qwen3_omni},
        {"qwen3_vl_text", "qwen3", {&kLlamaNames}, read_qwen},
        {"qwen3_vl_moe_text", "qwen3vlmoe", {&kQwen3VlNames, &kExpertNames, &kLlamaNames}, read_qwen3_omni},
        {"qwen3_next", "qwen3next", {&kQwen3NextNames, &kExpertNames, &kLlamaNames}, read_qwen3_next, kDeltaDefaults, kDeltaKinds},
        {"qwen3_5_text", "qwen35", {&kQwen3NextNames, &kLlamaNames}, read_qwen3_next, kDeltaDefaults, kDeltaKinds},
        {"qwen3_5_moe_text", "qwen35moe", {&kQwen3NextNames, &kExpertNames, &kLlamaNames}, read_qwen3_next, kDeltaDefaults, kDeltaKinds},
        {"olmoe", "olmoe", {&kExpertNames, &kLlamaNames}},
        {"olmo2", "olmo2", {&kOlmo2Names, &kLlamaNames}, nullptr, R"({"rope_theta": 500000})"},
        {"olmo3", "olmo2", {&kOlmo2Names, &kLlamaNames}, read_olmo3, R"({"rope_theta": 500000, "sliding_window": 4096})"},
        {"granite", "granite", {&kLlamaNames}, nullptr, kGraniteDefaults},
        {"granitemoe", "granitemoe", {&kGraniteNames, &kLlamaNames}, nullptr, kGraniteDefaults},
        {"granitemoehybrid", "granitehybrid", {&kGraniteHybridNames, &kGraniteNames, &kLlamaNames}, read_granite_hybrid, kGraniteDefaults, {"mamba", "linear_attention", "attention", "full_attention"}},
        {"gemma3_text", "gemma3", {&kGemma3Names, &kLlamaNames}, read_gemma3,
         R"({"vocab_size": 262208, "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256, "rms_norm_eps": 1e-6,
             "max_position_embeddings": 131072, "rope_theta": 1e6, "sliding_window": 4096})"},
        {"gemma4_text", "gemma4", {&kGemma4Names, &kLlamaNames}, read_gemma4,
         R"({"max_position_embeddings": 131072, "sliding_window": 512, "rope_parameters": {"sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
             "full_attention": {"rope_type": "proportional", "partial_rotary_factor": 0.25, "rope_theta": 1e6}}})"},
        {"gpt_oss", "gpt-oss", {&kGptOssNames, &kLlamaNames}, read_gpt_oss,
         R"({"attention_bias": true, "max_position_embeddings": 131072, "sliding_window": 128, "rope_theta": 150000,
             "rope_parameters": {"rope_type": "yarn", "factor": 32, "beta_fast": 32, "beta_slow": 1, "truncate": false, "original_max_position_embeddings": 4096}})"},
        {"lfm2", "lfm2", {&kLfm2Names, &kLlamaNames}, read_lfm2, R"({"max_position_embeddings": 128000, "rope_theta": 1e6, "block_auto_adjust_ff_dim": true})", {"conv", "full_attention"}},
        {"glm4_moe", "glm4moe", {&kDeepseekNames, &kExpertNames, &kLlamaNames}, read_deepseek_experts,
         R"({"max_position_embeddings": 131072, "partial_rotary_factor": 0.5, "n_shared_experts": 1, "first_k_dense_replace": 1})"},
        {"minimax_m2", "minimax-m2", {&kMinimaxNames, &kMixtralNames, &kLlamaNames}, read_minimax_m2, R"({"max_position_embeddings": 196608, "rope_theta": 5e6})"},
        {"deepseek_v3", "deepseek2", {&kDeepseekNames, &kExpertNames, &kLlamaNames}, read_deepseek, kDeepseekDefaults},
        {"kimi_k2", "deepseek2", {&kDeepseekNames, &kExpertNames, &kLlamaNames}, read_deepseek, kDeepseekDefaults},
    };
    return rows;
}

}  // namespace engine
