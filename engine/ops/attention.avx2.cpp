// Attention over paged keys and values, in float. Decode: one row, the query heads of a key-value head
// together. Prefill: 16 rows, lanes are queries, so the softmax needs no horizontal operation.
#include "engine/ops/kernels.avx2.h"
#include "engine/ops/simd.avx2.h"

namespace engine::avx2 {
namespace {

constexpr int tile_rows = 16;
constexpr int most_dim = 576;
constexpr float log2e = 1.44269504f;

// Rows [first, first + n) of one block's keys or values as floats; floats are not copied.
const float* rows_of(const AttentionRows& a, const void* memory, int kv, int block, int first, int n, float* room) {
    const size_t d = size_t(a.head_dim);
    const size_t at = ((size_t(a.blocks[block]) * a.kv_heads + kv) * block_keys + size_t(first)) * d;
    if (!a.half) return static_cast<const float*>(memory) + at;
    const uint16_t* from = static_cast<const uint16_t*>(memory) + at;
    for (size_t i = 0; i < size_t(n) * d; i += 8) _mm256_store_ps(room + i, half8(from + i));
    return room;
}

// Lane i of the result: the sum of v[i]'s lanes.
HEARTH_INLINE __m256 sums_of(const __m256 (&v)[8]) {
    const __m256 a = _mm256_hadd_ps(_mm256_hadd_ps(v[0], v[1]), _mm256_hadd_ps(v[2], v[3]));
    const __m256 b = _mm256_hadd_ps(_mm256_hadd_ps(v[4], v[5]), _mm256_hadd_ps(v[6], v[7]));
    return _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
}

void row_scores(const AttentionRows& a, int kv, const Sight& sight, const float* q, float* scores, size_t score_stride) {
    const int d = a.head_dim;
    alignas(32) float room[8 * most_dim];
    const __m256 factor = _mm256_set1_ps(a.scale * log2e);
    for (int first = sight.start; first < sight.end; first += 8) {
        const float* k = rows_of(a, a.k, kv, first / block_keys, first % block_keys, 8, room);
        const __m256 seen = _mm256_castsi256_ps(_mm256_andnot_si256(first_lanes(sight.begin - first), first_lanes(sight.end - first)));
        for (int h = 0; h < a.group; ++h) {
            const float* query = q + size_t(h) * d;
            __m256 sum[8];
            HEARTH_UNROLL for (int i = 0; i < 8; ++i) sum[i] = _mm256_setzero_ps();
            for (int c = 0; c < d; c += 8) {
                const __m256 qv = _mm256_loadu_ps(query + c);
                HEARTH_UNROLL for (int i = 0; i < 8; ++i) sum[i] = _mm256_fmadd_ps(qv, _mm256_loadu_ps(k + i * d + c), sum[i]);
            }
            // Keys past the last one hold what was there before: cut them off before they are looked at.
            const __m256 s = _mm256_blendv_ps(_mm256_set1_ps(-1e30f), _mm256_mul_ps(sums_of(sum), factor), seen);
            _mm256_storeu_ps(scores + h * score_stride + (first - sight.start), s);
        }
    }
}

// The logit to the base of 2 that takes weight from a head and gives no value.
HEARTH_INLINE float sink_of(const AttentionRows& a, int h) { return a.sinks ? a.sinks[h] * log2e : -1e30f; }

// Turns base-2 scores into weights; returns their sum, the sink's among them.
HEARTH_INLINE float exponentials(float* scores, int keys, float sink) {
    __m256 top = _mm256_set1_ps(sink), total = _mm256_setzero_ps();
    for (int i = 0; i < keys; i += 8) top = _mm256_max_ps(top, _mm256_loadu_ps(scores + i));
    top = _mm256_set1_ps(max_of(top));
    for (int i = 0; i < keys; i += 8) {
        const __m256 e = exp2_full(_mm256_sub_ps(_mm256_loadu_ps(scores + i), top));
        total = _mm256_add_ps(total, _mm256_and_ps(e, _mm256_castsi256_ps(first_lanes(keys - i))));
        _mm256_storeu_ps(scores + i, e);
    }
    return sum_of(total) + _mm256_cvtss_f32(exp2_full(_mm256_sub_ps(_mm256_set1_ps(sink), top)));
}

// out (8 * R floats) += weights · the same columns of n values.
template <int R> HEARTH_INLINE void add_values(const float* v, int d, const float* weights, int n, float* out) {
    __m256 sum[R];
    HEARTH_UNROLL for (int i = 0; i < R; ++i) sum[i] = _mm256_loadu_ps(out + 8 * i);
    for (int p = 0; p < n; ++p) {
        const __m256 w = _mm256_set1_ps(weights[p]);
        HEARTH_UNROLL for (int i = 0; i < R; ++i) sum[i] = _mm256_fmadd_ps(w, _mm256_loadu_ps(v + size_t(p) * d + 8 * i), sum[i]);
    }
    HEARTH_UNROLL for (int i = 0; i < R; ++i) _mm256_storeu_ps(out + 8 * i, sum[i]);
}

// ---- the tile

struct TileScratch {
    float* q;            // [group][d][16]
    float* o;            // [group][d][16]
    float* s;            // [block_keys][16]
    float *k, *v;        // [block_keys][d]
    float *top, *total;  // [group][16]
};

size_t tile_parts(char* base, int d, int group, TileScratch* t) {
    size_t at = 0;
    const size_t g = group;
    auto take = [&](size_t floats) {
        char* p = base + at;
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
HEARTH_INLINE void products(const float* x, const float* w, size_t row_step, size_t step, int n, __m256 (&a)[4][2]) {
    for (int i = 0; i < n; ++i, x += tile_rows, w += step) {
        const __m256 x0 = _mm256_load_ps(x), x1 = _mm256_load_ps(x + 8);
        HEARTH_UNROLL for (int r = 0; r < 4; ++r) {
            const __m256 b = _mm256_set1_ps(w[r * row_step]);
            a[r][0] = _mm256_fmadd_ps(x0, b, a[r][0]);
            a[r][1] = _mm256_fmadd_ps(x1, b, a[r][1]);
        }
    }
}

// Scores of a block of keys from `first` on for one head; returns the lanes' maxima in m.
void tile_scores(const AttentionRows& attention, const TileScratch& t, const float* q, int first, int position, __m256 (&m)[2]) {
    const int d = attention.head_dim, window = attention.window, all = attention.keys;
    const __m256 nothing = _mm256_set1_ps(-1e30f);
    for (int k = 0; k < block_keys; k += 4) {
        __m256 a[4][2];
        HEARTH_UNROLL for (int r = 0; r < 4; ++r) a[r][0] = a[r][1] = _mm256_setzero_ps();
        products(q, t.k + size_t(k) * d, size_t(d), 1, d, a);
        // Key j is seen by lanes >= j - position, and of these, where there is a window, by those < j - position + window;
        // or it is seen by all or none.
        if (first + k + 4 > (all ? all : position) || (window > 0 && first + k <= position + tile_rows - 1 - window)) {
            HEARTH_UNROLL for (int r = 0; r < 4; ++r) for (int z = 0; z < 2; ++z) {
                const int j = first + k + r - position - 8 * z;
                const int from = all ? (first + k + r < all ? 0 : tile_rows) : j;
                const __m256i near = window > 0 ? first_lanes(j + window) : first_lanes(8);
                a[r][z] = _mm256_blendv_ps(nothing, a[r][z], _mm256_castsi256_ps(_mm256_andnot_si256(first_lanes(from), near)));
            }
        }
        HEARTH_UNROLL for (int r = 0; r < 4; ++r) for (int z = 0; z < 2; ++z) {
            _mm256_store_ps(t.s + (k + r) * tile_rows + 8 * z, a[r][z]);
            m[z] = _mm256_max_ps(m[z], a[r][z]);
        }
    }
}

// One round of one head: softmax over a block with running maximum and sum, values added to o.
void tile_round(const AttentionRows& attention, const TileScratch& t, int first, int position, int h) {
    const int d = attention.head_dim;
    float *top = t.top + h * tile_rows, *total = t.total + h * tile_rows, *o = t.o + size_t(h) * d * tile_rows;
    __m256 m[2] = {_mm256_load_ps(top), _mm256_load_ps(top + 8)}, fade[2];
    tile_scores(attention, t, t.q + size_t(h) * d * tile_rows, first, position, m);
    for (int z = 0; z < 2; ++z) {
        fade[z] = exp2_full(_mm256_sub_ps(_mm256_load_ps(top + 8 * z), m[z]));
        __m256 sum = _mm256_mul_ps(_mm256_load_ps(total + 8 * z), fade[z]);
        for (int k = 0; k < block_keys; ++k) {
            float* s = t.s + k * tile_rows + 8 * z;
            const __m256 e = exp2_full(_mm256_sub_ps(_mm256_load_ps(s), m[z]));
            sum = _mm256_add_ps(sum, e);
            _mm256_store_ps(s, e);
        }
        _mm256_store_ps(total + 8 * z, sum);
        _mm256_store_ps(top + 8 * z, m[z]);
    }
    for (int c = 0; c < d; c += 4) {
        __m256 a[4][2];
        HEARTH_UNROLL for (int r = 0; r < 4; ++r) for (int z = 0; z < 2; ++z)
            a[r][z] = _mm256_mul_ps(fade[z], _mm256_load_ps(o + (c + r) * tile_rows + 8 * z));
        products(t.s, t.v + c, 1, size_t(d), block_keys, a);
        HEARTH_UNROLL for (int r = 0; r < 4; ++r) for (int z = 0; z < 2; ++z)
            _mm256_store_ps(o + (c + r) * tile_rows + 8 * z, a[r][z]);
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
        const __m256 inverse = _mm256_set1_ps(1.f / exponentials(s, keys, sink_of(a, h)));
        for (int i = 0; i < keys; i += 8) _mm256_storeu_ps(s + i, _mm256_mul_ps(_mm256_loadu_ps(s + i), inverse));
    }
    memset(out, 0, size_t(a.group) * d * sizeof(float));
    alignas(32) float room[block_keys * most_dim];
    for (int first = sight.start; first < sight.end; first += block_keys) {
        const int n = sight.end - first < block_keys ? sight.end - first : block_keys;
        const float* v = rows_of(a, a.v, kv, first / block_keys, 0, n, room);
        for (int h = 0; h < a.group; ++h) {
            float* to = out + size_t(h) * d;
            const float* weights = scores + h * stride + (first - sight.start);
            int c = 0;
            for (; c + 64 <= d; c += 64) add_values<8>(v + c, d, weights, n, to + c);
            for (; c < d; c += 16) add_values<2>(v + c, d, weights, n, to + c);
        }
    }
}

size_t attend_tile_bytes(int head_dim, int group) { return tile_parts(nullptr, head_dim, group, nullptr); }

void attend_tile(const AttentionRows& a, int kv, int position, int rows, const float* q, float* out, void* scratch) {
    TileScratch t;
    const int d = a.head_dim, keys = a.keys ? a.keys : position + rows;
    tile_parts(static_cast<char*>(scratch), d, a.group, &t);
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

}  // namespace engine::avx2
