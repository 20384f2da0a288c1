#include "router/math/correlation.h"

#include <gtest/gtest.h>

#include <cmath>

namespace router::math {
namespace {

TEST(Correlation, RanksShareTies) {
    EXPECT_EQ(ranks({10, 30, 20, 20}), (Vector{1, 4, 2.5, 2.5}));
}

Matrix days(std::size_t n, std::size_t nodes, double shared, Rng& rng) {
    Matrix out(n, nodes);
    for (std::size_t d = 0; d < n; ++d) {
        const double common = rng.normal();
        for (std::size_t j = 0; j < nodes; ++j) out(d, j) = shared * common + std::sqrt(1 - shared * shared) * rng.normal();
    }
    return out;
}

// By power iteration: another algorithm than the one under test.
double largest(const Matrix& m) {
    Vector v(m.rows, 1.0);
    double value = 0;
    for (int i = 0; i < 20'000; ++i) {
        Vector next(m.rows);
        double norm = 0;
        for (std::size_t r = 0; r < m.rows; ++r) {
            for (std::size_t c = 0; c < m.cols; ++c) next[r] += m(r, c) * (v[c] + (i == 0 ? 0.01 * double(c) : 0));
            norm += next[r] * next[r];
        }
        value = std::sqrt(norm);
        for (std::size_t r = 0; r < m.rows; ++r) v[r] = next[r] / value;
    }
    return value;
}

TEST(Correlation, GammaIsACorrelationMatrixAndLambdaItsLargestEigenvalue) {
    Rng rng("gamma");
    const auto found = coupling(days(60, 6, 0.6, rng), Vector(60, 1.0), rng, 100);
    ASSERT_TRUE(found);
    for (std::size_t i = 0; i < 6; ++i)
        for (std::size_t j = 0; j < 6; ++j) {
            EXPECT_EQ(found->gamma(i, j), found->gamma(j, i));
            EXPECT_LE(std::abs(found->gamma(i, j)), 1);
        }
    for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(found->gamma(i, i), 1);
    EXPECT_NEAR(found->largest, largest(found->gamma), 1e-9);
    EXPECT_TRUE(found->coupled);
}

TEST(Correlation, IndependentNodesAreCoupledOneTimeInTwenty) {
    int coupled = 0;
    for (int i = 0; i < 200; ++i) {
        Rng rng("independent " + std::to_string(i));
        coupled += coupling(days(40, 5, 0, rng), Vector(40, 1.0), rng, 200)->coupled;
    }
    EXPECT_LE(coupled, 20);  // of 200 ten are expected; 20 are three deviations more
}

TEST(Correlation, WhatTheLoadExplainsIsNoCoupling) {
    Rng rng("load");
    Matrix z(80, 4);
    Vector load(80);
    for (std::size_t d = 0; d < 80; ++d) {
        load[d] = rng.normal();
        for (std::size_t j = 0; j < 4; ++j) z(d, j) = 2 * load[d] + rng.normal();
    }
    EXPECT_LT(coupling(z, load, rng, 50)->largest, 1.5);
    EXPECT_GT(coupling(z, Vector(80, 0.0), rng, 50)->largest, 2.5);
}

TEST(Correlation, NeedsTwiceAsManyDaysAsNodes) {
    Rng rng("few");
    EXPECT_FALSE(coupling(days(9, 5, 0.5, rng), Vector(9, 1.0), rng, 10));
    EXPECT_FALSE(coupling(days(90, 1, 0.5, rng), Vector(90, 1.0), rng, 10));
    Matrix missing = days(30, 3, 0.5, rng);
    for (std::size_t d = 0; d < 30; ++d) missing(d, 2) = NAN;
    const auto found = coupling(missing, Vector(30, 1.0), rng, 50);
    EXPECT_EQ(found->gamma(0, 2), 0);
    EXPECT_TRUE(std::isfinite(found->largest));
}

}  // namespace
}  // namespace router::math
