// Attention over paged keys and values, in float. Decode: one row, the query heads of a key-value head
// together. Prefill: 16 rows, lanes are queries, so the softmax needs no horizontal operation. Included by attention.NAME.cpp.
#pragma once

namespace engine::HEARTH_TARGET {
namespace {

constexpr int tile_rows = 16;
constexpr int tile_parts = tile_rows / kLanes;  // registers
constexpr int keys_together = 8;                // of a row's scores
constexpr int most_dim = 576;
constexpr float log2e = 1.44269504f;

// Rows [first, first + n) of one block's keys or values as floats; floats are not copied.
const float* rows_of(const AttentionRows& a, const void* memory, int kv, int block, int first, int n, float* room) {
    const size_t d = size_t(a.head_dim), bytes = kv_row_bytes(a.format, a.head_dim);
    const char* head = static_cast<const char*>(memory) + (size_t(a.blocks[block]) * a.kv_heads + kv) * kv_head_bytes(a.format, a.head_dim);
    const char* rows = head + size_t(first) * bytes;
    if (a.format == KvFormat::f32) return reinterpret_cast<const float*>(rows);
    if (a.format == KvFormat::f16) {
        for (size_t i = 0; i < size_t(n) * d; i += kLanes) store_floats(room + i, halves(rows + 2 * i));
        return room;
    }
    const float* scales = reinterpret_cast<const float*>(head + block_keys * bytes) + first;
    for (int r = 0; r < n; ++r, rows += d, room += d) {
        const Register scale = splat(scales[r]);
        for (size_t i = 0; i < d; i += kLanes) store_floats(room + i, signed_bytes(rows + i) * scale);
    }
    return room - size_t(n) * d;
}

void row_scores(const AttentionRows& a, int kv, const Sight& sight, const float* q, float* scores, size_t score_stride) {
    const int d = a.head_dim;
    alignas(64) float room[keys_together * most_dim];
    const Register factor = splat(a.scale * log2e);
    for (int first = sight.start; first < sight.end; first += keys_together) {
        const float* k = rows_of(a, a.k, kv, first / block_keys, first % block_keys, keys_together, room);
        for (int h = 0; h < a.group; ++h) {
            const float* query = q + size_t(h) * d;
            Register sum[keys_together];
            HEARTH_UNROLL for (int i = 0; i < keys_together; ++i) sum[i] = splat(0.f);
            for (int c = 0; c < d; c += kLanes) {
                const Register qv = load_floats(query + c);
                HEARTH_UNROLL for (int i = 0; i < keys_together; ++i) sum[i] = fmadd(qv, load_floats(k + i * d + c), sum[i]);
            }
            // Keys past the last one hold what was there before: cut them off before they are looked at.
            HEARTH_UNROLL for (int i = 0; i < keys_together; i += kLanes) {
                const Mask seen = but(first_lanes(sight.end - first - i), first_lanes(sight.begin - first - i));
                store_floats(scores + h * score_stride + (first - sight.start) + i, choose(seen, sums_of(sum + i) * factor, splat(-1e30f)));
            }
        }
    }
}

// The logit to the base of 2 that takes weight from a head and gives no value.
HEARTH_INLINE float sink_of(const AttentionRows& a, int h) { return a.sinks ? a.sinks[h] * log2e : -1e30f; }

// Turns base-2 scores into weights; returns their sum, the sink's among them.
HEARTH_INLINE float exponentials(float* scores, int keys, float sink) {
    Register top = splat(sink), total = splat(0.f);
    for (int i = 0; i < keys; i += kLanes) top = larger(top, load_floats(scores + i));
    top = splat(max_of(top));
    for (int i = 0; i < keys; i += kLanes) {
        const Register e = exp2_full(load_floats(scores + i) - top);
        total = total + kept(first_lanes(keys - i), e);
        store_floats(scores + i, e);
    }
    return sum_of(total) + first_of(exp2_full(splat(sink) - top));
}

// out (R registers) += weights · the same columns of n values.
template <int R> HEARTH_INLINE void add_values(const float* v, int d, const float* weights, int n, float* out) {
    Register sum[R];
    HEARTH_UNROLL for (int i = 0; i < R; ++i) sum[i] = load_floats(out + kLanes * i);
    for (int p = 0; p < n; ++p) {
        const Register w = splat(weights[p]);
        HEARTH_UNROLL for (int i = 0; i < R; ++i) sum[i] = fmadd(w, load_floats(v + size_t(p) * d + kLanes * i), sum[i]);
    }
    HEARTH_UNROLL for (int i = 0; i < R; ++i) store_floats(out + kLanes * i, sum[i]);
}

// ---- the tile

#define EACH_LANES HEARTH_UNROLL for (int z = 0; z < tile_parts; ++z)
#define EACH_OF_FOUR HEARTH_UNROLL for (int r = 0; r < 4; ++r) EACH_LANES

struct TileScratch {
    float* q;            // [group][d][16]
    float* o;            // [group][d][16]
    float* s;            // [block_keys][16]
    float *k, *v;        // [block_keys][d]
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

// Keys or values [first, first + block_keys) as floats; past `keys` zeroes.
void convert_block(const AttentionRows& a, const void* memory, int kv, int first, int keys, float* to) {
    const int d = a.head_dim, n = keys - first < block_keys ? keys - first : block_keys;
    const float* from = rows_of(a, memory, kv, first / block_keys, 0, n, to);
    if (from != to) memcpy(to, from, size_t(n) * d * sizeof(float));
    memset(to + size_t(n) * d, 0, size_t(block_keys - n) * d * sizeof(float));
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
        products(q, t.k + size_t(k) * d, size_t(d), 1, d, a);
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
        products(t.s, t.v + c, 1, size_t(d), block_keys, a);
        EACH_OF_FOUR store_floats(o + (c + r) * tile_rows + kLanes * z, a[r][z]);
    }
}

}  // namespace

void attend_row(const AttentionRows& a, int kv, int position, const float* q, float* out, float* scores) {
    const Sight sight(a, position);
    const int keys = sight.end - sight.start, d = a.head_dim;
    const size_t stride = (size_t(keys) + 31) & ~size_t(31);
    row_scores(a, kv, sight, q, scores, stride);
    for (int h = 0; h < a.group; ++h) {
        float* s = scores + h * stride;
        const Register inverse = splat(1.f / exponentials(s, keys, sink_of(a, h)));
        for (int i = 0; i < keys; i += kLanes) store_floats(s + i, load_floats(s + i) * inverse);
    }
    memset(out, 0, size_t(a.group) * d * sizeof(float));
    alignas(64) float room[block_keys * most_dim];
    for (int first = sight.start; first < sight.end; first += block_keys) {
        const int n = sight.end - first < block_keys ? sight.end - first : block_keys;
        const float* v = rows_of(a, a.v, kv, first / block_keys, 0, n, room);
        for (int h = 0; h < a.group; ++h) {
            float* to = out + size_t(h) * d;
            const float* weights = scores + h * stride + (first - sight.start);
            int c = 0;
            for (; c + 64 <= d; c += 64) add_values<64 / kLanes>(v + c, d, weights, n, to + c);
            for (; c < d; c += 16) add_values<16 / kLanes>(v + c, d, weights, n, to + c);
        }
    }
}

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
        convert_block(a, a.k, kv, first, keys, t.k);
        convert_block(a, a.v, kv, first, keys, t.v);
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
