// Stored forms of a module against the same weights in another container.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/model/gguf.h"
#include "engine/model/linear.h"
#include "support/fixtures.h"

using namespace engine;

// llama.cpp's converter split gate and up and moved the nibbles of the same experts.
TEST(LinearGolden, ExpertsOfGptOssAreTheBlocksOfTheirGguf) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    auto file = Safetensors::open(*golden / "gpt_oss_mxfp4");
    auto gguf = Gguf::open(*golden / "gpt_oss_mxfp4/model.gguf");
    ASSERT_TRUE(file && gguf);
    const struct {
        const char *stored, *twin;
        int stored_rows, cols, first, step;
    } kStacks[] = {{"gate_up_proj", "gate", 64, 64, 0, 2}, {"gate_up_proj", "up", 64, 64, 1, 2}, {"down_proj", "down", 64, 32, 0, 1}};
    for (int layer = 0; layer < 4; ++layer)
        for (const auto& s : kStacks) {
            SCOPED_TRACE(std::to_string(layer) + " " + s.twin);
            const std::string name = "model.layers." + std::to_string(layer) + ".mlp.experts." + s.stored;
            const auto linear = check_mxfp4_experts(**file, name + "_blocks", name + "_scales", 6, s.stored_rows, s.cols, s.first, s.step);
            ASSERT_TRUE(linear) << linear.error().message;
            const auto* twin = (*gguf)->tensor("blk." + std::to_string(layer) + ".ffn_" + s.twin + "_exps.weight");
            ASSERT_TRUE(twin);
            EXPECT_TRUE(std::ranges::equal(own(*linear).bytes, twin->data));
        }
}
