// Between MathCore's matrices and Eigen's; for the .cpp files of this folder only.
#pragma once

#include <Eigen/Dense>

#include "router/math/matrix.h"

namespace router::math {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

inline Eigen::Map<const RowMajor> view(const Matrix& m) { return {m.values.data(), Eigen::Index(m.rows), Eigen::Index(m.cols)}; }
inline Eigen::Map<const Eigen::VectorXd> view(const Vector& v) { return {v.data(), Eigen::Index(v.size())}; }

template <class Expression>
Matrix to_matrix(const Expression& e) {
    Matrix out(std::size_t(e.rows()), std::size_t(e.cols()));
    Eigen::Map<RowMajor>(out.values.data(), e.rows(), e.cols()) = e;
    return out;
}

template <class Expression>
Vector to_vector(const Expression& e) {
    Vector out(std::size_t(e.size()));
    Eigen::Map<Eigen::VectorXd>(out.data(), e.size()) = e;
    return out;
}

}  // namespace router::math
