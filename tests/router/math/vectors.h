// The third-party data of vectors/mathcore: real data sets and what independent libraries made of them.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include "base/json.h"
#include "router/math/matrix.h"
#include "support/fixtures.h"

namespace router::math {

inline std::optional<std::filesystem::path> mathcore_vectors() {
    auto folder = support::vectors_dir();
    if (!folder || !std::filesystem::exists(*folder / "mathcore")) return std::nullopt;
    return *folder / "mathcore";
}

inline base::Json expected(const char* file) { return base::Json::parse(support::read_text(*mathcore_vectors() / "expected" / file)); }

// The numbers of a CSV with a heading; columns of text are left out.
inline Matrix csv(const std::string& file) {
    std::ifstream in(*mathcore_vectors() / file);
    std::string line, cell;
    std::getline(in, line);
    Matrix out;
    while (std::getline(in, line)) {
        std::istringstream cells(line);
        std::size_t columns = 0;
        while (std::getline(cells, cell, ',')) {
            if (cell.empty() || cell.front() == '"') continue;
            out.values.push_back(std::stod(cell));
            ++columns;
        }
        out.cols = columns;
        ++out.rows;
    }
    return out;
}

// Files with a heading hold a grid point a line and a curve a column.
inline Matrix transposed(const Matrix& m) {
    Matrix out(m.cols, m.rows);
    for (std::size_t r = 0; r < m.rows; ++r)
        for (std::size_t c = 0; c < m.cols; ++c) out(c, r) = m(r, c);
    return out;
}

inline Matrix to_matrix_of(const base::Json& rows) {
    Matrix out(rows.size(), rows.at(0).size());
    for (std::size_t r = 0; r < out.rows; ++r)
        for (std::size_t c = 0; c < out.cols; ++c) out(r, c) = rows[r][c].get<double>();
    return out;
}

// The largest |a - b| over the largest |b|.
inline double relative_difference(std::span<const double> a, std::span<const double> b) {
    EXPECT_EQ(a.size(), b.size());
    double most = 0, size = 0;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        most = std::max(most, std::abs(a[i] - b[i]));
        size = std::max(size, std::abs(b[i]));
    }
    return size > 0 ? most / size : most;
}

// The same where b's sign is free.
inline double relative_difference_up_to_sign(Vector a, std::span<const double> b) {
    double dot = 0;
    for (std::size_t i = 0; i < a.size(); ++i) dot += a[i] * b[i];
    if (dot < 0)
        for (double& v : a) v = -v;
    return relative_difference(a, b);
}

inline Vector column_of(const Matrix& m, std::size_t c) {
    Vector out;
    for (std::size_t r = 0; r < m.rows; ++r) out.push_back(m(r, c));
    return out;
}

}  // namespace router::math
