#include "engine/model/pooling.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace engine;

TEST(Pooling, TakesWhatItsNameSays) {
    float rows[] = {3, 0, -1, 8, 1, 1};  // three rows of two
    const auto pooled = [&](Pooling pooling, bool normalise = false) {
        std::vector<float> out(2);
        pool_rows(pooling, normalise, {rows, 3, 2}, out.data());
        return out;
    };
    EXPECT_EQ(pooled(Pooling::mean), (std::vector<float>{1, 3}));
    EXPECT_EQ(pooled(Pooling::cls), (std::vector<float>{3, 0}));
    EXPECT_EQ(pooled(Pooling::last), (std::vector<float>{1, 1}));
    EXPECT_EQ(pooled(Pooling::max), (std::vector<float>{3, 8}));
    const float length = std::sqrt(10.0f);
    EXPECT_FLOAT_EQ(pooled(Pooling::mean, true)[0], 1 / length);
    EXPECT_FLOAT_EQ(pooled(Pooling::mean, true)[1], 3 / length);
    float nothing[] = {0, 0};
    pool_rows(Pooling::last, true, {nothing, 1, 2}, nothing);
    EXPECT_EQ(nothing[0], 0);  // and no NaN
}

TEST(Pooling, IsNumberedAsInGguf) {
    EXPECT_EQ(pooling_of(1), Pooling::mean);
    EXPECT_EQ(pooling_of(2), Pooling::cls);
    EXPECT_EQ(pooling_of(3), Pooling::last);
    for (const int none : {0, 4, 7, -1}) EXPECT_FALSE(pooling_of(none)) << none;
}
