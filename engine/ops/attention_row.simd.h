// Attention of one row over paged keys and values: included by the attention.NAME.cpp. Lanes are positions, so each value of
// the cache is converted once for all query heads that share it, and nothing is summed across lanes but once for each
// dimension of a piece.
#pragma once

#include "engine/ops/kernels.h"

namespace engine::HEARTH_TARGET {
namespace {

constexpr int row_heads = kLanes == 8 ? 4 : 8;  // query heads together: their sums stay in registers
constexpr int row_parts = 2;                    // registers of positions beside them
constexpr float log2e = 1.44269504f;

// The logit to the base of 2 that takes weight from a head and gives no value.
HEARTH_INLINE float sink_of(const AttentionRows& a, int h) { return a.sinks ? a.sinks[h] * log2e : -1e30f; }

// What is known of some heads after some positions: their largest score, by weights 2^(score - top) the sum of these, and behind
// it the sums of weighted values, [d][row_heads].
struct RowState {
    float top[row_heads], total[row_heads];
    float* values() { return reinterpret_cast<float*>(this + 1); }
    const float* values() const { return reinterpret_cast<const float*>(this + 1); }
    void clear(int head_dim) {
        for (int h = 0; h < row_heads; ++h) top[h] = -1e30f, total[h] = 0;
        memset(values(), 0, size_t(head_dim) * row_heads * sizeof(float));
    }
};
constexpr size_t row_state_bytes(int head_dim) { return sizeof(RowState) + size_t(head_dim) * row_heads * sizeof(float); }

// Calls f with the format of the keys and values as a template's argument.
template <class Function> HEARTH_INLINE void with_format(KvFormat format, Function&& f) {
    switch (format) {
        case KvFormat::f32: return f.template operator()<KvFormat::f32>();
        case KvFormat::f16: return f.template operator()<KvFormat::f16>();
        case KvFormat::bf16: return f.template operator()<KvFormat::bf16>();
        case KvFormat::int8: return f.template operator()<KvFormat::int8>();
        case KvFormat::fp8: return f.template operator()<KvFormat::fp8>();
    }
}

// kLanes neighbouring values of a dimension from the i-th on; where they have scales, without these.
template <KvFormat F> HEARTH_INLINE Register positions_at(const char* dimension, int i) {
    if constexpr (F == KvFormat::int8) return signed_bytes(dimension + i);
    else if constexpr (F == KvFormat::fp8) return e4m3_parts(dimension + i);
    else if constexpr (F == KvFormat::bf16) return bf16_values(dimension + 2 * i);
    else if constexpr (F == KvFormat::f16) return halves(dimension + 2 * i);
    else return load_floats(reinterpret_cast<const float*>(dimension) + i);
}

HEARTH_INLINE void come_nearer(const char* p) { __builtin_prefetch(p, 0, 2); }  // to the second cache

// The blocks of some neighbouring positions of one key-value head; past the last one the first again.
struct Piece {
    int first, positions;
    const char *k[piece_keys / block_keys], *v[piece_keys / block_keys];
    size_t dimension;   // bytes from one to the next
    size_t scales;      // where those of eight bits lie in a block
    int blocks() const { return (positions + block_keys - 1) / block_keys; }
};
Piece piece_at(const AttentionRows& a, int kv, int first, int end) {
    const size_t head = kv_head_bytes(a.format, a.head_dim), dimension = kv_dimension_bytes(a.format);
    Piece p{first, end - first, {}, {}, dimension, dimension * size_t(a.head_dim)};
    for (int b = 0; b < piece_keys / block_keys; ++b) {
        const int block = a.blocks[first / block_keys + (b < p.blocks() ? b : 0)];
        const size_t at = (size_t(block) * size_t(a.kv_heads) + size_t(kv)) * head;
        p.k[b] = static_cast<const char*>(a.k) + at;
        p.v[b] = static_cast<const char*>(a.v) + at;
    }
    return p;
}

// scores[h][i] to the base of 2, of what the row does not see -1e30. Meanwhile the piece's values come nearer, and with the
// values the next piece's keys: blocks are short and far from each other, and each pass alone would wait for memory.
template <KvFormat F, int H>
void piece_scores(const AttentionRows& a, const Piece& p, const Sight& sight, const float* q, float* scores) {
    const size_t d = size_t(a.head_dim);
    const Register factor = splat(a.scale * log2e);
    for (int b = 0; b < p.blocks(); ++b)
        for (int part = 0; part < block_keys; part += row_parts * kLanes) {
            Register sum[H][row_parts];
            HEARTH_UNROLL for (int h = 0; h < H; ++h) HEARTH_UNROLL for (int z = 0; z < row_parts; ++z) sum[h][z] = splat(0.f);
            const char *at = p.k[b], *values = p.v[b];
            for (size_t c = 0; c < d; ++c, at += p.dimension, values += p.dimension) {
                come_nearer(values);
                Register k[row_parts];
                HEARTH_UNROLL for (int z = 0; z < row_parts; ++z) k[z] = positions_at<F>(at, part + z * kLanes);
                HEARTH_UNROLL for (int h = 0; h < H; ++h) {
                    const float* const x = q + size_t(h) * d + c;
                    HEARTH_UNROLL for (int z = 0; z < row_parts; ++z) sum[h][z] = fmadd_splat(x, k[z], sum[h][z]);
                }
            }
            HEARTH_UNROLL for (int z = 0; z < row_parts; ++z) {
                const int i = part + z * kLanes, position = p.first + b * block_keys + i;
                // Positions past the last one hold what was there before: cut them off before they are looked at.
                const Mask seen = but(first_lanes(sight.end - position), first_lanes(sight.begin - position));
                Register scale = factor;
                if constexpr (has_scales(F)) scale = scale * load_floats(reinterpret_cast<const float*>(p.k[b] + p.scales) + i);
                HEARTH_UNROLL for (int h = 0; h < H; ++h)
                    store_floats(scores + h * piece_keys + b * block_keys + i, choose(seen, sum[h][z] * scale, splat(-1e30f)));
            }
        }
}

// Turns n scores into weights under the largest score so far; returns by what the sums before have to be multiplied.
HEARTH_INLINE float weights_of(float* scores, int n, float& top, float& total) {
    Register largest = splat(top);
    for (int i = 0; i < n; i += kLanes) largest = larger(largest, load_floats(scores + i));
    const float now = max_of(largest);
    largest = splat(now);
    Register sum = splat(0.f);
    for (int i = 0; i < n; i += kLanes) {
        const Register e = exp2_full(load_floats(scores + i) - largest);
        sum = sum + e;
        store_floats(scores + i, e);
    }
    const float fade = first_of(exp2_full(splat(top - now)));
    top = now;
    total = total * fade + sum_of(sum);
    return fade;
}

// The scales of eight bits become factors of the weights, of which what was never written gets none.
void scale_weights(const Piece& p, int n, float* weights) {
    for (int i = 0; i < n; i += kLanes) {
        const Register scale = load_floats(reinterpret_cast<const float*>(p.v[i / block_keys] + p.scales) + i % block_keys);
        store_floats(weights + i, choose(first_lanes(n - i), load_floats(weights + i) * scale, splat(0.f)));
    }
}

// sum[c][h] += weight · value over kLanes positions of two dimensions.
template <KvFormat F, int H, bool cut>
HEARTH_INLINE void add_positions(const char* at, size_t dimension, int i, const float* weights, Mask seen, Register (&sum)[2][row_heads]) {
    Register v[2] = {positions_at<F>(at, i), positions_at<F>(at + dimension, i)};
    if constexpr (cut) v[0] = kept(seen, v[0]), v[1] = kept(seen, v[1]);
    HEARTH_UNROLL for (int h = 0; h < H; ++h) {
        const Register w = rounded(load_floats(weights + h * piece_keys));
        sum[0][h] = fmadd(w, v[0], sum[0][h]);
        sum[1][h] = fmadd(w, v[1], sum[1][h]);
    }
}

// values[c][h] = fade[h] · values[c][h] + Σ weight · value over the first n positions.
template <KvFormat F, int H>
void piece_values(const Piece& p, const Piece& next, int d, int n, const float* weights, const float* fade, float* values) {
    const int whole = n / kLanes * kLanes;
    for (int c = 0; c < d; c += 2, values += 2 * row_heads) {
        Register sum[2][row_heads];
        HEARTH_UNROLL for (int h = 0; h < row_heads; ++h) sum[0][h] = sum[1][h] = splat(0.f);
        const size_t at = size_t(c) * p.dimension;
        int i = 0;
        for (int b = 0; i < whole; ++b) {
            come_nearer(next.k[b] + at);
            come_nearer(next.k[b] + at + p.dimension);
            for (int z = 0; z < block_keys && i < whole; z += kLanes, i += kLanes)
                add_positions<F, H, false>(p.v[b] + at, p.dimension, z, weights + i, first_lanes(kLanes), sum);
        }
        if (i < n) add_positions<F, H, true>(p.v[i / block_keys] + at, p.dimension, i % block_keys, weights + i, first_lanes(n - i), sum);
        HEARTH_UNROLL for (int z = 0; z < 2 * row_heads; z += kLanes)
            store_floats(values + z, fmadd(load_floats(fade + z), load_floats(values + z), sums_of(&sum[0][0] + z)));
    }
}

template <KvFormat F, int H>
void attend_piece(const AttentionRows& a, const Piece& p, const Piece& next, const Sight& sight, const float* q, RowState& state) {
    alignas(64) float scores[row_heads * piece_keys], fade[2 * row_heads] = {};
    piece_scores<F, H>(a, p, sight, q, scores);
    const int n = p.positions, filled = (n + kLanes - 1) / kLanes * kLanes;
    for (int h = 0; h < H; ++h) {
        float* weights = scores + h * piece_keys;
        fade[h] = fade[h + row_heads] = weights_of(weights, filled, state.top[h], state.total[h]);
        if constexpr (has_scales(F)) scale_weights(p, n, weights);
    }
    piece_values<F, H>(p, next, a.head_dim, n, scores, fade, state.values());
}

template <KvFormat F, int H>
HEARTH_INLINE void attend_heads(int n, const AttentionRows& a, const Piece& p, const Piece& next, const Sight& sight, const float* q, RowState& state) {
    if constexpr (H > 1)
        if (n < H) return attend_heads<F, H - 1>(n, a, p, next, sight, q, state);
    attend_piece<F, H>(a, p, next, sight, q, state);
}

constexpr int batches(int group) { return (group + row_heads - 1) / row_heads; }

}  // namespace

size_t attend_span_bytes(int head_dim, int group) { return size_t(batches(group)) * row_state_bytes(head_dim); }

void attend_span(const AttentionRows& a, int kv, int position, int span, const float* q, void* state) {
    const Sight sight(a, position);
    const Spans spans(sight);
    const int d = a.head_dim;
    const auto state_of = [&](int batch) -> RowState& { return *reinterpret_cast<RowState*>(static_cast<char*>(state) + size_t(batch) * row_state_bytes(d)); };
    for (int b = 0; b < batches(a.group); ++b) state_of(b).clear(d);
    for (int first = spans.begin(span), end = 0; first < spans.end(span); first = end) {
        end = spans.piece_end(first);
        const Piece piece = piece_at(a, kv, first, end), next = end < sight.end ? piece_at(a, kv, end, spans.piece_end(end)) : piece;
        for (int b = 0; b < batches(a.group); ++b) {
            const int h = b * row_heads, n = a.group - h < row_heads ? a.group - h : row_heads;
            const float* query = q + size_t(h) * size_t(d);
            with_format(a.format, [&]<KvFormat F>() { attend_heads<F, row_heads>(n, a, piece, next, sight, query, state_of(b)); });
        }
    }
}

void attend_join(const AttentionRows& a, const void* states, int spans, float* out) {
    const int d = a.head_dim;
    const size_t stride = attend_span_bytes(d, a.group);
    for (int h = 0; h < a.group; ++h, out += d) {
        const int lane = h % row_heads;
        const char* const of_heads = static_cast<const char*>(states) + size_t(h / row_heads) * row_state_bytes(d);
        const auto state = [&](int s) -> const RowState& { return *reinterpret_cast<const RowState*>(of_heads + size_t(s) * stride); };
        const float sink = sink_of(a, h);
        float top = sink, share[most_spans];
        for (int s = 0; s < spans; ++s) top = top < state(s).top[lane] ? state(s).top[lane] : top;
        float total = first_of(exp2_full(splat(sink - top)));
        for (int s = 0; s < spans; ++s) {
            share[s] = first_of(exp2_full(splat(state(s).top[lane] - top)));
            total += share[s] * state(s).total[lane];
        }
        memset(out, 0, size_t(d) * sizeof(float));
        for (int s = 0; s < spans; ++s) {
            const float factor = share[s] / total;
            const float* const values = state(s).values() + lane;
            for (int c = 0; c < d; ++c) out[c] += factor * values[size_t(c) * row_heads];
        }
    }
}

}  // namespace engine::HEARTH_TARGET
