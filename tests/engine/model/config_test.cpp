#include "engine/model/config.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <stdexcept>
#include <variant>

#include "engine/model/model_file.h"
#include "support/fixtures.h"
#include "support/gguf_writer.h"

namespace {

using Values = std::map<std::string, std::variant<std::uint32_t, float, std::string>>;

// A file of these keys and an embedding.
std::unique_ptr<engine::ModelFile> file_of(const support::TempDir& folder, const Values& values) {
    constexpr std::uint64_t hidden = 8, vocabulary = 1;
    support::GgufWriter w(1, values.size());
    for (const auto& [key, value] : values) std::visit([&, &key = key](const auto& v) { w.value(key, v); }, value);
    w.text("token_embd.weight"), w.u32(2), w.u64(hidden), w.u64(vocabulary), w.u32(0), w.u64(0);
    w.pad();
    w.bytes.resize(w.bytes.size() + hidden * vocabulary * sizeof(float));
    const auto path = folder.path() / "m.gguf";
    std::ofstream(path, std::ios::binary) << w.bytes;
    return engine::ModelFile::open(path).value();
}

Values family(const std::string& name) {
    return {{"general.architecture", name}, {name + ".block_count", 1u}, {name + ".embedding_length", 8u}, {name + ".feed_forward_length", 8u},
            {name + ".attention.head_count", 2u}, {name + ".context_length", 64u}};
}

}  // namespace

TEST(Config, ASizeThatCannotBeCountedIsRefusedByName) {
    const support::TempDir folder;
    Values llama = family("llama");
    llama["llama.context_length"] = 3'000'000'000u;
    auto config = file_of(folder, llama)->config();
    EXPECT_NE(config.error().message.find("key 'llama.context_length' is 3000000000, expected 1 to 2147483647"), std::string::npos) << config.error().message;
    llama["llama.context_length"] = 0u;
    config = file_of(folder, llama)->config();
    EXPECT_NE(config.error().message.find("key 'llama.context_length' is 0, expected 1 to 2147483647"), std::string::npos) << config.error().message;
    llama.erase("llama.context_length");
    config = file_of(folder, llama)->config();
    EXPECT_NE(config.error().message.find("key 'llama.context_length' is missing"), std::string::npos) << config.error().message;

    Values pooled = family("qwen3");
    pooled["qwen3.pooling_type"] = 9u;
    config = file_of(folder, pooled)->config();
    ASSERT_FALSE(config);
    EXPECT_NE(config.error().message.find("key 'qwen3.pooling_type' is 9, expected 0 to 4"), std::string::npos) << config.error().message;

    Values hybrid = family("granitehybrid");
    for (const auto& [key, value] : {std::pair("inner_size", 1u << 20), std::pair("conv_kernel", 4u), std::pair("state_size", 1u << 20), std::pair("group_count", 1u << 20),
                                     std::pair("time_step_rank", 1u << 20)})
        hybrid[std::string("granitehybrid.ssm.") + key] = value;
    config = file_of(folder, hybrid)->config();
    EXPECT_NE(config.error().message.find("ssm.group_count"), std::string::npos) << config.error().message;
}

// What another family has, and this one would leave out.
TEST(Config, ArithmeticThatTheFamilyDoesNotFollowIsRefusedByName) {
    const support::TempDir folder;
    for (const auto& [key, value] : std::map<std::string, float>{{"attention.clamp_kqv", 3}, {"final_logit_softcapping", 30}, {"logit_scale", 3}, {"attn_logit_softcapping", 50}, {"residual_scale", 0.5f}}) {
        Values qwen = family("qwen3");
        qwen["qwen3." + key] = value;
        const auto refused = file_of(folder, qwen)->config();
        ASSERT_FALSE(refused) << key;
        EXPECT_EQ(refused.error().code, base::Code::unsupported);
        EXPECT_NE(refused.error().message.find("key 'qwen3." + key + "' is "), std::string::npos) << refused.error().message;
    }
    Values experts = family("qwen3moe");
    experts["qwen3moe.expert_count"] = 8u, experts["qwen3moe.expert_used_count"] = 2u;
    for (const char* key : {"expert_gating_func", "expert_group_count", "expert_group_used_count"}) {
        Values other = experts;
        other[std::string("qwen3moe.") + key] = 2u;
        const auto refused = file_of(folder, other)->config();
        ASSERT_FALSE(refused) << key;
        EXPECT_NE(refused.error().message.find("key 'qwen3moe." + std::string(key) + "' is 2, which is not followed"), std::string::npos) << refused.error().message;
        other[std::string("qwen3moe.") + key] = 1u;
        EXPECT_TRUE(file_of(folder, other)->config()) << key << ": which it does";
    }
    Values fine = family("qwen3");
    for (const char* key : {"attention.clamp_kqv", "final_logit_softcapping", "logit_scale"}) fine[std::string("qwen3.") + key] = 0.0f;
    const auto taken = file_of(folder, fine)->config();
    EXPECT_TRUE(taken || taken.error().message.find("is not followed") == std::string::npos) << "they say nothing";
    Values odd = family("qwen3");
    odd["qwen3.logit_scale"] = std::string("much");
    EXPECT_NE(file_of(folder, odd)->config().error().message.find("of another type"), std::string::npos);
}

// As llama.cpp reads them.
TEST(Config, AFactorOfAnglesWithoutATypeIsLinear) {
    const support::TempDir folder;
    const auto scale = [&](const Values& more) {
        Values llama = family("llama");
        for (const auto& [key, value] : more) llama["llama.rope." + key] = value;
        const auto config = file_of(folder, llama)->config();
        if (!config) throw std::runtime_error(config.error().message);
        return config->ropes[0].scale;
    };
    EXPECT_EQ(scale({}), 1);
    EXPECT_EQ(scale({{"scaling.factor", 8.0f}}), 8);
    EXPECT_EQ(scale({{"scale_linear", 4.0f}}), 4);
    EXPECT_EQ(scale({{"scale_linear", 4.0f}, {"scaling.factor", 8.0f}}), 8);
    EXPECT_EQ(scale({{"scale_linear", 4.0f}, {"scaling.type", std::string("linear")}}), 4);
    EXPECT_EQ(scale({{"scaling.factor", 8.0f}, {"scaling.type", std::string("none")}}), 1);
    EXPECT_THROW(scale({{"scale_linear", -4.0f}}), std::runtime_error);
}

TEST(Config, SamplingThatIsNoNumberIsRefusedByName) {
    const support::TempDir folder;
    for (const float top_k : {std::nanf(""), 1e20f, 2.5f}) {
        const auto sampling = file_of(folder, {{"general.sampling.top_k", top_k}})->sampling();
        ASSERT_FALSE(sampling) << top_k;
        EXPECT_NE(sampling.error().message.find("general.sampling.top_k"), std::string::npos) << sampling.error().message;
    }
    EXPECT_EQ(file_of(folder, {{"general.sampling.top_k", 40.0f}})->sampling()->top_k, 40);
    EXPECT_EQ(file_of(folder, {{"general.sampling.top_k", -1.0f}})->sampling()->top_k, 0);
}

TEST(Config, ReadsTheGoldenCheckpoints) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    auto config_of = [&](const char* file) {
        auto opened = engine::ModelFile::open(*golden / file);
        EXPECT_TRUE(opened) << opened.error().message;
        auto config = (*opened)->config();
        EXPECT_TRUE(config) << config.error().message;
        return *config;
    };
    const auto moe = config_of("qwen3_moe/model-f16.gguf");
    EXPECT_EQ(moe.architecture, "qwen3moe");
    EXPECT_GT(moe.experts, moe.experts_used);
    EXPECT_TRUE(moe.normalise_experts);
    const auto dense = config_of("qwen2/model-f16.gguf");
    EXPECT_EQ(dense.experts, 0);
    EXPECT_EQ(dense.layer[0].head_dim * dense.heads, dense.hidden);
    EXPECT_EQ(dense.pairing, engine::RopePairing::neox);
}

TEST(Config, AnUnknownFamilyIsRefusedWithTheKnownOnes) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    auto file = engine::ModelFile::open(*golden / "bert_minilm/model-f16.gguf");
    ASSERT_TRUE(file) << file.error().message;
    auto config = (*file)->config();
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().code, base::Code::unsupported);
    EXPECT_NE(config.error().message.find("'bert'; this engine runs llama, qwen2, qwen2moe, qwen3"), std::string::npos);
}

TEST(Config, ReadsAVocabulary) {
    const auto vectors = support::vectors_dir();
    if (!vectors) GTEST_SKIP() << "no vectors";
    auto file = engine::ModelFile::open(*vectors / "models/stories260K/stories260Ktok512.gguf");
    ASSERT_TRUE(file) << file.error().message;
    auto vocabulary = (*file)->vocabulary();
    ASSERT_TRUE(vocabulary) << vocabulary.error().message;
    EXPECT_EQ(vocabulary->tokens.size(), 512u);
    EXPECT_EQ(vocabulary->kind, text::Vocabulary::Kind::spm);
    EXPECT_EQ(vocabulary->bos, 1);
}
