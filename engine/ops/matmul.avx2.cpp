// Prefill and batches: a panel is unpacked once, then register tiles of its 16 rows x up to 4 rows of
// activations run over all columns. Lanes are weight rows, so results land row-major and no side is
// ever transposed.
#include "engine/ops/dots.avx2.h"
#include "engine/ops/kernels.avx2.h"

namespace engine::avx2 {
namespace {

constexpr int tile_width = 4;       // rows of activations
constexpr int chunk_columns = 512;  // of the float tiles: whole pairs of blocks of every format

// Where a tile's results go: the first row of the tile, the first row of the panel, of which `rows` are there.
struct Corner {
    float* out;
    size_t stride;
    const float* bias;
    bool accumulate;
    float scale;  // of the weights
    int rows;
};

// Rows of one group of activations, from one of them on; n: the group's size.
struct Group {
    int n;
    const int8_t* q;
    const float *scale, *scaled;
    const int32_t *sum, *sum16;
};
Group group_at(const Activations& x, int first) {
    const size_t r = first / group_rows * group_rows, c = x.columns, lane = size_t(first) - r;
    const int n = x.rows - int(r) < group_rows ? x.rows - int(r) : group_rows;
    return {n, x.q + r * c + 4 * lane, x.scale + r * (c / 32) + lane, x.scaled + r * (c / 32) + lane,
            x.sum + r * (c / 32) + lane, x.sum16 + r * (c / 16) + lane};
}

#define EACH_HALF HEARTH_UNROLL for (int h = 0; h < 2; ++h)
#define EACH_ACCUMULATOR EACH_HALF HEARTH_UNROLL for (int i = 0; i < N; ++i)

// How codes are multiplied: unsigned ones by how many words may be added in 16 bits, Q8_0 by its signs.
enum class Codes { four_bits = 8, five_bits = 4, six_bits = 2, eight_bits = 1 };

template <int N, Codes codes, int WORDS>
HEARTH_INLINE void multiply(const uint8_t* w, const int8_t* x, int n, __m256i (&a)[2][N]) {
    if constexpr (codes == Codes::eight_bits) {
        HEARTH_UNROLL for (int j = 0; j < WORDS; ++j) {
            const __m256i v[2] = {load(w + 64 * j), load(w + 64 * j + 32)};
            const __m256i magnitude[2] = {_mm256_abs_epi8(v[0]), _mm256_abs_epi8(v[1])};
            HEARTH_UNROLL for (int i = 0; i < N; ++i) {
                const __m256i z = broadcast4(x + (j * n + i) * 4);
                EACH_HALF a[h][i] = widen(a[h][i], signed_pairs(magnitude[h], v[h], z));
            }
        }
        return;
    }
    constexpr int words = int(codes) < WORDS ? int(codes) : WORDS;
    HEARTH_UNROLL for (int part = 0; part < WORDS; part += words) {
        __m256i pairs[2][N];
        EACH_ACCUMULATOR pairs[h][i] = _mm256_setzero_si256();
        HEARTH_UNROLL for (int j = part; j < part + words; ++j) {
            const __m256i v[2] = {load(w + 64 * j), load(w + 64 * j + 32)};
            HEARTH_UNROLL for (int i = 0; i < N; ++i) {
                const __m256i z = broadcast4(x + (j * n + i) * 4);
                EACH_HALF pairs[h][i] = add_pairs(pairs[h][i], v[h], z);
            }
        }
        EACH_ACCUMULATOR a[h][i] = widen(a[h][i], pairs[h][i]);
    }
}

template <int N> HEARTH_INLINE void start(const int32_t* sum, int zero, __m256i (&a)[2][N]) {
    EACH_ACCUMULATOR a[h][i] = _mm256_set1_epi32(-zero * sum[i]);
}

template <int N>
HEARTH_INLINE void add_scaled(const __m256i (&a)[2][N], const float* w_scale, const float* x_scale, __m256 (&f)[2][N]) {
    const __m256 d[2] = {_mm256_load_ps(w_scale), _mm256_load_ps(w_scale + 8)};
    EACH_ACCUMULATOR f[h][i] = _mm256_fmadd_ps(to_float(a[h][i]), _mm256_mul_ps(d[h], _mm256_set1_ps(x_scale[i])), f[h][i]);
}

// Unit u of a 256-column block: half u/8, then h, then group (see panel.h).
HEARTH_INLINE int unit_of_quarters(int u) { return (u & ~15) | (u & 8) | (u & 3) << 1 | (u >> 2 & 1); }

// f += m * x for rows' minima m.
template <int N> HEARTH_INLINE void add_minimum(const float* minimum, const float (&x)[N], __m256 (&f)[2][N]) {
    const __m256 m[2] = {_mm256_load_ps(minimum), _mm256_load_ps(minimum + 8)};
    EACH_ACCUMULATOR f[h][i] = _mm256_fmadd_ps(m[h], _mm256_set1_ps(x[i]), f[h][i]);
}

enum class Kind { plain, minimum, sixteen, sixteen_minimum };

template <int N, Codes codes, Kind kind>
void tile(const Unpacked& w, const Group& x, int columns, int zero, const Corner& to) {
    __m256 f[2][N];
    __m256i a[2][N];
    EACH_ACCUMULATOR f[h][i] = _mm256_setzero_ps();
    const size_t n = size_t(x.n);
    constexpr bool minimum = kind == Kind::minimum || kind == Kind::sixteen_minimum;
    if constexpr (kind == Kind::sixteen || kind == Kind::sixteen_minimum) {
        for (int u = 0; u < columns / 16; ++u) {
            const int at = w.quarters ? unit_of_quarters(u) : u;  // in 16 columns
            const int32_t* const sum = x.sum16 + size_t(at) * n;
            const float* const scale = x.scale + size_t(at / 2) * n;
            start<N>(sum, minimum || codes == Codes::eight_bits ? 0 : zero, a);
            multiply<N, codes, 4>(w.q + size_t(u) * 256, x.q + size_t(at) * 16 * n, x.n, a);
            add_scaled<N>(a, w.scale + size_t(u) * 16, scale, f);
            if constexpr (minimum) {
                float scaled[N];
                HEARTH_UNROLL for (int i = 0; i < N; ++i) scaled[i] = scale[i] * float(sum[i]);
                add_minimum<N>(w.minimum + size_t(u) * 16, scaled, f);
            }
        }
    } else {
        for (int b = 0; b < columns / 32; ++b) {
            start<N>(x.sum + size_t(b) * n, minimum || codes == Codes::eight_bits ? 0 : zero, a);
            multiply<N, codes, 8>(w.q + size_t(b) * 512, x.q + size_t(b) * 32 * n, x.n, a);
            add_scaled<N>(a, w.scale + size_t(b) * 16, x.scale + size_t(b) * n, f);
            if constexpr (minimum) {
                float scaled[N];
                HEARTH_UNROLL for (int i = 0; i < N; ++i) scaled[i] = x.scaled[size_t(b) * n + i];
                add_minimum<N>(w.minimum + size_t(b) * 16, scaled, f);
            }
        }
    }
    EACH_ACCUMULATOR
        store_result(to.out + i * to.stride + 8 * h, to.bias ? to.bias + 8 * h : nullptr, to.accumulate, to.rows - 8 * h,
                     _mm256_mul_ps(f[h][i], _mm256_set1_ps(to.scale)));
}

using Tile = void (*)(const Unpacked&, const Group&, int, int, const Corner&);
template <Codes codes, Kind kind>
constexpr Tile tiles[tile_width] = {tile<1, codes, kind>, tile<2, codes, kind>, tile<3, codes, kind>, tile<4, codes, kind>};
const Tile* tiles_of(Format f) {
    switch (f) {
        case Format::q4_0: return tiles<Codes::four_bits, Kind::plain>;
        case Format::q4_1: case Format::q4_k: return tiles<Codes::four_bits, Kind::minimum>;
        case Format::q5_0: return tiles<Codes::five_bits, Kind::plain>;
        case Format::q5_1: case Format::q5_k: return tiles<Codes::five_bits, Kind::minimum>;
        case Format::q6_k: return tiles<Codes::six_bits, Kind::sixteen>;
        case Format::q3_k: return tiles<Codes::four_bits, Kind::sixteen>;
        case Format::q2_k: return tiles<Codes::four_bits, Kind::sixteen_minimum>;
        default: return scale_columns(f) == 16 ? tiles<Codes::eight_bits, Kind::sixteen> : tiles<Codes::eight_bits, Kind::plain>;
    }
}

// ---- float

template <int N>
void float_tile(const float* w, const float* x, size_t x_stride, int columns, const Corner& to) {
    const __m256 scale = _mm256_set1_ps(to.scale);
    __m256 f[2][N], a[2][N];
    EACH_ACCUMULATOR f[h][i] = _mm256_setzero_ps();
    if (to.accumulate)
        EACH_ACCUMULATOR f[h][i] = _mm256_maskload_ps(to.out + i * to.stride + 8 * h, first_lanes(to.rows - 8 * h));
    for (int b = 0; b < columns; b += 32) {
        const int end = b + 32 < columns ? b + 32 : columns;
        EACH_ACCUMULATOR a[h][i] = _mm256_setzero_ps();
        for (int c = b; c < end; ++c) {
            const __m256 v[2] = {_mm256_load_ps(w + size_t(c) * 16), _mm256_load_ps(w + size_t(c) * 16 + 8)};
            HEARTH_UNROLL for (int i = 0; i < N; ++i) {
                const __m256 s = _mm256_set1_ps(x[i * x_stride + c]);
                EACH_HALF a[h][i] = _mm256_fmadd_ps(v[h], s, a[h][i]);
            }
        }
        EACH_ACCUMULATOR f[h][i] = _mm256_fmadd_ps(a[h][i], scale, f[h][i]);
    }
    EACH_ACCUMULATOR
        store_result(to.out + i * to.stride + 8 * h, to.bias ? to.bias + 8 * h : nullptr, false, to.rows - 8 * h, f[h][i]);
}

using FloatTile = void (*)(const float*, const float*, size_t, int, const Corner&);
constexpr FloatTile float_tiles[tile_width] = {float_tile<1>, float_tile<2>, float_tile<3>, float_tile<4>};

Unpacked unpacked_at(void* scratch, Format format, int columns) {
    uint8_t* q = static_cast<uint8_t*>(scratch);
    float* scale = reinterpret_cast<float*>(q + size_t(columns) * 16);
    return {q, scale, scale + size_t(columns) / 16 * 16, has_quarters(format)};
}

// 8 rows x 4 columns of codes as floats, in `to[column * 16]`.
HEARTH_INLINE void byte_columns(__m256i word, bool is_signed, int zero, __m256 scale, __m256 minimum, float* to) {
    HEARTH_UNROLL for (int t = 0; t < 4; ++t) {
        const __m256i top = _mm256_slli_epi32(word, 24 - 8 * t);
        const __m256i code = is_signed ? _mm256_srai_epi32(top, 24) : _mm256_srli_epi32(top, 24);
        // Product and sum are rounded one after the other, as the format's definition has it.
        __m256 v = _mm256_mul_ps(to_float(_mm256_sub_epi32(code, _mm256_set1_epi32(zero))), scale);
        asm("" : "+x"(v));
        _mm256_store_ps(to + 16 * t, _mm256_add_ps(v, minimum));
    }
}

// Two columns of 8 rows, each lane a pair of 16-bit values.
HEARTH_INLINE void pair_columns(Format format, __m256i pair, float* even, float* odd) {
    if (format == Format::bf16) {
        _mm256_store_ps(even, _mm256_castsi256_ps(_mm256_slli_epi32(pair, 16)));
        _mm256_store_ps(odd, _mm256_castsi256_ps(_mm256_and_si256(pair, _mm256_set1_epi32(static_cast<int>(0xffff0000u)))));
        return;
    }
    const __m256i order = _mm256_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15, 0, 1, 4, 5, 8, 9, 12, 13, 2, 3,
                                           6, 7, 10, 11, 14, 15);
    const __m256i sorted = _mm256_permute4x64_epi64(_mm256_shuffle_epi8(pair, order), 0xd8);
    _mm256_store_ps(even, _mm256_cvtph_ps(_mm256_castsi256_si128(sorted)));
    _mm256_store_ps(odd, _mm256_cvtph_ps(_mm256_extracti128_si256(sorted, 1)));
}

// Columns [begin, end) of one panel to `to[column][16]`, which has room for an even number of them; begin is a
// multiple of 512.
void unpack_float_chunk(Format format, const uint8_t* panel, int begin, int end, float* to, void* scratch) {
    if (format == Format::f32) {
        memcpy(to, panel + 64 * size_t(begin), size_t(end - begin) * 64);
        return;
    }
    if (format == Format::f16 || format == Format::bf16) {
        for (int c = begin; c < end; c += 2, to += 32)
            EACH_HALF pair_columns(format, load(panel + 32 * size_t(c) + 32 * h), to + 8 * h, to + 16 + 8 * h);
        return;
    }
    if (format == Format::fp8) {
        const uint8_t* block = panel + panel_bytes(format, begin);
        for (int c = 0; c < end - begin; ++c, to += 16) {
            if (c > 0 && c % 32 == 0) block += 576;
            __m256 v[2];
            fp8_column(block + 64 + 16 * (c % 32), v);
            EACH_HALF _mm256_store_ps(to + 8 * h, _mm256_mul_ps(v[h], _mm256_load_ps(reinterpret_cast<const float*>(block) + 8 * h)));
        }
        return;
    }
    const Unpacked u = unpacked_at(scratch, format, chunk_columns);
    unpack_int8(format, panel + panel_bytes(format, begin), end - begin, u, 0, 1);
    const bool is_signed = zero_shift(format) == 7;
    const int zero = is_signed || zero_shift(format) < 0 ? 0 : 1 << zero_shift(format);
    const int per_scale = scale_columns(format);
    for (int j = 0; j < (end - begin) / 4; ++j) {
        const int block = 4 * j / per_scale;
        int column = 4 * j;
        if (u.quarters) column = 16 * unit_of_quarters(block) + column % 16;
        EACH_HALF {
            const __m256 minimum = has_minimum(format) ? _mm256_load_ps(u.minimum + 16 * block + 8 * h) : _mm256_set1_ps(-0.f);
            byte_columns(load(u.q + 64 * j + 32 * h), is_signed, zero, _mm256_load_ps(u.scale + 16 * block + 8 * h), minimum,
                         to + size_t(column) * 16 + 8 * h);
        }
    }
}

}  // namespace

size_t scratch_bytes(int columns) {
    const size_t floats = size_t(chunk_columns) * 16 * sizeof(float);
    const size_t c = columns < chunk_columns ? chunk_columns : columns;
    return floats + c * 16 + 2 * (c / 16 * 16 * sizeof(float));
}

void matmul_int8(const Panels& w, const Activations& x, const Results& to, int begin, int end, void* scratch) {
    if (x.rows == 1 && has_matvec(w.format)) return matvec_int8(w, x, to, begin, end);
    const size_t bytes = panel_bytes(w.format, w.columns);
    const Unpacked u = unpacked_at(scratch, w.format, w.columns);
    const Tile* table = tiles_of(w.format);
    const int zero = zero_shift(w.format) < 0 ? 0 : 1 << zero_shift(w.format);
    for (int panel = begin; panel < end; ++panel) {
        unpack_int8(w.format, w.data + panel * bytes, w.columns, u, 0, 1);
        const int row = panel_rows * panel;
        Corner corner{to.out + row, to.stride, to.bias ? to.bias + row : nullptr, to.accumulate, w.scale, w.rows - row};
        for (int first = 0; first < x.rows; first += tile_width) {
            const int rows = x.rows - first < tile_width ? x.rows - first : tile_width;
            table[rows - 1](u, group_at(x, first), w.columns, zero, corner);
            corner.out += tile_width * to.stride;
        }
    }
}

void matmul_float(const Panels& w, const float* x, size_t x_stride, int n_rows, const Results& to, int begin, int end,
                  void* scratch) {
    if (n_rows == 1 && has_float_values(w.format)) return matvec_float(w, x, to, begin, end);
    const size_t bytes = panel_bytes(w.format, w.columns);
    float* chunk = static_cast<float*>(scratch);
    void* rest = chunk + size_t(chunk_columns) * 16;
    for (int panel = begin; panel < end; ++panel) {
        const int row = panel_rows * panel;
        for (int c = 0; c < w.columns; c += chunk_columns) {
            const int c_end = c + chunk_columns < w.columns ? c + chunk_columns : w.columns;
            unpack_float_chunk(w.format, w.data + panel * bytes, c, c_end, chunk, rest);
            // Bias with the last columns; those after the first add to what is there.
            Corner corner{to.out + row, to.stride, to.bias && c_end == w.columns ? to.bias + row : nullptr, to.accumulate || c > 0, w.scale, w.rows - row};
            for (int first = 0; first < n_rows; first += tile_width) {
                const int rows = n_rows - first < tile_width ? n_rows - first : tile_width;
                float_tiles[rows - 1](chunk, x + first * x_stride + c, x_stride, c_end - c, corner);
                corner.out += tile_width * to.stride;
            }
        }
    }
}

}  // namespace engine::avx2
