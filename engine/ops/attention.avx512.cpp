// Attention over paged keys and values. Decode: one row, the query heads of a key-value head together.
// Prefill: 32 rows, lanes are queries, so the softmax needs no horizontal operation; BF16 products.
#include "engine/ops/kernels.avx512.h"
#include "engine/ops/simd.avx512.h"

namespace engine::avx512 {
namespace {

constexpr int tile_rows = 32;
constexpr int tile_keys = 128;  // of one round of the tile
constexpr float log2e = 1.44269504f;

struct BlockView {
    const char *k, *v;
    size_t row;  // bytes of one key
    const float *k_scale, *v_scale;  // of int8
};
HEARTH_INLINE BlockView block_at(const AttentionRows& a, int kv, int block) {
    const size_t row = kv_row_bytes(a.format, a.head_dim);
    const size_t at = (size_t(a.blocks[block]) * a.kv_heads + kv) * kv_head_bytes(a.format, a.head_dim);
    const char *k = static_cast<const char*>(a.k) + at, *v = static_cast<const char*>(a.v) + at;
    return {k, v, row, reinterpret_cast<const float*>(k + block_keys * row), reinterpret_cast<const float*>(v + block_keys * row)};
}

// Of int8 the codes: their scale is a factor of the row.
template <KvFormat F> HEARTH_INLINE __m512 load16(const char* row, int i) {
    if constexpr (F == KvFormat::int8) return to_float(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row + i))));
    if constexpr (F == KvFormat::f16) return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(row + 2 * i)));
    return _mm512_loadu_ps(row + 4 * i);
}

// Calls f with the format of the keys and values as a template's argument.
template <class Function> HEARTH_INLINE void with_format(KvFormat format, Function&& f) {
    switch (format) {
        case KvFormat::f32: return f.template operator()<KvFormat::f32>();
        case KvFormat::f16: return f.template operator()<KvFormat::f16>();
        case KvFormat::int8: return f.template operator()<KvFormat::int8>();
    }
}

// Lane i of the result: the sum of v[i]'s lanes.
HEARTH_INLINE __m512 sums_of(__m512 (&v)[16]) {
    __m512 s[8], t[4], u[2];
    HEARTH_UNROLL for (int i = 0; i < 8; ++i) {  // pairs (i, i+8) of vectors: low and high halves
        const __m512 low = _mm512_shuffle_f32x4(v[i], v[i + 8], 0x44), high = _mm512_shuffle_f32x4(v[i], v[i + 8], 0xee);
        s[i] = _mm512_add_ps(low, high);
    }
    HEARTH_UNROLL for (int i = 0; i < 4; ++i) {
        const __m512 low = _mm512_shuffle_f32x4(s[i], s[i + 4], 0x88), high = _mm512_shuffle_f32x4(s[i], s[i + 4], 0xdd);
        t[i] = _mm512_add_ps(low, high);  // quarters: v[i], v[i+8], v[i+4], v[i+12]
    }
    HEARTH_UNROLL for (int i = 0; i < 2; ++i)
        u[i] = _mm512_add_ps(_mm512_unpacklo_ps(t[i], t[i + 2]), _mm512_unpackhi_ps(t[i], t[i + 2]));
    // Within a quarter: u[i] holds (i, i+2) twice.
    const __m512d lo = _mm512_unpacklo_pd(_mm512_castps_pd(u[0]), _mm512_castps_pd(u[1]));
    const __m512d hi = _mm512_unpackhi_pd(_mm512_castps_pd(u[0]), _mm512_castps_pd(u[1]));
    const __m512 sum = _mm512_add_ps(_mm512_castpd_ps(lo), _mm512_castpd_ps(hi));
    // Lane 4q+j holds vector order[j] + {0, 8, 4, 12}[q] with order 0, 2, 1, 3.
    const __m512i order = _mm512_setr_epi32(0, 2, 1, 3, 8, 10, 9, 11, 4, 6, 5, 7, 12, 14, 13, 15);
    return _mm512_permutexvar_ps(order, sum);
}

template <KvFormat F>
void row_scores(const AttentionRows& a, int kv, const Sight& sight, const float* q, float* scores, size_t score_stride) {
    const int d = a.head_dim;
    for (int first = sight.start; first < sight.end; first += 16) {
        const BlockView b = block_at(a, kv, first / block_keys);
        const char* k = b.k + size_t(first % block_keys) * b.row;
        for (int h = 0; h < a.group; ++h) {
            const float* query = q + size_t(h) * d;
            __m512 sum[16];
            HEARTH_UNROLL for (int i = 0; i < 16; ++i) sum[i] = _mm512_setzero_ps();
            for (int c = 0; c < d; c += 16) {
                const __m512 qv = _mm512_loadu_ps(query + c);
                HEARTH_UNROLL for (int i = 0; i < 16; ++i)
                    sum[i] = _mm512_fmadd_ps(qv, load16<F>(k + i * b.row, c), sum[i]);
            }
            // Keys past the last one hold what was there before: cut them off before they are looked at.
            __m512 s = _mm512_mul_ps(sums_of(sum), _mm512_set1_ps(a.scale * log2e));
            if constexpr (F == KvFormat::int8) s = _mm512_mul_ps(s, _mm512_loadu_ps(b.k_scale + first % block_keys));
            const __mmask16 before = sight.begin > first ? first_lanes(sight.begin - first) : 0;
            const __mmask16 seen = static_cast<__mmask16>(first_lanes(sight.end - first) & ~before);
            _mm512_storeu_ps(scores + h * score_stride + (first - sight.start), _mm512_mask_mov_ps(_mm512_set1_ps(-1e30f), seen, s));
        }
    }
}

template <KvFormat F>
void row_values(const AttentionRows& a, int kv, const Sight& sight, float* out, const float* weights, int h, float inverse) {
    const int d = a.head_dim;
    for (int c = 0; c < d; c += 64) {
        const int n = d - c < 64 ? (d - c) / 16 : 4;
        __m512 sum[4];
        HEARTH_UNROLL for (int i = 0; i < 4; ++i) sum[i] = _mm512_setzero_ps();
        for (int first = sight.start; first < sight.end; first += block_keys) {
            const BlockView b = block_at(a, kv, first / block_keys);
            const int n_keys = sight.end - first < block_keys ? sight.end - first : block_keys;
            for (int p = 0; p < n_keys; ++p) {
                const __m512 w = _mm512_set1_ps(weights[first - sight.start + p] * (F == KvFormat::int8 ? b.v_scale[p] : 1.f));
                for (int i = 0; i < n; ++i)
                    sum[i] = _mm512_fmadd_ps(w, load16<F>(b.v + p * b.row, c + 16 * i), sum[i]);
            }
        }
        for (int i = 0; i < n; ++i)
            _mm512_storeu_ps(out + size_t(h) * d + c + 16 * i, _mm512_mul_ps(sum[i], _mm512_set1_ps(inverse)));
    }
}

// The logit to the base of 2 that takes weight from a head and gives no value.
HEARTH_INLINE float sink_of(const AttentionRows& a, int h) { return a.sinks ? a.sinks[h] * log2e : -1e30f; }

// Turns base-2 scores into weights; returns their sum, the sink's among them.
HEARTH_INLINE float exponentials(float* scores, int keys, float sink) {
    __m512 top = _mm512_set1_ps(sink), total = _mm512_setzero_ps();
    for (int i = 0; i < keys; i += 16) top = _mm512_max_ps(top, _mm512_loadu_ps(scores + i));
    top = _mm512_set1_ps(_mm512_reduce_max_ps(top));
    for (int i = 0; i < keys; i += 16) {
        const __m512 e = exp2_full(_mm512_sub_ps(_mm512_loadu_ps(scores + i), top));
        total = _mm512_mask_add_ps(total, first_lanes(keys - i), total, e);
        _mm512_storeu_ps(scores + i, e);
    }
    return _mm512_reduce_add_ps(total) + _mm512_cvtss_f32(exp2_full(_mm512_sub_ps(_mm512_set1_ps(sink), top)));
}

// ---- the tile

struct TileScratch {
    uint32_t* q;  // [group][d/2][32] bf16 pairs
    float* o;     // [group][d][32]
    float* s;     // [tile_keys][32]
    uint32_t* p;  // [tile_keys/2][32] bf16 pairs
    uint32_t* k;  // [tile_keys][d/2] bf16 pairs
    uint32_t* v;  // [tile_keys/2][d] bf16 pairs of neighbouring keys
    float *top, *total;  // [group][32]
};

size_t tile_parts(char* base, int d, int group, TileScratch* t) {
    size_t at = 0;
    const size_t g = group;
    auto take = [&](size_t words) {
        char* p = base ? base + at : nullptr;
        at += words * 4;
        return p;
    };
    char* q = take(g * d / 2 * tile_rows);
    char* o = take(g * d * tile_rows);
    char* s = take(size_t(tile_keys) * tile_rows);
    char* p = take(size_t(tile_keys) / 2 * tile_rows);
    char* k = take(size_t(tile_keys) * d / 2);
    char* v = take(size_t(tile_keys) / 2 * d);
    char* top = take(g * tile_rows);
    char* total = take(g * tile_rows);
    if (t)
        *t = {reinterpret_cast<uint32_t*>(q), reinterpret_cast<float*>(o),      reinterpret_cast<float*>(s),
              reinterpret_cast<uint32_t*>(p), reinterpret_cast<uint32_t*>(k),   reinterpret_cast<uint32_t*>(v),
              reinterpret_cast<float*>(top),  reinterpret_cast<float*>(total)};
    return at;
}

// Two registers of floats to one of (a, b) bf16 pairs, nearest, ties away from zero.
HEARTH_INLINE __m512i pairs_of(__m512 a, __m512 b) {
    const __m512i h = _mm512_set1_epi32(0x8000);
    const __m512i x = _mm512_srli_epi32(_mm512_add_epi32(_mm512_castps_si512(a), h), 16);
    const __m512i y = _mm512_add_epi32(_mm512_castps_si512(b), h);
    return _mm512_mask_blend_epi16(0xaaaaaaaa, x, y);
}

// 2^t for t <= 0 to a relative error of 1e-4, far below BF16: cubic minimax on [-1/2, 1/2].
HEARTH_INLINE __m512 exp2_short(__m512 t) {
    const __m512 n = _mm512_roundscale_ps(t, 8), r = _mm512_sub_ps(t, n);
    __m512 p = _mm512_fmadd_ps(_mm512_set1_ps(0.05583828f), r, _mm512_set1_ps(0.24263948f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.69313673f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.99992456f));
    return _mm512_scalef_ps(p, n);
}

// a[r] += sum over n pairs i of x[i] * w[r * row_step + i * step], both 32 lanes wide.
template <int R>
HEARTH_INLINE void pair_products(const uint32_t* x, const uint32_t* w, size_t row_step, size_t step, int n,
                                 __m512 (&a)[R][2]) {
    for (int i = 0; i < n; ++i, x += tile_rows, w += step) {
        const __m512bh x0 = (__m512bh)_mm512_load_si512(x), x1 = (__m512bh)_mm512_load_si512(x + 16);
        HEARTH_UNROLL for (int r = 0; r < R; ++r) {
            const __m512bh b = (__m512bh)_mm512_set1_epi32(static_cast<int>(w[r * row_step]));
            a[r][0] = _mm512_dpbf16_ps(a[r][0], x0, b);
            a[r][1] = _mm512_dpbf16_ps(a[r][1], x1, b);
        }
    }
}

// Keys [first, first + n) and their values as BF16 pairs; past `keys` zeroes. n is a multiple of 32.
template <KvFormat F>
void convert_keys(const AttentionRows& a, int kv, int first, int n, int keys, const TileScratch& t) {
    const int d = a.head_dim;
    const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
    for (int i = 0; i < n; i += 2) {
        const bool there[2] = {first + i < keys, first + i + 1 < keys};
        const BlockView b = block_at(a, kv, there[0] ? (first + i) / block_keys : 0);
        const size_t at = size_t((first + i) % block_keys) * b.row;
        for (int c = 0; c < d; c += 16) {
            __m512 k[2], v[2];
            for (int j = 0; j < 2; ++j) {
                k[j] = there[j] ? load16<F>(b.k + at + j * b.row, c) : _mm512_setzero_ps();
                v[j] = there[j] ? load16<F>(b.v + at + j * b.row, c) : _mm512_setzero_ps();
                if (F != KvFormat::int8 || !there[j]) continue;
                const int key = (first + i) % block_keys + j;
                k[j] = _mm512_mul_ps(k[j], _mm512_set1_ps(b.k_scale[key]));
                v[j] = _mm512_mul_ps(v[j], _mm512_set1_ps(b.v_scale[key]));
            }
            _mm512_storeu_si512(t.v + size_t(i / 2) * d + c, pairs_of(v[0], v[1]));
            for (int j = 0; j < 2; ++j) {
                const __m512 e = _mm512_permutex2var_ps(k[j], even, k[j]), o = _mm512_permutex2var_ps(k[j], odd, k[j]);
                const __m256i pairs = _mm512_castsi512_si256(pairs_of(e, o));
                _mm256_storeu_si256(reinterpret_cast<__m256i*>(t.k + size_t(i + j) * (d / 2) + c / 2), pairs);
            }
        }
    }
}

// Queries as pairs, softmax scale and the change of base folded in.
void convert_queries(const AttentionRows& a, int rows, const float* q, const TileScratch& t) {
    const float factor = a.scale * log2e;
    const int d = a.head_dim;
    alignas(64) float x[2][16];
    for (int h = 0; h < a.group; ++h)
        for (int c = 0; c < d; c += 2)
            for (int z = 0; z < tile_rows; z += 16) {
                for (int i = 0; i < 16; ++i) {
                    const float* row = q + size_t(z + i) * a.stride + size_t(h) * d + c;
                    x[0][i] = z + i < rows ? row[0] * factor : 0.f;
                    x[1][i] = z + i < rows ? row[1] * factor : 0.f;
                }
                _mm512_store_si512(t.q + (size_t(h) * d / 2 + c / 2) * tile_rows + z,
                                   pairs_of(_mm512_load_ps(x[0]), _mm512_load_ps(x[1])));
            }
}

// The first n of 32 lanes; n may be anything.
HEARTH_INLINE uint32_t lanes_below(int n) { return n <= 0 ? 0u : n >= 32 ? ~0u : ~0u >> (32 - n); }

// Scores of n keys from `first` on for one head; returns the lanes' maxima in m.
void tile_scores(const AttentionRows& attention, const TileScratch& t, const uint32_t* q, int first, int n, int position, __m512 (&m)[2]) {
    const int d = attention.head_dim, window = attention.window, all = attention.keys;
    const __m512 nothing = _mm512_set1_ps(-1e30f);
    for (int k = 0; k < n; k += 8) {
        __m512 a[8][2];
        HEARTH_UNROLL for (int r = 0; r < 8; ++r) a[r][0] = a[r][1] = _mm512_setzero_ps();
        pair_products<8>(q, t.k + size_t(k) * (d / 2), d / 2, 1, d / 2, a);
        // Key j is seen by lanes >= j - position, and of these, where there is a window, by those < j - position + window;
        // or it is seen by all or none.
        if (first + k + 8 > (all ? all : position) || (window > 0 && first + k <= position + tile_rows - 1 - window)) {
            HEARTH_UNROLL for (int r = 0; r < 8; ++r) {
                const int j = first + k + r - position;
                const int from = all ? (first + k + r < all ? 0 : tile_rows) : j;
                const uint32_t seen = ~lanes_below(from) & (window > 0 ? lanes_below(j + window) : ~0u);
                a[r][0] = _mm512_mask_mov_ps(nothing, static_cast<__mmask16>(seen), a[r][0]);
                a[r][1] = _mm512_mask_mov_ps(nothing, static_cast<__mmask16>(seen >> 16), a[r][1]);
            }
        }
        HEARTH_UNROLL for (int r = 0; r < 8; ++r) for (int z = 0; z < 2; ++z) {
            _mm512_store_ps(t.s + (k + r) * tile_rows + 16 * z, a[r][z]);
            m[z] = _mm512_max_ps(m[z], a[r][z]);
        }
    }
}

// One round of one head: softmax over n keys with running maximum and sum, values added to o.
void tile_round(const AttentionRows& a, const TileScratch& t, int first, int n, int position, int h) {
    const int d = a.head_dim;
    float *top = t.top + h * tile_rows, *total = t.total + h * tile_rows, *o = t.o + size_t(h) * d * tile_rows;
    __m512 m[2] = {_mm512_load_ps(top), _mm512_load_ps(top + 16)}, fade[2];
    tile_scores(a, t, t.q + size_t(h) * d / 2 * tile_rows, first, n, position, m);
    for (int z = 0; z < 2; ++z) {
        fade[z] = exp2_short(_mm512_sub_ps(_mm512_load_ps(top + 16 * z), m[z]));
        __m512 s0 = _mm512_mul_ps(_mm512_load_ps(total + 16 * z), fade[z]), s1 = _mm512_setzero_ps();
        for (int k = 0; k < n; k += 2) {
            const __m512 even = exp2_short(_mm512_sub_ps(_mm512_load_ps(t.s + k * tile_rows + 16 * z), m[z]));
            const __m512 odd = exp2_short(_mm512_sub_ps(_mm512_load_ps(t.s + (k + 1) * tile_rows + 16 * z), m[z]));
            s0 = _mm512_add_ps(s0, even);
            s1 = _mm512_add_ps(s1, odd);
            _mm512_store_si512(t.p + k / 2 * tile_rows + 16 * z, pairs_of(even, odd));
        }
        _mm512_store_ps(total + 16 * z, _mm512_add_ps(s0, s1));
        _mm512_store_ps(top + 16 * z, m[z]);
    }
    for (int c = 0; c < d; c += 8) {
        __m512 sum[8][2];
        HEARTH_UNROLL for (int r = 0; r < 8; ++r) for (int z = 0; z < 2; ++z)
            sum[r][z] = _mm512_mul_ps(fade[z], _mm512_load_ps(o + (c + r) * tile_rows + 16 * z));
        pair_products<8>(t.p, t.v + c, 1, d, n / 2, sum);
        HEARTH_UNROLL for (int r = 0; r < 8; ++r) for (int z = 0; z < 2; ++z)
            _mm512_store_ps(o + (c + r) * tile_rows + 16 * z, sum[r][z]);
    }
}

}  // namespace

void attend_row(const AttentionRows& a, int kv, int position, const float* q, float* out, float* scores) {
    const Sight sight(a, position);
    const int keys = sight.end - sight.start;
    const size_t stride = (size_t(keys) + 31) & ~size_t(31);
    with_format(a.format, [&]<KvFormat F>() { row_scores<F>(a, kv, sight, q, scores, stride); });
    for (int h = 0; h < a.group; ++h) {
        float* weights = scores + h * stride;
        const float inverse = 1.f / exponentials(weights, keys, sink_of(a, h));
        with_format(a.format, [&]<KvFormat F>() { row_values<F>(a, kv, sight, out, weights, h, inverse); });
    }
}

size_t attend_tile_bytes(int head_dim, int group) { return tile_parts(nullptr, head_dim, group, nullptr); }

void attend_tile(const AttentionRows& a, int kv, int position, int rows, const float* q, float* out, void* scratch) {
    TileScratch t;
    const int d = a.head_dim, keys = a.keys ? a.keys : position + rows;
    tile_parts(static_cast<char*>(scratch), d, a.group, &t);
    convert_queries(a, rows, q, t);
    memset(t.o, 0, size_t(a.group) * d * tile_rows * 4);
    for (int i = 0; i < a.group * tile_rows; ++i) t.top[i] = sink_of(a, i / tile_rows), t.total[i] = a.sinks ? 1.f : 0.f;
    // A row that sees none of the first keys takes them all alike, until its first own one makes their share 0.
    for (int first = Sight(a, position).start; first < keys; first += tile_keys) {
        const int left = (keys - first + 31) & ~31, n = left < tile_keys ? left : tile_keys;
        with_format(a.format, [&]<KvFormat F>() { convert_keys<F>(a, kv, first, n, keys, t); });
        for (int h = 0; h < a.group; ++h) tile_round(a, t, first, n, position, h);
    }
    for (int h = 0; h < a.group; ++h)
        for (int r = 0; r < rows; ++r) {
            const float inverse = 1.f / t.total[h * tile_rows + r];
            float* to = out + size_t(r) * a.stride + size_t(h) * d;
            const float* from = t.o + size_t(h) * d * tile_rows + r;
            for (int c = 0; c < d; ++c) to[c] = from[size_t(c) * tile_rows] * inverse;
        }
}

}  // namespace engine::avx512
