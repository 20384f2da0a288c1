#include "engine/model/key_offset.h"

#include <gtest/gtest.h>

#include <cmath>

namespace engine {

// Of a pair that hardly turns it is the bias; of pairs that turn, nearly nothing; of values that are not rotated the bias itself.
TEST(MeanKey, IsWhatRotationLeavesOfTheBias) {
    Pool pool(1);
    const int head_dim = 8, rotated = 6, heads = 2;
    const float frequencies[] = {1.0f, 0.05f, 1e-6f};
    std::vector<float> bias;
    for (int i = 0; i < heads * head_dim; ++i) bias.push_back(float(i + 1) * 10);
    for (const bool neox : {false, true}) {
        SCOPED_TRACE(neox);
        const RopeArgs rope{nullptr, frequencies, head_dim, rotated, neox, 1};
        const auto mean = mean_key(bias.data(), heads * head_dim, &rope, ref_ops(), pool);
        ASSERT_EQ(mean.size(), bias.size());
        for (int h = 0; h < heads; ++h)
            for (int i = 0; i < head_dim; ++i) {
                const std::size_t at = std::size_t(h * head_dim + i);
                const int pair = i >= rotated ? 3 : neox ? i % 3 : i / 2;
                if (pair >= 2) EXPECT_NEAR(mean[at], bias[at], 0.01 * bias[at]) << at;
                else EXPECT_LT(std::abs(mean[at]), 0.3 * 160) << at;
            }
    }
    EXPECT_EQ(mean_key(bias.data(), heads * head_dim, nullptr, ref_ops(), pool), bias);
}

}  // namespace engine
