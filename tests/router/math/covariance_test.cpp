#include "router/math/covariance.h"

#include "router/math/distributions.h"
#include "router/math/random.h"
#include "vectors.h"

namespace router::math {
namespace {

Vector squared_all(const Mahalanobis& m, const Matrix& x) {
    Vector out;
    for (std::size_t i = 0; i < x.rows; ++i) out.push_back(m.squared(x.row(i)));
    return out;
}

Matrix first_rows(const Matrix& m, std::size_t n) {
    Matrix out(n, m.cols);
    std::copy_n(m.values.begin(), n * m.cols, out.values.begin());
    return out;
}

TEST(CovarianceVectors, IrisDistances) {
    if (!mathcore_vectors()) GTEST_SKIP() << "no vectors";
    const Matrix iris = csv("data/iris.csv");
    const base::Json wanted = expected("mahalanobis_reference.json")["iris_all"];
    EXPECT_LT(relative_difference(column_means(iris), wanted["mean"].get<Vector>()), 1e-12);
    EXPECT_LT(relative_difference(covariance(iris).values, to_matrix_of(wanted["cov_ddof1"]).values), 1e-12);
    const Mahalanobis all(column_means(iris), covariance(iris));
    const Vector squared = squared_all(all, iris);
    EXPECT_EQ(all.rank(), 4);
    EXPECT_LT(relative_difference(squared, wanted["d2"].get<Vector>()), 1e-10);
    EXPECT_LT(relative_difference(squared, column_of(csv("expected/R_iris_mahalanobis2_R.csv"), 0)), 1e-10);
    const double limit = chi_squared_quantile(0.975, 4);
    std::vector<int> outliers;
    for (std::size_t i = 0; i < squared.size(); ++i)
        if (squared[i] > limit) outliers.push_back(int(i));
    EXPECT_EQ(outliers, wanted["outliers_0.975"].get<std::vector<int>>());
    for (const auto& [p, quantile] : wanted["chi2_4_quantiles"].items()) EXPECT_NEAR(chi_squared_quantile(std::stod(p), 4), quantile.get<double>(), 1e-9);
    for (std::size_t i = 0; i < 10; ++i) EXPECT_NEAR(chi_squared_above(squared[i], 4), wanted["p_values_first10"][i].get<double>(), 1e-9);
}

TEST(CovarianceVectors, DriftOfTheOtherSpeciesFromTheFirst) {
    if (!mathcore_vectors()) GTEST_SKIP() << "no vectors";
    const Matrix iris = csv("data/iris.csv"), setosa = first_rows(iris, 50);
    const base::Json wanted = expected("mahalanobis_reference.json")["drift_setosa_vs_all"];
    const Mahalanobis baseline(column_means(setosa), covariance(setosa));
    EXPECT_LT(relative_difference(squared_all(baseline, iris), wanted["d2_all_150"].get<Vector>()), 1e-10);
    Matrix versicolor(50, 4);
    std::copy_n(iris.values.begin() + 200, 200, versicolor.values.begin());
    EXPECT_NEAR(baseline.squared(column_means(versicolor)) / wanted["mean_shift_d2_rows50_99"].get<double>(), 1, 1e-10);
}

TEST(CovarianceVectors, ASingularCovarianceTakesItsPseudoInverse) {
    if (!mathcore_vectors()) GTEST_SKIP() << "no vectors";
    const base::Json wanted = expected("mahalanobis_reference.json")["singular"];
    const Matrix rows = to_matrix_of(wanted["rows"]);
    const Mahalanobis m(column_means(rows), covariance(rows));
    EXPECT_EQ(m.rank(), wanted["rank"].get<int>());
    EXPECT_LT(relative_difference(squared_all(m, rows), wanted["pinv_d2"].get<Vector>()), 1e-9);
}

TEST(CovarianceVectors, LedoitAndWolf) {
    if (!mathcore_vectors()) GTEST_SKIP() << "no vectors";
    const base::Json wanted = expected("mahalanobis_reference.json")["ledoit_wolf_iris"];
    const Shrunk found = ledoit_wolf(csv("data/iris.csv"));
    EXPECT_NEAR(found.shrinkage, wanted["shrinkage"].get<double>(), 1e-9);
    EXPECT_LT(relative_difference(found.covariance.values, to_matrix_of(wanted["covariance"]).values), 1e-9);
}

// Rousseeuw's classic: the plain distances of stack loss mask its outliers and stay below the limit.
TEST(CovarianceVectors, StackLossMasksItsOutliers) {
    if (!mathcore_vectors()) GTEST_SKIP() << "no vectors";
    const Matrix data = csv("data/stackloss.csv");
    Matrix x(data.rows, 3);
    for (std::size_t i = 0; i < data.rows; ++i)
        for (std::size_t c = 0; c < 3; ++c) x(i, c) = data(i, c);
    double sum = 0;
    for (double d : squared_all(Mahalanobis(column_means(x), covariance(x)), x)) {
        EXPECT_LT(d, chi_squared_quantile(0.975, 3));
        sum += d;
    }
    EXPECT_NEAR(sum, 3.0 * 20, 1e-9);  // trace of the identity times n - 1
}

// Three points on a line: the sample's covariance is diag(2/3, 0), and by hand beta = 1/27, delta = 1/9.
TEST(Covariance, ShrinksThreePointsByHand) {
    Matrix x(3, 2);
    x(0, 0) = -1, x(2, 0) = 1;
    const Shrunk found = ledoit_wolf(x);
    EXPECT_NEAR(found.shrinkage, 1.0 / 3, 1e-12);
    EXPECT_NEAR(found.covariance(0, 0), 2.0 / 3 * 2 / 3 + 1.0 / 9, 1e-12);
    EXPECT_NEAR(found.covariance(1, 1), 1.0 / 9, 1e-12);
    EXPECT_DOUBLE_EQ(found.covariance(0, 1), 0);
}

// In closed form for two numerator degrees; the normal one as SciPy has it.
TEST(Distributions, QuantilesAreScipys) {
    EXPECT_NEAR(f_quantile(0.95, 2, 28), 14 * (std::pow(0.05, -1.0 / 14) - 1), 1e-9);
    EXPECT_NEAR(normal_quantile(0.975), 1.9599639845400545, 1e-12);
    EXPECT_NEAR(sidak(0.05, 7), 1 - std::pow(0.95, 1.0 / 7), 1e-15);
}

// The nominal level holds though mean and covariance are estimated, where a chi-squared limit is off by an order (n = 7: 30 times).
// Newcombe's examples (Statistics in Medicine 17, 1998, method 3).
TEST(Distributions, SharesHaveTheirPublishedIntervals) {
    const struct {
        int seen, of;
        double low, high;
    } published[] = {{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718}};
    for (const auto& p : published) {
        const Interval found = share_interval(double(p.seen) / p.of, p.of);
        EXPECT_NEAR(found.low, p.low, 5e-5) << p.seen;
        EXPECT_NEAR(found.high, p.high, 5e-5) << p.seen;
    }
    EXPECT_EQ(share_interval(0, 0).high, 1);  // of none nothing is known
}

TEST(Distributions, HotellingsLimitHoldsItsLevel) {
    Rng rng("hotelling");
    constexpr double ALPHA = 0.0027;
    for (const int n : {7, 14, 30}) {
        const double limit = hotelling_limit(2, n, ALPHA);
        int beyond = 0, beyond_plain = 0;
        constexpr int DRAWS = 20'000;
        for (int draw = 0; draw < DRAWS; ++draw) {
            Matrix x(std::size_t(n), 2);
            for (double& v : x.values) v = rng.normal();
            const Vector next = {rng.normal(), rng.normal()};
            const double squared = Mahalanobis(column_means(x), covariance(x)).squared(next);
            beyond += squared > limit;
            beyond_plain += squared > chi_squared_quantile(1 - ALPHA, 2);
        }
        EXPECT_NEAR(double(beyond) / DRAWS, ALPHA, 3 * std::sqrt(ALPHA / DRAWS)) << n;
        EXPECT_GT(double(beyond_plain) / DRAWS, 3 * ALPHA) << n;
    }
    EXPECT_TRUE(std::isinf(hotelling_limit(3, 3, ALPHA)));
}

}  // namespace
}  // namespace router::math
