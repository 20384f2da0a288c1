// Ops on rows: embed, norms, activations, sums and scales, rope.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <numbers>

#include "engine/ops/ref.h"

namespace engine::ref {

void embed(Mat out, const Weight& table, const std::int32_t* ids, Exec&) {
    const std::size_t bytes = row_bytes(table.format, std::size_t(table.cols));
    for (int r = 0; r < out.rows; ++r)
        dequantise(table.format, table.data + std::size_t(ids[r]) * bytes, out.row(r), std::size_t(out.cols));
}

void rms_norm(Mat out, Mat x, const float* w, float eps, Exec&) {
    for (int r = 0; r < x.rows; ++r) {
        const float* in = x.row(r);
        float* to = out.row(r);
        double sum = 0;
        for (int c = 0; c < x.cols; ++c) sum += double(in[c]) * in[c];
        const float scale = float(1.0 / std::sqrt(sum / x.cols + eps));
        for (int c = 0; c < x.cols; ++c) to[c] = in[c] * scale * (w ? w[c] : 1.0f);
    }
}

void group_norm(Mat out, Mat x, const float* w, int groups, float eps, Exec& exec) {
    const int cols = x.cols / groups;
    for (int i = 0; i < x.rows * groups; ++i) {
        const std::size_t at = std::size_t(i) * std::size_t(cols);
        rms_norm({out.data + at, 1, cols}, {x.data + at, 1, cols}, w + i % groups * cols, eps, exec);
    }
}

void layer_norm(Mat out, Mat x, const float* w, const float* b, float eps, Exec&) {
    for (int r = 0; r < x.rows; ++r) {
        const float* in = x.row(r);
        float* to = out.row(r);
        double sum = 0, squares = 0;
        for (int c = 0; c < x.cols; ++c) sum += in[c];
        const double mean = sum / x.cols;
        for (int c = 0; c < x.cols; ++c) squares += (in[c] - mean) * (in[c] - mean);
        const double scale = 1.0 / std::sqrt(squares / x.cols + eps);
        for (int c = 0; c < x.cols; ++c) to[c] = float((in[c] - mean) * scale * w[c] + b[c]);
    }
}

double activated(Activation activation, double gate, double up) {
    switch (activation) {
        case Activation::silu: return gate / (1.0 + std::exp(-gate)) * up;
        case Activation::gelu_tanh: {
            const double inner = std::sqrt(2 / std::numbers::pi) * (gate + 0.044715 * gate * gate * gate);
            return 0.5 * gate * (1.0 + std::tanh(inner)) * up;
        }
        case Activation::clamped_silu: {
            const double g = std::min(gate, 7.0);
            return (std::clamp(up, -7.0, 7.0) + 1.0) * g / (1.0 + std::exp(-1.702 * g));
        }
        case Activation::sigmoid: return up / (1.0 + std::exp(-gate));
        case Activation::identity: return gate * up;
    }
    std::abort();
}

void activate(Mat out, Mat gate, Mat up, Activation activation, Exec&) {
    const std::size_t n = std::size_t(out.rows) * out.cols;
    for (std::size_t i = 0; i < n; ++i) out.data[i] = float(activated(activation, gate.data[i], up.data[i]));
}

void gelu(Mat x, Exec& exec) {
    exec.pool->run(x.rows, [&](int r, int) {
        for (float* v = x.row(r); v < x.row(r) + x.cols; ++v) *v = float(0.5 * *v * std::erfc(-*v / std::numbers::sqrt2));
    });
}

void add_scaled(Mat out, Mat x, float factor, Exec&) {
    const std::size_t n = std::size_t(out.rows) * out.cols;
    for (std::size_t i = 0; i < n; ++i) out.data[i] = float(out.data[i] + double(factor) * x.data[i]);
}

void scale(Mat x, float factor, Exec&) {
    const std::size_t n = std::size_t(x.rows) * x.cols;
    for (std::size_t i = 0; i < n; ++i) x.data[i] *= factor;
}

void scale_rows(Mat x, Mat gate, Exec&) {
    for (int r = 0; r < x.rows; ++r) {
        const float factor = float(1.0 / (1.0 + std::exp(-double(gate.row(r)[0]))));
        for (int c = 0; c < x.cols; ++c) x.row(r)[c] *= factor;
    }
}

void softcap(Mat x, float cap, Exec& exec) {
    exec.pool->run(x.rows, [&](int r, int) {
        for (int c = 0; c < x.cols; ++c) x.row(r)[c] = float(cap * std::tanh(double(x.row(r)[c]) / cap));
    });
}

void subtract_row(Mat x, const float* row, Exec&) {
    for (int r = 0; r < x.rows; ++r)
        for (int c = 0; c < x.cols; ++c) x.row(r)[c] -= row[c];
}

void copy_columns(Mat out, int at, Mat x, int from, int columns, Exec&) {
    for (int r = 0; r < x.rows; ++r) std::memcpy(out.row(r) + at, x.row(r) + from, std::size_t(columns) * sizeof(float));
}

void gather_rows(Mat out, Mat x, const std::int32_t* rows, Exec&) {
    for (int r = 0; r < out.rows; ++r) std::memcpy(out.row(r), x.row(rows[r]), std::size_t(x.cols) * sizeof(float));
}

void clear(Mat x, Exec&) { std::memset(x.data, 0, std::size_t(x.rows) * std::size_t(x.cols) * sizeof(float)); }

void rope(Mat x, const RopeArgs& args, Exec&) {
    const int half = args.dim / 2;
    for (int r = 0; r < x.rows; ++r) {
        for (int i = 0; i < half; ++i) {
            // The angle in float, as the reference implementations have it.
            const float angle = float(args.positions[r]) * args.inverse_frequencies[i];
            const float c = float(std::cos(double(angle))) * args.magnitude, s = float(std::sin(double(angle))) * args.magnitude;
            const int first = args.neox ? i : 2 * i, second = args.neox ? i + half : 2 * i + 1;
            for (float* head = x.row(r); head < x.row(r) + x.cols; head += args.head_dim) {
                const float a = head[first], b = head[second];
                head[first] = a * c - b * s;
                head[second] = a * s + b * c;
            }
        }
    }
}

}  // namespace engine::ref
