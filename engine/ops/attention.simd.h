// Attention over paged keys and values, in float: included by attention.NAME.cpp. Prefill: 16 rows, lanes are queries, so the
// softmax needs no horizontal operation. Decode: attention_row.simd.h.
#pragma once

#include "engine/ops/attention_row.simd.h"

namespace engine::HEARTH_TARGET {
namespace {

constexpr int tile_rows = 16;
constexpr int tile_parts = tile_rows / kLanes;  // registers

#define EACH_LANES HEARTH_UNROLL for (int z = 0; z < tile_parts; ++z)
#define EACH_OF_FOUR HEARTH_UNROLL for (int r = 0; r < 4; ++r) EACH_LANES

struct TileScratch {
    float* q;            // [group][d][16]
    float* o;            // [group][d][16]
    float* s;            // [block_keys][16]
    float *k, *v;        // [d][block_keys]
    float *top, *total;  // [group][16]
};

size_t scratch_at(char* base, int d, int group, TileScratch* t) {
    size_t at = 0;
    const size_t g = group;
    auto take = [&](size_t floats) {
        char* p = base ? base + at : nullptr;
        at += floats * sizeof(float);
        return reinterpret_cast<float*>(p);
    };
    const TileScratch parts{take(g * d * tile_rows),           take(g * d * tile_rows),  take(size_t(block_keys) * tile_rows),
                            take(size_t(block_keys) * d),      take(size_t(block_keys) * d), take(g * tile_rows),
                            take(g * tile_rows)};
    if (t) *t = parts;
    return at;
}

// Queries turned to lanes, softmax scale and the change of base folded in.
void convert_queries(const AttentionRows& a, int rows, const float* q, const TileScratch& t) {
    const float factor = a.scale * log2e;
    const int d = a.head_dim;
    for (int h = 0; h < a.group; ++h)
        for (int r = 0; r < tile_rows; ++r) {
            const float* row = q + size_t(r) * a.stride + size_t(h) * d;
            float* to = t.q + size_t(h) * d * tile_rows + r;
            for (int c = 0; c < d; ++c) to[size_t(c) * tile_rows] = r < rows ? row[c] * factor : 0.f;
        }
}

// A block's keys or values as floats, of the positions from n on zeroes: they may hold anything.
template <KvFormat F> void convert_block(const char* from, const Piece& p, int d, float* to) {
    const float* scales = reinterpret_cast<const float*>(from + p.scales);
    for (int c = 0; c < d; ++c, from += p.dimension, to += block_keys)
        for (int i = 0; i < block_keys; i += kLanes) {
            Register v = positions_at<F>(from, i);
            if constexpr (has_scales(F)) v = v * load_floats(scales + i);
            store_floats(to + i, kept(first_lanes(p.positions - i), v));
        }
}

// a[r] += sum over n of x[i] (16 lanes) * w[r * row_step + i * step].
HEARTH_INLINE void products(const float* x, const float* w, size_t row_step, size_t step, int n, Register (&a)[4][tile_parts]) {
    for (int i = 0; i < n; ++i, x += tile_rows, w += step) {
        Register v[tile_parts];
        EACH_LANES v[z] = load_floats(x + kLanes * z);
        HEARTH_UNROLL for (int r = 0; r < 4; ++r) {
            const Register b = splat(w[r * row_step]);
            EACH_LANES a[r][z] = fmadd(v[z], b, a[r][z]);
        }
    }
}

// Scores of a block of keys from `first` on for one head; returns the lanes' maxima in m.
void tile_scores(const AttentionRows& attention, const TileScratch& t, const float* q, int first, int position, Register (&m)[tile_parts]) {
    const int d = attention.head_dim, window = attention.window, all = attention.keys;
    const Register nothing = splat(-1e30f);
    for (int k = 0; k < block_keys; k += 4) {
        Register a[4][tile_parts];
        EACH_OF_FOUR a[r][z] = splat(0.f);
        products(q, t.k + k, 1, block_keys, d, a);
        // Key j is seen by lanes >= j - position, and of these, where there is a window, by those < j - position + window;
        // or it is seen by all or none.
        if (first + k + 4 > (all ? all : position) || (window > 0 && first + k <= position + tile_rows - 1 - window)) {
            EACH_OF_FOUR {
                const int j = first + k + r - position - kLanes * z;
                const int from = all ? (first + k + r < all ? 0 : tile_rows) : j;
                const Mask near = window > 0 ? first_lanes(j + window) : first_lanes(kLanes);
                a[r][z] = choose(but(near, first_lanes(from)), a[r][z], nothing);
            }
        }
        EACH_OF_FOUR {
            store_floats(t.s + (k + r) * tile_rows + kLanes * z, a[r][z]);
            m[z] = larger(m[z], a[r][z]);
        }
    }
}

// One round of one head: softmax over a block with running maximum and sum, values added to o.
void tile_round(const AttentionRows& attention, const TileScratch& t, int first, int position, int h) {
    const int d = attention.head_dim;
    float *top = t.top + h * tile_rows, *total = t.total + h * tile_rows, *o = t.o + size_t(h) * d * tile_rows;
    Register m[tile_parts], fade[tile_parts];
    EACH_LANES m[z] = load_floats(top + kLanes * z);
    tile_scores(attention, t, t.q + size_t(h) * d * tile_rows, first, position, m);
    for (int z = 0; z < tile_parts; ++z) {
        fade[z] = exp2_full(load_floats(top + kLanes * z) - m[z]);
        Register sum = load_floats(total + kLanes * z) * fade[z];
        for (int k = 0; k < block_keys; ++k) {
            float* s = t.s + k * tile_rows + kLanes * z;
            const Register e = exp2_full(load_floats(s) - m[z]);
            sum = sum + e;
            store_floats(s, e);
        }
        store_floats(total + kLanes * z, sum);
        store_floats(top + kLanes * z, m[z]);
    }
    for (int c = 0; c < d; c += 4) {
        Register a[4][tile_parts];
        EACH_OF_FOUR a[r][z] = fade[z] * load_floats(o + (c + r) * tile_rows + kLanes * z);
        products(t.s, t.v + size_t(c) * block_keys, block_keys, 1, block_keys, a);
        EACH_OF_FOUR store_floats(o + (c + r) * tile_rows + kLanes * z, a[r][z]);
    }
}

}  // namespace

size_t attend_tile_bytes(int head_dim, int group) { return scratch_at(nullptr, head_dim, group, nullptr); }

void attend_tile(const AttentionRows& a, int kv, int position, int rows, const float* q, float* out, void* scratch) {
    TileScratch t;
    const int d = a.head_dim, keys = a.keys ? a.keys : position + rows;
    scratch_at(static_cast<char*>(scratch), d, a.group, &t);
    convert_queries(a, rows, q, t);
    memset(t.o, 0, size_t(a.group) * d * tile_rows * sizeof(float));
    for (int i = 0; i < a.group * tile_rows; ++i) t.top[i] = sink_of(a, i / tile_rows), t.total[i] = a.sinks ? 1.f : 0.f;
    // A row that sees none of the first keys takes them all alike, until its first own one makes their share 0.
    for (int first = Sight(a, position).start; first < keys; first += block_keys) {
        const Piece piece = piece_at(a, kv, first, keys - first < block_keys ? keys : first + block_keys);
        with_format(a.format, [&]<KvFormat F>() {
            convert_block<F>(piece.k[0], piece, d, t.k);
            convert_block<F>(piece.v[0], piece, d, t.v);
        });
        for (int h = 0; h < a.group; ++h) tile_round(a, t, first, position, h);
    }
    for (int h = 0; h < a.group; ++h)
        for (int r = 0; r < rows; ++r) {
            const float inverse = 1.f / t.total[h * tile_rows + r];
            float* to = out + size_t(r) * a.stride + size_t(h) * d;
            const float* from = t.o + size_t(h) * d * tile_rows + r;
            for (int c = 0; c < d; ++c) to[c] = from[size_t(c) * tile_rows] * inverse;
        }
}

}  // namespace engine::HEARTH_TARGET
