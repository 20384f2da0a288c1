#include "engine/model/forward.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace engine {
namespace {

// Activations of a step, all in scratch.
struct Activations {
    Mat x;           // (n, H) residual stream
    Mat normed;      // (n, H)
    Mat q, k, v;     // (n, heads*d), (n, kv_heads*d) ×2
    Mat attended;    // (n, heads*d)
    Mat gate, up;    // (n, I)
    Mat router;      // (n, E)
    std::int32_t* chosen = nullptr;  // (n, used)
    float* weights = nullptr;        // (n, used)
};

Mat take(Scratch& scratch, int rows, int cols) {
    return {scratch.take<float>(std::size_t(rows) * std::size_t(cols)), rows, cols};
}

Activations make_activations(const Config& c, int n, Scratch& s) {
    Activations a;
    a.x = take(s, n, c.hidden);
    a.normed = take(s, n, c.hidden);
    a.q = take(s, n, c.heads * c.head_dim);
    a.k = take(s, n, c.kv_heads * c.head_dim);
    a.v = take(s, n, c.kv_heads * c.head_dim);
    a.attended = take(s, n, c.heads * c.head_dim);
    a.gate = take(s, n, c.ffn);
    a.up = take(s, n, c.ffn);
    a.router = take(s, n, c.experts);
    a.chosen = s.take<std::int32_t>(std::size_t(n) * std::size_t(c.experts_used));
    a.weights = s.take<float>(std::size_t(n) * std::size_t(c.experts_used));
    return a;
}

// x += o · attention(rope(norm(q)), rope(norm(k)), v)
void attention_block(const Model& m, const Layer& l, const Batch& batch, const KvLayer& kv, Activations& a, Exec& exec) {
    const Config& c = m.config;
    const Ops& ops = *m.ops;
    ops.rms_norm(a.normed, a.x, l.attention_norm, c.norm_epsilon, exec);
    const MatmulJob qkv[] = {{&l.q, a.q, l.q_bias, false}, {&l.k, a.k, l.k_bias, false}, {&l.v, a.v, l.v_bias, false}};
    ops.matmul(qkv, 3, a.normed, exec);
    if (l.q_norm) {
        const Mat q_heads{a.q.data, a.q.rows * c.heads, c.head_dim}, k_heads{a.k.data, a.k.rows * c.kv_heads, c.head_dim};
        ops.rms_norm(q_heads, q_heads, l.q_norm, c.norm_epsilon, exec);
        ops.rms_norm(k_heads, k_heads, l.k_norm, c.norm_epsilon, exec);
    }
    const RopeArgs rope{batch.positions, m.inverse_frequencies.data(), c.head_dim, c.rope_dim,
                        c.family->pairing == RopePairing::neox};
    ops.rope(a.q, rope, exec);
    ops.rope(a.k, rope, exec);
    ops.kv_append(kv, a.k, a.v, batch.sequences, batch.n_sequences, exec);
    const float scale = 1.0f / std::sqrt(float(c.head_dim));
    ops.attention({a.attended, a.q, kv, batch.sequences, batch.n_sequences, c.heads, scale}, exec);
    const MatmulJob out{&l.o, a.x, nullptr, true};
    ops.matmul(&out, 1, a.attended, exec);
}

// x += down · (silu(gate · norm(x)) * up · norm(x)), or the same over the chosen experts.
void ffn_block(const Model& m, const Layer& l, Activations& a, Exec& exec) {
    const Config& c = m.config;
    const Ops& ops = *m.ops;
    ops.rms_norm(a.normed, a.x, l.ffn_norm, c.norm_epsilon, exec);
    if (l.moe) {
        const MatmulJob route{&l.router, a.router, nullptr, false};
        ops.matmul(&route, 1, a.normed, exec);
        ops.moe_route(a.router, c.experts_used, c.normalise_experts, c.expert_scale, a.chosen, a.weights, exec);
        ops.moe_ffn({a.x, a.normed, l.gate_experts, l.up_experts, l.down_experts, a.chosen, a.weights, c.experts,
                     c.experts_used},
                    exec);
        return;
    }
    const MatmulJob jobs[] = {{&l.gate, a.gate, nullptr, false}, {&l.up, a.up, nullptr, false}};
    ops.matmul(jobs, 2, a.normed, exec);
    ops.silu_mul(a.gate, a.gate, a.up, exec);
    const MatmulJob down{&l.down, a.x, nullptr, true};
    ops.matmul(&down, 1, a.gate, exec);
}

}  // namespace

std::size_t forward_scratch(const Config& c, int rows, int threads) {
    const std::size_t n = std::size_t(rows);
    const std::size_t widest = std::size_t(std::max({c.hidden, c.heads * c.head_dim, c.ffn, c.expert_ffn}));
    const std::size_t a_row = std::size_t(2 * c.hidden + (2 * c.heads + 2 * c.kv_heads) * c.head_dim + 2 * c.ffn +
                                          c.experts + 2 * c.experts_used);
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
    for (std::size_t i = 0; i < m.layers.size(); ++i) {
        attention_block(m, m.layers[i], batch, kv[i], a, exec);
        ffn_block(m, m.layers[i], a, exec);
    }
    if (batch.n_logits > 0) {
        for (int i = 0; i < batch.n_logits; ++i)  // rising rows: never overwrites one still needed
            if (batch.logit_rows[i] != i)
                std::memcpy(a.x.row(i), a.x.row(batch.logit_rows[i]), std::size_t(c.hidden) * sizeof(float));
        const Mat last{a.x.data, batch.n_logits, c.hidden}, normed{a.normed.data, batch.n_logits, c.hidden};
        m.ops->rms_norm(normed, last, m.output_norm, c.norm_epsilon, exec);
        const MatmulJob head{&m.output, {logits, batch.n_logits, c.vocabulary}, nullptr, false};
        m.ops->matmul(&head, 1, normed, exec);
    }
    exec.scratch->rewind(mark);
}

}  // namespace engine
