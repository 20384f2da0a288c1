#include "engine/model/checkpoint_keys.h"

#include <algorithm>
#include <cmath>

namespace engine {
namespace {

using base::Json;

struct KeyRow {
    const char* ours;
    std::initializer_list<const char*> theirs;  // the first that is there
};

// Keys that mean the same in every family that has them.
const KeyRow kKeys[] = {
    {"block_count", {"num_hidden_layers"}},
    {"embedding_length", {"hidden_size"}},
    {"vocab_size", {"vocab_size"}},
    {"context_length", {"max_position_embeddings"}},
    {"attention.layer_norm_rms_epsilon", {"rms_norm_eps", "norm_eps"}},
    {"attention.head_count", {"num_attention_heads"}},
    {"attention.head_count_kv", {"num_key_value_heads"}},
    {"attention.key_length", {"head_dim"}},
    {"attention.sliding_window", {"sliding_window"}},
    {"feed_forward_length", {"intermediate_size"}},
    {"expert_count", {"num_experts", "num_local_experts", "n_routed_experts"}},
    {"expert_used_count", {"num_experts_per_tok", "top_k_experts"}},
    {"expert_feed_forward_length", {"moe_intermediate_size"}},
    {"expert_shared_feed_forward_length", {"shared_expert_intermediate_size", "shared_intermediate_size"}},
    {"expert_shared_count", {"n_shared_experts"}},
    {"expert_weights_norm", {"norm_topk_prob"}},
    {"expert_weights_scale", {"routed_scaling_factor"}},
    {"expert_group_count", {"n_group"}},
    {"expert_group_used_count", {"topk_group"}},
    {"leading_dense_block_count", {"first_k_dense_replace"}},
    {"attention.scale", {"attention_multiplier"}},
    {"embedding_scale", {"embedding_multiplier"}},
    {"residual_scale", {"residual_multiplier"}},
    {"logit_scale", {"logits_scaling"}},
    {"final_logit_softcapping", {"final_logit_softcapping"}},
    {"full_attention_interval", {"full_attention_interval"}},
    {"attention.kv_lora_rank", {"kv_lora_rank"}},
    {"attention.q_lora_rank", {"q_lora_rank"}},
    {"attention.value_length_mla", {"v_head_dim"}},
    {"attention.shared_kv_layers", {"num_kv_shared_layers"}},
    {"embedding_length_per_layer_input", {"hidden_size_per_layer_input"}},
    {"shortconv.l_cache", {"conv_L_cache"}},
    {"ssm.conv_kernel", {"linear_conv_kernel_dim", "mamba_d_conv"}},
    {"ssm.state_size", {"linear_key_head_dim", "mamba_d_state"}},
    {"ssm.group_count", {"linear_num_key_heads", "mamba_n_groups"}},
    {"ssm.time_step_rank", {"linear_num_value_heads", "mamba_n_heads"}},
};

double yarn_length(double factor, double of) { return factor <= 1 ? 1 : 0.1 * of * std::log(factor) + 1; }

}  // namespace

void Translation::common() {
    for (const KeyRow& row : kKeys) {
        to_.shown[prefix_ + row.ours] = *row.theirs.begin();
        for (const char* key : row.theirs) {
            const text::JsonNode found = from[key];
            if (found.absent()) continue;
            to_.shown[prefix_ + row.ours] = key;
            to_.keys[prefix_ + row.ours] = found.value();
            break;
        }
    }
    if (from["rms_norm_eps"].absent() && from["norm_eps"].absent()) from["rms_norm_eps"].wrong("a number");
    from["max_position_embeddings"].integer(1, INT32_MAX);
    set("rope.pairing", "neox");
    set_rope(head_dim());
    only("attn_logit_softcapping", nullptr);
    only("clip_qkv", nullptr);
    only("mamba_proj_bias", false);
    only("conv_bias", false);
    // Layers with a window, where the model uses one at all. That none has one is said too: some families have windows unless the file says otherwise.
    std::vector<bool> local = layers_called({"sliding_attention"});
    if (!from["use_sliding_window"].flag(true)) local.assign(local.size(), false);
    if (!local.empty()) set("attention.sliding_window_pattern", local);
}

int Translation::head_dim() const {
    const int heads = integer("num_attention_heads", 1);
    return integer("head_dim", integer("hidden_size", 0) / std::max(1, heads));
}

std::vector<bool> Translation::layers_called(std::initializer_list<const char*> types) const {
    std::vector<bool> out;
    if (from["layer_types"].absent()) return out;
    for (const text::JsonNode& layer : from["layer_types"].items()) {
        const std::string name = layer.text();
        out.push_back(std::ranges::any_of(types, [&](const char* type) { return name == type; }));
    }
    if (int(out.size()) != layers()) from["layer_types"].wrong("one entry for each of " + std::to_string(layers()) + " layers");
    return out;
}

text::JsonNode Translation::rope(bool local) const {
    const text::JsonNode all = from["rope_parameters"];
    if (all.absent()) return from["rope_scaling"];
    const text::JsonNode of_kind = all[local ? "sliding_attention" : "full_attention"];
    return of_kind.absent() ? all : of_kind;
}

void Translation::set_yarn(const text::JsonNode& rope) {
    const double factor = rope["factor"].absent() ? 1 : rope["factor"].number();
    const auto of = [&](const char* key) { return rope[key].absent() ? 0.0 : rope[key].number(); };
    double magnitude = yarn_length(factor, 1);
    if (of("mscale") != 0 && of("mscale_all_dim") != 0) magnitude = yarn_length(factor, of("mscale")) / yarn_length(factor, of("mscale_all_dim"));
    if (of("attention_factor") != 0) magnitude = of("attention_factor");
    set("rope.scaling.magnitude", magnitude);
    set("rope.scaling.truncate", rope["truncate"].flag(true));
    for (const char* key : {"beta_fast", "beta_slow"})
        if (!rope[key].absent()) set("rope.scaling.yarn_" + std::string(key), rope[key].number());
}

void Translation::set_rope(int dim) {
    const text::JsonNode rope = this->rope(false);
    const auto beside = [&](const char* key) { return rope[key].absent() ? from[key] : rope[key]; };
    if (!beside("rope_theta").absent()) set("rope.freq_base", beside("rope_theta").number());
    const double share = beside("partial_rotary_factor").absent() ? 1 : beside("partial_rotary_factor").number();
    const std::string type = rope["rope_type"].text(rope["type"].text("default"));
    const bool proportional = type == "proportional";
    set("rope.dimension_count", proportional ? dim : int(dim * share));
    if (type == "default" || type == "mrope") return;
    set("rope.scaling.type", type);
    if ((type == "linear" || type == "llama3" || type == "yarn") && rope["factor"].absent()) rope["factor"].wrong("a number above 0, which rope scaling of type '" + type + "' wants");
    if (proportional) set("rope.scaling.rotated", int(dim * share / 2));
    if (!rope["factor"].absent()) set("rope.scaling.factor", rope["factor"].number());
    for (const char* key : {"low_freq_factor", "high_freq_factor"})
        if (!rope[key].absent()) set("rope.scaling." + std::string(key), rope[key].number());
    const text::JsonNode original = beside("original_max_position_embeddings");
    set("rope.scaling.original_context_length", original.absent() ? number("max_position_embeddings", 0) : original.number());
    if (type == "yarn") set_yarn(rope);
}

void Translation::only(const char* key, const Json& allowed) const {
    if (!from[key].absent() && from[key].value() != allowed) from[key].refuse(allowed.is_null() ? "null" : base::dump(allowed));
}

}  // namespace engine
