// What the blocks of a step share. Internal to forward.cpp, draft.cpp, mixers.cpp, ffn.cpp and key_offset.cpp.
#pragma once

#include "engine/model/forward.h"

namespace engine {

// Activations of a step, all in scratch.
struct Activations {
    Mat x;           // (n, H) residual stream
    Mat normed;      // (n, H)
    Mat branch;      // (n, H) what a mixer or FFN gives, where it is not added at once
    Mat gate, up;    // (n, I)
    Mat own;         // (n, layers*P) what each layer has of its own for each token
    Observer* observer = nullptr;
    const Batch* batch = nullptr;
    bool keys_there = false;  // append_block has put this layer's keys and values into the cache
};

// Adds to each job's result what its sequences' adapters add; see adapter.h.
void adapt(const Model& m, const MatmulJob* jobs, int n_jobs, Mat x, const Batch& batch, Exec& exec);

// Products that an adapter may change.
inline void project(const Model& m, const MatmulJob* jobs, int n_jobs, Mat x, const Batch& batch, Exec& exec) {
    m.ops->matmul(jobs, n_jobs, x, exec);
    if (batch.adapters) adapt(m, jobs, n_jobs, x, batch, exec);
}

inline Mat take(Scratch& scratch, int rows, int cols) { return {scratch.take<float>(std::size_t(rows) * std::size_t(cols)), rows, cols}; }

// The same memory as rows of another width.
inline Mat reshaped(Mat m, int cols) { return {m.data, m.rows, cols}; }
inline Mat by_heads(Mat m, int head_dim) { return {m.data, m.rows * (m.cols / head_dim), head_dim}; }
// Columns [from, from + to.cols) of every row, and back.
inline void read_columns(const Ops& ops, Mat to, Mat all, int from, Exec& exec) { ops.copy_columns(to, 0, all, from, to.cols, exec); }
inline void write_columns(const Ops& ops, Mat all, int to, Mat from, Exec& exec) { ops.copy_columns(all, to, from, 0, from.cols, exec); }
inline void copy(const Ops& ops, Mat to, Mat from, Exec& exec) { ops.copy_columns(to, 0, from, 0, from.cols, exec); }

// Of a layer with rotated positions.
inline RopeArgs rope_of(const Model& m, const LayerConfig& shape, const std::int32_t* positions) {
    if (shape.rope < 0) return {};
    const RopeConfig& r = m.config.ropes[std::size_t(shape.rope)];
    return {positions, m.inverse_frequencies[std::size_t(shape.rope)], shape.head_dim, r.dim, m.config.pairing == RopePairing::neox, r.magnitude};
}

// What a branch reads of the residual stream; without a norm it reads it as it is.
inline void read_branch(const Model& m, const float* norm, Activations& a, Exec& exec) {
    if (norm) m.ops->rms_norm(a.normed, a.x, norm, m.config.norm_epsilon, exec);
    else copy(*m.ops, a.normed, a.x, exec);
}

// Whether a branch's result is added to the residual stream as it is.
inline bool adds_at_once(const Config& c) { return !c.family->post_norms && c.residual_scale == 1; }

// x += residual_scale · [norm] branch
inline void add_branch(const Model& m, const float* post_norm, Activations& a, Exec& exec) {
    if (post_norm) m.ops->rms_norm(a.branch, a.branch, post_norm, m.config.norm_epsilon, exec);
    m.ops->add_scaled(a.x, a.branch, m.config.residual_scale, exec);
}

Activations activations(const Config& config, const Batch& batch, Scratch& scratch);

// Keys and values of layer `index`, which attends, into the cache; the rest of what its mixer_block does is left to that.
void append_block(const Model& m, int index, const Batch& batch, const KvLayer& kv, Activations& a, Exec& exec);
// x += what layer `index` mixes from its rows and those before them: attention, or a recurrent mixer.
void mixer_block(const Model& m, int index, const Batch& batch, const KvLayer& kv, Activations& a, Exec& exec);
// x += FFN(norm(x)), dense or of experts.
void ffn_block(const Model& m, int index, Activations& a, Exec& exec);
// What the batch wants of x: states after the last norm, logits.
void head(const Model& m, const Batch& batch, float* logits, Activations& a, Exec& exec);

// Floats of scratch that they take a row.
std::size_t mixer_row(const Config& config);
std::size_t ffn_row(const Config& config);

}  // namespace engine
