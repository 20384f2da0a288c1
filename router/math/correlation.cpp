#include "router/math/correlation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "router/math/eigen.h"
#include "router/math/robust.h"

namespace router::math {
namespace {

// Of one node: residuals of a straight line in the load, a missing day at their middle.
Vector without_load(const Matrix& z, std::size_t node, const Vector& load) {
    Vector x, y;
    for (std::size_t d = 0; d < z.rows; ++d)
        if (std::isfinite(z(d, node))) x.push_back(load[d]), y.push_back(z(d, node));
    const double mean_x = x.empty() ? 0 : mean_of(x), mean_y = y.empty() ? 0 : mean_of(y);
    double xy = 0, xx = 0;
    for (std::size_t i = 0; i < x.size(); ++i) xy += (x[i] - mean_x) * (y[i] - mean_y), xx += (x[i] - mean_x) * (x[i] - mean_x);
    const double slope = xx > 0 ? xy / xx : 0;
    Vector out(z.rows);
    for (std::size_t d = 0; d < z.rows; ++d) out[d] = std::isfinite(z(d, node)) ? z(d, node) - mean_y - slope * (load[d] - mean_x) : 0;
    return out;
}

// Column j: the ranks of node j, centred and of length 1; a node without spread is all zero.
Eigen::MatrixXd standardised_ranks(const Matrix& z, const Vector& load) {
    Eigen::MatrixXd out(Eigen::Index(z.rows), Eigen::Index(z.cols));
    for (std::size_t j = 0; j < z.cols; ++j) {
        const Vector r = ranks(without_load(z, j, load));
        Eigen::VectorXd column = view(r).array() - view(r).mean();
        const double length = column.norm();
        out.col(Eigen::Index(j)) = length > 0 ? Eigen::VectorXd(column / length) : Eigen::VectorXd::Zero(column.size());
    }
    return out;
}

// Shrunk correlations of standardised columns.
Eigen::MatrixXd shrunk(const Eigen::MatrixXd& columns) {
    Eigen::MatrixXd r = columns.transpose() * columns;
    const double n = double(columns.rows());
    double variances = 0, squares = 0;
    for (Eigen::Index i = 0; i < r.rows(); ++i)
        for (Eigen::Index j = 0; j < i; ++j) {
            variances += std::pow(1 - r(i, j) * r(i, j), 2) / (n - 1);
            squares += r(i, j) * r(i, j);
        }
    const double keep = squares > 0 ? 1 - std::min(1.0, variances / squares) : 0;
    r = keep * (r + r.transpose()).eval() / 2;  // a product of blocks need not be symmetric to the last bit
    r.diagonal().setOnes();
    return r;
}

double largest_eigenvalue(const Eigen::MatrixXd& m) {
    return Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(m, Eigen::EigenvaluesOnly).eigenvalues()[m.rows() - 1];
}

}  // namespace

Vector ranks(const Vector& values) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    Vector out(values.size());
    for (std::size_t from = 0; from < order.size();) {
        std::size_t to = from;
        while (to < order.size() && values[order[to]] == values[order[from]]) ++to;
        for (std::size_t i = from; i < to; ++i) out[order[i]] = double(from + to + 1) / 2;
        from = to;
    }
    return out;
}

std::optional<Coupling> coupling(const Matrix& z, const Vector& load, Rng& rng, int permutations) {
    if (z.cols < 2 || z.rows < 2 * z.cols) return std::nullopt;
    Eigen::MatrixXd columns = standardised_ranks(z, load);
    const Eigen::MatrixXd gamma = shrunk(columns);
    Coupling out{.gamma = to_matrix(gamma), .largest = largest_eigenvalue(gamma)};
    Vector shuffled;
    for (int i = 0; i < permutations; ++i) {
        for (Eigen::Index j = 0; j < columns.cols(); ++j)
            for (Eigen::Index d = columns.rows() - 1; d > 0; --d) std::swap(columns(d, j), columns(Eigen::Index(rng.below(std::size_t(d) + 1)), j));
        shuffled.push_back(largest_eigenvalue(shrunk(columns)));
    }
    out.threshold = quantile(std::move(shuffled), 0.95);
    out.coupled = out.largest > out.threshold;
    return out;
}

}  // namespace router::math
