#include "router/math/mixture.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "router/math/covariance.h"
#include "router/math/eigen.h"
#include "router/math/robust.h"

namespace router::math {
namespace {

constexpr double LOG_2PI = 1.8378770664093454836;

// A component ready to be asked: its Cholesky factor and what does not hang on the point.
struct Density {
    Eigen::LLT<Eigen::MatrixXd> factor;
    Eigen::VectorXd mean;
    double constant = 0;  // ln weight - (d ln 2π + ln det)/2

    double log(std::span<const double> x) const {
        const Eigen::VectorXd away = Eigen::Map<const Eigen::VectorXd>(x.data(), Eigen::Index(x.size())) - mean;
        return constant - factor.matrixL().solve(away).squaredNorm() / 2;
    }
    // Of all points.
    Eigen::VectorXd logs(const Matrix& x) const {
        const Eigen::MatrixXd away = view(x).transpose().colwise() - mean;
        return (constant - factor.matrixL().solve(away).colwise().squaredNorm().array() / 2).transpose();
    }
};

std::vector<Density> densities(const Mixture& m) {
    std::vector<Density> out(m.components());
    for (std::size_t k = 0; k < out.size(); ++k) {
        out[k].factor.compute(view(m.covariances[k]));
        out[k].mean = Eigen::Map<const Eigen::VectorXd>(m.means.row(k).data(), Eigen::Index(m.means.cols));
        const double half_log_det = Eigen::MatrixXd(out[k].factor.matrixL()).diagonal().array().log().sum();
        out[k].constant = std::log(m.weights[k]) - double(m.means.cols) * LOG_2PI / 2 - half_log_det;
    }
    return out;
}

// Holds what the M step found to the shape. weights: K.
void constrain(std::vector<Matrix>& covariances, const Vector& weights, Shape shape) {
    const std::size_t d = covariances.front().rows;
    if (shape == Shape::tied) {
        Matrix pooled(d, d);
        for (std::size_t k = 0; k < covariances.size(); ++k)
            for (std::size_t i = 0; i < d * d; ++i) pooled.values[i] += weights[k] * covariances[k].values[i];
        std::fill(covariances.begin(), covariances.end(), pooled);
    }
    if (shape != Shape::diagonal && shape != Shape::spherical) return;
    for (Matrix& c : covariances) {
        double trace = 0;
        for (std::size_t i = 0; i < d; ++i) trace += c(i, i);
        for (std::size_t i = 0; i < d; ++i)
            for (std::size_t j = 0; j < d; ++j) c(i, j) = i != j ? 0 : shape == Shape::spherical ? trace / double(d) : c(i, i);
    }
}

// Parameters from responsibilities r: N × K.
Mixture maximise(const Matrix& x, const Eigen::MatrixXd& r, const MixtureOptions& options) {
    const auto points = view(x);
    const Eigen::Index k_count = r.cols();
    Mixture out;
    out.means = Matrix(std::size_t(k_count), x.cols);
    for (Eigen::Index k = 0; k < k_count; ++k) {
        const double mass = r.col(k).sum() + 10 * std::numeric_limits<double>::epsilon();
        const Eigen::RowVectorXd mean = r.col(k).transpose() * points / mass;
        const Eigen::MatrixXd away = points.rowwise() - mean;
        const Eigen::MatrixXd spread = away.transpose() * r.col(k).asDiagonal() * away / mass;
        std::copy(mean.begin(), mean.end(), out.means.row(std::size_t(k)).begin());
        out.weights.push_back(mass / double(x.rows));
        out.covariances.push_back(to_matrix(spread));
    }
    constrain(out.covariances, out.weights, options.shape);
    for (Matrix& c : out.covariances)
        for (std::size_t i = 0; i < c.rows; ++i) c(i, i) += options.floor;
    const double sum = pairwise_sum(out.weights);
    for (double& w : out.weights) w /= sum;
    return out;
}

// Responsibilities (N × K) into r; gives the log-likelihood.
double expect(const Mixture& m, const Matrix& x, Eigen::MatrixXd& r) {
    const auto parts = densities(m);
    r.resize(Eigen::Index(x.rows), Eigen::Index(parts.size()));
    for (std::size_t k = 0; k < parts.size(); ++k) r.col(Eigen::Index(k)) = parts[k].logs(x);
    const Eigen::VectorXd top = r.rowwise().maxCoeff();
    r = (r.colwise() - top).array().exp();
    const Eigen::VectorXd sums = r.rowwise().sum();
    r.array().colwise() /= sums.array();
    const Vector logs = to_vector(Eigen::VectorXd(top.array() + sums.array().log()));
    return pairwise_sum(logs);
}

double squared_distance(std::span<const double> a, std::span<const double> b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

// Centres by k-means++, then the parameters of their nearest points.
Mixture seeded(const Matrix& x, std::size_t components, const MixtureOptions& options, Rng& rng) {
    std::vector<std::size_t> centres = {rng.below(x.rows)};
    Vector nearest(x.rows, std::numeric_limits<double>::infinity());
    while (centres.size() < components) {
        for (std::size_t i = 0; i < x.rows; ++i) nearest[i] = std::min(nearest[i], squared_distance(x.row(i), x.row(centres.back())));
        double left = rng.uniform() * pairwise_sum(nearest);
        std::size_t pick = 0;
        while (pick + 1 < x.rows && (left -= nearest[pick]) > 0) ++pick;
        centres.push_back(pick);
    }
    Eigen::MatrixXd r = Eigen::MatrixXd::Zero(Eigen::Index(x.rows), Eigen::Index(components));
    for (std::size_t i = 0; i < x.rows; ++i) {
        std::size_t best = 0;
        for (std::size_t k = 1; k < components; ++k)
            if (squared_distance(x.row(i), x.row(centres[k])) < squared_distance(x.row(i), x.row(centres[best]))) best = k;
        r(Eigen::Index(i), Eigen::Index(best)) = 1;
    }
    return maximise(x, r, options);
}

// The least distance between two means, in units of their mean covariance.
double least_separation(const Mixture& m) {
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t a = 0; a < m.components(); ++a)
        for (std::size_t b = a + 1; b < m.components(); ++b) {
            Matrix between = m.covariances[a];
            for (std::size_t i = 0; i < between.values.size(); ++i) between.values[i] = (between.values[i] + m.covariances[b].values[i]) / 2;
            const auto mean = m.means.row(a);
            least = std::min(least, Mahalanobis(Vector(mean.begin(), mean.end()), between).squared(m.means.row(b)));
        }
    return std::sqrt(least);
}

}  // namespace

int free_parameters(std::size_t components, std::size_t dimensions, Shape shape) {
    const int k = int(components), d = int(dimensions), square = d * (d + 1) / 2;
    const int spread = shape == Shape::full ? k * square : shape == Shape::tied ? square : shape == Shape::diagonal ? k * d : k;
    return k - 1 + k * d + spread;
}

double log_sum_exp(std::span<const double> values) {
    const double top = *std::max_element(values.begin(), values.end());
    if (!std::isfinite(top)) return top;
    double sum = 0;
    for (double v : values) sum += std::exp(v - top);
    return top + std::log(sum);
}

Vector log_joint(const Mixture& m, std::span<const double> x) {
    Vector out;
    for (const Density& d : densities(m)) out.push_back(d.log(x));
    return out;
}

Vector responsibilities(const Mixture& m, std::span<const double> x) {
    Vector out = log_joint(m, x);
    const double whole = log_sum_exp(out);
    for (double& v : out) v = std::exp(v - whole);
    return out;
}

double log_likelihood(const Mixture& m, const Matrix& x) {
    Eigen::MatrixXd r;
    return expect(m, x, r);
}

Mixture step(const Mixture& m, const Matrix& x, const MixtureOptions& options) {
    Eigen::MatrixXd r;
    expect(m, x, r);
    return maximise(x, r, options);
}

MixtureFit fit_from(Mixture begin, const Matrix& x, const MixtureOptions& options) {
    MixtureFit out{.mixture = std::move(begin)};
    Eigen::MatrixXd r;
    out.log_likelihood = expect(out.mixture, x, r);
    while (out.iterations < options.iterations && !out.converged) {
        out.mixture = maximise(x, r, options);
        const double now = expect(out.mixture, x, r);
        out.converged = std::abs(now - out.log_likelihood) < options.tolerance * double(x.rows);
        out.log_likelihood = now;
        ++out.iterations;
    }
    out.bic = -2 * out.log_likelihood + free_parameters(out.mixture.components(), x.cols, options.shape) * std::log(double(x.rows));
    return out;
}

MixtureFit fit(const Matrix& x, int components, const MixtureOptions& options, Rng& rng, int starts) {
    MixtureOptions brief = options;
    brief.iterations = std::min(options.iterations, 30);
    MixtureFit best;
    for (int i = 0; i < (components == 1 ? 1 : starts); ++i) {
        MixtureFit next = fit_from(seeded(x, std::size_t(components), options, rng), x, brief);
        if (i == 0 || next.log_likelihood > best.log_likelihood) best = std::move(next);
    }
    return best.converged ? best : fit_from(std::move(best.mixture), x, options);
}

MixtureFit select(const Matrix& x, const MixtureOptions& options, const SplitRule& rule, std::size_t effective, Rng& rng) {
    MixtureFit best = fit(x, 1, options, rng);
    const double n = double(x.rows), independent = double(std::min(effective, x.rows));
    const auto bic = [&](const MixtureFit& f) {
        return -2 * f.log_likelihood * independent / n + free_parameters(f.mixture.components(), x.cols, options.shape) * std::log(independent);
    };
    best.bic = bic(best);
    if (independent < rule.least_points) return best;
    const double one = best.bic;
    for (int k = 2; k <= rule.most; ++k) {
        MixtureFit next = fit(x, k, options, rng);
        next.bic = bic(next);
        const double least = *std::min_element(next.mixture.weights.begin(), next.mixture.weights.end());
        const bool believed = one - next.bic >= rule.bic_gain && least_separation(next.mixture) >= rule.separation && least >= std::max(rule.least_weight, 3 / independent);
        if (believed && next.bic < best.bic) best = std::move(next);
    }
    return best;
}

}  // namespace router::math
