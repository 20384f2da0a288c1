#include "engine/model/checkpoint_names.h"

#include <algorithm>

namespace engine {
namespace {

constexpr NameRow kLlama[] = {
    {"token_embd", "embed_tokens"},
    {"output", "^lm_head"},
    {"output_norm", "norm"},
    {"blk.N.attn_norm", "layers.N.input_layernorm"},
    {"blk.N.attn_q", "layers.N.self_attn.q_proj"},
    {"blk.N.attn_k", "layers.N.self_attn.k_proj"},
    {"blk.N.attn_v", "layers.N.self_attn.v_proj"},
    {"blk.N.attn_output", "layers.N.self_attn.o_proj"},
    {"blk.N.attn_q_norm", "layers.N.self_attn.q_norm"},
    {"blk.N.attn_k_norm", "layers.N.self_attn.k_norm"},
    {"blk.N.ffn_norm", "layers.N.post_attention_layernorm"},
    {"blk.N.ffn_gate", "layers.N.mlp.gate_proj"},
    {"blk.N.ffn_up", "layers.N.mlp.up_proj"},
    {"blk.N.ffn_down", "layers.N.mlp.down_proj"},
};

// One module an expert, or one tensor for all.
constexpr NameRow kExperts[] = {
    {"blk.N.ffn_gate_inp", "layers.N.mlp.gate"},
    {"blk.N.ffn_gate_exps", "layers.N.mlp.experts.E.gate_proj"},
    {"blk.N.ffn_up_exps", "layers.N.mlp.experts.E.up_proj"},
    {"blk.N.ffn_down_exps", "layers.N.mlp.experts.E.down_proj"},
    {"blk.N.ffn_gate_up_exps.weight", "layers.N.mlp.experts.gate_up_proj"},
    {"blk.N.ffn_down_exps.weight", "layers.N.mlp.experts.down_proj"},
    {"blk.N.ffn_gate_shexp", "layers.N.mlp.shared_expert.gate_proj"},
    {"blk.N.ffn_up_shexp", "layers.N.mlp.shared_expert.up_proj"},
    {"blk.N.ffn_down_shexp", "layers.N.mlp.shared_expert.down_proj"},
    {"blk.N.ffn_gate_inp_shexp", "layers.N.mlp.shared_expert_gate"},
};

// All experts of a layer in one tensor, inputs as rows.
constexpr NameRow kQwen3Vl[] = {
    {"blk.N.ffn_gate_up_exps.weight", "layers.N.mlp.experts.gate_up_proj", Step::transposed},
    {"blk.N.ffn_down_exps.weight", "layers.N.mlp.experts.down_proj", Step::transposed},
};

constexpr NameRow kMixtral[] = {
    {"blk.N.ffn_gate_inp", "layers.N.block_sparse_moe.gate"},
    {"blk.N.ffn_gate_exps", "layers.N.block_sparse_moe.experts.E.w1"},
    {"blk.N.ffn_up_exps", "layers.N.block_sparse_moe.experts.E.w3"},
    {"blk.N.ffn_down_exps", "layers.N.block_sparse_moe.experts.E.w2"},
};

constexpr NameRow kMinimax[] = {
    {"blk.N.exp_probs_b.bias", "layers.N.block_sparse_moe.e_score_correction_bias"},
};

constexpr NameRow kOlmo2[] = {
    {"blk.N.post_attention_norm", "layers.N.post_attention_layernorm"},
    {"blk.N.post_ffw_norm", "layers.N.post_feedforward_layernorm"},
};

// glm4_moe has its experts as DeepSeek does.
constexpr NameRow kDeepseek[] = {
    {"blk.N.exp_probs_b.bias", "layers.N.mlp.gate.e_score_correction_bias"},
    {"blk.N.ffn_gate_shexp", "layers.N.mlp.shared_experts.gate_proj"},
    {"blk.N.ffn_up_shexp", "layers.N.mlp.shared_experts.up_proj"},
    {"blk.N.ffn_down_shexp", "layers.N.mlp.shared_experts.down_proj"},
    {"blk.N.attn_q_a", "layers.N.self_attn.q_a_proj"},
    {"blk.N.attn_q_a_norm", "layers.N.self_attn.q_a_layernorm"},
    {"blk.N.attn_q_b", "layers.N.self_attn.q_b_proj"},
    {"blk.N.attn_kv_a_mqa", "layers.N.self_attn.kv_a_proj_with_mqa"},
    {"blk.N.attn_kv_a_norm", "layers.N.self_attn.kv_a_layernorm"},
    {"blk.N.attn_k_b", "layers.N.self_attn.kv_b_proj", Step::head_keys},
    {"blk.N.attn_v_b", "layers.N.self_attn.kv_b_proj", Step::head_values},
};

constexpr NameRow kGranite[] = {
    {"blk.N.ffn_gate_inp", "layers.N.block_sparse_moe.router.layer"},
    {"blk.N.ffn_gate_up_exps", "layers.N.block_sparse_moe.input_linear"},
    {"blk.N.ffn_down_exps", "layers.N.block_sparse_moe.output_linear"},
};

constexpr NameRow kGraniteHybrid[] = {
    {"blk.N.ffn_gate_shexp", "layers.N.shared_mlp.input_linear", Step::first_half},
    {"blk.N.ffn_up_shexp", "layers.N.shared_mlp.input_linear", Step::second_half},
    {"blk.N.ffn_down_shexp", "layers.N.shared_mlp.output_linear"},
    {"blk.N.ssm_in", "layers.N.mamba.in_proj"},
    {"blk.N.ssm_conv1d", "layers.N.mamba.conv1d"},
    {"blk.N.ssm_dt.bias", "layers.N.mamba.dt_bias"},
    {"blk.N.ssm_a", "layers.N.mamba.A_log", Step::minus_exp},
    {"blk.N.ssm_d", "layers.N.mamba.D"},
    {"blk.N.ssm_norm", "layers.N.mamba.norm"},
    {"blk.N.ssm_out", "layers.N.mamba.out_proj"},
};

// Without experts the shared FFN is the only one.
constexpr NameRow kGraniteDense[] = {
    {"blk.N.ffn_gate", "layers.N.shared_mlp.input_linear", Step::first_half},
    {"blk.N.ffn_up", "layers.N.shared_mlp.input_linear", Step::second_half},
    {"blk.N.ffn_down", "layers.N.shared_mlp.output_linear"},
};

constexpr NameRow kGemma3[] = {
    {"output_norm", "norm", Step::plus_one},
    {"blk.N.attn_norm", "layers.N.input_layernorm", Step::plus_one},
    {"blk.N.attn_q_norm", "layers.N.self_attn.q_norm", Step::plus_one},
    {"blk.N.attn_k_norm", "layers.N.self_attn.k_norm", Step::plus_one},
    {"blk.N.post_attention_norm", "layers.N.post_attention_layernorm", Step::plus_one},
    {"blk.N.ffn_norm", "layers.N.pre_feedforward_layernorm", Step::plus_one},
    {"blk.N.post_ffw_norm", "layers.N.post_feedforward_layernorm", Step::plus_one},
};

constexpr NameRow kGemma4[] = {
    {"blk.N.post_attention_norm", "layers.N.post_attention_layernorm"},
    {"blk.N.ffn_norm", "layers.N.pre_feedforward_layernorm"},
    {"blk.N.post_ffw_norm", "layers.N.post_feedforward_layernorm"},
    {"blk.N.post_ffw_norm_1", "layers.N.post_feedforward_layernorm_1"},
    {"blk.N.pre_ffw_norm_2", "layers.N.pre_feedforward_layernorm_2"},
    {"blk.N.post_ffw_norm_2", "layers.N.post_feedforward_layernorm_2"},
    {"blk.N.layer_output_scale.weight", "layers.N.layer_scalar"},
    {"blk.N.ffn_gate_inp", "layers.N.router.proj"},
    {"blk.N.ffn_gate_inp.scale", "layers.N.router.scale"},
    {"blk.N.ffn_down_exps.scale", "layers.N.router.per_expert_scale"},
    {"blk.N.ffn_gate_up_exps.weight", "layers.N.experts.gate_up_proj"},
    {"blk.N.ffn_down_exps.weight", "layers.N.experts.down_proj"},
    {"blk.N.ffn_gate_up_exps.weight", "layers.N.moe.gate_up_proj"},  // older exports
    {"blk.N.ffn_down_exps.weight", "layers.N.moe.down_proj"},
    {"per_layer_token_embd", "embed_tokens_per_layer"},
    {"per_layer_model_proj", "per_layer_model_projection"},
    {"per_layer_proj_norm", "per_layer_projection_norm"},
    {"blk.N.inp_gate", "layers.N.per_layer_input_gate"},
    {"blk.N.proj", "layers.N.per_layer_projection"},
    {"blk.N.post_norm", "layers.N.post_per_layer_input_norm"},
};

constexpr NameRow kGptOss[] = {
    {"blk.N.attn_sinks.weight", "layers.N.self_attn.sinks"},
    {"blk.N.ffn_gate_inp", "layers.N.mlp.router"},
    {"blk.N.ffn_gate_exps.weight", "layers.N.mlp.experts.gate_up_proj", Step::even_outputs},
    {"blk.N.ffn_up_exps.weight", "layers.N.mlp.experts.gate_up_proj", Step::odd_outputs},
    {"blk.N.ffn_down_exps.weight", "layers.N.mlp.experts.down_proj", Step::transposed},
    {"blk.N.ffn_gate_exps.bias", "layers.N.mlp.experts.gate_up_proj_bias", Step::even_outputs},
    {"blk.N.ffn_up_exps.bias", "layers.N.mlp.experts.gate_up_proj_bias", Step::odd_outputs},
    {"blk.N.ffn_down_exps.bias", "layers.N.mlp.experts.down_proj_bias"},
};

constexpr NameRow kLfm2[] = {
    {"output_norm", "embedding_norm"},
    {"blk.N.attn_norm", "layers.N.operator_norm"},
    {"blk.N.ffn_norm", "layers.N.ffn_norm"},
    {"blk.N.attn_output", "layers.N.self_attn.out_proj"},
    {"blk.N.attn_q_norm", "layers.N.self_attn.q_layernorm"},
    {"blk.N.attn_k_norm", "layers.N.self_attn.k_layernorm"},
    {"blk.N.shortconv.in_proj", "layers.N.conv.in_proj"},
    {"blk.N.shortconv.conv", "layers.N.conv.conv"},
    {"blk.N.shortconv.out_proj", "layers.N.conv.out_proj"},
    {"blk.N.ffn_gate", "layers.N.feed_forward.w1"},
    {"blk.N.ffn_up", "layers.N.feed_forward.w3"},
    {"blk.N.ffn_down", "layers.N.feed_forward.w2"},
};

// qwen3_5 as well, whose projections are apart.
constexpr NameRow kQwen3Next[] = {
    {"output_norm", "norm", Step::plus_one},
    {"blk.N.attn_norm", "layers.N.input_layernorm", Step::plus_one},
    {"blk.N.attn_q_norm", "layers.N.self_attn.q_norm", Step::plus_one},
    {"blk.N.attn_k_norm", "layers.N.self_attn.k_norm", Step::plus_one},
    {"blk.N.ffn_norm", "layers.N.post_attention_layernorm", Step::plus_one},
    {"blk.N.attn_qkv", "layers.N.linear_attn.in_proj_qkv"},
    {"blk.N.attn_gate", "layers.N.linear_attn.in_proj_z"},
    {"blk.N.attn_qkv", "layers.N.linear_attn.in_proj_qkvz", Step::delta_qkv},
    {"blk.N.attn_gate", "layers.N.linear_attn.in_proj_qkvz", Step::delta_gate},
    {"blk.N.ssm_beta", "layers.N.linear_attn.in_proj_b"},
    {"blk.N.ssm_alpha", "layers.N.linear_attn.in_proj_a"},
    {"blk.N.ssm_ba", "layers.N.linear_attn.in_proj_ba"},
    {"blk.N.ssm_conv1d", "layers.N.linear_attn.conv1d"},
    {"blk.N.ssm_dt.bias", "layers.N.linear_attn.dt_bias"},
    {"blk.N.ssm_a", "layers.N.linear_attn.A_log", Step::minus_exp},
    {"blk.N.ssm_norm", "layers.N.linear_attn.norm"},
    {"blk.N.ssm_out", "layers.N.linear_attn.out_proj"},
    {"blk.N.nextn.eh_proj", "fc"},
    {"blk.N.nextn.enorm", "pre_fc_norm_embedding", Step::plus_one},
    {"blk.N.nextn.hnorm", "pre_fc_norm_hidden", Step::plus_one},
    {"blk.N.nextn.shared_head_norm", "norm", Step::plus_one},
};

constexpr TextPrefix kPrefixes[] = {
    {"model.", ""}, {"model.language_model.", ""}, {"language_model.model.", "language_model."}, {"thinker.model.", "thinker."}, {"", ""},
};

constexpr std::string_view kLeftOutBeginnings[] = {
    "mtp.", "model.mtp.", "model.visual.", "visual.", "model.vision_tower.", "vision_tower.", "vision_model.", "model.vision_embedder.",
    "model.audio_tower.", "audio_tower.", "model.embed_vision.", "model.embed_audio.", "model.multi_modal_projector.",
    "multi_modal_projector.", "thinker.visual.", "thinker.audio_tower.", "talker.", "code2wav.",
};
constexpr std::string_view kAngles = ".rotary_emb.inv_freq";  // which the configuration says

}  // namespace

const NameTable kLlamaNames = kLlama, kExpertNames = kExperts, kMixtralNames = kMixtral, kMinimaxNames = kMinimax, kOlmo2Names = kOlmo2, kDeepseekNames = kDeepseek, kGraniteNames = kGranite,
                kGraniteHybridNames = kGraniteHybrid, kGraniteDenseNames = kGraniteDense, kGemma3Names = kGemma3, kGemma4Names = kGemma4, kGptOssNames = kGptOss,
                kLfm2Names = kLfm2, kQwen3NextNames = kQwen3Next, kQwen3VlNames = kQwen3Vl;

std::span<const TextPrefix> text_prefixes() { return kPrefixes; }

bool left_out(std::string_view name) {
    return std::ranges::any_of(kLeftOutBeginnings, [&](std::string_view part) { return name.starts_with(part); }) || name.ends_with(kAngles);
}

}  // namespace engine
