// The kernels of mixers that carry a state, over vectors of kLanes floats: included by recurrent.NAME.cpp, each of which has
// them in its target's namespace. Columns of a state do not meet each other, so a strip of them stays in the nearest cache
// (or in registers) while all rows pass by, and a row's result does not depend on how many others pass with it.
#pragma once

#include <string.h>

#include "engine/ops/kernels.h"

namespace engine::HEARTH_TARGET {
namespace {

typedef float Vec __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));

template <class V> HEARTH_INLINE V load(const float* p) {
    V v;
    memcpy(&v, p, sizeof v);
    return v;
}
template <class V> HEARTH_INLINE void store(float* p, V v) { memcpy(p, &v, sizeof v); }

HEARTH_INLINE float sum_lanes(float v) { return v; }
HEARTH_INLINE float sum_lanes(Vec v) {
    Register r;
    memcpy(&r, &v, sizeof r);
    return sum_of(r);
}

HEARTH_INLINE float dot(const float* a, const float* b, int n) {
    Vec sum[4] = {};
    int i = 0;
    for (; i + 4 * kLanes <= n; i += 4 * kLanes)
        HEARTH_UNROLL for (int j = 0; j < 4; ++j) sum[j] += load<Vec>(a + i + j * kLanes) * load<Vec>(b + i + j * kLanes);
    float rest = 0;
    for (; i < n; ++i) rest += a[i] * b[i];
    return rest + sum_lanes((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

// to = x / sqrt(Σ x² + 1e-6) * factor
HEARTH_INLINE void unit(const float* x, int n, float factor, float* to) {
    const float scale = factor / __builtin_sqrtf(dot(x, x, n) + 1e-6f);
    for (int i = 0; i < n; ++i) to[i] = x[i] * scale;
}

// N vectors of columns of the state, from column c on. With the old state S, the new one is decay·S + k δᵀ where
// δ = β(v - decay·Sᵀk), so its Sᵀq is decay·(old Sᵀq) + δ(k·q): one pass reads, one writes.
template <class V, int N> HEARTH_INLINE void delta_strip(const DeltaHead& a, int c) {
    constexpr int width = int(sizeof(V) / sizeof(float));
    for (int r = 0; r < a.rows; ++r) {
        const float *const q = a.work + size_t(r) * size_t(2 * a.key_dim + 1), *const k = q + a.key_dim;
        V of_k[N] = {}, of_q[N] = {};
        const float* s = a.state + c;
        for (int i = 0; i < a.key_dim; ++i, s += a.value_dim)
            HEARTH_UNROLL for (int j = 0; j < N; ++j) {
                const V old = load<V>(s + j * width);
                of_k[j] += old * k[i];
                of_q[j] += old * q[i];
            }
        const float decay = a.decay[r], beta = a.beta[r], kq = k[a.key_dim];
        const float* const v = a.v + size_t(r) * a.in_stride + c;
        HEARTH_UNROLL for (int j = 0; j < N; ++j) {
            of_k[j] = beta * (load<V>(v + j * width) - decay * of_k[j]);  // δ
            store(a.out + size_t(r) * a.out_stride + c + j * width, decay * of_q[j] + of_k[j] * kq);
        }
        float* to = a.state + c;
        for (int i = 0; i < a.key_dim; ++i, to += a.value_dim)
            HEARTH_UNROLL for (int j = 0; j < N; ++j) store(to + j * width, decay * load<V>(to + j * width) + of_k[j] * k[i]);
    }
}

// out(r, c) = factor · out(r, c) + Σ_i a(r, i) b(i, c) for R rows and N vectors of columns; with a factor of 0 out is not read.
template <int R, int N> HEARTH_INLINE void product_tile(float* out, size_t out_stride, float factor, const float* a, size_t a_row, size_t a_step, const float* b, size_t b_stride, int depth) {
    Vec sum[R][N];
    HEARTH_UNROLL for (int r = 0; r < R; ++r) HEARTH_UNROLL for (int j = 0; j < N; ++j) sum[r][j] = factor == 0 ? Vec{} : factor * load<Vec>(out + size_t(r) * out_stride + j * kLanes);
    for (int i = 0; i < depth; ++i, a += a_step, b += b_stride) {
        Vec v[N];
        HEARTH_UNROLL for (int j = 0; j < N; ++j) v[j] = load<Vec>(b + j * kLanes);
        HEARTH_UNROLL for (int r = 0; r < R; ++r) HEARTH_UNROLL for (int j = 0; j < N; ++j) sum[r][j] += a[size_t(r) * a_row] * v[j];
    }
    HEARTH_UNROLL for (int r = 0; r < R; ++r) HEARTH_UNROLL for (int j = 0; j < N; ++j) store(out + size_t(r) * out_stride + j * kLanes, sum[r][j]);
}

struct Factor {
    const float* at;
    size_t row, step;  // floats from one row, and from one term, to the next
};

template <int N> HEARTH_INLINE void product_columns(float* out, size_t out_stride, int rows, float factor, Factor a, const float* b, size_t b_stride, int depth) {
    constexpr int together = kLanes == 8 ? 4 : 8;  // as many as find registers
    int r = 0;
    for (; r + together <= rows; r += together) product_tile<together, N>(out + size_t(r) * out_stride, out_stride, factor, a.at + size_t(r) * a.row, a.row, a.step, b, b_stride, depth);
    for (; r < rows; ++r) product_tile<1, N>(out + size_t(r) * out_stride, out_stride, factor, a.at + size_t(r) * a.row, a.row, a.step, b, b_stride, depth);
}

// out = factor · out + a b, with so many rows and columns, the latter a multiple of kLanes.
void product(float* out, size_t out_stride, int rows, int columns, float factor, Factor a, const float* b, size_t b_stride, int depth) {
    int c = 0;
    if (rows == 1)
        for (; c + 8 * kLanes <= columns; c += 8 * kLanes) product_tile<1, 8>(out + c, out_stride, factor, a.at, a.row, a.step, b + c, b_stride, depth);
    for (; c + 2 * kLanes <= columns; c += 2 * kLanes) product_columns<2>(out + c, out_stride, rows, factor, a, b + c, b_stride, depth);
    for (; c < columns; c += kLanes) product_columns<1>(out + c, out_stride, rows, factor, a, b + c, b_stride, depth);
}

// N vectors of each row of the state, from column c on; the sums of columns before are in out already.
template <class V, int N> HEARTH_INLINE void scan_strip(const ScanHead& a, int c) {
    constexpr int width = int(sizeof(V) / sizeof(float));
    for (int i = 0; i < a.head_dim; ++i) {
        float* const row = a.state + size_t(i) * size_t(a.state_size) + c;
        V s[N];
        HEARTH_UNROLL for (int j = 0; j < N; ++j) s[j] = load<V>(row + j * width);
        for (int r = 0; r < a.rows; ++r) {
            const float *const b = a.b + size_t(r) * a.in_stride + c, *const o = a.c + size_t(r) * a.in_stride + c;
            const float in = a.step[r] * a.x[size_t(r) * a.in_stride + size_t(i)], decay = a.decay[r];
            V sum[2] = {};
            HEARTH_UNROLL for (int j = 0; j < N; ++j) {
                s[j] = s[j] * decay + in * load<V>(b + j * width);
                sum[j % 2] += s[j] * load<V>(o + j * width);
            }
            a.out[size_t(r) * a.out_stride + size_t(i)] += sum_lanes(sum[0] + sum[1]);
        }
        HEARTH_UNROLL for (int j = 0; j < N; ++j) store(row + j * width, s[j]);
    }
}

}  // namespace

void delta_head(const DeltaHead& a) {
    const int dk = a.key_dim, dv = a.value_dim;
    for (int r = 0; r < a.rows; ++r) {
        float *const q = a.work + size_t(r) * size_t(2 * dk + 1), *const k = q + dk;
        unit(a.q + size_t(r) * a.in_stride, dk, 1 / __builtin_sqrtf(float(dk)), q);
        unit(a.k + size_t(r) * a.in_stride, dk, 1, k);
        k[dk] = dot(q, k, dk);
    }
    int c = 0;
    for (; c + 4 * kLanes <= dv; c += 4 * kLanes) delta_strip<Vec, 4>(a, c);
    for (; c + kLanes <= dv; c += kLanes) delta_strip<Vec, 1>(a, c);
    for (; c < dv; ++c) delta_strip<float, 1>(a, c);
}

// With D(t, i) the product of the decays of rows i + 1 … t, and G(t) that of all up to t, the rule's δ and results are
//   δ(t) = β(t) (v(t) - G(t) Sᵀk(t) - Σ_{i<t} D(t, i) (k(i)·k(t)) δ(i))        out(t) = G(t) Sᵀq(t) + Σ_{i≤t} D(t, i) (k(i)·q(t)) δ(i)
// and the new state is G(n) S + Σ D(n, i) k(i) δ(i)ᵀ, all with the old S: products of matrices but for the rows of δ, which need
// those before. (Yang, Kautz and Hatamizadeh: Gated Delta Networks, 2024, §3.3, without its inverse.)
void delta_chunk(const DeltaHead& a) {
    constexpr int m = delta_rows;
    const int n = a.rows, dk = a.key_dim, dv = a.value_dim;
    if (dv % kLanes != 0) return delta_head(a);
    float *const q = a.work, *const k = q + m * dk, *const keys = k + m * dk, *const delta = keys + m * dk, *const of_q = delta + m * dv, *const of_k = of_q + m * m;
    if (n < m) memset(keys, 0, sizeof(float) * m * size_t(dk));
    for (int t = 0; t < n; ++t) {
        unit(a.q + size_t(t) * a.in_stride, dk, 1 / __builtin_sqrtf(float(dk)), q + t * dk);
        unit(a.k + size_t(t) * a.in_stride, dk, 1, k + t * dk);
        for (int i = 0; i < dk; ++i) keys[i * m + t] = k[t * dk + i];
    }
    product(of_q, m, n, m, 0, {q, size_t(dk), 1}, keys, m, dk);
    product(of_k, m, n, m, 0, {k, size_t(dk), 1}, keys, m, dk);
    float through[m], all = 1;  // D(t, i), G(t)
    for (int t = 0; t < n; ++t) {
        const float decay = a.decay[t], beta = a.beta[t];
        all *= decay;
        for (int i = 0; i < t; ++i) {
            through[i] *= decay;
            of_k[t * m + i] *= -beta * through[i];
        }
        through[t] = 1;
        for (int i = 0; i < n; ++i) of_q[t * m + i] = i <= t ? of_q[t * m + i] * through[i] : 0;
        for (int i = 0; i < dk; ++i) {
            q[t * dk + i] *= all;
            k[t * dk + i] *= -beta * all;
        }
        for (int c = 0; c < dv; ++c) delta[t * dv + c] = beta * a.v[size_t(t) * a.in_stride + size_t(c)];
    }
    product(delta, size_t(dv), n, dv, 1, {k, size_t(dk), 1}, a.state, size_t(dv), dk);
    product(a.out, a.out_stride, n, dv, 0, {q, size_t(dk), 1}, a.state, size_t(dv), dk);
    for (int t = 1; t < n; ++t) product(delta + t * dv, size_t(dv), 1, dv, 1, {of_k + t * m, m, 1}, delta, size_t(dv), t);
    product(a.out, a.out_stride, n, dv, 1, {of_q, m, 1}, delta, size_t(dv), n);
    for (int i = 0; i < dk; ++i)
        for (int t = 0; t < n; ++t) keys[i * m + t] *= through[t];
    product(a.state, size_t(dv), dk, dv, all, {keys, m, 1}, delta, size_t(dv), n);
}

void scan_head(const ScanHead& a) {
    for (int r = 0; r < a.rows; ++r)
        for (int i = 0; i < a.head_dim; ++i) a.out[size_t(r) * a.out_stride + size_t(i)] = a.d * a.x[size_t(r) * a.in_stride + size_t(i)];
    int c = 0;
    for (; c + 8 * kLanes <= a.state_size; c += 8 * kLanes) scan_strip<Vec, 8>(a, c);
    for (; c + 2 * kLanes <= a.state_size; c += 2 * kLanes) scan_strip<Vec, 2>(a, c);
    for (; c + kLanes <= a.state_size; c += kLanes) scan_strip<Vec, 1>(a, c);
    for (; c < a.state_size; ++c) scan_strip<float, 1>(a, c);
}

void convolve_row(float* out, const float* const* in, const float* w, size_t w_stride, const float* bias, int kernel, size_t n) {
    for (size_t c = 0; c < n; ++c) out[c] = bias ? bias[c] : 0;
    for (int j = 0; j < kernel; ++j) {
        const float *const x = in[j], *const factor = w + size_t(j) * w_stride;
        for (size_t c = 0; c < n; ++c) out[c] += factor[c] * x[c];
    }
}

}  // namespace engine::HEARTH_TARGET
