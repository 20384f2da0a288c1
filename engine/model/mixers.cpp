// Queries and keys with their mixers: attention, and those that carry a state from row to row.
#include <algorithm>
#include <cmath>

#include "engine/model/blocks.h"

namespace engine {
namespace {

// x += residual_scale · [norm] (w · in)
void add_result(const Model& m, const Weight& w, const float* bias, const float* post_norm, Mat in, Activations& a, Exec& exec) {
    const bool at_once = adds_at_once(m.config);
    const MatmulJob job{&w, at_once ? a.x : a.branch, bias, at_once};
    m.ops->matmul(&job, 1, in, exec);
    if (!at_once) add_branch(m, post_norm, a, exec);
}

// Keys and values of the rows into the cache.
void append_keys(const Model& m, const Layer& l, const LayerConfig& shape, const Batch& batch, const KvLayer& kv, Mat normed,
                 const RopeArgs* rope, Exec& exec) {
    const Config& c = m.config;
    const Ops& ops = *m.ops;
    const int width = shape.kv_heads * shape.head_dim;
    const Mat k = take(*exec.scratch, batch.n, width), v = take(*exec.scratch, batch.n, width);
    const MatmulJob jobs[] = {{&l.k, k, l.k_bias, false}, {&l.v, v, l.v_bias, false}};
    ops.matmul(jobs, l.v.rows ? 2 : 1, normed, exec);
    if (!l.v.rows) std::memcpy(v.data, k.data, std::size_t(v.rows) * std::size_t(v.cols) * sizeof(float));
    if (c.normalise_values) ops.rms_norm(by_heads(v, shape.head_dim), by_heads(v, shape.head_dim), nullptr, c.norm_epsilon, exec);
    if (l.k_norm) {
        const Mat rows = c.family->qk_norm == QkNorm::projection ? k : by_heads(k, shape.head_dim);
        ops.rms_norm(rows, rows, l.k_norm, c.norm_epsilon, exec);
    }
    if (rope) ops.rope(k, *rope, exec);
    ops.kv_append(kv, k, v, batch.sequences, batch.n_sequences, exec);
}

// The queries; where they come with a gate, d of one and d of the other for each head, that as well.
Mat queries(const Model& m, const Layer& l, int head_dim, Activations& a, Mat& gate, Exec& exec) {
    const Config& c = m.config;
    const int n = a.x.rows, width = c.heads * head_dim;
    const Mat q = take(*exec.scratch, n, width);
    if (!c.family->gated_attention) {
        const MatmulJob job{&l.q, q, l.q_bias, false};
        m.ops->matmul(&job, 1, a.normed, exec);
        return q;
    }
    gate = take(*exec.scratch, n, width);
    const Mat both = take(*exec.scratch, n, 2 * width);
    const MatmulJob job{&l.q, both, nullptr, false};
    m.ops->matmul(&job, 1, a.normed, exec);
    const std::size_t bytes = std::size_t(head_dim) * sizeof(float);
    for (int i = 0; i < n * c.heads; ++i) {
        const float* const from = both.data + std::size_t(i) * 2 * head_dim;
        std::memcpy(q.data + std::size_t(i) * head_dim, from, bytes);
        std::memcpy(gate.data + std::size_t(i) * head_dim, from + head_dim, bytes);
    }
    return q;
}

// x += o · attention(rope(norm(q)), rope(norm(k)), v)
void attention_block(const Model& m, int index, const Batch& batch, const KvLayer& kv, Activations& a, Exec& exec) {
    const Config& c = m.config;
    const Layer& l = m.layers[std::size_t(index)];
    const LayerConfig& shape = c.layer[std::size_t(index)];
    const Ops& ops = *m.ops;
    RopeArgs rope;
    if (shape.rope >= 0) {
        const RopeConfig& r = c.ropes[std::size_t(shape.rope)];
        rope = {batch.positions, m.inverse_frequencies[std::size_t(shape.rope)].data(), shape.head_dim, r.dim,
                c.family->pairing == RopePairing::neox, r.magnitude};
    }
    const RopeArgs* const turned = shape.rope >= 0 ? &rope : nullptr;
    if (shape.kv_layer == index) append_keys(m, l, shape, batch, kv, a.normed, turned, exec);
    Mat gate;
    const Mat q = queries(m, l, shape.head_dim, a, gate, exec);
    if (l.q_norm) {
        const Mat rows = c.family->qk_norm == QkNorm::projection ? q : by_heads(q, shape.head_dim);
        ops.rms_norm(rows, rows, l.q_norm, c.norm_epsilon, exec);
    }
    if (turned) ops.rope(q, rope, exec);
    const Mat attended = take(*exec.scratch, batch.n, q.cols);
    const float scale = c.attention_scale > 0 ? c.attention_scale : 1.0f / std::sqrt(float(shape.head_dim));
    ops.attention({attended, q, kv, batch.sequences, batch.n_sequences, c.heads, scale, shape.window, l.sinks}, exec);
    if (gate.data) ops.activate(attended, gate, attended, Activation::sigmoid, exec);
    add_result(m, l.o, l.o_bias, l.attention_post_norm, attended, a, exec);
}

// What recurrent layers project their rows to.
Mat projected(const Model& m, const Weight& w, Activations& a, Exec& exec) {
    const Mat out = take(*exec.scratch, a.x.rows, w.rows);
    const MatmulJob job{&w, out, nullptr, false};
    m.ops->matmul(&job, 1, a.normed, exec);
    return out;
}

Mat convolved(const Model& m, const Recurrent& l, Mat x, bool silu, std::size_t state, const Batch& batch, Exec& exec) {
    const Mat out = take(*exec.scratch, x.rows, x.cols);
    m.ops->convolve({out, x, l.convolution, l.convolution_bias, m.config.recurrent.kernel, silu, batch.sequences, batch.n_sequences, state}, exec);
    return out;
}

// c ⊙ convolution(b ⊙ x)
Mat short_convolution(const Model& m, const Recurrent& l, std::size_t state, const Batch& batch, Activations& a, Exec& exec) {
    const Mat b = projected(m, l.in[0], a, exec), c = projected(m, l.in[1], a, exec), x = projected(m, l.in[2], a, exec);
    m.ops->activate(x, b, x, Activation::identity, exec);
    const Mat out = convolved(m, l, x, false, state, batch, exec);
    m.ops->activate(out, c, out, Activation::identity, exec);
    return out;
}

// norm(scan(convolution(xBC), dt) ⊙ silu(z)), the norm by groups
Mat selective_scan(const Model& m, const Recurrent& l, std::size_t state, const Batch& batch, Activations& a, Exec& exec) {
    const RecurrentConfig& r = m.config.recurrent;
    const Mat z = projected(m, l.in[0], a, exec), xbc = projected(m, l.in[1], a, exec), dt = projected(m, l.in[2], a, exec);
    const Mat mixed = convolved(m, l, xbc, true, state, batch, exec), out = take(*exec.scratch, batch.n, z.cols);
    const std::size_t matrices = state + std::size_t(r.kernel - 1) * std::size_t(r.width);
    m.ops->selective_scan({out, mixed, dt, l.a, l.d, l.dt_bias, r.heads, r.head_dim, r.state_size, r.groups, batch.sequences, batch.n_sequences, matrices}, exec);
    m.ops->activate(out, z, out, Activation::silu, exec);
    const int width = out.cols / r.groups;
    if (r.groups == 1) {
        m.ops->rms_norm(out, out, l.norm, m.config.norm_epsilon, exec);
        return out;
    }
    for (int i = 0; i < out.rows * r.groups; ++i) {
        const Mat group{out.data + std::size_t(i) * std::size_t(width), 1, width};
        m.ops->rms_norm(group, group, l.norm + i % r.groups * width, m.config.norm_epsilon, exec);
    }
    return out;
}

// norm(delta(convolution(qkv), beta, alpha)) ⊙ silu(z), the norm by heads
Mat gated_delta(const Model& m, const Recurrent& l, std::size_t state, const Batch& batch, Activations& a, Exec& exec) {
    const RecurrentConfig& r = m.config.recurrent;
    const Mat qkv = projected(m, l.in[0], a, exec), z = projected(m, l.in[1], a, exec);
    Mat beta = projected(m, l.in[2], a, exec), alpha;
    if (l.grouped) {
        const Mat both = beta;
        const int of_key = r.heads / r.key_heads;
        beta = take(*exec.scratch, batch.n, r.heads), alpha = take(*exec.scratch, batch.n, r.heads);
        for (int t = 0; t < batch.n; ++t)
            for (int i = 0; i < r.heads; ++i) {
                const float* const group = both.row(t) + i / of_key * 2 * of_key + i % of_key;
                beta.row(t)[i] = group[0], alpha.row(t)[i] = group[of_key];
            }
    } else {
        alpha = projected(m, l.in[3], a, exec);
    }
    const Mat mixed = convolved(m, l, qkv, true, state, batch, exec), out = take(*exec.scratch, batch.n, z.cols);
    const std::size_t matrices = state + std::size_t(r.kernel - 1) * std::size_t(r.width);
    m.ops->gated_delta({out, mixed, alpha, beta, l.a, l.dt_bias, r.key_heads, r.heads, r.key_dim, r.head_dim, r.tiled, batch.sequences, batch.n_sequences, matrices}, exec);
    m.ops->rms_norm(by_heads(out, r.head_dim), by_heads(out, r.head_dim), l.norm, m.config.norm_epsilon, exec);
    m.ops->activate(out, z, out, Activation::silu, exec);
    return out;
}

}  // namespace

void mixer_block(const Model& m, int index, const Batch& batch, const KvLayer& kv, Activations& a, Exec& exec) {
    const Taken taken(exec);
    const LayerConfig& shape = m.config.layer[std::size_t(index)];
    const Layer& l = m.layers[std::size_t(index)];
    m.ops->rms_norm(a.normed, a.x, l.attention_norm, m.config.norm_epsilon, exec);
    const auto finish = [&](Mat result) { add_result(m, l.recurrent.out, nullptr, l.attention_post_norm, result, a, exec); };
    switch (shape.mixer) {
        case Mixer::attention: return attention_block(m, index, batch, kv, a, exec);
        case Mixer::short_convolution: return finish(short_convolution(m, l.recurrent, shape.state, batch, a, exec));
        case Mixer::selective_scan: return finish(selective_scan(m, l.recurrent, shape.state, batch, a, exec));
        case Mixer::gated_delta: return finish(gated_delta(m, l.recurrent, shape.state, batch, a, exec));
    }
}

std::size_t mixer_row(const Config& c) {
    const RecurrentConfig& r = c.recurrent;
    const int attention = 2 * c.largest_kv_width() + (c.family->gated_attention ? 5 : 2) * c.largest_heads_width();
    return std::size_t(std::max(attention, 2 * c.hidden + 2 * r.width + 2 * r.heads * r.head_dim + 4 * r.heads));
}

}  // namespace engine
