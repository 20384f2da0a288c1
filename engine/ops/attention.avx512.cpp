// Attention over paged keys and values. Prefill: 32 rows, lanes are queries, so the softmax needs no horizontal operation;
// BF16 products. Decode: attention_row.simd.h.
#include "engine/ops/kernels.avx512.h"
#include "engine/ops/simd_floats.avx512.h"

#include "engine/ops/attention_row.simd.h"

namespace engine::avx512 {
namespace {

constexpr int tile_rows = 32;
constexpr int tile_keys = 128;  // of one round of the tile

// The rows of one head after those of another, 32 to a tile: of few rows several heads fill one.
struct Lanes {
    int rows, count, tiles;
    Lanes(int n_rows, int group) : rows(n_rows), count(n_rows * group), tiles((count + tile_rows - 1) / tile_rows) {}
    // Where the rows of 16 lanes from `lane` on begin, null of those that are none.
    template <class T> void places(T* first, int lane, size_t stride, int d, T* (&to)[16]) const {
        for (int i = 0; i < 16; ++i) to[i] = lane + i < count ? first + size_t((lane + i) % rows) * stride + size_t((lane + i) / rows) * d : nullptr;
    }
};

// [tiles]: as many as heads at most.
struct TileScratch {
    uint32_t* q;  // [tiles][d/2][32] bf16 pairs
    float* o;     // [tiles][d][32]
    float* s;     // [tile_keys][32]
    uint32_t* p;  // [tile_keys/2][32] bf16 pairs
    uint32_t* k;  // [d/2][tile_keys] bf16 pairs
    uint32_t* v;  // [d][tile_keys/2] bf16 pairs of neighbouring keys
    float *top, *total;  // [tiles][32]
    int32_t* row;        // [tiles][32] of the lane
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
    char* row = take(g * tile_rows);
    if (t)
        *t = {reinterpret_cast<uint32_t*>(q), reinterpret_cast<float*>(o),      reinterpret_cast<float*>(s),
              reinterpret_cast<uint32_t*>(p), reinterpret_cast<uint32_t*>(k),   reinterpret_cast<uint32_t*>(v),
              reinterpret_cast<float*>(top),  reinterpret_cast<float*>(total), reinterpret_cast<int32_t*>(row)};
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

// a + x · one pair in memory for all lanes, which so needs no instruction of its own.
HEARTH_INLINE __m512 add_pairs(__m512 a, __m512bh x, const uint32_t* pair) {
    asm("vdpbf16ps %2%{1to16%}, %1, %0" : "+v"(a) : "v"(x), "m"(*pair));
    return a;
}

// a[r] += sum over n pairs i of x[i] * w[r * row_step + i * step], both 32 lanes wide.
template <int R>
HEARTH_INLINE void pair_products(const uint32_t* x, const uint32_t* w, size_t row_step, size_t step, int n,
                                 __m512 (&a)[R][2]) {
    for (int i = 0; i < n; ++i, x += tile_rows, w += step) {
        const __m512bh x0 = (__m512bh)_mm512_load_si512(x), x1 = (__m512bh)_mm512_load_si512(x + 16);
        HEARTH_UNROLL for (int r = 0; r < R; ++r) {
            a[r][0] = add_pairs(a[r][0], x0, w + r * row_step);
            a[r][1] = add_pairs(a[r][1], x1, w + r * row_step);
        }
    }
}

// kLanes positions of a dimension as floats; unseen ones, which may hold anything, as zeroes.
template <KvFormat F> HEARTH_INLINE __m512 seen_at(const char* dimension, int i, const char* scales, __mmask16 seen) {
    __m512 v = positions_at<F>(dimension, i);
    if constexpr (has_scales(F)) v = _mm512_mul_ps(v, _mm512_loadu_ps(reinterpret_cast<const float*>(scales) + i));
    return _mm512_maskz_mov_ps(seen, v);
}

// The piece's keys and values as BF16 pairs, from its end to the end of its last block zeroes.
template <KvFormat F> void convert_piece(const Piece& p, int d, const TileScratch& t) {
    for (int b = 0; b < p.blocks(); ++b) {
        const int left = p.positions - b * block_keys;
        const __mmask16 low = first_lanes(left), high = first_lanes(left - 16);
        const char *k = p.k[b], *v = p.v[b], *k_scales = k + p.scales, *v_scales = v + p.scales;
        uint32_t *to_k = t.k + b * block_keys, *to_v = t.v + b * block_keys / 2;
        for (int c = 0; c < d; c += 2, k += 2 * p.dimension, to_k += tile_keys) {
            _mm512_store_si512(to_k, pairs_of(seen_at<F>(k, 0, k_scales, low), seen_at<F>(k + p.dimension, 0, k_scales, low)));
            _mm512_store_si512(to_k + 16, pairs_of(seen_at<F>(k, 16, k_scales, high), seen_at<F>(k + p.dimension, 16, k_scales, high)));
        }
        for (int c = 0; c < d; ++c, v += p.dimension, to_v += tile_keys / 2)
            _mm512_store_si512(to_v, (__m512i)_mm512_cvtne2ps_pbh(seen_at<F>(v, 16, v_scales, high), seen_at<F>(v, 0, v_scales, low)));
    }
}

// v[i] lane j to v[j] lane i.
HEARTH_INLINE void transpose(__m512 (&v)[16]) {
    __m512 t[16];
    HEARTH_UNROLL for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_ps(v[i], v[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(v[i], v[i + 1]);
    }
    HEARTH_UNROLL for (int i = 0; i < 16; i += 4) HEARTH_UNROLL for (int h = 0; h < 2; ++h) {
        const __m512d a = _mm512_castps_pd(t[i + h]), b = _mm512_castps_pd(t[i + h + 2]);
        v[i + 2 * h] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
        v[i + 2 * h + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
    }
    HEARTH_UNROLL for (int j = 0; j < 4; ++j) {
        const __m512 a = _mm512_shuffle_f32x4(v[j], v[4 + j], 0x88), b = _mm512_shuffle_f32x4(v[8 + j], v[12 + j], 0x88);
        const __m512 c = _mm512_shuffle_f32x4(v[j], v[4 + j], 0xdd), d = _mm512_shuffle_f32x4(v[8 + j], v[12 + j], 0xdd);
        t[j] = _mm512_shuffle_f32x4(a, b, 0x88);
        t[8 + j] = _mm512_shuffle_f32x4(a, b, 0xdd);
        t[4 + j] = _mm512_shuffle_f32x4(c, d, 0x88);
        t[12 + j] = _mm512_shuffle_f32x4(c, d, 0xdd);
    }
    HEARTH_UNROLL for (int i = 0; i < 16; ++i) v[i] = t[i];
}

// Queries as pairs, softmax scale and the change of base folded in; lanes that are no row as zeroes.
void convert_queries(const AttentionRows& a, const Lanes& lanes, const float* q, const TileScratch& t) {
    const __m512 factor = _mm512_set1_ps(a.scale * log2e);
    const int d = a.head_dim;
    for (int z = 0; z < lanes.tiles * tile_rows; z += 16) {
        uint32_t* const to = t.q + size_t(z / tile_rows) * d / 2 * tile_rows + z % tile_rows;
        const float* from[16];
        lanes.places(q, z, a.stride, d, from);
        for (int c = 0; c < d; c += 16) {
            __m512 v[16];
            HEARTH_UNROLL for (int i = 0; i < 16; ++i) v[i] = from[i] ? _mm512_mul_ps(_mm512_loadu_ps(from[i] + c), factor) : _mm512_setzero_ps();
            transpose(v);
            HEARTH_UNROLL for (int i = 0; i < 16; i += 2) _mm512_store_si512(to + size_t((c + i) / 2) * tile_rows, pairs_of(v[i], v[i + 1]));
        }
    }
}

// The heads' results to the rows of out, divided by the sums of their weights.
void store_rows(const AttentionRows& a, const Lanes& lanes, const TileScratch& t, float* out) {
    const int d = a.head_dim;
    for (int z = 0; z < lanes.count; z += 16) {
        const float* const from = t.o + size_t(z / tile_rows) * d * tile_rows + z % tile_rows;
        const __m512 inverse = _mm512_div_ps(_mm512_set1_ps(1.f), _mm512_load_ps(t.total + z));
        float* to[16];
        lanes.places(out, z, a.stride, d, to);
        for (int c = 0; c < d; c += 16) {
            __m512 v[16];
            HEARTH_UNROLL for (int i = 0; i < 16; ++i) v[i] = _mm512_mul_ps(_mm512_load_ps(from + size_t(c + i) * tile_rows), inverse);
            transpose(v);
            HEARTH_UNROLL for (int i = 0; i < 16; ++i)
                if (to[i]) _mm512_storeu_ps(to[i] + c, v[i]);
        }
    }
}

// Takes the scores of 8 keys from `key` on out of those rows that do not see them: key j is seen by rows >= j - position, and of these,
// where there is a window, by those < j - position + window; or it is seen by all or none.
__attribute__((noinline)) void hide_unseen(const AttentionRows& a, const int32_t* row, int key, int position, float* scores) {
    const __m512 nothing = _mm512_set1_ps(-1e30f);
    for (int r = 0; r < 8; ++r) {
        const int j = key + r - position;
        const __m512i from = _mm512_set1_epi32(a.keys ? (key + r < a.keys ? 0 : tile_rows) : j), end = _mm512_set1_epi32(a.window > 0 ? j + a.window : tile_rows);
        for (int z = 0; z < tile_rows; z += 16) {
            const __mmask16 seen = _mm512_mask_cmplt_epi32_mask(_mm512_cmpge_epi32_mask(load(row + z), from), load(row + z), end);
            float* const at = scores + r * tile_rows + z;
            _mm512_store_ps(at, _mm512_mask_mov_ps(nothing, seen, _mm512_load_ps(at)));
        }
    }
}

// Scores of n keys from `first` on for one tile; returns the lanes' maxima in m. Not inlined, as the next one is not: GCC 12
// would not find registers for all sums.
__attribute__((noinline)) void tile_scores(const AttentionRows& attention, const TileScratch& t, int tile, int first, int n, int position, __m512 (&m)[2]) {
    const int d = attention.head_dim, window = attention.window, all = attention.keys;
    const uint32_t* const q = t.q + size_t(tile) * d / 2 * tile_rows;
    for (int k = 0; k < n; k += 8) {
        __m512 a[8][2];
        HEARTH_UNROLL for (int r = 0; r < 8; ++r) a[r][0] = a[r][1] = _mm512_setzero_ps();
        pair_products<8>(q, t.k + k, 1, tile_keys, d / 2, a);
        float* const scores = t.s + k * tile_rows;
        HEARTH_UNROLL for (int r = 0; r < 8; ++r) for (int z = 0; z < 2; ++z) _mm512_store_ps(scores + r * tile_rows + 16 * z, a[r][z]);
        if (first + k + 8 > (all ? all : position) || (window > 0 && first + k <= position + tile_rows - 1 - window)) hide_unseen(attention, t.row + tile * tile_rows, first + k, position, scores);
        HEARTH_UNROLL for (int r = 0; r < 8; ++r) for (int z = 0; z < 2; ++z) m[z] = _mm512_max_ps(m[z], _mm512_load_ps(scores + r * tile_rows + 16 * z));
    }
}

// One round of one tile: softmax over n keys with running maximum and sum, values added to o.
__attribute__((noinline)) void tile_round(const AttentionRows& a, const TileScratch& t, int first, int n, int position, int tile) {
    const int d = a.head_dim;
    float *top = t.top + tile * tile_rows, *total = t.total + tile * tile_rows, *o = t.o + size_t(tile) * d * tile_rows;
    __m512 m[2] = {_mm512_load_ps(top), _mm512_load_ps(top + 16)}, fade[2];
    tile_scores(a, t, tile, first, n, position, m);
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
        pair_products<8>(t.p, t.v + size_t(c) * (tile_keys / 2), tile_keys / 2, 1, n / 2, sum);
        HEARTH_UNROLL for (int r = 0; r < 8; ++r) for (int z = 0; z < 2; ++z)
            _mm512_store_ps(o + (c + r) * tile_rows + 16 * z, sum[r][z]);
    }
}

}  // namespace

size_t attend_tile_bytes(int head_dim, int group) { return tile_parts(nullptr, head_dim, group, nullptr); }

void attend_tile(const AttentionRows& a, int kv, int position, int rows, const float* q, float* out, void* scratch) {
    TileScratch t;
    const int d = a.head_dim, keys = a.keys ? a.keys : position + rows;
    tile_parts(static_cast<char*>(scratch), d, a.group, &t);
    const Lanes lanes(rows, a.group);
    convert_queries(a, lanes, q, t);
    memset(t.o, 0, size_t(lanes.tiles) * d * tile_rows * 4);
    for (int i = 0; i < lanes.tiles * tile_rows; ++i) {
        const int lane = i < lanes.count ? i : 0;
        t.row[i] = lane % rows, t.top[i] = sink_of(a, lane / rows), t.total[i] = a.sinks ? 1.f : 0.f;
    }
    // A row that sees none of the first keys takes them all alike, until its first own one makes their share 0.
    for (int first = Sight(a, position).start; first < keys; first += tile_keys) {
        const Piece piece = piece_at(a, kv, first, keys - first < tile_keys ? keys : first + tile_keys);
        with_format(a.format, [&]<KvFormat F>() { convert_piece<F>(piece, d, t); });
        for (int tile = 0; tile < lanes.tiles; ++tile) tile_round(a, t, first, piece.blocks() * block_keys, position, tile);
    }
    store_rows(a, lanes, t, out);
}

}  // namespace engine::avx512
