#include "router/math/mixture.h"

#include "vectors.h"

namespace router::math {
namespace {

Shape shape_of(const std::string& name) {
    return name == "tied" ? Shape::tied : name == "diag" ? Shape::diagonal : name == "spherical" ? Shape::spherical : Shape::full;
}

// scikit-learn writes a covariance (or precision) in as few numbers as its shape needs.
Matrix square(const base::Json& value, std::size_t d) {
    if (value.is_array() && value.at(0).is_array()) return to_matrix_of(value);
    Matrix out(d, d);
    for (std::size_t i = 0; i < d; ++i) out(i, i) = value.is_array() ? value[i].get<double>() : value.get<double>();
    return out;
}

const base::Json& of_component(const base::Json& all, std::size_t k, Shape shape) { return shape == Shape::tied ? all : all[k]; }

// By elimination: independent of the code under test.
Matrix inverse(Matrix m) {
    Matrix out(m.rows, m.rows);
    for (std::size_t i = 0; i < m.rows; ++i) out(i, i) = 1;
    for (std::size_t i = 0; i < m.rows; ++i) {
        const double pivot = m(i, i);
        for (std::size_t c = 0; c < m.rows; ++c) m(i, c) /= pivot, out(i, c) /= pivot;
        for (std::size_t r = 0; r < m.rows; ++r) {
            const double factor = m(r, i);
            for (std::size_t c = 0; r != i && c < m.rows; ++c) m(r, c) -= factor * m(i, c), out(r, c) -= factor * out(i, c);
        }
    }
    return out;
}

Mixture beginning(const base::Json& run, Shape shape) {
    Mixture out{run["init"]["weights"].get<Vector>(), to_matrix_of(run["init"]["means"]), {}};
    for (std::size_t k = 0; k < out.components(); ++k) out.covariances.push_back(inverse(square(of_component(run["init"]["precisions"], k, shape), out.means.cols)));
    return out;
}

void expect_agrees(const Mixture& found, const base::Json& wanted, Shape shape, double tolerance) {
    EXPECT_LT(relative_difference(found.weights, wanted["weights"].get<Vector>()), tolerance);
    EXPECT_LT(relative_difference(found.means.values, to_matrix_of(wanted["means"]).values), tolerance);
    for (std::size_t k = 0; k < found.components(); ++k)
        EXPECT_LT(relative_difference(found.covariances[k].values, square(of_component(wanted["covariances"], k, shape), found.means.cols).values), tolerance);
}

TEST(MixtureVectors, EveryTraceOfScikitLearn) {
    if (!mathcore_vectors()) GTEST_SKIP() << "no vectors";
    const auto file = expected("gmm_reference.json");
    ASSERT_EQ(file["runs"].size(), 8U);
    for (const auto& run : file["runs"]) {
        const std::string name = run["name"];
        SCOPED_TRACE(name);
        const Matrix x = csv(name.starts_with("iris") ? "data/iris.csv" : "data/faithful.csv");
        const Shape shape = shape_of(run["covariance_type"]);
        const MixtureOptions options{.shape = shape, .floor = run["reg_covar"].get<double>(), .tolerance = 0};
        Mixture m = beginning(run, shape);
        int done = 0;
        for (const auto& entry : run["trace"]) {
            for (; done < entry["iterations"].get<int>(); ++done) m = step(m, x, options);
            SCOPED_TRACE(done);
            // The last entry is where scikit-learn rested, a few millionths before the summit.
            expect_agrees(m, entry, shape, done == 500 ? 1e-5 : 1e-9);
            EXPECT_NEAR(log_likelihood(m, x) / double(x.rows), entry["mean_loglik"].get<double>(), 1e-9);
        }
        const auto& last = run["final"];
        const double fitted = log_likelihood(m, x);
        EXPECT_NEAR(fitted, last["loglik_total"].get<double>(), 1e-6 * double(x.rows));
        const int free = free_parameters(m.components(), x.cols, shape);
        EXPECT_NEAR(-2 * fitted + free * std::log(double(x.rows)), last["bic_sklearn"].get<double>(), 1e-4);
        EXPECT_NEAR(-2 * fitted + 2 * free, last["aic"].get<double>(), 1e-4);
        for (std::size_t i = 0; i < 10; ++i) {
            EXPECT_LT(relative_difference(responsibilities(m, x.row(i)), last["responsibilities_first10"][i].get<Vector>()), 1e-5);
            EXPECT_NEAR(log_sum_exp(log_joint(m, x.row(i))), last["score_samples_first10"][i].get<double>(), 2e-5);
        }
        const auto labels = last["labels"].get<std::vector<int>>();
        for (std::size_t i = 0; i < x.rows; ++i) {
            const Vector shares = responsibilities(m, x.row(i));
            EXPECT_EQ(std::max_element(shares.begin(), shares.end()) - shares.begin(), labels[i]) << i;
        }
    }
}

// From beginnings of its own, at least what mclust's best model of that kind reaches.
TEST(MixtureVectors, FindsWhatMclustFinds) {
    if (!mathcore_vectors()) GTEST_SKIP() << "no vectors";
    const base::Json mclust = expected("gmm_reference.json")["mclust"];
    const Matrix faithful = csv("data/faithful.csv"), iris = csv("data/iris.csv");
    Rng rng("mclust");
    MixtureOptions options{.floor = 1e-9, .tolerance = 1e-10};
    const auto two = fit(faithful, 2, options, rng);
    EXPECT_GE(two.log_likelihood, mclust["faithful VVV G=2"]["loglik"].get<double>() - 1e-6 * 272);
    EXPECT_NEAR(-two.bic, mclust["faithful VVV G=2"]["bic_mclust(2*ll-df*ln n)"].get<double>(), 1e-2);
    EXPECT_GE(fit(iris, 3, options, rng).log_likelihood, mclust["iris VVV G=3"]["loglik"].get<double>() - 1e-6 * 150);
    options.shape = Shape::tied;
    const auto tied = fit(faithful, 3, options, rng);
    EXPECT_GE(tied.log_likelihood, mclust["faithful best"]["loglik"].get<double>() - 1e-6 * 272);
}

Matrix clusters(std::size_t n, double second_share, double apart, Rng& rng) {
    Matrix out(n, 2);
    for (std::size_t i = 0; i < n; ++i) {
        const bool second = rng.uniform() < second_share;
        out(i, 0) = rng.normal() + (second ? apart : 0);
        out(i, 1) = rng.normal();
    }
    return out;
}

TEST(Mixture, LogLikelihoodNeverFalls) {
    Rng rng("rises");
    const Matrix x = clusters(150, 0.3, 3, rng);
    const MixtureOptions options{.floor = 0};
    Mixture m{{0.5, 0.5}, Matrix(2, 2), {Matrix(2, 2), Matrix(2, 2)}};
    for (std::size_t k = 0; k < 2; ++k) m.means(k, 0) = double(k), m.covariances[k](0, 0) = m.covariances[k](1, 1) = 1;
    double before = log_likelihood(m, x);
    for (int i = 0; i < 200; ++i) {
        m = step(m, x, options);
        const double now = log_likelihood(m, x);
        ASSERT_GE(now, before - 1e-9) << i;
        before = now;
    }
}

TEST(Mixture, FindsPlantedClustersWhenThereAreEnoughPoints) {
    int found = 0, small = 0;
    for (int i = 0; i < 40; ++i) {
        Rng rng("planted " + std::to_string(i));
        found += select(clusters(168, 0.25, 5, rng), {}, {}, 168, rng).mixture.components() == 2;
        small += select(clusters(48, 0.25, 5, rng), {}, {}, 48, rng).mixture.components() == 2;
    }
    EXPECT_GE(found, 38);
    EXPECT_EQ(small, 0);  // below sixty points one is reported
}

// BIC alone takes heavy tails for a second cluster in about half of such sets.
TEST(Mixture, HeavyTailsAreNoClusters) {
    int split = 0, by_bic = 0;
    for (int i = 0; i < 40; ++i) {
        Rng rng("tails " + std::to_string(i));
        Matrix x(120, 2);
        for (double& v : x.values) v = std::clamp(rng.student(4) * 1.2, -3.0, 3.0);
        split += select(x, {}, {}, 120, rng).mixture.components() > 1;
        Matrix wild(120, 2);
        for (double& v : wild.values) v = rng.student(4);
        by_bic += fit(wild, 2, {}, rng).bic < fit(wild, 1, {}, rng).bic;
    }
    EXPECT_EQ(split, 0);
    EXPECT_GE(by_bic, 10);
}

TEST(Mixture, SurvivesPointsWithoutSpread) {
    Rng rng("flat");
    const MixtureFit flat = fit(Matrix(80, 3, 2.5), 3, {}, rng);
    EXPECT_TRUE(std::isfinite(flat.log_likelihood));
    EXPECT_EQ(select(Matrix(80, 3, 2.5), {}, {}, 80, rng).mixture.components(), 1U);
    EXPECT_EQ(fit(Matrix(1, 1, 0.0), 1, {}, rng).mixture.components(), 1U);
}

TEST(Mixture, IsTheSameFromTheSameName) {
    Rng data("same"), one("begin"), other("begin");
    const Matrix x = clusters(100, 0.4, 4, data);
    EXPECT_EQ(fit(x, 2, {}, one).mixture.means.values, fit(x, 2, {}, other).mixture.means.values);
}

}  // namespace
}  // namespace router::math
