#include "router/math/robust.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "router/math/eigen.h"

namespace router::math {
namespace {

constexpr double NONE = std::numeric_limits<double>::quiet_NaN();
constexpr double TO_SIGMA = 1.4826;  // 1/Φ⁻¹(3/4)

// One step of iteratively reweighted least squares; weights: n.
Vector weighted_fit(const Matrix& x, const Vector& y, const Vector& weights) {
    const Eigen::VectorXd root = view(weights).cwiseSqrt();
    const Eigen::MatrixXd a = root.asDiagonal() * view(x);
    const Eigen::VectorXd b = root.cwiseProduct(view(y));
    return to_vector(a.completeOrthogonalDecomposition().solve(b));
}

}  // namespace

double pairwise_sum(std::span<const double> values) {
    if (values.size() <= 8) {
        double sum = 0;
        for (double v : values) sum += v;
        return sum;
    }
    const std::size_t half = values.size() / 2;
    return pairwise_sum(values.first(half)) + pairwise_sum(values.subspan(half));
}

double mean_of(std::span<const double> values) { return values.empty() ? NONE : pairwise_sum(values) / double(values.size()); }

double median(Vector values) {
    if (values.empty()) return NONE;
    const auto middle = values.begin() + std::ptrdiff_t(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    if (values.size() % 2) return *middle;
    return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

double median_deviation(std::span<const double> values, double centre) {
    Vector away;
    away.reserve(values.size());
    for (double v : values) away.push_back(std::abs(v - centre));
    return TO_SIGMA * median(std::move(away));
}

double sorted_quantile(std::span<const double> sorted, double p) {
    if (sorted.empty()) return NONE;
    const double at = p * double(sorted.size() - 1);
    const std::size_t low = std::min(std::size_t(at), sorted.size() - 1), high = std::min(low + 1, sorted.size() - 1);
    return sorted[low] + (at - double(low)) * (sorted[high] - sorted[low]);
}

double quantile(Vector values, double p) {
    std::sort(values.begin(), values.end());
    return sorted_quantile(values, p);
}

double huber_mean(std::span<const double> values, double c) {
    double m = median(Vector(values.begin(), values.end()));
    const double bound = c * (values.empty() ? 0 : median_deviation(values, m));
    if (!(bound > 0)) return m;
    Vector clipped(values.size());
    for (int round = 0; round < 50; ++round) {  // m + mean of the clipped residuals contracts to the root
        double inside = 0;
        for (std::size_t i = 0; i < values.size(); ++i) {
            clipped[i] = winsorised(values[i] - m, bound);
            inside += std::abs(values[i] - m) < bound;
        }
        const double step = pairwise_sum(clipped) / std::max(1.0, inside);
        m += step;
        if (std::abs(step) <= 1e-12 * bound) break;
    }
    return m;
}

Vector robust_regression(const Matrix& x, const Vector& y) {
    Vector weights(x.rows, 1.0), fit;
    for (int round = 0; round < 30; ++round) {
        const Vector before = fit;
        fit = weighted_fit(x, y, weights);
        const Eigen::VectorXd residual = view(y) - view(x) * view(fit);
        const double scale = median_deviation({residual.data(), std::size_t(residual.size())}, 0);
        if (!(scale > 0)) break;
        for (std::size_t i = 0; i < x.rows; ++i) weights[i] = std::min(1.0, 1.345 * scale / std::max(std::abs(residual[Eigen::Index(i)]), 1e-300));
        if (!before.empty() && (view(fit) - view(before)).norm() <= 1e-10 * (1 + view(fit).norm())) break;
    }
    return fit;
}

}  // namespace router::math
