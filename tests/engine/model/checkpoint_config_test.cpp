// What config.json says, in both spellings, as the configuration that a model is built by.
#include "engine/model/checkpoint_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "engine/model/config.h"
#include "engine/model/quantisation.h"

using namespace engine;
using base::Json;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

Json llama() {
    return Json::parse(R"({"model_type": "llama", "num_hidden_layers": 3, "hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
        "num_key_value_heads": 2, "vocab_size": 320, "rms_norm_eps": 1e-5, "max_position_embeddings": 512, "hidden_act": "silu"})");
}

Json with(Json config, const char* changes) {
    config.update(Json::parse(changes));
    return config;
}

base::Result<Config> read(const Json& json) {
    const auto checkpoint = read_checkpoint_config(json, "m/config.json");
    if (!checkpoint) return checkpoint.error();
    return read_config(CheckpointKeys(*checkpoint));
}

Config good(const Json& json) {
    auto config = read(json);
    if (!config) throw std::runtime_error(config.error().message);
    return *std::move(config);
}

std::vector<int> windows(const Config& c) {
    std::vector<int> out;
    for (const LayerConfig& layer : c.layer) out.push_back(layer.window);
    return out;
}

}  // namespace

TEST(CheckpointConfig, ReadsLlama) {
    const Config c = good(llama());
    EXPECT_EQ(c.architecture, "llama");
    EXPECT_EQ(c.pairing, RopePairing::neox) << "only GGUF has its rows in the other order";
    EXPECT_EQ(c.layer[0].head_dim, 16);
    EXPECT_EQ(c.vocabulary, 320);
    EXPECT_EQ(c.ropes[0].base, 10000);
    EXPECT_EQ(good(with(llama(), R"({"head_dim": 32})")).layer[0].head_dim, 32);
}

TEST(CheckpointConfig, BothSpellingsOfRopeMeanTheSame) {
    const Config old = good(with(llama(), R"({"rope_theta": 5e5, "rope_scaling": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 32}})"));
    const Config now = good(with(llama(), R"({"rope_parameters": {"rope_theta": 5e5, "rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 32}})"));
    EXPECT_EQ(old.ropes[0].base, 5e5f);
    EXPECT_EQ(old.ropes[0].divisor, now.ropes[0].divisor);
    ASSERT_EQ(old.ropes[0].divisor.size(), 8u);
    EXPECT_EQ(old.ropes[0].divisor[0], 1) << "short waves stay";
    EXPECT_EQ(old.ropes[0].divisor[7], 8) << "long ones are divided by the factor";
    const Config linear = good(with(llama(), R"({"rope_scaling": {"type": "linear", "factor": 4}, "partial_rotary_factor": 0.5})"));
    EXPECT_EQ(linear.ropes[0].scale, 4);
    EXPECT_EQ(linear.ropes[0].dim, 8);
}

// The class's own angles, which a family has where the file says none, contradict nothing.
TEST(CheckpointConfig, AnglesInBothSpellingsThatAgreeAreRead) {
    EXPECT_EQ(good(with(llama(), R"({"rope_theta": 5e5, "rope_parameters": {"rope_theta": 500000, "rope_type": "default"}})")).ropes[0].base, 5e5f);
    EXPECT_EQ(good(with(llama(), R"({"model_type": "olmo2", "rope_parameters": {"rope_theta": 10000, "rope_type": "default"}})")).ropes[0].base, 1e4f);
}

TEST(CheckpointConfig, YarnTellsItsBoundsAndItsLength) {
    const Config c = good(with(llama(), R"({"rope_scaling": {"rope_type": "yarn", "factor": 8, "original_max_position_embeddings": 64, "truncate": false, "beta_fast": 16}})"));
    const RopeConfig& rope = c.ropes[0];
    EXPECT_EQ(rope.yarn_factor, 8);
    EXPECT_EQ(rope.yarn_original, 64);
    EXPECT_EQ(rope.beta_fast, 16);
    EXPECT_FALSE(rope.yarn_whole);
    EXPECT_FLOAT_EQ(rope.magnitude, 0.1f * std::log(8.0f) + 1);
    EXPECT_FLOAT_EQ(good(with(llama(), R"({"rope_scaling": {"rope_type": "yarn", "factor": 8, "attention_factor": 1.5}})")).ropes[0].magnitude, 1.5f);
}

TEST(CheckpointConfig, WindowsAreOfTheLayersThatHaveOne) {
    const auto mistral = [](const char* changes) { return windows(good(with(with(llama(), R"({"model_type": "mistral"})"), changes))); };
    EXPECT_THAT(mistral("{}"), ElementsAre(4096, 4096, 4096));
    EXPECT_THAT(mistral(R"({"sliding_window": null})"), ElementsAre(0, 0, 0));
    EXPECT_THAT(mistral(R"({"sliding_window": 16})"), ElementsAre(16, 16, 16));
    EXPECT_THAT(mistral(R"({"sliding_window": 16, "layer_types": ["full_attention", "sliding_attention", "full_attention"]})"), ElementsAre(0, 16, 0));
    const auto mixtral = [](const char* changes) { return windows(good(with(with(llama(), R"({"model_type": "mixtral", "num_local_experts": 4, "num_experts_per_tok": 2})"), changes))); };
    EXPECT_THAT(mixtral("{}"), ElementsAre(0, 0, 0)) << "which is its class's";
    EXPECT_THAT(mixtral(R"({"sliding_window": null})"), ElementsAre(0, 0, 0));
    EXPECT_THAT(mixtral(R"({"sliding_window": 16})"), ElementsAre(16, 16, 16));
    const auto qwen = [](const char* changes) { return windows(good(with(with(llama(), R"({"model_type": "qwen2", "sliding_window": 16, "max_window_layers": 1})"), changes))); };
    EXPECT_THAT(qwen(R"({"use_sliding_window": false})"), ElementsAre(0, 0, 0));
    EXPECT_THAT(qwen(R"({"use_sliding_window": true})"), ElementsAre(0, 16, 16));
}

// olmo3 without layer_types: all but every fourth, whose angles alone are scaled.
TEST(CheckpointConfig, LayersWithAWindowTurnUnscaledWhereTheirFamilySaysSo) {
    const auto c = read(with(llama(), R"({"model_type": "olmo3", "num_hidden_layers": 4, "rope_theta": 500000,
        "rope_scaling": {"rope_type": "yarn", "factor": 8, "original_max_position_embeddings": 64}})"));
    ASSERT_TRUE(c) << c.error().message;
    std::vector<int> windows, ropes;
    for (const LayerConfig& layer : c->layer) windows.push_back(layer.window), ropes.push_back(layer.rope);
    EXPECT_EQ(windows, (std::vector{4096, 4096, 4096, 0}));
    EXPECT_EQ(ropes, (std::vector{1, 1, 1, 0}));
    EXPECT_EQ(c->ropes[0].yarn_factor, 8);
    EXPECT_EQ(c->ropes[1].yarn_factor, 1);
    EXPECT_EQ(c->ropes[1].base, 500000);
}

// These have windows unless the file says otherwise.
TEST(CheckpointConfig, LayersThatAllSeeEverythingAreFollowed) {
    for (const char* family : {R"({"model_type": "gemma3_text", "hidden_act": "gelu_pytorch_tanh"})", R"({"model_type": "olmo3"})",
                               R"({"model_type": "gpt_oss", "num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": 16})"}) {
        SCOPED_TRACE(family);
        const Json base = with(llama(), family);
        EXPECT_THAT(windows(good(base)), testing::Contains(testing::Gt(0)));
        EXPECT_THAT(windows(good(with(base, R"({"layer_types": ["full_attention", "full_attention", "full_attention"]})"))), ElementsAre(0, 0, 0));
        EXPECT_THAT(windows(good(with(base, R"({"sliding_window": null, "layer_types": ["full_attention", "full_attention", "full_attention"]})"))), ElementsAre(0, 0, 0));
    }
}

TEST(CheckpointConfig, ExpertsAreWhereTheConfigurationPutsThem) {
    const Config c = good(with(llama(), R"({"model_type": "qwen3_moe", "num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "decoder_sparse_step": 1, "mlp_only_layers": [1]})"));
    EXPECT_TRUE(c.layer[0].moe && !c.layer[1].moe && c.layer[2].moe);
    EXPECT_FALSE(c.normalise_experts) << "unsaid is no";
    EXPECT_EQ(c.expert_ffn, 32);
}

TEST(CheckpointConfig, AWrappersTextModelMayLeaveOutWhatItsClassSays) {
    const Config c = good(Json::parse(R"({"model_type": "gemma3", "text_config": {"model_type": "gemma3_text", "hidden_size": 2560, "intermediate_size": 10240,
        "num_hidden_layers": 7, "rope_scaling": {"factor": 8.0, "rope_type": "linear"}, "sliding_window": 1024}, "vision_config": {}})"));
    EXPECT_EQ(c.heads, 8);
    EXPECT_EQ(c.layer[0].head_dim, 256);
    EXPECT_EQ(c.vocabulary, 262208);
    EXPECT_THAT(windows(c), ElementsAre(1024, 1024, 1024, 1024, 1024, 0, 1024));
    EXPECT_EQ(c.ropes[0].base, 1e6f);
    EXPECT_EQ(c.ropes[0].scale, 8);
    EXPECT_EQ(c.ropes[1].base, 10000);
    EXPECT_EQ(c.ropes[1].scale, 1);
    EXPECT_FLOAT_EQ(c.attention_scale, 1 / 16.0f);
}

// The figures are those of the classes of transformers.
TEST(CheckpointConfig, ASilentFileMeansWhatItsClassSays) {
    const auto of = [](const char* family) {
        constexpr const char* experts = R"({"num_experts": 16, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "num_hidden_layers": 4})";
        return with(with(llama(), experts), family);
    };
    const Config deepseek = good(of(R"({"model_type": "deepseek_v3", "kv_lora_rank": 32, "qk_rope_head_dim": 8, "qk_nope_head_dim": 8, "v_head_dim": 16})"));
    EXPECT_EQ(deepseek.expert_scale, 2.5f);
    EXPECT_EQ(deepseek.expert_groups, 8);
    EXPECT_EQ(deepseek.expert_groups_used, 4);
    EXPECT_EQ(deepseek.shared_ffn, 32);
    EXPECT_EQ(deepseek.latent.q_rank, 1536);
    EXPECT_TRUE(!deepseek.layer[2].moe && deepseek.layer[3].moe);
    Json short_of = of(R"({"model_type": "glm4_moe"})");
    short_of.erase("max_position_embeddings");
    EXPECT_EQ(good(short_of).trained_context, 131072);
    const Config glm = good(of(R"({"model_type": "glm4_moe"})"));
    EXPECT_EQ(glm.ropes[0].dim, 8) << "half of a head";
    EXPECT_EQ(glm.expert_scale, 1);
    EXPECT_TRUE(!glm.layer[0].moe && glm.layer[1].moe);
    const char* const delta = R"({"linear_num_key_heads": 2, "linear_num_value_heads": 4, "linear_key_head_dim": 16, "linear_value_head_dim": 16, "linear_conv_kernel_dim": 4})";
    for (const char* family : {R"({"model_type": "qwen3_next"})", R"({"model_type": "qwen3_5_moe_text"})"}) EXPECT_EQ(good(with(of(delta), family)).ropes[0].dim, 4) << family;
    EXPECT_EQ(good(of(R"({"model_type": "mixtral"})")).ropes[0].base, 1e6f);
    EXPECT_EQ(good(of(R"({"model_type": "minimax_m2"})")).ropes[0].base, 5e6f);
    for (const char* family : {R"({"model_type": "granite", "num_experts": 0})", R"({"model_type": "granitemoe"})"}) EXPECT_EQ(good(of(family)).attention_scale, 1) << family;
    const auto lfm2 = [&](const char* said) { return good(with(of(R"({"model_type": "lfm2", "num_experts": 0, "conv_L_cache": 3, "layer_types": ["conv", "conv", "full_attention", "conv"]})"), said)).ropes[0].base; };
    EXPECT_EQ(lfm2("{}"), 1e6f);
    EXPECT_EQ(lfm2(R"({"theta": 20000})"), 2e4f);
    EXPECT_EQ(lfm2(R"({"theta": 20000, "rope_parameters": {"rope_theta": 30000, "rope_type": "default"}})"), 3e4f);
    const auto qwen = [](const char* said) { return windows(good(with(with(llama(), R"({"model_type": "qwen2", "sliding_window": 16, "use_sliding_window": true})"), said))); };
    EXPECT_THAT(qwen("{}"), ElementsAre(0, 0, 0)) << "layers from the 28th on";
}

TEST(CheckpointConfig, AnglesThatAFileDoesNotSpeakOfAreItsClasss) {
    const auto gpt_oss = [](const char* said) { return good(with(with(llama(), R"({"model_type": "gpt_oss", "num_local_experts": 4, "num_experts_per_tok": 2})"), said)); };
    for (const char* nothing : {"{}", R"({"rope_parameters": null, "rope_scaling": null})"}) {
        const Config c = gpt_oss(nothing);
        EXPECT_EQ(c.ropes[0].base, 150000);
        EXPECT_EQ(c.ropes[0].yarn_factor, 32);
        EXPECT_EQ(c.ropes[0].yarn_original, 4096);
        EXPECT_FALSE(c.ropes[0].yarn_whole);
        EXPECT_THAT(windows(c), ElementsAre(128, 0, 128));
    }
    EXPECT_EQ(gpt_oss(R"({"rope_scaling": {"rope_type": "yarn", "factor": 8, "original_max_position_embeddings": 64}})").ropes[0].yarn_factor, 8);
    EXPECT_EQ(gpt_oss(R"({"rope_parameters": {"rope_type": "default", "rope_theta": 20000}})").ropes[0].yarn_factor, 1);
    const Config gemma4 = good(with(llama(), R"({"model_type": "gemma4_text", "hidden_act": "gelu_pytorch_tanh", "layer_types": ["sliding_attention", "sliding_attention", "full_attention"]})"));
    EXPECT_THAT(windows(gemma4), ElementsAre(512, 512, 0));
    EXPECT_EQ(gemma4.ropes[0].base, 1e6f);
    EXPECT_THAT(gemma4.ropes[0].divisor, ElementsAre(1, 1, testing::Gt(1e9f), testing::Gt(1e9f), testing::Gt(1e9f), testing::Gt(1e9f), testing::Gt(1e9f), testing::Gt(1e9f))) << "a quarter of a head turns";
    EXPECT_EQ(gemma4.ropes[1].base, 1e4f);
    EXPECT_TRUE(gemma4.ropes[1].divisor.empty());
}

TEST(CheckpointConfig, WidthsThatAreComputedAreComputed) {
    const Config lfm2 = good(with(llama(), R"({"model_type": "lfm2", "layer_types": ["conv", "conv", "full_attention"], "conv_L_cache": 3, "norm_eps": 1e-5,
        "intermediate_size": 1000, "block_auto_adjust_ff_dim": true, "block_ffn_dim_multiplier": 1.0, "block_multiple_of": 256})"));
    EXPECT_EQ(lfm2.layer[0].ffn, 768);
    EXPECT_EQ(lfm2.layer[0].mixer, Mixer::short_convolution);
    EXPECT_EQ(lfm2.layer[2].mixer, Mixer::attention);
    const Config granite = good(with(llama(), R"({"model_type": "granitemoehybrid", "layer_types": ["mamba", "attention", "linear_attention"], "num_local_experts": 0,
        "shared_intermediate_size": 160, "mamba_expand": 2, "mamba_n_heads": 8, "mamba_d_state": 16, "mamba_n_groups": 1, "mamba_d_conv": 4,
        "position_embedding_type": "nope", "time_step_limit": [0.0, {"__float__": "Infinity"}]})"));
    EXPECT_EQ(granite.experts, 0);
    EXPECT_EQ(granite.layer[0].ffn, 160);
    EXPECT_EQ(granite.layer[1].rope, -1);
    EXPECT_EQ(granite.recurrent.head_dim, 16);
    EXPECT_EQ(granite.layer[2].mixer, Mixer::selective_scan);
}

TEST(CheckpointConfig, WhatCannotBeIsRefusedByItsKey) {
    const struct {
        const char* changes;
        std::vector<const char*> says;
    } kCases[] = {
        {R"({"num_hidden_layers": "three"})", {"m/config.json", "num_hidden_layers", "three"}},
        {R"({"hidden_size": -64})", {"m/config.json", "hidden_size", "-64"}},
        {R"({"hidden_size": null})", {"m/config.json", "hidden_size", "missing"}},
        {R"({"rms_norm_eps": null})", {"m/config.json", "rms_norm_eps"}},
        {R"({"vocab_size": 0})", {"m/config.json", "vocab_size", "0"}},
        {R"({"num_attention_heads": 4, "num_key_value_heads": 3})", {"m/config.json", "3"}},
        {R"({"layer_types": ["full_attention"]})", {"m/config.json", "layer_types", "3 layers"}},
        {R"({"max_position_embeddings": 0})", {"m/config.json", "max_position_embeddings", "0"}},
        {R"({"is_causal": false})", {"m/config.json", "is_causal", "false"}},
        {R"({"model_type": "qwen3", "use_bidirectional_attention": true})", {"m/config.json", "use_bidirectional_attention", "true"}},
        {R"({"model_type": "gemma3_text", "use_bidirectional_attention": true})", {"m/config.json", "use_bidirectional_attention", "true"}},
        {R"({"is_causal": false, "text_config": {"model_type": "llama"}})", {"m/config.json", "is_causal", "false"}},
        {R"({"model_type": "gemma4_text", "use_bidirectional_attention": "all", "layer_types": ["full_attention", "full_attention", "full_attention"]})", {"m/config.json", "use_bidirectional_attention", "all"}},
        {R"({"max_position_embeddings": null})", {"m/config.json", "key 'max_position_embeddings' is null"}},
        {R"({"model_type": "qwen3", "layer_types": ["mamba", "full_attention", "full_attention"]})", {"m/config.json", "layer_types[0]", "mamba", "full_attention, sliding_attention"}},
        {R"({"model_type": "qwen3", "layer_types": ["full_attention", "full_attention", "chunked_attention"]})", {"m/config.json", "layer_types[2]", "chunked_attention"}},
        {R"({"model_type": "lfm2", "layer_types": ["conv", "foo", "full_attention"]})", {"m/config.json", "layer_types[1]", "foo", "conv, full_attention"}},
        {R"({"model_type": "qwen3_next", "layer_types": ["linear_attention", "sliding_attention", "full_attention"]})", {"layer_types[1]", "sliding_attention", "linear_attention"}},
        {R"({"model_type": "granitemoehybrid", "position_embedding_type": "alibi", "layer_types": ["mamba", "mamba", "attention"]})", {"m/config.json", "position_embedding_type", "alibi", "nope or rope"}},
        {R"({"rope_theta": 10000, "rope_parameters": {"rope_theta": 500000, "rope_type": "default"}})", {"m/config.json", "'rope_theta'", "10000", "500000", "rope_parameters.rope_theta"}},
        {R"({"rope_scaling": {"rope_type": "yarn", "original_max_position_embeddings": 64}})", {"m/config.json", "rope_scaling.factor", "missing", "'yarn'"}},
        {R"({"rope_scaling": {"rope_type": "longrope"}})", {"m/config.json", "'longrope'"}},
        {R"({"rope_scaling": {"type": "linear"}})", {"m/config.json", "rope_scaling.factor", "missing", "'linear'"}},
        {R"({"rope_scaling": {"rope_type": "yarn", "factor": -1}})", {"m/config.json", "factor"}},
        {R"({"rope_scaling": {"rope_type": "dynamic", "factor": 2}})", {"m/config.json", "'dynamic'"}},
        {R"({"model_type": "olmoe", "clip_qkv": 8.0})", {"m/config.json", "clip_qkv"}},
        {R"({"model_type": "gpt_oss", "swiglu_limit": 5.0})", {"m/config.json", "swiglu_limit"}},
        {R"({"model_type": "qwen3_moe", "num_experts": 4, "num_experts_per_tok": 5})", {"m/config.json", "num_experts_per_tok", "5"}},
        {R"({"model_type": "minimax_m2", "attn_type_list": [1, 0, 1]})", {"m/config.json", "attn_type_list[1]", "0"}},
        {R"({"model_type": "seed_oss", "attention_out_bias": true})", {"m/config.json", "attention_out_bias"}},
        {R"({"model_type": "minimax_m2", "use_qk_norm": false})", {"m/config.json", "use_qk_norm"}},
    };
    for (const auto& one : kCases) {
        SCOPED_TRACE(one.changes);
        const auto config = read(with(llama(), one.changes));
        ASSERT_FALSE(config);
        for (const char* part : one.says) EXPECT_THAT(config.error().message, HasSubstr(part));
    }
}

// Several families have one key of ours, by other names.
TEST(CheckpointConfig, AMissingKeyIsCalledAsItsFamilyCallsIt) {
    const char *const granite = R"({"model_type": "granitemoehybrid", "layer_types": ["mamba", "mamba", "attention"], "num_local_experts": 0, "shared_intermediate_size": 96,
        "mamba_n_heads": 8, "mamba_d_state": 16, "mamba_n_groups": 1, "mamba_d_conv": 4})",
                *const qwen = R"({"model_type": "qwen3_next", "linear_num_key_heads": 2, "linear_num_value_heads": 4, "linear_key_head_dim": 16, "linear_value_head_dim": 16, "linear_conv_kernel_dim": 4})";
    for (const auto& [family, keys] : {std::pair{granite, std::vector{"mamba_n_heads", "mamba_d_state", "mamba_n_groups", "mamba_d_conv"}},
                                       std::pair{qwen, std::vector{"linear_num_key_heads", "linear_key_head_dim", "linear_conv_kernel_dim"}}}) {
        ASSERT_TRUE(read(with(llama(), family)));
        for (const char* key : keys) {
            Json without = with(llama(), family);
            without.erase(key);
            const auto config = read(without);
            ASSERT_FALSE(config) << key;
            EXPECT_THAT(config.error().message, HasSubstr("m/config.json: key '" + std::string(key) + "' is missing"));
        }
    }
}

TEST(CheckpointConfig, AClassThatScoresIsRefusedByName) {
    for (const char* name : {"Qwen3ForSequenceClassification", "LlamaForTokenClassification", "MistralForQuestionAnswering", "Qwen2ForRewardModel", "Qwen2ForProcessRewardModel", "LlamaForRewardModelWithGating"}) {
        const auto config = read(with(llama(), (R"({"architectures": [")" + std::string(name) + R"("]})").c_str()));
        ASSERT_FALSE(config) << name;
        EXPECT_THAT(config.error().message, testing::AllOf(HasSubstr("m/config.json: key 'architectures' says " + std::string(name)), HasSubstr("labels or scores")));
        EXPECT_THAT(config.error().remedy, HasSubstr("ForCausalLM"));
    }
    for (const char* list : {R"(["LlamaForCausalLM"])", R"(["Gemma3ForConditionalGeneration"])", R"(["Qwen3Model"])", R"([])", "null"})
        EXPECT_TRUE(read(with(llama(), (R"({"architectures": )" + std::string(list) + "}").c_str()))) << list;
}

TEST(Quantisation, TilesAreOfTheGroupThatNamesTheModule) {
    const Json config = Json::parse(R"({"quantization_config": {"quant_method": "compressed-tensors", "ignore": ["lm_head", "re:.*gate$"], "config_groups": {
        "a": {"targets": ["Linear"], "weights": {"num_bits": 8, "type": "float", "block_structure": [128, 64]}},
        "b": {"targets": ["re:.*down_proj$"], "weights": {"num_bits": 8, "type": "float", "block_structure": [32, 32]}}}}})");
    const auto q = Quantisation::read(config, "m/config.json", Json(), "");
    ASSERT_TRUE(q) << q.error().message;
    EXPECT_EQ(q->scheme("model.layers.0.mlp.up_proj").tile_cols, 64);
    EXPECT_EQ(q->scheme("model.layers.0.mlp.down_proj").tile_cols, 32);
    EXPECT_FALSE(q->contradiction("model.layers.0.mlp.gate_proj", Linear::Kind::fp8));
    EXPECT_TRUE(q->contradiction("model.layers.0.mlp.gate", Linear::Kind::fp8));
    EXPECT_TRUE(q->contradiction("lm_head", Linear::Kind::fp8));
    EXPECT_FALSE(q->contradiction("lm_head", Linear::Kind::plain));
    EXPECT_TRUE(q->contradiction("model.layers.0.mlp.up_proj", Linear::Kind::awq));
}

TEST(Quantisation, ComesFromTheFileBesideWhereTheConfigurationHasNone) {
    const Json beside = Json::parse(R"({"producer": {}, "quantization": {"quant_algo": "NVFP4", "exclude_modules": ["lm_head", "model.visual*"]}})");
    const auto q = Quantisation::read(Json::object(), "m/config.json", beside, "m/hf_quant_config.json");
    ASSERT_TRUE(q) << q.error().message;
    EXPECT_EQ(q->method(), "modelopt");
    EXPECT_TRUE(q->contradiction("model.visual.blocks.0", Linear::Kind::nvfp4));
    const auto refused = Quantisation::read(Json::object(), "m/config.json", Json::parse(R"({"quantization": {"quant_algo": "W4A8_AWQ"}})"), "m/hf_quant_config.json");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, testing::AllOf(HasSubstr("hf_quant_config.json"), HasSubstr("W4A8_AWQ")));
    for (const char* bits : {R"({"quantization_config": {"quant_method": "gptq", "bits": 3}})",
                             R"({"quantization_config": {"quant_method": "compressed-tensors", "config_groups": {"a": {"weights": {"num_bits": 3, "type": "int"}}}}})"}) {
        const auto three = Quantisation::read(Json::parse(bits), "m/config.json", Json(), "");
        ASSERT_FALSE(three) << bits;
        EXPECT_THAT(three.error().message, testing::AllOf(HasSubstr("m/config.json"), HasSubstr("3"), HasSubstr("4 or 8")));
    }
}
