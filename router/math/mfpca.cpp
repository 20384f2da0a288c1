#include "router/math/mfpca.h"

#include <algorithm>
#include <cmath>

#include "router/math/eigen.h"
#include "router/math/robust.h"

namespace router::math {
namespace {

double weight_of(double variance) { return variance > 0 ? 1 / std::sqrt(variance) : 0; }

// Z: N × sum M_j.
Matrix stacked(const std::vector<Fpca>& parts, const Vector& variances) {
    std::size_t columns = 0;
    for (const Fpca& part : parts) columns += part.components();
    Matrix z(parts.front().scores.rows, columns);
    for (std::size_t i = 0; i < z.rows; ++i) {
        std::size_t at = 0;
        for (std::size_t j = 0; j < parts.size(); ++j)
            for (double score : parts[j].scores.row(i)) z(i, at++) = score * weight_of(variances[j]);
    }
    return z;
}

// ψ of one block, whose columns begin at `first` of the mixing matrix.
Matrix functions_of(const Fpca& part, double variance, const Matrix& mixing, std::size_t first) {
    Matrix out(mixing.cols, part.mean.size());
    for (std::size_t k = 0; k < mixing.cols; ++k)
        for (std::size_t m = 0; m < part.components(); ++m)
            for (std::size_t t = 0; t < out.cols; ++t) out(k, t) += mixing(first + m, k) * part.functions(m, t) * std::sqrt(variance);
    return out;
}

}  // namespace

Mfpca mfpca(const std::vector<Block>& blocks, int components) {
    Mfpca out;
    for (const Block& block : blocks) {
        out.parts.push_back(fpca(block.curves, block.weights, block.components));
        out.variances.push_back(out.parts.back().total_variance);
    }
    const Matrix z = stacked(out.parts, out.variances);
    const Eigen::MatrixXd gram = view(z).transpose() * view(z) / double(z.rows - 1);
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(gram);
    const std::size_t kept = std::min(std::size_t(std::max(components, 0)), z.cols);
    out.mixing = Matrix(z.cols, kept);
    for (std::size_t k = 0; k < kept; ++k) {
        const Eigen::Index from = Eigen::Index(z.cols - 1 - k);  // the solver's eigenvalues rise
        out.eigenvalues.push_back(solver.eigenvalues()[from]);
        Eigen::VectorXd c = solver.eigenvectors().col(from);
        Eigen::Index largest = 0;
        c.cwiseAbs().maxCoeff(&largest);
        if (c[largest] < 0) c = -c;
        for (std::size_t m = 0; m < z.cols; ++m) out.mixing(m, k) = c[Eigen::Index(m)];
    }
    out.scores = to_matrix(RowMajor(view(z) * view(out.mixing)));
    std::size_t first = 0;
    for (std::size_t j = 0; j < out.parts.size(); ++j) {
        out.functions.push_back(functions_of(out.parts[j], out.variances[j], out.mixing, first));
        first += out.parts[j].components();
    }
    return out;
}

Vector project(const Mfpca& model, const std::vector<Vector>& block_scores) {
    Vector out(model.mixing.cols);
    std::size_t at = 0;
    for (std::size_t j = 0; j < block_scores.size(); ++j)
        for (double score : block_scores[j]) {
            for (std::size_t k = 0; k < out.size(); ++k) out[k] += model.mixing(at, k) * score * weight_of(model.variances[j]);
            ++at;
        }
    return out;
}

}  // namespace router::math
