// Matrix products on plain weights: matmul, moe_route, moe_ffn.
#include <algorithm>
#include <cmath>

#include "engine/ops/ref.h"

namespace engine::ref {

std::size_t packed_bytes(Format, int, int) { return 0; }  // reads the file's own layout

void pack(const Weight&, std::uint8_t*) {}

void expand(const Weight& w, int e, int row, int begin, int n, float* out) {
    const std::uint8_t* from = w.matrix(e) + std::size_t(row) * row_bytes(w.format, std::size_t(w.cols));
    dequantise(w.format, from + row_bytes(w.format, std::size_t(begin)), out, std::size_t(n));
    if (const float scale = w.scale_of(e); scale != 1)
        for (int i = 0; i < n; ++i) out[i] *= scale;
}

double dot(const Weight& w, int e, int row, const float* x) {
    constexpr int kChunk = 256;  // a multiple of every format's block
    float values[kChunk];
    const std::int32_t* order = w.order_of(e);
    double sum = 0;
    for (int c = 0; c < w.cols; c += kChunk) {
        const int n = std::min(kChunk, w.cols - c);
        expand(w, e, row, c, n, values);
        for (int i = 0; i < n; ++i) sum += double(values[i]) * x[order ? order[c + i] : c + i];
    }
    return sum;
}

void matmul(const MatmulJob* jobs, int n_jobs, Mat x, Exec& exec) {
    constexpr int kRows = 32;  // of an item
    for (int j = 0; j < n_jobs; ++j) {
        const MatmulJob& job = jobs[j];
        const Weight& w = *job.w;
        auto block = [&](int item, int) {
            for (int o = item * kRows; o < std::min(w.rows, (item + 1) * kRows); ++o) {
                for (int r = 0; r < x.rows; ++r) {
                    double sum = dot(w, 0, o, x.row(r));
                    if (job.bias) sum += job.bias[o];
                    float& to = job.out.row(r)[o];
                    to = float(job.accumulate ? to + sum : sum);
                }
            }
        };
        exec.pool->run((w.rows + kRows - 1) / kRows, block);
    }
}

namespace {

constexpr double kClosed = -INFINITY;  // the preference of an expert that cannot be chosen

// Closes the experts of all groups but the best. best: room for a number a group.
void close_groups(const RouteArgs& args, double* preference, double* best) {
    const int size = args.logits.cols / args.groups;
    for (int g = 0; g < args.groups; ++g) {
        double first = kClosed, second = kClosed;
        for (int e = g * size; e < (g + 1) * size; ++e) {
            second = std::max(second, std::min(first, preference[e]));
            first = std::max(first, preference[e]);
        }
        best[g] = first + (size > 1 ? second : 0);
    }
    for (int n = args.groups_used; n < args.groups; ++n) {
        double* const worst = std::min_element(best, best + args.groups);
        std::fill_n(preference + (worst - best) * size, size, kClosed);
        *worst = INFINITY;
    }
}

}  // namespace

void moe_route(const RouteArgs& args, Exec& exec) {
    const int experts = args.logits.cols;
    const Taken taken(*exec.scratch);
    double* const score = exec.scratch->take<double>(std::size_t(experts));
    double* const preference = exec.scratch->take<double>(std::size_t(experts));
    double* const best_of_groups = exec.scratch->take<double>(std::size_t(args.groups));
    for (int r = 0; r < args.logits.rows; ++r) {
        const float* in = args.logits.row(r);
        const double largest = *std::max_element(in, in + experts);
        double total = 0;
        for (int e = 0; e < experts; ++e) total += std::exp(double(in[e]) - largest);
        for (int e = 0; e < experts; ++e) {
            score[e] = args.sigmoid ? 1.0 / (1.0 + std::exp(-double(in[e]))) : std::exp(double(in[e]) - largest) / total;
            preference[e] = args.bias ? score[e] + args.bias[e] : args.sigmoid ? score[e] : double(in[e]);
        }
        if (args.groups > 1) close_groups(args, preference, best_of_groups);
        std::int32_t* ids = args.chosen + std::size_t(r) * args.used;
        float* to = args.weights + std::size_t(r) * args.used;
        double sum = 0;
        for (int k = 0; k < args.used; ++k) {
            const int best = int(std::max_element(preference, preference + experts) - preference);
            preference[best] = kClosed;
            ids[k] = best;
            sum += score[best];
        }
        for (int k = 0; k < args.used; ++k)
            to[k] = float(score[ids[k]] / (args.normalise ? sum : 1.0) * args.scale * (args.expert_scale ? args.expert_scale[ids[k]] : 1.0f));
    }
}

void moe_ffn(const MoeArgs& args, Exec& exec) {
    const int inner = args.gate.rows;
    auto token = [&](int r, int) {
        std::vector<float> hidden(inner);
        std::vector<double> sum(args.out.cols);
        for (int k = 0; k < args.used; ++k) {
            const int e = args.chosen[std::size_t(r) * args.used + k];
            const float weight = args.weights[std::size_t(r) * args.used + k];
            for (int i = 0; i < inner; ++i) {
                double g = dot(args.gate, e, i, args.x.row(r)), u = dot(args.up, e, i, args.x.row(r));
                if (args.gate_bias) g += args.gate_bias[e * inner + i];
                if (args.up_bias) u += args.up_bias[e * inner + i];
                hidden[i] = float(activated(args.activation, g, u));
            }
            for (int o = 0; o < args.out.cols; ++o) {
                const double d = dot(args.down, e, o, hidden.data());
                sum[o] += weight * (args.down_bias ? d + args.down_bias[e * args.out.cols + o] : d);
            }
        }
        for (int o = 0; o < args.out.cols; ++o) args.out.row(r)[o] = float(args.out.row(r)[o] + sum[o]);
    };
    if (!args.supply) return exec.pool->run(args.x.rows, token);
    // Row by row, so that no more experts are needed together than one row uses.
    std::vector<std::int32_t> needed(std::size_t(args.used));
    for (int r = 0; r < args.x.rows; ++r) {
        std::copy_n(args.chosen + std::size_t(r) * args.used, args.used, needed.begin());
        args.supply->begin(args.stack, needed.data(), args.used);
        bool there = true;  // each is waited for: until then its place is being written
        for (const std::int32_t e : needed) there = args.supply->wait(args.stack, e) && there;
        if (there) token(r, 0);
    }
}

}  // namespace engine::ref
