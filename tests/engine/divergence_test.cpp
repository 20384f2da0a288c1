#include "engine/divergence.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

using engine::divergence;

TEST(Divergence, ByHand) {
    // p = (1/2, 1/4, 1/4) and q = (1/4, 1/2, 1/4), whatever is added to all of a row's logits.
    const std::vector<float> p = {std::log(2.0f), 0, 0}, q = {3, 3 + std::log(2.0f), 3};
    const auto d = divergence(p, q, 3);
    EXPECT_EQ(d.positions, 1);
    EXPECT_NEAR(d.mean_kl, 0.5 * std::log(2.0) + 0.25 * std::log(0.5), 1e-6);
    EXPECT_EQ(d.top1_disagreement, 1);
}

TEST(Divergence, MeansOverPositions) {
    const std::vector<float> p = {1, 0, 0, 1}, q = {1, 0, 0.9f, 0};
    const auto same = divergence(p, p, 2);
    EXPECT_EQ(same.mean_kl, 0);
    EXPECT_EQ(same.top1_disagreement, 0);
    const auto d = divergence(p, q, 2);
    EXPECT_EQ(d.positions, 2);
    EXPECT_EQ(d.top1_disagreement, 0.5);
    EXPECT_GT(d.largest_kl, 0);
    EXPECT_DOUBLE_EQ(d.mean_kl, d.largest_kl / 2);
}

TEST(Divergence, WhatIsImpossibleCountsForNothing) {
    const float no = -std::numeric_limits<float>::infinity();
    EXPECT_EQ(divergence(std::vector<float>{0, no}, std::vector<float>{0, no}, 2).mean_kl, 0);
}
