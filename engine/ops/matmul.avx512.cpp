// Prefill and batches: panels are unpacked once, then register tiles of 2 panels x up to 8 rows of
// activations run over all columns. Lanes are weight rows, so results land row-major and no side is
// ever transposed.
#include "engine/ops/kernels.avx512.h"
#include "engine/ops/simd.avx512.h"

namespace engine::avx512 {
namespace {

constexpr int tile_panels = 2;
constexpr int few_rows = 12;  // that meet the panels' codes as they are made: up to here that is faster than unpacking first
constexpr int few_float_rows = group_rows;  // the same of float weights
constexpr int chunk_columns = 512;  // of the float tiles: an unpacked pair of panels stays in the nearest caches

enum class Kind { plain, minimum, sixteen, sixteen_minimum };

Kind kind_of(Format f) {
    if (scale_columns(f) == 16) return has_minimum(f) ? Kind::sixteen_minimum : Kind::sixteen;
    return has_minimum(f) ? Kind::minimum : Kind::plain;
}

// Where a tile's results go: the first row of the group, the first row of its panels.
struct Corner {
    float* out;
    size_t stride;
    const float* bias;
    bool accumulate;
    float scale;  // of the weights
    __mmask16 mask[tile_panels];
};
Corner corner_at(const Results& to, const Panels& w, int panel, int n_panels) {
    const int row = panel_rows * panel;
    Corner c{to.out + row, to.stride, to.bias ? to.bias + row : nullptr, to.accumulate, w.scale, {0, 0}};
    for (int p = 0; p < n_panels; ++p) c.mask[p] = first_lanes(w.rows - row - panel_rows * p);
    return c;
}

// What the next tiles read from memory, fetched while this one computes: so many cache lines with each scale's columns.
struct Ahead {
    const uint8_t* at;
    int lines;

    void fetch() {
        for (int i = 0; i < lines; ++i, at += 64) _mm_prefetch(at, _MM_HINT_T1);
    }
};

#define EACH_ACCUMULATOR HEARTH_UNROLL for (int p = 0; p < P; ++p) HEARTH_UNROLL for (int n = 0; n < N; ++n)

template <int P, int N, int WORDS>
HEARTH_INLINE void multiply(const uint8_t* w, const int8_t* x, __m512i (&a)[P][N]) {
    HEARTH_UNROLL for (int j = 0; j < WORDS; ++j) {
        __m512i v[P];
        HEARTH_UNROLL for (int p = 0; p < P; ++p) v[p] = load(w + (j * P + p) * 64);
        HEARTH_UNROLL for (int n = 0; n < N; ++n) {
            const __m512i b = broadcast4(x + (j * N + n) * 4);
            HEARTH_UNROLL for (int p = 0; p < P; ++p) a[p][n] = _mm512_dpbusd_epi32(a[p][n], v[p], b);
        }
    }
}

// Sums that begin at what the codes are too high by. zero: the lower factor of each pair of words; a sum's upper one is only its sign.
template <int P, int N> HEARTH_INLINE void start(const int32_t* sum, __m512i zero, __m512i (&a)[P][N]) {
    HEARTH_UNROLL for (int n = 0; n < N; ++n) {
        const __m512i c = _mm512_madd_epi16(_mm512_set1_epi32(sum[n]), zero);
        HEARTH_UNROLL for (int p = 0; p < P; ++p) a[p][n] = c;
    }
}

template <int P, int N>
HEARTH_INLINE void add_scaled(const __m512i (&a)[P][N], const float* w_scale, const float* x_scale, __m512 (&f)[P][N]) {
    __m512 d[P];
    HEARTH_UNROLL for (int p = 0; p < P; ++p) d[p] = _mm512_load_ps(w_scale + 16 * p);
    HEARTH_UNROLL for (int n = 0; n < N; ++n) {
        const __m512 s = _mm512_set1_ps(x_scale[n]);
        HEARTH_UNROLL for (int p = 0; p < P; ++p)
            f[p][n] = _mm512_fmadd_ps(to_float(a[p][n]), _mm512_mul_ps(d[p], s), f[p][n]);
    }
}

// Unit u of a 256-column block: half u/8, then h, then group (see panel.h).
HEARTH_INLINE int unit_of_quarters(int u) { return (u & ~15) | (u & 8) | (u & 3) << 1 | (u >> 2 & 1); }

// f += m * x for rows' minima m.
template <int P, int N> HEARTH_INLINE void add_minimum(const float* minimum, const float (&x)[N], __m512 (&f)[P][N]) {
    __m512 m[P];
    HEARTH_UNROLL for (int p = 0; p < P; ++p) m[p] = _mm512_load_ps(minimum + 16 * p);
    EACH_ACCUMULATOR f[p][n] = _mm512_fmadd_ps(m[p], _mm512_set1_ps(x[n]), f[p][n]);
}

template <int P, int N, Kind kind>
void tile(const Unpacked& w, const Group& x, int columns, int zero, Ahead ahead, const Corner& to) {
    const __m512i lowered = _mm512_set1_epi32(-(1 << zero) & 0xffff);
    __m512 f[P][N];
    __m512i a[P][N];
    EACH_ACCUMULATOR f[p][n] = _mm512_setzero_ps();
    if constexpr (kind == Kind::sixteen || kind == Kind::sixteen_minimum) {
        for (int u = 0; u < columns / 16; ++u) {
            ahead.fetch();
            const int at = w.quarters ? unit_of_quarters(u) : u;  // in 16 columns
            const int32_t* const sum = x.sum16 + size_t(at) * N;
            const float* const scale = x.scale + size_t(at / 2) * N;
            if constexpr (kind == Kind::sixteen) start<P, N>(sum, lowered, a);
            else EACH_ACCUMULATOR a[p][n] = _mm512_setzero_si512();
            multiply<P, N, 4>(w.q + size_t(u) * 4 * P * 64, x.q + size_t(at) * 16 * N, a);
            add_scaled<P, N>(a, w.scale + size_t(u) * 16 * P, scale, f);
            if constexpr (kind == Kind::sixteen_minimum) {
                float scaled[N];
                HEARTH_UNROLL for (int n = 0; n < N; ++n) scaled[n] = scale[n] * float(sum[n]);
                add_minimum<P, N>(w.minimum + size_t(u) * 16 * P, scaled, f);
            }
        }
    } else {
        for (int b = 0; b < columns / 32; ++b) {
            ahead.fetch();
            if constexpr (kind == Kind::plain) start<P, N>(x.sum + size_t(b) * N, lowered, a);
            else EACH_ACCUMULATOR a[p][n] = _mm512_setzero_si512();
            multiply<P, N, 8>(w.q + size_t(b) * 8 * P * 64, x.q + size_t(b) * 32 * N, a);
            add_scaled<P, N>(a, w.scale + size_t(b) * 16 * P, x.scale + size_t(b) * N, f);
            if constexpr (kind == Kind::minimum) {
                float scaled[N];
                HEARTH_UNROLL for (int n = 0; n < N; ++n) scaled[n] = x.scaled[size_t(b) * N + n];
                add_minimum<P, N>(w.minimum + size_t(b) * 16 * P, scaled, f);
            }
        }
    }
    EACH_ACCUMULATOR
        store_result(to.out + n * to.stride + 16 * p, to.bias ? to.bias + 16 * p : nullptr, to.accumulate, to.mask[p], _mm512_mul_ps(f[p][n], _mm512_set1_ps(to.scale)));
}

using Tile = void (*)(const Unpacked&, const Group&, int, int, Ahead, const Corner&);
template <int P, Kind kind>
constexpr Tile tiles[group_rows] = {tile<P, 1, kind>, tile<P, 2, kind>, tile<P, 3, kind>, tile<P, 4, kind>,
                                    tile<P, 5, kind>, tile<P, 6, kind>, tile<P, 7, kind>, tile<P, 8, kind>};
template <int P> const Tile* tiles_of(Kind kind) {
    switch (kind) {
        case Kind::plain: return tiles<P, Kind::plain>;
        case Kind::minimum: return tiles<P, Kind::minimum>;
        case Kind::sixteen: return tiles<P, Kind::sixteen>;
        default: return tiles<P, Kind::sixteen_minimum>;
    }
}

// ---- float

// 16 rows x 32 columns of a panel as floats, in `to[column * step]`.
HEARTH_INLINE void byte_columns(__m512i word, __m512 scale, __m512 minimum, int zero, float* to, size_t step) {
    const __m512i byte = _mm512_set1_epi32(255), z = _mm512_set1_epi32(zero);
    HEARTH_UNROLL for (int t = 0; t < 4; ++t) {
        const __m512i code = _mm512_sub_epi32(_mm512_and_si512(_mm512_srli_epi32(word, 8 * t), byte), z);
        // Product and sum are rounded one after the other, as the format's definition has it.
        __m512 v = _mm512_mul_ps(to_float(code), scale);
        asm("" : "+v"(v));
        _mm512_store_ps(to + t * step, _mm512_add_ps(v, minimum));
    }
}

template <int P, int N>
void float_tile(const float* w, const float* x, size_t x_stride, int columns, const Corner& to) {
    const __m512 scale = _mm512_set1_ps(to.scale);
    __m512 f[P][N], a[P][N];
    EACH_ACCUMULATOR f[p][n] = _mm512_setzero_ps();
    if (to.accumulate)
        EACH_ACCUMULATOR f[p][n] = _mm512_maskz_loadu_ps(to.mask[p], to.out + n * to.stride + 16 * p);
    for (int b = 0; b < columns; b += 32) {
        const int end = b + 32 < columns ? b + 32 : columns;
        EACH_ACCUMULATOR a[p][n] = _mm512_setzero_ps();
        for (int c = b; c < end; ++c) {
            __m512 v[P];
            HEARTH_UNROLL for (int p = 0; p < P; ++p) v[p] = _mm512_load_ps(w + (size_t(c) * P + p) * 16);
            HEARTH_UNROLL for (int n = 0; n < N; ++n) {
                const __m512 s = _mm512_set1_ps(x[n * x_stride + c]);
                HEARTH_UNROLL for (int p = 0; p < P; ++p) a[p][n] = _mm512_fmadd_ps(v[p], s, a[p][n]);
            }
        }
        EACH_ACCUMULATOR f[p][n] = _mm512_fmadd_ps(a[p][n], scale, f[p][n]);
    }
    EACH_ACCUMULATOR {
        const __m512 v = to.bias ? _mm512_add_ps(f[p][n], _mm512_maskz_loadu_ps(to.mask[p], to.bias + 16 * p)) : f[p][n];
        _mm512_mask_storeu_ps(to.out + n * to.stride + 16 * p, to.mask[p], v);
    }
}

using FloatTile = void (*)(const float*, const float*, size_t, int, const Corner&);
template <int P>
constexpr FloatTile float_tiles[group_rows] = {float_tile<P, 1>, float_tile<P, 2>, float_tile<P, 3>, float_tile<P, 4>,
                                               float_tile<P, 5>, float_tile<P, 6>, float_tile<P, 7>, float_tile<P, 8>};

Unpacked unpacked_at(void* scratch, Format format, int columns) {
    uint8_t* q = static_cast<uint8_t*>(scratch);
    float* scale = reinterpret_cast<float*>(q + size_t(columns) * 16 * tile_panels);
    return {q, scale, scale + size_t(columns) / 16 * 16 * tile_panels, has_quarters(format)};
}

// Columns [begin, end) of one panel as member p of n; begin is a multiple of 256.
void unpack_float_chunk(Format format, const uint8_t* panel, int columns, int begin, int end, int p, int n, float* to,
                        void* scratch) {
    const size_t step = size_t(16) * n;
    to += 16 * p;
    if (format == Format::f32) {
        for (int c = begin; c < end; ++c) _mm512_store_ps(to + (c - begin) * step, _mm512_load_ps(panel + 64 * size_t(c)));
        return;
    }
    if (format == Format::f16 || format == Format::bf16) {
        for (int c = begin; c < end; ++c) {
            const __m512i pair = load(panel + 64 * size_t(c / 2));
            const __m512i high = _mm512_and_si512(pair, _mm512_set1_epi32(static_cast<int>(0xffff0000u)));
            const __m512i bits = c & 1 ? high : _mm512_slli_epi32(pair, 16);
            const __m256i half = _mm512_cvtepi32_epi16(_mm512_srli_epi32(bits, 16));
            const __m512 v = format == Format::f16 ? _mm512_cvtph_ps(half) : _mm512_castsi512_ps(bits);
            _mm512_store_ps(to + (c - begin) * step, v);
        }
        return;
    }
    (void)columns;
    if (format == Format::fp8) {
        const uint8_t* block = panel + panel_bytes(format, begin);
        for (int c = 0; c < end - begin; c += 2) {
            if (c > 0 && c % 32 == 0) block += 576;
            const __m512 scale = _mm512_load_ps(block);
            __m512 v[2];
            fp8_columns(block + 64 + 16 * (c % 32), v);
            _mm512_store_ps(to + c * step, _mm512_mul_ps(v[0], scale));
            _mm512_store_ps(to + (c + 1) * step, _mm512_mul_ps(v[1], scale));
        }
        return;
    }
    const Unpacked u = unpacked_at(scratch, format, chunk_columns);
    unpack_int8(format, panel + panel_bytes(format, begin), end - begin, u, 0, 1);
    const int zero = zero_shift(format) < 0 ? 0 : 1 << zero_shift(format);
    const int per_scale = scale_columns(format);
    for (int j = 0; j < (end - begin) / 4; ++j) {
        const int block = 4 * j / per_scale;
        int column = 4 * j;
        if (u.quarters) column = 16 * unit_of_quarters(block) + column % 16;
        const __m512 minimum = has_minimum(format) ? _mm512_load_ps(u.minimum + 16 * block) : _mm512_set1_ps(-0.f);
        byte_columns(load(u.q + 64 * j), _mm512_load_ps(u.scale + 16 * block), minimum, zero, to + column * step, step);
    }
}

// One group of rows after another meets a few panels, which stay near meanwhile.
void straight_int8(const Panels& w, const Activations& x, const Results& to, int begin, int end) {
    if (x.rows <= group_rows) return matvec_int8(w, x, to, begin, end);
    constexpr int panels_together = 4;
    for (int panel = begin; panel < end; panel += panels_together)
        for (int first = 0; first < x.rows; first += group_rows) {
            const size_t r = first, c = x.columns;
            const Activations group{x.rows - first < group_rows ? x.rows - first : group_rows, x.columns, x.q + r * c, x.scale + r * (c / 32), x.scaled + r * (c / 32), x.sum + r * (c / 32), x.sum16 + r * (c / 16)};
            const Results part{to.out + r * to.stride, to.stride, to.bias, to.accumulate};
            matvec_int8(w, group, part, panel, end - panel < panels_together ? end : panel + panels_together);
        }
}

}  // namespace

size_t scratch_bytes(int columns) {
    const size_t floats = (size_t(chunk_columns) + 64) * 16 * tile_panels * sizeof(float);
    const size_t c = columns < chunk_columns ? chunk_columns : columns;
    return floats + c * 16 * tile_panels + 2 * (c / 16 * 16 * tile_panels * sizeof(float));
}

void matmul_int8(const Panels& w, const Activations& x, const Results& to, int begin, int end, void* scratch) {
    if (x.rows <= few_rows && has_matvec(w.format)) return straight_int8(w, x, to, begin, end);
    const size_t bytes = panel_bytes(w.format, w.columns);
    const Unpacked u = unpacked_at(scratch, w.format, w.columns);
    const Kind kind = kind_of(w.format);
    const int zero = zero_shift(w.format) < 0 ? 0 : zero_shift(w.format);
    const int groups = (x.rows + group_rows - 1) / group_rows, scales = w.columns / scale_columns(w.format);
    const int lines = int(tile_panels * bytes / 64) / (groups * scales) + 1;
    for (int panel = begin; panel < end; panel += tile_panels) {
        const int n = end - panel < tile_panels ? end - panel : tile_panels;
        for (int p = 0; p < n; ++p) unpack_int8(w.format, w.data + (panel + p) * bytes, w.columns, u, p, n);
        const Tile* table = n == 1 ? tiles_of<1>(kind) : tiles_of<tile_panels>(kind);
        Corner corner = corner_at(to, w, panel, n);
        Ahead ahead{w.data + (panel + n) * bytes, lines};
        for (int first = 0; first < x.rows; first += group_rows) {
            const int rows = x.rows - first < group_rows ? x.rows - first : group_rows;
            table[rows - 1](u, group_at(x, first), w.columns, zero, ahead, corner);
            ahead.at += 64 * size_t(lines) * size_t(scales);
            corner.out += group_rows * to.stride;
        }
    }
}

void matmul_float(const Panels& w, const float* x, size_t x_stride, int n_rows, const Results& to, int begin, int end,
                  void* scratch) {
    if (n_rows <= few_float_rows && has_float_values(w.format)) return matvec_float(w, x, x_stride, n_rows, to, begin, end);
    const size_t bytes = panel_bytes(w.format, w.columns);
    float* chunk = static_cast<float*>(scratch);
    void* rest = chunk + size_t(chunk_columns) * 16 * tile_panels;
    for (int panel = begin; panel < end; panel += tile_panels) {
        const int n = end - panel < tile_panels ? end - panel : tile_panels;
        const Corner corner = corner_at(to, w, panel, n);
        for (int c = 0; c < w.columns; c += chunk_columns) {
            const int c_end = c + chunk_columns < w.columns ? c + chunk_columns : w.columns;
            for (int p = 0; p < n; ++p)
                unpack_float_chunk(w.format, w.data + (panel + p) * bytes, w.columns, c, c_end, p, n, chunk, rest);
            const FloatTile* table = n == 1 ? float_tiles<1> : float_tiles<tile_panels>;
            for (int first = 0; first < n_rows; first += group_rows) {
                const int rows = n_rows - first < group_rows ? n_rows - first : group_rows;
                Corner part = corner;  // bias with the last columns; those after the first add to what is there
                part.out += first * to.stride;
                if (c_end < w.columns) part.bias = nullptr;
                if (c > 0) part.accumulate = true;
                table[rows - 1](chunk, x + first * x_stride + c, x_stride, c_end - c, part);
            }
        }
    }
}

}  // namespace engine::avx512
