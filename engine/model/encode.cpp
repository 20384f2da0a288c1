#include "engine/model/encode.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace engine {
namespace {

Mat take(Scratch& scratch, int rows, int cols) { return {scratch.take<float>(std::size_t(rows) * std::size_t(cols)), rows, cols}; }

int blocks_of(int length) { return (length + kKvBlock - 1) / kKvBlock; }

// Where each text's rows and keys lie.
struct Places {
    SequenceRows* texts;
    std::int32_t *blocks, *positions, *types;
    int n_texts, n_blocks;
};

Places places_of(const EncoderBatch& batch, Scratch& s) {
    const int n_texts = int(batch.lengths.size()), n_blocks = key_blocks(batch.lengths);
    const auto rows = std::size_t(batch.n);
    Places out{s.take<SequenceRows>(batch.lengths.size()), s.take<std::int32_t>(std::size_t(n_blocks)), s.take<std::int32_t>(rows),
               s.take<std::int32_t>(rows), n_texts, n_blocks};
    std::iota(out.blocks, out.blocks + n_blocks, 0);
    std::fill_n(out.types, batch.n, 0);
    int row = 0, block = 0;
    for (int i = 0; i < n_texts; ++i) {
        const int length = batch.lengths[std::size_t(i)];
        std::iota(out.positions + row, out.positions + row + length, 0);
        out.texts[i] = {row, length, 0, out.blocks + block, nullptr};
        row += length;
        block += blocks_of(length);
    }
    return out;
}

// x = norm(token + type + position)
void embed(const Encoder& e, const EncoderBatch& batch, const Places& places, Mat x, Mat looked_up, Exec& exec) {
    e.ops->embed(x, e.tokens, batch.tokens, exec);
    e.ops->embed(looked_up, e.types, places.types, exec);
    e.ops->add_scaled(x, looked_up, 1, exec);
    e.ops->embed(looked_up, e.positions, places.positions, exec);
    e.ops->add_scaled(x, looked_up, 1, exec);
    e.ops->layer_norm(x, x, e.norm.w, e.norm.b, e.config.norm_epsilon, exec);
}

// x = norm(x + dense · in)
void add_branch(const Encoder& e, const Dense& dense, const Norm& norm, Mat in, Mat x, Exec& exec) {
    const MatmulJob job{&dense.w, x, dense.b, true};
    e.ops->matmul(&job, 1, in, exec);
    e.ops->layer_norm(x, x, norm.w, norm.b, e.config.norm_epsilon, exec);
}

// x = norm(x + o · attention(q · x, k · x, v · x))
void attention_block(const Encoder& e, const EncoderLayer& l, const Places& places, const KvLayer& kv, Mat x, Exec& exec) {
    const Taken taken(*exec.scratch);
    Scratch& s = *exec.scratch;
    const Mat q = take(s, x.rows, x.cols), k = take(s, x.rows, x.cols), v = take(s, x.rows, x.cols), attended = take(s, x.rows, x.cols);
    const MatmulJob jobs[] = {{&l.q.w, q, l.q.b, false}, {&l.k.w, k, l.k.b, false}, {&l.v.w, v, l.v.b, false}};
    e.ops->matmul(jobs, 3, x, exec);
    e.ops->kv_append(kv, k, v, places.texts, places.n_texts, exec);
    const float scale = 1.0f / std::sqrt(float(kv.head_dim));
    e.ops->attention({.out = attended, .q = q, .kv = kv, .sequences = places.texts, .n_sequences = places.n_texts, .heads = kv.kv_heads, .scale = scale, .causal = false}, exec);
    add_branch(e, l.o, l.attention_norm, attended, x, exec);
}

// x = norm(x + down · gelu(up · x))
void ffn_block(const Encoder& e, const EncoderLayer& l, Mat x, Exec& exec) {
    const Taken taken(*exec.scratch);
    const Mat inner = take(*exec.scratch, x.rows, e.config.ffn);
    const MatmulJob up{&l.up.w, inner, l.up.b, false};
    e.ops->matmul(&up, 1, x, exec);
    e.ops->gelu(inner, exec);
    add_branch(e, l.down, l.ffn_norm, inner, x, exec);
}

}  // namespace

int key_blocks(std::span<const int> lengths) {
    int out = 0;
    for (const int length : lengths) out += blocks_of(length);
    return out;
}

std::size_t encode_scratch(const EncoderConfig& c, int rows, int blocks, int threads) {
    const std::size_t h = std::size_t(c.hidden), widest = std::size_t(std::max(c.hidden, c.ffn));
    const std::size_t keys = std::size_t(blocks) * kKvBlock * 2 * h;
    // A branch's rows and its quantised input (at most 2 floats a value); positions, types and places.
    const std::size_t a_row = h + std::max(4 * h, std::size_t(c.ffn)) + 2 * widest + 64;
    // Products of one CPU thread, its tiles, and the scores of one row.
    const std::size_t per_thread = 16 * widest + (1 << 20) + std::size_t(c.positions);
    return (keys + std::size_t(rows + 32) * a_row + std::size_t(threads) * per_thread) * sizeof(float) + (1 << 20);
}

void encode(const Encoder& e, const EncoderBatch& batch, Mat x, Exec& exec) {
    const Taken taken(*exec.scratch);
    const Places places = places_of(batch, *exec.scratch);
    const std::size_t keys = std::size_t(places.n_blocks) * kKvBlock * std::size_t(e.config.hidden);
    // One layer's keys and values are forgotten with the next one.
    const KvLayer kv{exec.scratch->take<float>(keys), exec.scratch->take<float>(keys), KvFormat::f32, e.config.heads, e.config.hidden / e.config.heads};
    embed(e, batch, places, x, take(*exec.scratch, batch.n, e.config.hidden), exec);
    for (const EncoderLayer& layer : e.layers) {
        attention_block(e, layer, places, kv, x, exec);
        ffn_block(e, layer, x, exec);
    }
}

}  // namespace engine
