#include "engine/model/forward.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

namespace engine {
namespace {

// Activations of a step, all in scratch.
struct Activations {
    Mat x;           // (n, H) residual stream
    Mat normed;      // (n, H)
    Mat branch;      // (n, H) what attention or FFN gives, where it is not added at once
    Mat q, k, v;     // (n, heads*d), (n, kv_heads*d) ×2 of the layer where that is most
    Mat attended;    // (n, heads*d)
    Mat gate, up;    // (n, I)
    Mat router;      // (n, E)
    Mat shared_gate; // (n, 1)
    Mat own;         // (n, layers*P) what each layer has of its own for each token
    Mat own_gate;    // (n, P) ×2
    Mat own_row;
    std::int32_t* chosen = nullptr;  // (n, used)
    float* weights = nullptr;        // (n, used)
};

Mat take(Scratch& scratch, int rows, int cols) {
    return {scratch.take<float>(std::size_t(rows) * std::size_t(cols)), rows, cols};
}

// The same memory as rows of another width.
Mat reshaped(Mat m, int cols) { return {m.data, m.rows, cols}; }
Mat by_heads(Mat m, int head_dim) { return {m.data, m.rows * (m.cols / head_dim), head_dim}; }

Activations make_activations(const Config& c, int n, Scratch& s) {
    Activations a;
    a.x = take(s, n, c.hidden);
    a.normed = take(s, n, c.hidden);
    a.branch = take(s, n, c.hidden);
    a.q = take(s, n, c.largest_heads_width());
    a.k = take(s, n, c.largest_kv_width());
    a.v = take(s, n, c.largest_kv_width());
    a.attended = take(s, n, c.largest_heads_width());
    a.gate = take(s, n, c.largest_ffn());
    a.up = take(s, n, c.largest_ffn());
    a.router = take(s, n, c.experts);
    a.shared_gate = take(s, n, c.experts ? 1 : 0);
    a.own = take(s, n, c.layers * c.per_layer_width);
    a.own_gate = take(s, n, c.per_layer_width);
    a.own_row = take(s, n, c.per_layer_width);
    a.chosen = s.take<std::int32_t>(std::size_t(n) * std::size_t(c.experts_used));
    a.weights = s.take<float>(std::size_t(n) * std::size_t(c.experts_used));
    return a;
}

void clear(Mat m) { std::memset(m.data, 0, std::size_t(m.rows) * std::size_t(m.cols) * sizeof(float)); }

// Whether a branch's result is added to the residual stream as it is.
bool adds_at_once(const Config& c) { return !c.family->post_norms && c.residual_scale == 1; }

// x += residual_scale · [norm] branch
void add_branch(const Model& m, const float* post_norm, Activations& a, Exec& exec) {
    if (post_norm) m.ops->rms_norm(a.branch, a.branch, post_norm, m.config.norm_epsilon, exec);
    m.ops->add_scaled(a.x, a.branch, m.config.residual_scale, exec);
}

// Keys and values of the rows into the cache.
void append_keys(const Model& m, const Layer& l, const LayerConfig& shape, const Batch& batch, const KvLayer& kv, Activations& a,
                 const RopeArgs& rope, Exec& exec) {
    const Config& c = m.config;
    const Ops& ops = *m.ops;
    const int width = shape.kv_heads * shape.head_dim;
    const Mat k = reshaped(a.k, width), v = reshaped(a.v, width);
    const MatmulJob jobs[] = {{&l.k, k, l.k_bias, false}, {&l.v, v, l.v_bias, false}};
    ops.matmul(jobs, l.v.rows ? 2 : 1, a.normed, exec);
    if (!l.v.rows) std::memcpy(v.data, k.data, std::size_t(v.rows) * std::size_t(v.cols) * sizeof(float));
    if (c.normalise_values) ops.rms_norm(by_heads(v, shape.head_dim), by_heads(v, shape.head_dim), nullptr, c.norm_epsilon, exec);
    if (l.k_norm) {
        const Mat rows = c.family->qk_norm == QkNorm::projection ? k : by_heads(k, shape.head_dim);
        ops.rms_norm(rows, rows, l.k_norm, c.norm_epsilon, exec);
    }
    ops.rope(k, rope, exec);
    ops.kv_append(kv, k, v, batch.sequences, batch.n_sequences, exec);
}

// x += o · attention(rope(norm(q)), rope(norm(k)), v)
void attention_block(const Model& m, int index, const Batch& batch, const KvLayer& kv, Activations& a, Exec& exec) {
    const Config& c = m.config;
    const Layer& l = m.layers[std::size_t(index)];
    const LayerConfig& shape = c.layer[std::size_t(index)];
    const Ops& ops = *m.ops;
    const int width = c.heads * shape.head_dim;
    const Mat q = reshaped(a.q, width), attended = reshaped(a.attended, width);
    const RopeConfig& rotation = c.ropes[std::size_t(shape.rope)];
    const RopeArgs rope{batch.positions, m.inverse_frequencies[std::size_t(shape.rope)].data(), shape.head_dim, rotation.dim,
                        c.family->pairing == RopePairing::neox, rotation.magnitude};
    ops.rms_norm(a.normed, a.x, l.attention_norm, c.norm_epsilon, exec);
    if (shape.kv_layer == index) append_keys(m, l, shape, batch, kv, a, rope, exec);
    const MatmulJob query{&l.q, q, l.q_bias, false};
    ops.matmul(&query, 1, a.normed, exec);
    if (l.q_norm) {
        const Mat rows = c.family->qk_norm == QkNorm::projection ? q : by_heads(q, shape.head_dim);
        ops.rms_norm(rows, rows, l.q_norm, c.norm_epsilon, exec);
    }
    ops.rope(q, rope, exec);
    const float scale = c.attention_scale > 0 ? c.attention_scale : 1.0f / std::sqrt(float(shape.head_dim));
    ops.attention({attended, q, kv, batch.sequences, batch.n_sequences, c.heads, scale, shape.window, l.sinks}, exec);
    const bool at_once = adds_at_once(c);
    const MatmulJob out{&l.o, at_once ? a.x : a.branch, l.o_bias, at_once};
    ops.matmul(&out, 1, attended, exec);
    if (!at_once) add_branch(m, l.attention_post_norm, a, exec);
}

// out [+]= down · activation(gate · in, up · in)
void dense_ffn(const Model& m, const Ffn& ffn, Mat in, Mat out, bool accumulate, Activations& a, Exec& exec) {
    const Ops& ops = *m.ops;
    const Mat gate = reshaped(a.gate, ffn.gate.rows), up = reshaped(a.up, ffn.gate.rows);
    const MatmulJob jobs[] = {{&ffn.gate, gate, nullptr, false}, {&ffn.up, up, nullptr, false}};
    ops.matmul(jobs, 2, in, exec);
    ops.activate(gate, gate, up, m.config.family->activation, exec);
    const MatmulJob down{&ffn.down, out, nullptr, accumulate};
    ops.matmul(&down, 1, gate, exec);
}

// out += the chosen experts' results for `in`, chosen by `router_in`, and the shared one's.
void experts_ffn(const Model& m, const Experts& l, Mat router_in, Mat in, Mat out, Activations& a, Exec& exec) {
    const Config& c = m.config;
    const Ops& ops = *m.ops;
    const MatmulJob route{&l.router, a.router, l.router_bias, false};
    ops.matmul(&route, 1, router_in, exec);
    ops.moe_route({a.router, c.experts_used, c.sigmoid_router, c.normalise_experts, c.expert_scale, c.expert_groups, c.expert_groups_used,
                   l.choice_bias, l.scale, a.chosen, a.weights},
                  exec);
    ops.moe_ffn({out, in, l.gate, l.up, l.down, l.gate_bias, l.up_bias, l.down_bias, a.chosen, a.weights, c.experts, c.experts_used,
                 c.family->activation},
                exec);
    if (!l.shared.gate.rows) return;
    if (!l.shared_gate.rows) return dense_ffn(m, l.shared, in, out, true, a, exec);
    const Mat result = reshaped(a.q, c.hidden);
    dense_ffn(m, l.shared, in, result, false, a, exec);
    const MatmulJob gate{&l.shared_gate, a.shared_gate, nullptr, false};
    ops.matmul(&gate, 1, in, exec);
    ops.scale_rows(result, a.shared_gate, exec);
    ops.add_scaled(out, result, 1, exec);
}

// gemma4: branch = norm(dense(norm(x))) + norm(experts(norm(x))), the router reading x by a norm of its own.
void dense_beside_experts(const Model& m, const Layer& l, Activations& a, Exec& exec) {
    const Config& c = m.config;
    const Ops& ops = *m.ops;
    const Mat experts = reshaped(a.attended, c.hidden), router_in = reshaped(a.q, c.hidden);
    dense_ffn(m, l.ffn, a.normed, a.branch, false, a, exec);
    ops.rms_norm(a.branch, a.branch, l.dense_post_norm, c.norm_epsilon, exec);
    ops.rms_norm(a.normed, a.x, l.experts_norm, c.norm_epsilon, exec);
    ops.rms_norm(router_in, a.x, l.experts.router_norm, c.norm_epsilon, exec);
    clear(experts);
    experts_ffn(m, l.experts, router_in, a.normed, experts, a, exec);
    ops.rms_norm(experts, experts, l.experts_post_norm, c.norm_epsilon, exec);
    ops.add_scaled(a.branch, experts, 1, exec);
}

// x += FFN(norm(x)), dense or of experts.
void ffn_block(const Model& m, const Layer& l, bool moe, Activations& a, Exec& exec) {
    const Config& c = m.config;
    const bool at_once = adds_at_once(c);
    const Mat out = at_once ? a.x : a.branch;
    m.ops->rms_norm(a.normed, a.x, l.ffn_norm, c.norm_epsilon, exec);
    if (l.experts_norm) {
        dense_beside_experts(m, l, a, exec);
    } else if (moe) {
        if (!at_once) clear(out);
        experts_ffn(m, l.experts, a.normed, a.normed, out, a, exec);
    } else {
        dense_ffn(m, l.ffn, a.normed, out, at_once, a, exec);
    }
    if (!at_once) add_branch(m, l.ffn_post_norm, a, exec);
}

// What every layer gets of its own for each token: (norm(projection of the embedding) + the layer's embedding) / √2.
void own_embeddings(const Model& m, const Batch& batch, Activations& a, Exec& exec) {
    const Config& c = m.config;
    const Ops& ops = *m.ops;
    const int width = c.per_layer_width;
    const std::size_t mark = exec.scratch->used();
    const Mat looked_up = take(*exec.scratch, batch.n, c.layers * width), rows = by_heads(a.own, width);
    ops.embed(looked_up, m.own_embedding, batch.tokens, exec);
    const MatmulJob projection{&m.own_projection, a.own, nullptr, false};
    ops.matmul(&projection, 1, a.x, exec);
    ops.scale(a.own, 1 / std::sqrt(float(c.hidden)), exec);
    ops.rms_norm(rows, rows, m.own_norm, c.norm_epsilon, exec);
    ops.add_scaled(a.own, looked_up, std::sqrt(float(width)), exec);
    ops.scale(a.own, 1 / std::numbers::sqrt2_v<float>, exec);
    exec.scratch->rewind(mark);
}

// x += norm(projection · (gelu(gate · x) * own))
void own_block(const Model& m, int index, Activations& a, Exec& exec) {
    const Config& c = m.config;
    const Layer& l = m.layers[std::size_t(index)];
    const std::size_t width = std::size_t(c.per_layer_width);
    for (int r = 0; r < a.x.rows; ++r) std::memcpy(a.own_row.row(r), a.own.row(r) + std::size_t(index) * width, width * sizeof(float));
    const MatmulJob gate{&l.own_gate, a.own_gate, nullptr, false};
    m.ops->matmul(&gate, 1, a.x, exec);
    m.ops->activate(a.own_gate, a.own_gate, a.own_row, c.family->activation, exec);
    const MatmulJob projection{&l.own_projection, a.branch, nullptr, false};
    m.ops->matmul(&projection, 1, a.own_gate, exec);
    add_branch(m, l.own_norm, a, exec);
}

void head(const Model& m, const Batch& batch, float* logits, Activations& a, Exec& exec) {
    const Config& c = m.config;
    for (int i = 0; i < batch.n_logits; ++i)  // rising rows: never overwrites one still needed
        if (batch.logit_rows[i] != i)
            std::memcpy(a.x.row(i), a.x.row(batch.logit_rows[i]), std::size_t(c.hidden) * sizeof(float));
    const Mat last{a.x.data, batch.n_logits, c.hidden}, normed{a.normed.data, batch.n_logits, c.hidden};
    m.ops->rms_norm(normed, last, m.output_norm, c.norm_epsilon, exec);
    const Mat out{logits, batch.n_logits, c.vocabulary};
    const MatmulJob job{&m.output, out, nullptr, false};
    m.ops->matmul(&job, 1, normed, exec);
    if (c.logit_scale != 1) m.ops->scale(out, c.logit_scale, exec);
    if (c.logit_cap > 0) m.ops->softcap(out, c.logit_cap, exec);
}

}  // namespace

std::size_t forward_scratch(const Config& c, int rows, int threads) {
    const std::size_t n = std::size_t(rows);
    const int heads = c.largest_heads_width(), kv = c.largest_kv_width(), ffn = c.largest_ffn();
    const std::size_t widest = std::size_t(std::max({c.hidden, heads, ffn, c.expert_ffn}));
    const std::size_t a_row = std::size_t(3 * c.hidden + 2 * heads + 2 * kv + 2 * ffn + c.experts + 2 * c.experts_used + 1 +
                                          2 * (c.layers + 1) * c.per_layer_width);
    // Ops: quantised copies of their inputs (at most 2 floats a value), the hidden rows of every
    // chosen expert, attention scores and per-thread tiles.
    const std::size_t ops_row = 2 * widest + std::size_t(c.experts_used) * std::size_t(2 * c.expert_ffn + c.hidden);
    // Tiles, scores of one row, and the rows of one expert that are computed together (128 at most).
    const std::size_t expert_rows = c.experts ? 128 * std::size_t(c.hidden + 2 * c.expert_ffn + std::max(c.hidden, c.expert_ffn) / 2) : 0;
    const std::size_t per_thread = 16 * widest + expert_rows + (1 << 20);
    return (n + 32) * (a_row + ops_row) * sizeof(float) + std::size_t(threads) * per_thread * sizeof(float) + (4 << 20);
}

void forward(const Model& m, const Batch& batch, const std::vector<KvLayer>& kv, float* logits, Exec& exec) {
    const Config& c = m.config;
    const std::size_t mark = exec.scratch->used();
    Activations a = make_activations(c, batch.n, *exec.scratch);
    m.ops->embed(a.x, m.embedding, batch.tokens, exec);
    if (c.embedding_scale != 1) m.ops->scale(a.x, c.embedding_scale, exec);
    if (c.per_layer_width > 0) own_embeddings(m, batch, a, exec);
    for (int i = 0; i < c.layers; ++i) {
        const Layer& l = m.layers[std::size_t(i)];
        attention_block(m, i, batch, kv[std::size_t(i)], a, exec);
        ffn_block(m, l, c.layer[std::size_t(i)].moe, a, exec);
        if (c.per_layer_width > 0) own_block(m, i, a, exec);
        if (l.output_scale != 1) m.ops->scale(a.x, l.output_scale, exec);
    }
    if (batch.n_logits > 0) head(m, batch, logits, a, exec);
    exec.scratch->rewind(mark);
}

}  // namespace engine
