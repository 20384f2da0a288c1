// Tensors that a model of its family does not use: they would change what it computes, so the load fails and names them, but for
// those that are known to change nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "checkpoint_folder.h"
#include "support/gguf_copy.h"

using testing::AllOf;
using testing::HasSubstr;
using namespace checkpoints;
using support::GgufCopy;

namespace {

void add_copy(Folder& f, const std::string& of, const std::string& name) {
    ASSERT_TRUE(f.header.contains(of)) << of;
    f.header[name] = f.header[of], f.data[name] = f.data[of];
}

std::string written(Folder& f) {
    f.write_all();
    return refusal(f.path());
}

const std::string kLayer0 = "model.layers.0.", kNorm = kLayer0 + "input_layernorm.weight";

}  // namespace

TEST(UnusedTensors, OfAnotherFamilyAreRefusedInAFolder) {
    const std::pair<const char*, std::vector<std::string>> kCases[] = {
        {"qwen3's norms", {"self_attn.q_norm.weight", "self_attn.k_norm.weight"}},
        {"qwen2's biases", {"self_attn.q_proj.bias", "self_attn.k_proj.bias", "self_attn.v_proj.bias"}},
        {"a bias of the output", {"self_attn.o_proj.bias"}},
        {"a bias of the FFN", {"mlp.down_proj.bias"}},
        {"gemma's norms", {"pre_feedforward_layernorm.weight"}},
        {"gemma4's factor", {"layer_scalar"}},
        {"gpt-oss's sinks", {"self_attn.sinks"}},
        {"a scale", {"self_attn.o_proj.weight_scale"}},
    };
    for (const auto& [what, parts] : kCases) {
        SCOPED_TRACE(what);
        Folder folder(support::data_dir() / "models/llama_tied");
        folder.config.erase("attention_bias"), folder.config.erase("mlp_bias");
        EXPECT_EQ(written(folder), "");
        for (int layer = 0; layer < folder.config["num_hidden_layers"]; ++layer)
            for (const std::string& part : parts) {
                add_copy(folder, kNorm, "model.layers." + std::to_string(layer) + "." + part);
                if (!part.ends_with("k_proj.bias") && !part.ends_with("v_proj.bias")) continue;
                const json rows = folder.header[kLayer0 + "self_attn.k_proj.weight"]["shape"][0];
                folder.header["model.layers." + std::to_string(layer) + "." + part]["shape"] = json::array({rows});
                folder.data["model.layers." + std::to_string(layer) + "." + part].resize(rows.get<std::size_t>() * 2);
            }
        const std::string said = written(folder);
        EXPECT_THAT(said, HasSubstr("tensor '" + kLayer0));
        EXPECT_TRUE(std::ranges::any_of(parts, [&](const std::string& part) { return said.find(kLayer0 + part + "' is ") != said.npos; })) << said;
        EXPECT_THAT(said, testing::AnyOf(HasSubstr("used by nothing in a model of llama"), HasSubstr("which means false")));
    }
}

TEST(UnusedTensors, ThatChangeNothingAreLeftInAFolder) {
    Folder folder(support::data_dir() / "models/llama_tied");
    add_copy(folder, kNorm, kLayer0 + "self_attn.rotary_emb.inv_freq");
    add_copy(folder, "model.embed_tokens.weight", "lm_head.weight");
    EXPECT_EQ(written(folder), "");
    std::string& output = folder.data["lm_head.weight"];
    output[output.size() / 2] = char(output[output.size() / 2] ^ 0x40);
    output.back() = char(output.back() ^ 0x40);
    EXPECT_THAT(written(folder), AllOf(HasSubstr("tensor 'lm_head.weight' is not the embedding"), HasSubstr("tie_word_embeddings")));
    folder.config["tie_word_embeddings"] = false;
    EXPECT_EQ(written(folder), "");
}

TEST(UnusedTensors, OfAFamilyThatMayHaveThemAreThoseOfTheConfiguration) {
    const auto from = golden_folder("glm4_moe");
    if (!from) GTEST_SKIP() << "no golden checkpoints";
    Folder folder(*from);
    EXPECT_EQ(written(folder), "");
    folder.config["use_qk_norm"] = false;
    EXPECT_THAT(written(folder), AllOf(HasSubstr("q_norm.weight"), HasSubstr("use_qk_norm"), HasSubstr("false")));
    folder.config.erase("use_qk_norm");
    EXPECT_THAT(written(folder), AllOf(HasSubstr("q_norm.weight"), HasSubstr("use_qk_norm"), HasSubstr("which means false")));
    for (auto it = folder.header.begin(); it != folder.header.end();) it = it.key().ends_with("_norm.weight") ? folder.header.erase(it) : std::next(it);
    EXPECT_EQ(written(folder), "");
    folder.config["use_qk_norm"] = true;
    EXPECT_THAT(written(folder), AllOf(HasSubstr("use_qk_norm' is true"), HasSubstr("there is no tensor 'model.layers.0.self_attn.q_norm.weight'")));
}

TEST(UnusedTensors, ABiasOfTheChoiceIsThatOfTheConfiguration) {
    Folder folder(support::data_dir() / "golden/minimax_m2");
    EXPECT_EQ(written(folder), "");
    folder.config["use_routing_bias"] = false;
    EXPECT_THAT(written(folder), AllOf(HasSubstr("e_score_correction_bias"), HasSubstr("use_routing_bias"), HasSubstr("is false")));
}

// The published checkpoints of Gemma 4 keep keys and values of layers that read another's.
TEST(UnusedTensors, KeysOfLayersThatReadAnothersAreLeft) {
    const auto from = golden_folder("gemma4_ple_shared");
    if (!from) GTEST_SKIP() << "no golden checkpoints";
    Folder folder(*from);
    const std::string layers = "model.language_model.layers.";
    for (const int layer : {3, 4})
        for (const char* part : {".self_attn.k_proj.weight", ".self_attn.v_proj.weight", ".self_attn.k_norm.weight"}) add_copy(folder, layers + "0" + part, layers + std::to_string(layer) + part);
    EXPECT_EQ(written(folder), "");
    add_copy(folder, layers + "0.self_attn.k_norm.weight", layers + "3.self_attn.other_norm.weight");
    EXPECT_THAT(written(folder), HasSubstr("'" + layers + "3.self_attn.other_norm.weight' is used by nothing"));
}

TEST(UnusedTensors, OfAnotherFamilyAreRefusedInAGguf) {
    const support::TempDir dir;
    const fs::path file = dir.path() / "m.gguf";
    const std::string norm = "blk.0.attn_norm.weight";
    const auto said = [&](const char* model, const std::vector<std::string>& names) {
        GgufCopy copy(support::data_dir() / "models" / model);
        for (const std::string& name : names) copy.copy(norm, name);
        copy.write(file);
        return refusal(file);
    };
    for (const char* name : {"blk.0.attn_q_norm.weight", "blk.1.ffn_down.bias", "blk.0.post_ffw_norm.weight", "blk.0.attn_sub_norm.weight", "blk.0.layer_output_scale.weight", "blk.0.attn_sinks.weight",
                             "blk.0.attn_norm.bias", "output_norm.bias", "output.bias", "rope_factors_long.weight", "cls.output.weight", "dense_2.weight", "blk.0.attn_norm.scale"})
        EXPECT_THAT(said("llama_tied.gguf", {name}), HasSubstr("tensor '" + std::string(name) + "' is used by nothing in a model of llama"));
    for (const char* name : {"blk.0.exp_probs_b.bias", "blk.0.ffn_gate_inp.bias", "blk.0.ffn_gate_inp.scale", "blk.0.ffn_down_exps.scale", "blk.0.ffn_down_exps.input_scale", "blk.0.ffn_gate_inp_shexp.weight"})
        EXPECT_THAT(said("qwen3_moe.gguf", {name}), HasSubstr("tensor '" + std::string(name) + "' is used by nothing in a model of qwen3moe"));
    for (const char* name : {"blk.0.attn_q.scale", "blk.0.ffn_up.scale", "blk.0.attn_q.input_scale"}) EXPECT_THAT(said("llama_tied.gguf", {name}), HasSubstr("tensor '" + std::string(name) + "'")) << "beside no NVFP4";
    EXPECT_EQ(said("llama_tied.gguf", {"blk.0.attn_rot_embd.weight", "v.blk.0.attn_q.weight", "mm.0.weight", "a.blk.0.ln1.weight"}), "");
}

TEST(UnusedTensors, OfAnEncoderAreRefusedInAGguf) {
    const support::TempDir dir;
    const fs::path file = dir.path() / "m.gguf";
    const auto said = [&](const std::string& name) {
        GgufCopy copy(support::data_dir() / "models/bert_minilm.gguf");
        copy.copy("token_embd_norm.weight", name);
        copy.write(file);
        return refusal(file);
    };
    for (const char* name : {"blk.0.attn_q_norm.weight", "blk.0.ffn_gate.weight", "blk.0.attn_q.scale", "output_norm.weight"}) EXPECT_THAT(said(name), HasSubstr("tensor '" + std::string(name) + "' is used by nothing"));
    EXPECT_EQ(said("cls.output.weight"), "");
}

TEST(UnusedTensors, ThatAreKnownAreLeftInAGguf) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    const support::TempDir dir;
    const fs::path file = dir.path() / "m.gguf";
    const struct {
        const char* folder;
        std::vector<std::pair<const char*, const char*>> copies;
        const char* refused;  // null: it loads
    } kCases[] = {
        {"deepseek_v3/model-f16.gguf", {{"blk.0.attn_kv_a_mqa.weight", "blk.0.attn_kv_b.weight"}}, nullptr},
        {"gemma4_ple_shared/model-f16.gguf", {{"blk.0.attn_k.weight", "blk.3.attn_k.weight"}, {"blk.0.attn_v.weight", "blk.3.attn_v.weight"}, {"blk.0.attn_k_norm.weight", "blk.3.attn_k_norm.weight"}}, nullptr},
        {"q_qwen3_ct_nvfp4/model.gguf", {{"blk.0.attn_q.scale", "blk.0.attn_q.input_scale"}}, nullptr},
        {"q_qwen3_ct_nvfp4/model.gguf", {{"blk.0.attn_q.scale", "blk.0.attn_norm.scale"}}, "blk.0.attn_norm.scale"},
        {"qwen3_5/model-f16.gguf", {{"blk.4.attn_norm.weight", "blk.4.nextn.other_norm.weight"}}, nullptr},  // of the head for drafting
    };
    for (const auto& [folder, copies, refused] : kCases) {
        SCOPED_TRACE(folder);
        GgufCopy copy(*golden / folder);
        for (const auto& [of, name] : copies) copy.copy(of, name);
        copy.write(file);
        const std::string said = refusal(file);
        EXPECT_EQ(said.empty(), refused == nullptr) << said;
        EXPECT_THAT(said, HasSubstr(refused ? "tensor '" + std::string(refused) + "' is used by nothing" : ""));
    }
}
