#include "router/math/covariance.h"

#include <algorithm>
#include <limits>

#include "router/math/eigen.h"

namespace router::math {
namespace {

Eigen::MatrixXd centred(const Matrix& x) { return view(x).rowwise() - view(x).colwise().mean(); }

Shrunk shrink(const Eigen::MatrixXd& sample, double shrinkage) {
    const double mu = sample.trace() / double(sample.rows());
    Eigen::MatrixXd out = (1 - shrinkage) * sample;
    out.diagonal().array() += shrinkage * mu;
    return {to_matrix(out), shrinkage};
}

}  // namespace

Vector column_means(const Matrix& x) { return to_vector(view(x).colwise().mean()); }

Matrix covariance(const Matrix& x) {
    const Eigen::MatrixXd c = centred(x);
    return to_matrix(Eigen::MatrixXd(c.transpose() * c / double(x.rows - 1)));
}

Shrunk ledoit_wolf(const Matrix& x) {
    const Eigen::MatrixXd c = centred(x), sample = c.transpose() * c / double(x.rows);
    const double n = double(x.rows), p = double(x.cols), mu = sample.trace() / p;
    const Eigen::MatrixXd squares = c.cwiseAbs2();
    const double spread = sample.squaredNorm();
    const double beta_all = (squares.transpose() * squares).sum() / n - spread;
    const double delta = (spread - 2 * mu * sample.trace() + p * mu * mu) / p;
    const double beta = std::min(beta_all / (p * n), delta);
    return shrink(sample, beta > 0 && delta > 0 ? beta / delta : 0);
}

Mahalanobis::Mahalanobis(Vector mean, const Matrix& covariance) : mean_(std::move(mean)) {
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(Eigen::MatrixXd(view(covariance)));
    const Eigen::VectorXd& values = solver.eigenvalues();  // rising
    const Eigen::Index p = values.size();
    // Rounding leaves eigenvalues of about p·eps of the largest where there should be none; data are rarely better known.
    const double least = p ? values[p - 1] * double(p) * 16 * std::numeric_limits<double>::epsilon() : 0;
    Eigen::Index none = 0;
    while (none < p && !(values[none] > least)) ++none;
    const Eigen::MatrixXd kept = solver.eigenvectors().rightCols(p - none);
    const Eigen::VectorXd scale = values.tail(p - none).cwiseSqrt().cwiseInverse();
    root_ = to_matrix(Eigen::MatrixXd(scale.asDiagonal() * kept.transpose()));
}

double Mahalanobis::squared(std::span<const double> x) const {
    double sum = 0;
    for (std::size_t k = 0; k < root_.rows; ++k) {
        double along = 0;
        for (std::size_t c = 0; c < root_.cols; ++c) along += root_(k, c) * (x[c] - mean_[c]);
        sum += along * along;
    }
    return sum;
}

}  // namespace router::math
