#include "router/math/robust.h"

#include <gtest/gtest.h>

#include <cmath>

#include "router/math/random.h"

namespace router::math {
namespace {

TEST(Robust, MedianAndQuantilesByHand) {
    EXPECT_EQ(median({3, 1, 2}), 2);
    EXPECT_EQ(median({4, 1, 3, 2}), 2.5);
    EXPECT_TRUE(std::isnan(median({})));
    EXPECT_DOUBLE_EQ(quantile({10, 20, 30, 40}, 0.25), 17.5);  // NumPy's and R's answer
    EXPECT_DOUBLE_EQ(quantile({10, 20, 30, 40}, 1), 40);
    EXPECT_DOUBLE_EQ(median_deviation(Vector{1, 2, 3, 4, 100}, 3), 1.4826);
}

// With one of eleven values far away: the clipped one weighs as one at the bound.
TEST(Robust, HuberMeanSolvesItsEquation) {
    const Vector values = {2.1, 1.9, 2.0, 2.3, 1.7, 2.05, 1.95, 2.2, 1.8, 2.0, 50};
    const double m = huber_mean(values), bound = 1.5 * median_deviation(values, median(values));
    double sum = 0;
    for (double v : values) sum += winsorised(v - m, bound);
    EXPECT_NEAR(sum, 0, 1e-10);
    EXPECT_NEAR(m, 2.03, 0.03);
    EXPECT_EQ(huber_mean(Vector{5, 5, 5, 9}), 5);  // no spread: the median
}

TEST(Robust, RegressionFindsTheLineAmongWildPoints) {
    Rng rng("line");
    Matrix x(200, 3, 1.0);
    Vector y(200);
    for (std::size_t i = 0; i < 200; ++i) {
        x(i, 1) = rng.normal();
        x(i, 2) = 0;  // a column of zeros has no slope
        y[i] = 3 + 0.5 * x(i, 1) + 0.1 * rng.normal() + (i % 10 == 0 ? 20 : 0);
    }
    const Vector fit = robust_regression(x, y);
    EXPECT_NEAR(fit[0], 3, 0.05);
    EXPECT_NEAR(fit[1], 0.5, 0.04);
    EXPECT_EQ(fit[2], 0);
}

TEST(Robust, SumsArePairwise) {
    // Left to right in doubles 1 + 1e-16 a million times stays 1.
    Vector values(1 << 20, 1e-16);
    values[0] = 1;
    EXPECT_NEAR(pairwise_sum(values), 1 + 1e-16 * ((1 << 20) - 1), 1e-15);
}

}  // namespace
}  // namespace router::math
