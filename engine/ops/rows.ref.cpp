// Ops on rows: embed, rms_norm, silu_mul, add, rope.
#include <cmath>
#include <cstring>

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
        for (int c = 0; c < x.cols; ++c) to[c] = in[c] * scale * w[c];
    }
}

void silu_mul(Mat out, Mat gate, Mat up, Exec&) {
    const std::size_t n = std::size_t(out.rows) * out.cols;
    for (std::size_t i = 0; i < n; ++i) {
        const double g = gate.data[i];
        out.data[i] = float(g / (1.0 + std::exp(-g)) * up.data[i]);
    }
}

void add(Mat out, Mat x, Exec&) {
    const std::size_t n = std::size_t(out.rows) * out.cols;
    for (std::size_t i = 0; i < n; ++i) out.data[i] += x.data[i];
}

void rope(Mat x, const RopeArgs& args, Exec&) {
    const int half = args.dim / 2;
    for (int r = 0; r < x.rows; ++r) {
        for (int i = 0; i < half; ++i) {
            // The angle in float, as the reference implementations have it.
            const float angle = float(args.positions[r]) * args.inverse_frequencies[i];
            const float c = float(std::cos(double(angle))), s = float(std::sin(double(angle)));
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
