// Mixers that carry a state from row to row: causal convolution, gated delta rule, selective scan. Rows of a sequence are
// computed one after another, so that results do not depend on how they are cut into steps.
#include <algorithm>
#include <cmath>

#include "engine/ops/convolution.h"
#include "engine/ops/ref.h"

namespace engine::ref {
namespace {

// to = x / sqrt(Σ x² + 1e-6) * factor
void unit(const float* x, int n, float factor, float* to) {
    float sum = 0;
    for (int i = 0; i < n; ++i) sum += x[i] * x[i];
    const float scale = factor / std::sqrt(sum + 1e-6f);
    for (int i = 0; i < n; ++i) to[i] = x[i] * scale;
}

// One row of one head: S ← decay·S; δ = β(v − Sᵀk); S ← S + k δᵀ; out = Sᵀq. delta: value_dim floats of room.
void delta_row(const float* q, const float* k, const float* v, float decay, float beta, int key_dim, int value_dim, float* s, float* delta, float* out) {
    std::fill_n(delta, value_dim, 0.0f);
    for (int i = 0; i < key_dim; ++i) {
        float* const row = s + std::size_t(i) * value_dim;
        for (int j = 0; j < value_dim; ++j) {
            row[j] *= decay;
            delta[j] += row[j] * k[i];
        }
    }
    for (int j = 0; j < value_dim; ++j) delta[j] = beta * (v[j] - delta[j]);
    std::fill_n(out, value_dim, 0.0f);
    for (int i = 0; i < key_dim; ++i) {
        float* const row = s + std::size_t(i) * value_dim;
        for (int j = 0; j < value_dim; ++j) {
            row[j] += k[i] * delta[j];
            out[j] += row[j] * q[i];
        }
    }
}

}  // namespace

void convolve(const ConvArgs& args, Exec& exec) {
    convolve_rows(args, exec, [&](float* out, const auto& in, int begin, int n) {
        for (int c = 0; c < n; ++c) out[c] = args.bias ? args.bias[begin + c] : 0;
        for (int j = 0; j < args.kernel; ++j) {
            const float *const x = in(j), *const w = args.w + std::size_t(j) * args.x.cols + begin;
            for (int c = 0; c < n; ++c) out[c] += w[c] * x[c];
        }
        if (args.silu)
            for (int c = 0; c < n; ++c) out[c] *= sigmoid(out[c]);
    });
}

void gated_delta(const DeltaArgs& args, Exec& exec) {
    const int dk = args.key_dim, dv = args.value_dim, repeat = args.value_heads / args.key_heads;
    const Taken taken(*exec.scratch);
    const std::size_t room = std::size_t(2 * dk + dv);
    float* const memory = exec.scratch->take<float>(room * std::size_t(exec.pool->threads()));
    exec.pool->run(args.n_sequences * args.value_heads, [&](int item, int thread) {
        const SequenceRows& s = args.sequences[item / args.value_heads];
        const int head = item % args.value_heads, key_head = args.tiled ? head % args.key_heads : head / repeat;
        float* const state = s.state + args.state + std::size_t(head) * dk * dv;
        float *const q = memory + room * std::size_t(thread), *const k = q + dk, *const delta = k + dk;
        for (int r = s.first_row; r < s.first_row + s.rows; ++r) {
            const float* const in = args.qkv.row(r);
            unit(in + std::size_t(key_head) * dk, dk, 1 / std::sqrt(float(dk)), q);
            unit(in + std::size_t(args.key_heads + key_head) * dk, dk, 1, k);
            const float* const v = in + std::size_t(2 * args.key_heads) * dk + std::size_t(head) * dv;
            const float decay = std::exp(args.a[head] * softplus(args.alpha.row(r)[head] + args.dt_bias[head]));
            delta_row(q, k, v, decay, sigmoid(args.beta.row(r)[head]), dk, dv, state, delta, args.out.row(r) + std::size_t(head) * dv);
        }
    });
}

void selective_scan(const ScanArgs& args, Exec& exec) {
    const int p = args.head_dim, n = args.state_size, inner = args.heads * p;
    exec.pool->run(args.n_sequences * args.heads, [&](int item, int) {
        const SequenceRows& s = args.sequences[item / args.heads];
        const int head = item % args.heads, group = head * args.groups / args.heads;
        float* const state = s.state + args.state + std::size_t(head) * p * n;
        for (int r = s.first_row; r < s.first_row + s.rows; ++r) {
            const float* const x = args.xbc.row(r) + std::size_t(head) * p;
            const float* const b = args.xbc.row(r) + inner + std::size_t(group) * n;
            const float* const c = b + std::size_t(args.groups) * n;
            const float step = softplus(args.dt.row(r)[head] + args.dt_bias[head]), decay = std::exp(step * args.a[head]);
            float* const out = args.out.row(r) + std::size_t(head) * p;
            for (int i = 0; i < p; ++i) {
                float* const row = state + std::size_t(i) * n;
                const float in = step * x[i];
                float sum = 0;
                for (int j = 0; j < n; ++j) {
                    row[j] = row[j] * decay + in * b[j];
                    sum += row[j] * c[j];
                }
                out[i] = sum + args.d[head] * x[i];
            }
        }
    });
}

}  // namespace engine::ref
