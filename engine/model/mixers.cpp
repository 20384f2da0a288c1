// Queries and keys with their mixers: attention, and those that carry a state from row to row.
#include <algorithm>
#include <cmath>

#include "engine/model/blocks.h"

namespace engine {
namespace {

constexpr float kLatentEpsilon = 1e-6f;  // of the norms within latent attention, whatever the model's own is

// x += residual_scale · [norm] (w · in)
void add_result(const Model& m, const Weight& w, const float* bias, const float* post_norm, Mat in, Activations& a, Exec& exec) {
    const bool at_once = adds_at_once(m.config);
    const MatmulJob job{&w, at_once ? a.x : a.branch, bias, at_once};
    project(m, &job, 1, in, *a.batch, exec);
    if (a.observer) {
        const MatmulJob apart{&w, a.branch, bias, false};  // what is added at once is nowhere by itself
        if (at_once) m.ops->matmul(&apart, 1, in, exec);
        a.observer->mixed(a.branch);
    }
    if (!at_once) add_branch(m, post_norm, a, exec);
}

// Keys without what they have in common, where that is known; scores then lack one number, which the softmax does not see.
void shift_keys(const Model& m, int index, Mat k, Exec& exec) {
    if (m.key_offsets.empty() || !m.key_offsets[std::size_t(index)]) return;
    m.ops->subtract_row(k, m.key_offsets[std::size_t(index)], exec);
}

// Keys and values of the rows into the cache.
void append_keys(const Model& m, int index, const Batch& batch, const KvLayer& kv, Mat normed,
                 const RopeArgs* rope, Exec& exec) {
    const Config& c = m.config;
    const Layer& l = m.layers[std::size_t(index)];
    const LayerConfig& shape = c.layer[std::size_t(index)];
    const Ops& ops = *m.ops;
    const int width = shape.kv_heads * shape.head_dim;
    const Mat k = take(*exec.scratch, batch.n, width), v = take(*exec.scratch, batch.n, width);
    const MatmulJob jobs[] = {{&l.k, k, l.k_bias, false}, {&l.v, v, l.v_bias, false}};
    project(m, jobs, l.v.rows ? 2 : 1, normed, batch, exec);
    if (!l.v.rows) copy(ops, v, k, exec);
    if (c.normalise_values) ops.rms_norm(by_heads(v, shape.head_dim), by_heads(v, shape.head_dim), nullptr, c.norm_epsilon, exec);
    if (l.k_norm) {
        const Mat rows = c.family->qk_norm == QkNorm::projection ? k : by_heads(k, shape.head_dim);
        ops.rms_norm(rows, rows, l.k_norm, c.norm_epsilon, exec);
    }
    if (rope) ops.rope(k, *rope, exec);
    if (has_scales(kv.format)) shift_keys(m, index, k, exec);
    ops.kv_append(kv, k, v, batch.sequences, batch.n_sequences, exec);
}

// The queries; where they come with a gate, d of one and d of the other for each head, that as well.
Mat queries(const Model& m, const Layer& l, int head_dim, Activations& a, Mat& gate, Exec& exec) {
    const Config& c = m.config;
    const int n = a.x.rows, width = c.heads * head_dim;
    const Mat q = take(*exec.scratch, n, width);
    if (!c.family->gated_attention) {
        const MatmulJob job{&l.q, q, l.q_bias, false};
        project(m, &job, 1, a.normed, *a.batch, exec);
        return q;
    }
    gate = take(*exec.scratch, n, width);
    const Mat both = take(*exec.scratch, n, 2 * width);
    const MatmulJob job{&l.q, both, nullptr, false};
    project(m, &job, 1, a.normed, *a.batch, exec);
    read_columns(*m.ops, by_heads(q, head_dim), by_heads(both, 2 * head_dim), 0, exec);
    read_columns(*m.ops, by_heads(gate, head_dim), by_heads(both, 2 * head_dim), head_dim, exec);
    return q;
}

// x += o · attention(rope(norm(q)), rope(norm(k)), v)
void attention_block(const Model& m, int index, const Batch& batch, const KvLayer& kv, Activations& a, Exec& exec) {
    const Config& c = m.config;
    const Layer& l = m.layers[std::size_t(index)];
    const LayerConfig& shape = c.layer[std::size_t(index)];
    const Ops& ops = *m.ops;
    const RopeArgs rope = rope_of(m, shape, batch.positions);
    const RopeArgs* const turned = shape.rope >= 0 ? &rope : nullptr;
    if (shape.kv_layer == index && !a.keys_there) append_keys(m, index, batch, kv, a.normed, turned, exec);
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

Mat projected(const Model& m, const Weight& w, Mat in, Exec& exec) {
    const Mat out = take(*exec.scratch, in.rows, w.rows);
    const MatmulJob job{&w, out, nullptr, false};
    m.ops->matmul(&job, 1, in, exec);
    return out;
}

// The rows' latents, normalised, and the key that all heads share, rotated: (n, kv_rank + rotated).
Mat latent_rows(const Model& m, const Latent& l, const RopeArgs& rope, Activations& a, Exec& exec) {
    const LatentConfig& c = m.config.latent;
    const Mat rows = projected(m, l.kv_down, a.normed, exec);
    const Mat latent = take(*exec.scratch, rows.rows, c.kv_rank), key = take(*exec.scratch, rows.rows, c.rotated);
    read_columns(*m.ops, latent, rows, 0, exec);
    read_columns(*m.ops, key, rows, c.kv_rank, exec);
    m.ops->rms_norm(latent, latent, l.kv_norm, kLatentEpsilon, exec);
    m.ops->rope(key, rope, exec);
    write_columns(*m.ops, rows, 0, latent, exec);
    write_columns(*m.ops, rows, c.kv_rank, key, exec);
    return rows;
}

// What the heads ask of latent rows: each head's plain part through its key matrix, its rotated part as it is.
Mat latent_queries(const Model& m, const Latent& l, const RopeArgs& rope, Activations& a, Exec& exec) {
    const Config& c = m.config;
    const LatentConfig& shape = c.latent;
    const int n = a.x.rows, head = shape.plain + shape.rotated, wide = shape.kv_rank + shape.rotated;
    Mat in = a.normed;
    if (shape.q_rank > 0) {
        in = projected(m, l.q_down, in, exec);
        m.ops->rms_norm(in, in, l.q_norm, kLatentEpsilon, exec);
    }
    const Mat q = projected(m, l.q, in, exec), out = take(*exec.scratch, n, c.heads * wide);
    const Mat plain = take(*exec.scratch, n, shape.plain), asked = take(*exec.scratch, n, shape.kv_rank), rotated = take(*exec.scratch, n, shape.rotated);
    for (int h = 0; h < c.heads; ++h) {
        Weight key = l.key;
        key.data = l.key.matrix(h);
        read_columns(*m.ops, plain, q, h * head, exec);
        read_columns(*m.ops, rotated, q, h * head + shape.plain, exec);
        const MatmulJob job{&key, asked, nullptr, false};
        m.ops->matmul(&job, 1, plain, exec);
        m.ops->rope(rotated, rope, exec);
        write_columns(*m.ops, out, h * wide, asked, exec);
        write_columns(*m.ops, out, h * wide + shape.kv_rank, rotated, exec);
    }
    return out;
}

// x += o · value(attention over latent rows): DeepSeek-V2's multi-head latent attention (2024, §2.1) with the heads' key and
// value matrices moved to the queries and to the result.
void latent_block(const Model& m, int index, const Batch& batch, const KvLayer& kv, Activations& a, Exec& exec) {
    const Config& c = m.config;
    const Latent& l = m.layers[std::size_t(index)].latent;
    const LatentConfig& shape = c.latent;
    const RopeArgs rope{batch.positions, m.inverse_frequencies[0], shape.rotated, shape.rotated,
                        c.pairing == RopePairing::neox, c.ropes[0].magnitude};
    const Mat rows = latent_rows(m, l, rope, a, exec);
    m.ops->kv_append(kv, rows, rows, batch.sequences, batch.n_sequences, exec);  // values are the first columns of keys
    const Mat q = latent_queries(m, l, rope, a, exec), attended = take(*exec.scratch, batch.n, q.cols);
    m.ops->attention({attended, q, kv, batch.sequences, batch.n_sequences, c.heads, c.attention_scale, 0, nullptr}, exec);
    const Mat values = take(*exec.scratch, batch.n, c.heads * shape.value);
    const Mat latent = take(*exec.scratch, batch.n, shape.kv_rank), value = take(*exec.scratch, batch.n, shape.value);
    for (int h = 0; h < c.heads; ++h) {
        Weight matrix = l.value;
        matrix.data = l.value.matrix(h);
        read_columns(*m.ops, latent, attended, h * (shape.kv_rank + shape.rotated), exec);
        const MatmulJob job{&matrix, value, nullptr, false};
        m.ops->matmul(&job, 1, latent, exec);
        write_columns(*m.ops, values, h * shape.value, value, exec);
    }
    add_result(m, l.o, nullptr, nullptr, values, a, exec);
}

Mat convolved(const Model& m, const Recurrent& l, Mat x, bool silu, std::size_t state, const Batch& batch, Exec& exec) {
    const Mat out = take(*exec.scratch, x.rows, x.cols);
    m.ops->convolve({out, x, l.convolution, l.convolution_bias, m.config.recurrent.kernel, silu, batch.sequences, batch.n_sequences, state}, exec);
    return out;
}

// c ⊙ convolution(b ⊙ x)
Mat short_convolution(const Model& m, const Recurrent& l, std::size_t state, const Batch& batch, Activations& a, Exec& exec) {
    const Mat b = projected(m, l.in[0], a.normed, exec), c = projected(m, l.in[1], a.normed, exec), x = projected(m, l.in[2], a.normed, exec);
    m.ops->activate(x, b, x, Activation::identity, exec);
    const Mat out = convolved(m, l, x, false, state, batch, exec);
    m.ops->activate(out, c, out, Activation::identity, exec);
    return out;
}

// norm(scan(convolution(xBC), dt) ⊙ silu(z)), the norm by groups
Mat selective_scan(const Model& m, const Recurrent& l, std::size_t state, const Batch& batch, Activations& a, Exec& exec) {
    const RecurrentConfig& r = m.config.recurrent;
    const Mat z = projected(m, l.in[0], a.normed, exec), xbc = projected(m, l.in[1], a.normed, exec), dt = projected(m, l.in[2], a.normed, exec);
    const Mat mixed = convolved(m, l, xbc, true, state, batch, exec), out = take(*exec.scratch, batch.n, z.cols);
    const std::size_t matrices = state + std::size_t(r.kernel - 1) * std::size_t(r.width);
    m.ops->selective_scan({out, mixed, dt, l.a, l.d, l.dt_bias, r.heads, r.head_dim, r.state_size, r.groups, batch.sequences, batch.n_sequences, matrices}, exec);
    m.ops->activate(out, z, out, Activation::silu, exec);
    m.ops->group_norm(out, out, l.norm, r.groups, m.config.norm_epsilon, exec);
    return out;
}

// norm(delta(convolution(qkv), beta, alpha)) ⊙ silu(z), the norm by heads
Mat gated_delta(const Model& m, const Recurrent& l, std::size_t state, const Batch& batch, Activations& a, Exec& exec) {
    const RecurrentConfig& r = m.config.recurrent;
    const Mat qkv = projected(m, l.in[0], a.normed, exec), z = projected(m, l.in[1], a.normed, exec);
    Mat beta = projected(m, l.in[2], a.normed, exec), alpha;
    if (l.grouped) {
        const int of_key = r.heads / r.key_heads;
        const Mat both = by_heads(beta, 2 * of_key);
        beta = take(*exec.scratch, batch.n, r.heads), alpha = take(*exec.scratch, batch.n, r.heads);
        read_columns(*m.ops, by_heads(beta, of_key), both, 0, exec);
        read_columns(*m.ops, by_heads(alpha, of_key), both, of_key, exec);
    } else {
        alpha = projected(m, l.in[3], a.normed, exec);
    }
    const Mat mixed = convolved(m, l, qkv, true, state, batch, exec), out = take(*exec.scratch, batch.n, z.cols);
    const std::size_t matrices = state + std::size_t(r.kernel - 1) * std::size_t(r.width);
    m.ops->gated_delta({out, mixed, alpha, beta, l.a, l.dt_bias, r.key_heads, r.heads, r.key_dim, r.head_dim, r.tiled, batch.sequences, batch.n_sequences, matrices}, exec);
    m.ops->rms_norm(by_heads(out, r.head_dim), by_heads(out, r.head_dim), l.norm, m.config.norm_epsilon, exec);
    m.ops->activate(out, z, out, Activation::silu, exec);
    return out;
}

}  // namespace

void append_block(const Model& m, int index, const Batch& batch, const KvLayer& kv, Activations& a, Exec& exec) {
    const LayerConfig& shape = m.config.layer[std::size_t(index)];
    if (shape.kv_layer != index) return;
    const Taken taken(*exec.scratch);
    read_branch(m, m.layers[std::size_t(index)].attention_norm, a, exec);
    const RopeArgs rope = rope_of(m, shape, batch.positions);
    append_keys(m, index, batch, kv, a.normed, shape.rope >= 0 ? &rope : nullptr, exec);
}

void mixer_block(const Model& m, int index, const Batch& batch, const KvLayer& kv, Activations& a, Exec& exec) {
    const Taken taken(*exec.scratch);
    const LayerConfig& shape = m.config.layer[std::size_t(index)];
    const Layer& l = m.layers[std::size_t(index)];
    read_branch(m, l.attention_norm, a, exec);
    if (m.config.family->latent) return latent_block(m, index, batch, kv, a, exec);
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
    const LatentConfig& l = c.latent;
    const int latent = l.kv_rank ? l.q_rank + c.heads * (2 * (l.kv_rank + l.rotated) + l.plain + l.rotated + l.value) + 4 * (l.kv_rank + l.rotated) + l.plain + l.value : 0;
    const int attention = 2 * c.largest_kv_width() + (c.family->gated_attention ? 5 : 2) * c.largest_heads_width();
    return std::size_t(std::max({attention, latent, 2 * c.hidden + 2 * r.width + 2 * r.heads * r.head_dim + 4 * r.heads}));
}

}  // namespace engine
