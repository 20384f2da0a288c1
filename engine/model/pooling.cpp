#include "engine/model/pooling.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace engine {
namespace {

void take_largest(Mat rows, float* out) {
    for (int r = 1; r < rows.rows; ++r)
        for (int c = 0; c < rows.cols; ++c) out[c] = std::max(out[c], rows.row(r)[c]);
}

void take_mean(Mat rows, float* out) {
    for (int c = 0; c < rows.cols; ++c) {
        double sum = 0;
        for (int r = 0; r < rows.rows; ++r) sum += rows.row(r)[c];
        out[c] = float(sum / rows.rows);
    }
}

}  // namespace

const char* name(Pooling pooling) {
    switch (pooling) {
        case Pooling::mean: return "mean";
        case Pooling::cls: return "cls";
        case Pooling::last: return "last";
        case Pooling::max: return "max";
    }
    std::abort();
}

std::optional<Pooling> pooling_of(std::int64_t type) {
    switch (type) {
        case 1: return Pooling::mean;
        case 2: return Pooling::cls;
        case 3: return Pooling::last;
        default: return std::nullopt;
    }
}

void pool_rows(Pooling pooling, bool normalise, Mat rows, float* out) {
    const auto copy = [&](int r) { std::copy_n(rows.row(r), rows.cols, out); };
    switch (pooling) {
        case Pooling::cls: copy(0); break;
        case Pooling::last: copy(rows.rows - 1); break;
        case Pooling::max: copy(0), take_largest(rows, out); break;
        case Pooling::mean: take_mean(rows, out); break;
    }
    if (!normalise) return;
    double squares = 0;
    for (int c = 0; c < rows.cols; ++c) squares += double(out[c]) * out[c];
    const float scale = float(1 / std::max(std::sqrt(squares), 1e-12));
    for (int c = 0; c < rows.cols; ++c) out[c] *= scale;
}

}  // namespace engine
