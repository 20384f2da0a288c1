#include "router/math/fpca.h"

#include <algorithm>

#include "router/math/covariance.h"
#include "router/math/mfpca.h"
#include "router/math/random.h"
#include "vectors.h"

namespace router::math {
namespace {

void expect_agrees(const Fpca& found, const base::Json& wanted) {
    EXPECT_LT(relative_difference(found.mean, wanted["mean"].get<Vector>()), 1e-10);
    EXPECT_LT(relative_difference(found.eigenvalues, wanted["eigenvalues"].get<Vector>()), 1e-10);
    EXPECT_NEAR(found.total_variance / wanted["total_variance"].get<double>(), 1, 1e-10);
    const Matrix components = to_matrix_of(wanted["components"]), scores = to_matrix_of(wanted["scores"]);
    for (std::size_t k = 0; k < found.components(); ++k) {
        const auto function = found.functions.row(k);
        EXPECT_LT(relative_difference_up_to_sign(Vector(function.begin(), function.end()), components.row(k)), 1e-10) << "component " << k;
        EXPECT_LT(relative_difference_up_to_sign(column_of(found.scores, k), column_of(scores, k)), 1e-10) << "component " << k;
        EXPECT_NEAR(found.eigenvalues[k] / found.total_variance, wanted["explained_ratio"][k].get<double>(), 1e-12);
        EXPECT_NEAR(std::sqrt(found.eigenvalues[k] * double(found.scores.rows - 1)) / wanted["singular_values"][k].get<double>(), 1, 1e-10);
    }
}

TEST(FpcaVectors, EverySetUnderBothWeights) {
    if (!mathcore_vectors()) GTEST_SKIP() << "no vectors";
    const auto file = expected("fpca_reference.json");
    ASSERT_EQ(file["sets"].size(), 4U);
    for (const auto& [name, set] : file["sets"].items()) {
        SCOPED_TRACE(name);
        const Matrix curves = transposed(csv(set["data"].get<std::string>()));
        const auto grid = set["grid"].get<Vector>();
        ASSERT_EQ(curves.cols, grid.size());
        expect_agrees(fpca(curves, Vector(grid.size(), 1.0), 4), set["unit_weights"]);
        const Vector weights = trapezoid_weights(grid);
        EXPECT_EQ(weights, set["trapezoid_weights"]["weights"].get<Vector>());
        expect_agrees(fpca(curves, weights, 4), set["trapezoid_weights"]);
    }
}

TEST(FpcaVectors, RsPrincipalComponentsOfTheWeather) {
    if (!mathcore_vectors()) GTEST_SKIP() << "no vectors";
    const Matrix curves = transposed(csv("data/canweather_temp.csv"));
    const Fpca found = fpca(curves, Vector(curves.cols, 1.0), 34);
    const Matrix rotation = csv("expected/R_canweather_prcomp_rot4.csv"), scores = csv("expected/R_canweather_prcomp_scores4.csv");
    const Matrix variances = csv("expected/R_canweather_prcomp_var.csv");  // its last, beyond the rank, is rounding
    for (std::size_t k = 0; k < 34; ++k) EXPECT_NEAR(found.eigenvalues[k] / variances(k, 0), 1, 1e-9) << k;
    for (std::size_t k = 0; k < 4; ++k) {
        const auto function = found.functions.row(k);
        EXPECT_LT(relative_difference_up_to_sign(Vector(function.begin(), function.end()), column_of(rotation, k)), 1e-10);
        EXPECT_LT(relative_difference_up_to_sign(column_of(found.scores, k), column_of(scores, k)), 1e-10);
    }
}

// Published with nine digits, from R's fda.usc.
TEST(FpcaVectors, ScikitFdasArraysOnTheGrid) {
    if (!mathcore_vectors()) GTEST_SKIP() << "no vectors";
    const base::Json arrays = expected("skfda_test_arrays_canweather_temp.json")["functions"];
    const Matrix curves = transposed(csv("data/canweather_temp.csv"));
    const Fpca unit = fpca(curves, Vector(curves.cols, 1.0), 1);
    const auto function = unit.functions.row(0);
    EXPECT_LT(relative_difference_up_to_sign(Vector(function.begin(), function.end()), arrays["test_grid_fpca_fit_result"]["results"].get<Vector>()), 1e-6);
    EXPECT_NEAR(std::sqrt(unit.eigenvalues[0] * 34), arrays["test_grid_fpca_fit_result"]["singular_value"].get<double>(), 1e-4);
    // Its transform puts trapezoidal weights on a function that was fitted without.
    Fpca mixed = unit;
    mixed.weights.front() = mixed.weights.back() = 0.5;
    Vector scores;
    for (std::size_t i = 0; i < curves.rows; ++i) scores.push_back(project(mixed, curves.row(i))[0]);
    EXPECT_LT(relative_difference_up_to_sign(scores, arrays["test_grid_fpca_transform_result"]["results"].get<Vector>()), 1e-6);
}

// Coefficients of the orthonormal Fourier basis of nine functions on (0, 365), by least squares over the days at first, first + 1, …
Matrix fourier_coefficients(const Matrix& curves, double first) {
    constexpr double PERIOD = 365;
    Matrix out(curves.rows, 9);
    for (std::size_t i = 0; i < curves.rows; ++i)
        for (std::size_t t = 0; t < curves.cols; ++t) {
            const double at = (double(t) + first) * 2 * M_PI / PERIOD;
            out(i, 0) += curves(i, t) / std::sqrt(PERIOD);
            for (std::size_t k = 1; k <= 4; ++k) {  // the points are evenly spaced, so that the basis is orthogonal over them too
                out(i, 2 * k - 1) += curves(i, t) * std::sin(double(k) * at) * std::sqrt(2 / PERIOD);
                out(i, 2 * k) += curves(i, t) * std::cos(double(k) * at) * std::sqrt(2 / PERIOD);
            }
        }
    return out;
}

// A roughness penalty of 10⁵ on the second derivative, which in this basis is diagonal, is the same as these weights: what is penalised,
// c'(I + λR)c = 1, is W φ, and the scores are those of the weighted decomposition.
Vector penalised_weights() {
    Vector out(9, 1.0);
    for (std::size_t k = 1; k <= 4; ++k) out[2 * k - 1] = out[2 * k] = 1 / (1 + 1e5 * std::pow(2 * M_PI * double(k) / 365, 4));
    return out;
}

void expect_functions(const Fpca& found, const Matrix& wanted) {
    for (std::size_t k = 0; k < wanted.rows; ++k) {
        Vector function;
        for (std::size_t c = 0; c < wanted.cols; ++c) function.push_back(found.weights[c] * found.functions(k, c));
        EXPECT_LT(relative_difference_up_to_sign(function, wanted.row(k)), 1e-6) << k;
    }
}

TEST(FpcaVectors, ScikitFdasArraysInAFourierBasis) {
    if (!mathcore_vectors()) GTEST_SKIP() << "no vectors";
    const base::Json arrays = expected("skfda_test_arrays_canweather_temp.json")["functions"];
    const Matrix curves = transposed(csv("data/canweather_temp.csv"));
    expect_functions(fpca(fourier_coefficients(curves, 1), Vector(9, 1.0), 3), to_matrix_of(arrays["test_basis_fpca_noregularization_fit_result"]["results"]));
    expect_functions(fpca(fourier_coefficients(curves, 0.5), penalised_weights(), 3), to_matrix_of(arrays["test_basis_fpca_fit_result"]["results"]));
    const Matrix scores = to_matrix_of(arrays["test_basis_fpca_transform_result"]["results"]);
    const Fpca later = fpca(fourier_coefficients(curves, 1), penalised_weights(), 3);
    for (std::size_t k = 0; k < 3; ++k) EXPECT_LT(relative_difference_up_to_sign(column_of(later.scores, k), column_of(scores, k)), 1e-6) << k;
}

Matrix planted(std::size_t n, double noise, Rng& rng) {
    Matrix out(n, 7);
    for (std::size_t i = 0; i < n; ++i) {
        const double a = 3 * rng.normal(), b = rng.normal();
        for (std::size_t t = 0; t < 7; ++t) out(i, t) = 5 + a + b * (double(t) - 3) / 2 + noise * rng.normal();
    }
    return out;
}

const Vector WEEK = {0, 1, 2, 3, 4, 5, 6};

TEST(Fpca, FindsTwoPlantedComponentsWithTheirSigns) {
    Rng rng("planted");
    const Fpca found = fpca(planted(200, 0.05, rng), trapezoid_weights(WEEK), 2);
    const double flat = 1 / std::sqrt(6.0);  // of norm 1 under weights that sum to six
    for (std::size_t t = 0; t < 7; ++t) EXPECT_NEAR(found.functions(0, t), flat, 0.03);
    for (std::size_t j = 0; j < 2; ++j)
        for (std::size_t k = 0; k < 2; ++k) {
            double inner = 0;
            for (std::size_t t = 0; t < 7; ++t) inner += found.weights[t] * found.functions(j, t) * found.functions(k, t);
            EXPECT_NEAR(inner, j == k, 1e-12);
        }
    EXPECT_GT(found.explained(), 0.99);
}

TEST(Fpca, KeepsAsFewComponentsAsTheShareNeeds) {
    Rng rng("few");
    EXPECT_EQ(components_for(planted(200, 0.01, rng), trapezoid_weights(WEEK)), 1);        // the first alone explains 90 %
    EXPECT_EQ(components_for(planted(200, 0.01, rng), trapezoid_weights(WEEK), 0.99), 2);
    EXPECT_EQ(components_for(planted(12, 1, rng), trapezoid_weights(WEEK), 0.999), 1);     // a twelfth: at most N/10
}

TEST(Fpca, TellsTheCurvesThatAreFar) {
    Rng rng("far");
    Matrix curves = planted(100, 0.05, rng);
    for (std::size_t t = 0; t < 7; ++t) curves(3, t) += t % 2 ? 60 : -60;  // far from the plane of the components
    for (std::size_t t = 0; t < 7; ++t) curves(8, t) += 40;                // within it, and far
    const auto kept = ordinary_curves(curves, trapezoid_weights(WEEK));
    EXPECT_FALSE(std::count(kept.begin(), kept.end(), 3U));
    EXPECT_FALSE(std::count(kept.begin(), kept.end(), 8U));
    EXPECT_GE(kept.size(), 85U);
}

// The same by Gaussian elimination of the dense system.
TEST(Fpca, PaceScoresSolveTheirSystem) {
    Rng rng("pace");
    const Fpca model = fpca(planted(80, 0.2, rng), trapezoid_weights(WEEK), 2);
    Vector curve = {8, 8.5, NAN, 9, 9.5, NAN, 10};
    const Vector noise = {0.1, 0.2, 0.1, 0.1, 0.3, 0.1, 0.1};
    std::vector<std::size_t> seen = {0, 1, 3, 4, 6};
    std::vector<Vector> system(5, Vector(6));
    double trace = 0;
    const auto covariance_at = [&](std::size_t s, std::size_t t) {
        double sum = 0;
        for (std::size_t k = 0; k < 2; ++k) sum += model.eigenvalues[k] * model.functions(k, s) * model.functions(k, t);
        return sum;
    };
    for (std::size_t i : seen) trace += covariance_at(i, i);
    for (std::size_t i = 0; i < 5; ++i) {
        for (std::size_t j = 0; j < 5; ++j) system[i][j] = covariance_at(seen[i], seen[j]);
        system[i][i] += noise[seen[i]] + 1e-6 * trace / 5;
        system[i][5] = curve[seen[i]] - model.mean[seen[i]];
    }
    for (std::size_t i = 0; i < 5; ++i)
        for (std::size_t j = 0; j < 5; ++j) {
            if (i == j) continue;
            const double factor = system[j][i] / system[i][i];
            for (std::size_t c = 0; c < 6; ++c) system[j][c] -= factor * system[i][c];
        }
    const Vector found = pace_scores(model, curve, noise);
    for (std::size_t k = 0; k < 2; ++k) {
        double wanted = 0;
        for (std::size_t i = 0; i < 5; ++i) wanted += model.eigenvalues[k] * model.functions(k, seen[i]) * system[i][5] / system[i][i];
        EXPECT_NEAR(found[k], wanted, 1e-9 * std::abs(wanted) + 1e-12);
    }
    EXPECT_EQ(pace_scores(model, Vector(7, NAN), noise), Vector(2, 0.0));
}

TEST(Mfpca, WithAllComponentsIsPcaOfTheStackedBlocks) {
    Rng rng("blocks");
    const Vector weights = trapezoid_weights(WEEK);
    std::vector<Block> blocks;
    for (int j = 0; j < 3; ++j) blocks.push_back({planted(60, 0.5 + j, rng), weights, 7});
    const Mfpca found = mfpca(blocks, 21);
    Matrix stacked(60, 21);
    for (std::size_t j = 0; j < 3; ++j)
        for (std::size_t i = 0; i < 60; ++i)
            for (std::size_t t = 0; t < 7; ++t) stacked(i, 7 * j + t) = blocks[j].curves(i, t) * std::sqrt(weights[t] / found.variances[j]);
    const Fpca whole = fpca(stacked, Vector(21, 1.0), 21);
    ASSERT_EQ(found.eigenvalues.size(), 21U);
    for (std::size_t k = 0; k < 21; ++k) EXPECT_NEAR(found.eigenvalues[k], whole.eigenvalues[k], 1e-10 * whole.eigenvalues[0]) << k;
    for (std::size_t k = 0; k < 3; ++k) EXPECT_LT(relative_difference_up_to_sign(column_of(found.scores, k), column_of(whole.scores, k)), 1e-8) << k;
}

TEST(Mfpca, ProjectsItsOwnUnitsOntoTheirScores) {
    Rng rng("project");
    const std::vector<Block> blocks = {{planted(40, 0.5, rng), trapezoid_weights(WEEK), 2}, {planted(40, 0.1, rng), trapezoid_weights(WEEK), 2}};
    const Mfpca model = mfpca(blocks, 3);
    const Vector scores = project(model, {project(model.parts[0], blocks[0].curves.row(5)), project(model.parts[1], blocks[1].curves.row(5))});
    EXPECT_LT(relative_difference(scores, model.scores.row(5)), 1e-12);
    // ψ of the blocks give the mean of a unit back, as far as the components reach.
    EXPECT_EQ(model.functions[0].rows, 3U);
    EXPECT_EQ(model.functions[1].cols, 7U);
}

}  // namespace
}  // namespace router::math
