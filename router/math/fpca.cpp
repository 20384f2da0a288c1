#include "router/math/fpca.h"

#include <algorithm>
#include <cmath>

#include "router/math/distributions.h"
#include "router/math/eigen.h"
#include "router/math/robust.h"

namespace router::math {
namespace {

struct Decomposition {
    Eigen::MatrixXd v;        // T × r
    Eigen::VectorXd values;   // r singular values, falling
    Eigen::RowVectorXd mean;  // T
    Eigen::VectorXd root;     // T: square roots of the weights
};

Decomposition decompose(const Matrix& curves, const Vector& weights) {
    Decomposition d;
    d.mean = view(curves).colwise().mean();
    d.root = view(weights).cwiseSqrt();
    const Eigen::MatrixXd x = (view(curves).rowwise() - d.mean) * d.root.asDiagonal();
    if (std::min(x.rows(), x.cols()) > 64) {
        const Eigen::BDCSVD<Eigen::MatrixXd> svd(x, Eigen::ComputeThinV);
        d.v = svd.matrixV(), d.values = svd.singularValues();
    } else {
        const Eigen::JacobiSVD<Eigen::MatrixXd> svd(x, Eigen::ComputeThinV);
        d.v = svd.matrixV(), d.values = svd.singularValues();
    }
    return d;
}

double sign_of(const Eigen::VectorXd& function, const Vector& weights) {
    const double integral = function.dot(view(weights)), most = function.cwiseAbs().dot(view(weights));
    if (std::abs(integral) > 1e-9 * most) return integral > 0 ? 1 : -1;
    Eigen::Index at = 0;
    function.cwiseAbs().maxCoeff(&at);
    return function[at] >= 0 ? 1 : -1;
}

// Squared distance of a curve from the plane of the components.
double orthogonal_squared(const Fpca& model, std::span<const double> curve, std::span<const double> scores) {
    Vector squares(curve.size());
    for (std::size_t t = 0; t < curve.size(); ++t) {
        double rest = curve[t] - model.mean[t];
        for (std::size_t k = 0; k < scores.size(); ++k) rest -= scores[k] * model.functions(k, t);
        squares[t] = model.weights[t] * rest * rest;
    }
    return pairwise_sum(squares);
}

int fewest(const Eigen::VectorXd& values, std::size_t curves, double share, int most) {
    const double total = values.squaredNorm();
    const int cap = std::max(1, std::min(most, int(curves / 10)));
    double sum = 0;
    for (int k = 0; k < cap && k < values.size(); ++k) {
        sum += values[k] * values[k];
        if (sum >= share * total) return k + 1;
    }
    return cap;
}

}  // namespace

double Fpca::explained() const { return total_variance > 0 ? pairwise_sum(eigenvalues) / total_variance : 0; }

Vector trapezoid_weights(std::span<const double> grid) {
    Vector weights(grid.size());
    for (std::size_t i = 1; i < grid.size(); ++i) {
        weights[i - 1] += (grid[i] - grid[i - 1]) / 2;
        weights[i] += (grid[i] - grid[i - 1]) / 2;
    }
    return weights;
}

Fpca fpca(const Matrix& curves, const Vector& weights, int components) {
    const Decomposition d = decompose(curves, weights);
    const double below = double(curves.rows - 1);
    const int kept = std::min({components, int(curves.rows) - 1, int(curves.cols)});
    Fpca out;
    out.mean = to_vector(d.mean);
    out.weights = weights;
    out.total_variance = d.values.squaredNorm() / below;
    out.functions = Matrix(std::size_t(kept), curves.cols);
    for (int k = 0; k < kept; ++k) {
        Eigen::VectorXd function = d.v.col(k);
        for (Eigen::Index t = 0; t < function.size(); ++t) function[t] = d.root[t] > 0 ? function[t] / d.root[t] : 0;
        function *= sign_of(function, weights);
        std::copy(function.begin(), function.end(), out.functions.row(std::size_t(k)).begin());
        out.eigenvalues.push_back(d.values[k] * d.values[k] / below);
    }
    out.scores = Matrix(curves.rows, std::size_t(kept));
    for (std::size_t i = 0; i < curves.rows; ++i) {
        const Vector scores = project(out, curves.row(i));
        std::copy(scores.begin(), scores.end(), out.scores.row(i).begin());
    }
    return out;
}

int components_for(const Matrix& curves, const Vector& weights, double share, int most) {
    return fewest(decompose(curves, weights).values, curves.rows, share, most);
}

std::vector<std::size_t> ordinary_curves(const Matrix& curves, const Vector& weights) {
    const Fpca model = fpca(curves, weights, components_for(curves, weights));
    const double score_limit = chi_squared_quantile(0.975, double(model.components()));
    Vector third;  // OD^(2/3) is about normal (Wilson and Hilferty 1931)
    for (std::size_t i = 0; i < curves.rows; ++i) third.push_back(std::cbrt(orthogonal_squared(model, curves.row(i), model.scores.row(i))));
    const double centre = median(third), limit = centre + median_deviation(third, centre) * normal_quantile(0.975);
    std::vector<std::size_t> kept;
    for (std::size_t i = 0; i < curves.rows; ++i) {
        double distance = 0;
        for (std::size_t k = 0; k < model.components(); ++k)
            if (model.eigenvalues[k] > 0) distance += model.scores(i, k) * model.scores(i, k) / model.eigenvalues[k];
        if (distance <= score_limit && third[i] <= limit) kept.push_back(i);
    }
    return kept;
}

Vector project(const Fpca& model, std::span<const double> curve) {
    Vector scores(model.components()), terms(curve.size());
    for (std::size_t k = 0; k < scores.size(); ++k) {
        for (std::size_t t = 0; t < curve.size(); ++t) terms[t] = model.weights[t] * (curve[t] - model.mean[t]) * model.functions(k, t);
        scores[k] = pairwise_sum(terms);
    }
    return scores;
}

Vector pace_scores(const Fpca& model, std::span<const double> curve, std::span<const double> noise) {
    std::vector<std::size_t> seen;
    for (std::size_t t = 0; t < curve.size(); ++t)
        if (std::isfinite(curve[t])) seen.push_back(t);
    const Eigen::Index n = Eigen::Index(seen.size()), k = Eigen::Index(model.components());
    Eigen::MatrixXd phi(n, k);
    Eigen::VectorXd away(n), variance(n);
    for (Eigen::Index i = 0; i < n; ++i) {
        for (Eigen::Index j = 0; j < k; ++j) phi(i, j) = model.functions(std::size_t(j), seen[std::size_t(i)]);
        away[i] = curve[seen[std::size_t(i)]] - model.mean[seen[std::size_t(i)]];
        variance[i] = noise[seen[std::size_t(i)]];
    }
    if (n == 0) return Vector(model.components(), 0.0);
    const Eigen::MatrixXd loaded = phi * view(model.eigenvalues).asDiagonal();
    Eigen::MatrixXd sigma = loaded * phi.transpose();
    sigma.diagonal() += variance + Eigen::VectorXd::Constant(n, 1e-6 * sigma.trace() / double(n));
    return to_vector(Eigen::VectorXd(loaded.transpose() * sigma.ldlt().solve(away)));
}

}  // namespace router::math
