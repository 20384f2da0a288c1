#include "engine/model/config.h"

#include <gtest/gtest.h>

#include "engine/model/model_file.h"
#include "support/fixtures.h"

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
