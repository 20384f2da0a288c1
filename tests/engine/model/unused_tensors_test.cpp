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
