// Matrix products on plain weights: matmul, moe_route, moe_ffn.
#include <algorithm>
#include <cmath>

#include "engine/ops/ref.h"

namespace engine::ref {

std::size_t packed_bytes(Format, int, int) { return 0; }  // reads the file's own layout

void pack(const Weight&, std::uint8_t*) {}

double dot(const std::uint8_t* row, Format format, const float* x, int cols) {
    constexpr int kChunk = 256;  // a multiple of every format's block
    float values[kChunk];
    double sum = 0;
    for (int c = 0; c < cols; c += kChunk) {
        const int n = std::min(kChunk, cols - c);
        dequantise(format, row + row_bytes(format, std::size_t(c)), values, std::size_t(n));
        for (int i = 0; i < n; ++i) sum += double(values[i]) * x[c + i];
    }
    return sum;
}

void matmul(const MatmulJob* jobs, int n_jobs, Mat x, Exec& exec) {
    constexpr int kRows = 32;  // of an item
    for (int j = 0; j < n_jobs; ++j) {
        const MatmulJob& job = jobs[j];
        const Weight& w = *job.w;
        const std::size_t bytes = row_bytes(w.format, std::size_t(w.cols));
        auto block = [&](int item, int) {
            for (int o = item * kRows; o < std::min(w.rows, (item + 1) * kRows); ++o) {
                const std::uint8_t* row = w.data + std::size_t(o) * bytes;
                for (int r = 0; r < x.rows; ++r) {
                    double sum = dot(row, w.format, x.row(r), w.cols);
                    if (job.bias) sum += job.bias[o];
                    float& to = job.out.row(r)[o];
                    to = float(job.accumulate ? to + sum : sum);
                }
            }
        };
        exec.pool->run((w.rows + kRows - 1) / kRows, block);
    }
}

void moe_route(Mat logits, int used, bool normalise, float scale, std::int32_t* chosen, float* weights, Exec&) {
    for (int r = 0; r < logits.rows; ++r) {
        const float* in = logits.row(r);
        std::int32_t* ids = chosen + std::size_t(r) * used;
        float* to = weights + std::size_t(r) * used;
        float largest = in[0];
        for (int e = 1; e < logits.cols; ++e) largest = std::max(largest, in[e]);
        double total = 0;
        for (int e = 0; e < logits.cols; ++e) total += std::exp(double(in[e]) - largest);
        double sum = 0;
        for (int k = 0; k < used; ++k) {
            int best = -1;
            for (int e = 0; e < logits.cols; ++e) {
                const bool taken = std::find(ids, ids + k, e) != ids + k;
                if (!taken && (best < 0 || in[e] > in[best])) best = e;
            }
            ids[k] = best;
            const double p = std::exp(double(in[best]) - largest) / total;
            to[k] = float(p);
            sum += p;
        }
        for (int k = 0; k < used; ++k) to[k] = float(double(to[k]) / (normalise ? sum : 1.0) * scale);
    }
}

void moe_ffn(const MoeArgs& args, Exec& exec) {
    const int inner = args.gate.rows;
    auto token = [&](int r, int) {
        std::vector<float> hidden(inner);
        std::vector<double> sum(args.out.cols);
        const std::size_t in_bytes = row_bytes(args.gate.format, std::size_t(args.gate.cols));
        const std::size_t up_bytes = row_bytes(args.up.format, std::size_t(args.up.cols));
        const std::size_t down_bytes = row_bytes(args.down.format, std::size_t(inner));
        for (int k = 0; k < args.used; ++k) {
            const int e = args.chosen[std::size_t(r) * args.used + k];
            const float weight = args.weights[std::size_t(r) * args.used + k];
            for (int i = 0; i < inner; ++i) {
                const double g = dot(args.gate.matrix(e) + i * in_bytes, args.gate.format, args.x.row(r), args.x.cols);
                const double u = dot(args.up.matrix(e) + i * up_bytes, args.up.format, args.x.row(r), args.x.cols);
                hidden[i] = float(g / (1.0 + std::exp(-g)) * u);
            }
            for (int o = 0; o < args.out.cols; ++o)
                sum[o] += weight * dot(args.down.matrix(e) + o * down_bytes, args.down.format, hidden.data(), inner);
        }
        for (int o = 0; o < args.out.cols; ++o) args.out.row(r)[o] = float(args.out.row(r)[o] + sum[o]);
    };
    exec.pool->run(args.x.rows, token);
}

}  // namespace engine::ref
