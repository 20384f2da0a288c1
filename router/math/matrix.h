// The values that MathCore's functions take and give: plain vectors and matrices, so that no caller sees Eigen.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace router::math {

using Vector = std::vector<double>;

// rows × cols values, row after row.
struct Matrix {
    std::size_t rows = 0, cols = 0;
    Vector values;

    Matrix() = default;
    Matrix(std::size_t r, std::size_t c, double fill = 0) : rows(r), cols(c), values(r * c, fill) {}

    double& operator()(std::size_t r, std::size_t c) { return values[r * cols + c]; }
    double operator()(std::size_t r, std::size_t c) const { return values[r * cols + c]; }
    std::span<double> row(std::size_t r) { return {values.data() + r * cols, cols}; }
    std::span<const double> row(std::size_t r) const { return {values.data() + r * cols, cols}; }
};

}  // namespace router::math
