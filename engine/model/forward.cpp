#include "engine/model/forward.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/model/blocks.h"

namespace engine {
namespace {

// What every layer gets of its own for each token: (norm(projection of the embedding) + the layer's embedding) / √2.
void own_embeddings(const Model& m, const Batch& batch, Activations& a, Exec& exec) {
    const Config& c = m.config;
    const Ops& ops = *m.ops;
    const int width = c.per_layer_width;
    const Taken taken(*exec.scratch);
    const Mat looked_up = take(*exec.scratch, batch.n, c.layers * width), rows = by_heads(a.own, width);
    ops.embed(looked_up, m.own_embedding, batch.tokens, exec);
    const MatmulJob projection{&m.own_projection, a.own, nullptr, false};
    ops.matmul(&projection, 1, a.x, exec);
    ops.scale(a.own, 1 / std::sqrt(float(c.hidden)), exec);
    ops.rms_norm(rows, rows, m.own_norm, c.norm_epsilon, exec);
    ops.add_scaled(a.own, looked_up, std::sqrt(float(width)), exec);
    ops.scale(a.own, 1 / std::numbers::sqrt2_v<float>, exec);
}

// x += norm(projection · (gelu(gate · x) * own))
void own_block(const Model& m, int index, Activations& a, Exec& exec) {
    const Config& c = m.config;
    const Layer& l = m.layers[std::size_t(index)];
    const Taken taken(*exec.scratch);
    const Mat gate = take(*exec.scratch, a.x.rows, c.per_layer_width), own = take(*exec.scratch, a.x.rows, c.per_layer_width);
    read_columns(*m.ops, own, a.own, index * c.per_layer_width, exec);
    const MatmulJob open{&l.own_gate, gate, nullptr, false};
    m.ops->matmul(&open, 1, a.x, exec);
    m.ops->activate(gate, gate, own, c.family->activation, exec);
    const MatmulJob projection{&l.own_projection, a.branch, nullptr, false};
    m.ops->matmul(&projection, 1, gate, exec);
    add_branch(m, l.own_norm, a, exec);
}

// Makes the activations those of the rows whose logits are wanted, whose keys are in the cache.
void narrow(const Model& m, const Batch& batch, Activations& a, Exec& exec) {
    for (Mat* const rows : {&a.normed, &a.branch, &a.gate, &a.up, &a.own}) rows->rows = batch.n_logits;
    m.ops->gather_rows(a.branch, a.x, batch.logit_rows, exec);
    a.x.rows = batch.n_logits;
    std::swap(a.x, a.branch);
    a.batch = batch.wanted;
    a.keys_there = true;
}

}  // namespace

Activations activations(const Config& c, const Batch& batch, Scratch& s) {
    return {take(s, batch.n, c.hidden), take(s, batch.n, c.hidden), take(s, batch.n, c.hidden), take(s, batch.n, c.largest_ffn()),
            take(s, batch.n, c.largest_ffn()), take(s, batch.n, c.layers * c.per_layer_width), batch.observer, &batch};
}

void head(const Model& m, const Batch& batch, float* logits, Activations& a, Exec& exec) {
    const Config& c = m.config;
    if (batch.states) m.ops->rms_norm({batch.states, batch.n, c.hidden}, a.x, m.output_norm, c.norm_epsilon, exec);
    if (batch.n_logits == 0) return;
    Mat last = a.x;
    if (batch.logit_rows) {
        last = {a.branch.data, batch.n_logits, c.hidden};
        m.ops->gather_rows(last, a.x, batch.logit_rows, exec);
    }
    const Mat normed{a.normed.data, batch.n_logits, c.hidden};
    m.ops->rms_norm(normed, last, m.output_norm, c.norm_epsilon, exec);
    const Mat out{logits, batch.n_logits, c.vocabulary};
    const MatmulJob job{&m.output, out, nullptr, false};
    m.ops->matmul(&job, 1, normed, exec);
    if (c.logit_scale != 1) m.ops->scale(out, c.logit_scale, exec);
    if (c.logit_cap > 0) m.ops->softcap(out, c.logit_cap, exec);
}

std::size_t forward_scratch(const Config& c, int rows, int threads) {
    const std::size_t n = std::size_t(rows);
    const RecurrentConfig& r = c.recurrent;
    const int ffn = c.largest_ffn();
    const std::size_t widest = std::size_t(std::max({c.hidden, c.largest_heads_width(), ffn, c.expert_ffn, r.width, r.heads * r.head_dim, c.widest}));
    const std::size_t a_row = std::size_t(3 * c.hidden + 2 * ffn + 2 * (c.layers + 1) * c.per_layer_width) + std::max(mixer_row(c), ffn_row(c));
    // Ops: quantised copies of their inputs (at most 2 floats a value), the hidden rows of every
    // chosen expert, attention scores and per-thread tiles.
    const std::size_t ops_row = 2 * widest + std::size_t(c.experts_used) * std::size_t(2 * c.expert_ffn + c.hidden);
    // Tiles, scores of one row, and the rows of one expert that are computed together (128 at most).
    const std::size_t expert_rows = c.experts ? 128 * std::size_t(c.hidden + 2 * c.expert_ffn + std::max(c.hidden, c.expert_ffn) + 4 * c.widest) : 0;
    const std::size_t per_thread = 16 * widest + expert_rows + (1 << 20) + std::size_t(c.trained_context);
    return (n + 32) * (a_row + ops_row) * sizeof(float) + std::size_t(threads) * per_thread * sizeof(float) + (4 << 20);
}

void forward(const Model& m, const Batch& batch, const std::vector<KvLayer>& kv, float* logits, Exec& exec) {
    const Config& c = m.config;
    const Taken taken(*exec.scratch);
    Activations a = activations(c, batch, *exec.scratch);
    m.ops->embed(a.x, m.embedding, batch.tokens, exec);
    if (c.embedding_scale != 1) m.ops->scale(a.x, c.embedding_scale, exec);
    if (c.per_layer_width > 0) own_embeddings(m, batch, a, exec);
    if (a.observer) a.observer->embedded(a.x);
    for (int i = 0; i < c.layers; ++i) {
        if (i + 1 == c.layers && batch.wanted) {
            append_block(m, i, batch, kv[std::size_t(i)], a, exec);
            if (batch.n_logits == 0) return;
            narrow(m, batch, a, exec);
        }
        mixer_block(m, i, *a.batch, kv[std::size_t(i)], a, exec);
        ffn_block(m, i, a, exec);
        if (c.per_layer_width > 0) own_block(m, i, a, exec);
        if (const float scale = m.layers[std::size_t(i)].output_scale; scale != 1) m.ops->scale(a.x, scale, exec);
        if (a.observer) a.observer->left(a.x);
    }
    head(m, *a.batch, logits, a, exec);
}

}  // namespace engine
