// Row-wise operations: normalisations, activations, sums, rotation.
#include "engine/ops/kernels.avx2.h"
#include "engine/ops/simd.avx2.h"

namespace engine::avx2 {
namespace {

// The first m of 8 floats, the others 0.
HEARTH_INLINE __m256 some(const float* p, size_t m) {
    return m >= 8 ? _mm256_loadu_ps(p) : _mm256_maskload_ps(p, first_lanes(static_cast<int>(m)));
}
HEARTH_INLINE void store_some(float* p, size_t m, __m256 v) {
    if (m >= 8) _mm256_storeu_ps(p, v);
    else _mm256_maskstore_ps(p, first_lanes(static_cast<int>(m)), v);
}

// Sine and cosine of 4 angles: quarter turns taken off in double, Taylor's series to degree 13 and 12.
HEARTH_INLINE void sine_cosine(__m256d x, __m256d* sine, __m256d* cosine) {
    const __m256d n = _mm256_round_pd(_mm256_mul_pd(x, _mm256_set1_pd(0.63661977236758134)),
                                      _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m256d r = _mm256_fnmadd_pd(n, _mm256_set1_pd(1.5707963267948966), x);
    r = _mm256_fnmadd_pd(n, _mm256_set1_pd(6.123233995736766e-17), r);
    const __m256d q = _mm256_mul_pd(r, r);
    const double s[] = {-2.5052108385441720e-8, 2.7557319223985893e-6, -1.9841269841269841e-4, 8.3333333333333332e-3,
                        -0.16666666666666666, 1};
    const double c[] = {-2.7557319223985888e-7, 2.4801587301587302e-5, -1.3888888888888889e-3, 4.1666666666666664e-2, -0.5, 1};
    __m256d a = _mm256_set1_pd(1.6059043836821613e-10), b = _mm256_set1_pd(2.0876756987868100e-9);
    HEARTH_UNROLL for (int i = 0; i < 6; ++i) {
        a = _mm256_fmadd_pd(a, q, _mm256_set1_pd(s[i]));
        b = _mm256_fmadd_pd(b, q, _mm256_set1_pd(c[i]));
    }
    a = _mm256_mul_pd(a, r);
    const __m256i turn = _mm256_cvtepi32_epi64(_mm256_cvtpd_epi32(n)), one = _mm256_set1_epi64x(1), two = _mm256_set1_epi64x(2);
    const __m256d swap = _mm256_castsi256_pd(_mm256_cmpeq_epi64(_mm256_and_si256(turn, one), one));
    const __m256i sine_sign = _mm256_slli_epi64(_mm256_and_si256(turn, two), 62);
    const __m256i cosine_sign = _mm256_slli_epi64(_mm256_and_si256(_mm256_add_epi64(turn, one), two), 62);
    *sine = _mm256_xor_pd(_mm256_blendv_pd(a, b, swap), _mm256_castsi256_pd(sine_sign));
    *cosine = _mm256_xor_pd(_mm256_blendv_pd(b, a, swap), _mm256_castsi256_pd(cosine_sign));
}

}  // namespace

void rope(float* row, int columns, const RopeArgs& args, int position, float* work) {
    const int half = args.dim / 2, head_dim = args.head_dim;
    const __m128 magnitude = _mm_set1_ps(args.magnitude);
    float *sine = work, *cosine = work + half;
    for (int i = 0; i < half; i += 4) {
        const __m128i m = _mm256_castsi256_si128(first_lanes(half - i));
        // The angle is rounded to float, as the reference implementations have it.
        const __m128 angle = _mm_mul_ps(_mm_maskload_ps(args.inverse_frequencies + i, m), _mm_set1_ps(static_cast<float>(position)));
        __m256d s, c;
        sine_cosine(_mm256_cvtps_pd(angle), &s, &c);
        _mm_maskstore_ps(sine + i, m, _mm_mul_ps(_mm256_cvtpd_ps(s), magnitude));
        _mm_maskstore_ps(cosine + i, m, _mm_mul_ps(_mm256_cvtpd_ps(c), magnitude));
    }
    for (float* head = row; head < row + columns; head += head_dim) {
        if (!args.neox) {
            for (int i = 0; i < half; ++i) {
                const float a = head[2 * i], b = head[2 * i + 1];
                head[2 * i] = a * cosine[i] - b * sine[i];
                head[2 * i + 1] = a * sine[i] + b * cosine[i];
            }
            continue;
        }
        for (int i = 0; i < half; i += 8) {
            const size_t m = size_t(half - i);
            const __m256 a = some(head + i, m), b = some(head + half + i, m), s = some(sine + i, m), c = some(cosine + i, m);
            store_some(head + i, m, _mm256_fmsub_ps(a, c, _mm256_mul_ps(b, s)));
            store_some(head + half + i, m, _mm256_fmadd_ps(a, s, _mm256_mul_ps(b, c)));
        }
    }
}

void rms_norm(float* out, const float* x, const float* w, int columns, float eps) {
    __m256 sum[4];
    HEARTH_UNROLL for (int i = 0; i < 4; ++i) sum[i] = _mm256_setzero_ps();
    const size_t n = size_t(columns);
    size_t c = 0;
    for (; c + 32 <= n; c += 32)
        HEARTH_UNROLL for (int i = 0; i < 4; ++i) {
            const __m256 v = _mm256_loadu_ps(x + c + 8 * i);
            sum[i] = _mm256_fmadd_ps(v, v, sum[i]);
        }
    for (; c < n; c += 8) {
        const __m256 v = some(x + c, n - c);
        sum[0] = _mm256_fmadd_ps(v, v, sum[0]);
    }
    const float mean = sum_of(_mm256_add_ps(_mm256_add_ps(sum[0], sum[1]), _mm256_add_ps(sum[2], sum[3]))) / static_cast<float>(columns);
    const __m256 scale = _mm256_set1_ps(1.f / __builtin_sqrtf(mean + eps));
    for (c = 0; c < n; c += 8) {
        const __m256 v = _mm256_mul_ps(some(x + c, n - c), scale);
        store_some(out + c, n - c, w ? _mm256_mul_ps(v, some(w + c, n - c)) : v);
    }
}

void layer_norm(float* out, const float* x, const float* w, const float* b, int columns, float eps) {
    const size_t n = size_t(columns);
    __m256 sum = _mm256_setzero_ps(), squares = sum;
    for (size_t c = 0; c < n; c += 8) sum = _mm256_add_ps(sum, some(x + c, n - c));
    const __m256 mean = _mm256_set1_ps(sum_of(sum) / static_cast<float>(columns));
    for (size_t c = 0; c < n; c += 8) {
        const __m256 there = _mm256_castsi256_ps(first_lanes(n - c < 8 ? static_cast<int>(n - c) : 8));
        const __m256 v = _mm256_and_ps(_mm256_sub_ps(some(x + c, n - c), mean), there);
        squares = _mm256_fmadd_ps(v, v, squares);
    }
    const __m256 scale = _mm256_set1_ps(1.f / __builtin_sqrtf(sum_of(squares) / static_cast<float>(columns) + eps));
    for (size_t c = 0; c < n; c += 8) {
        const __m256 v = _mm256_mul_ps(_mm256_sub_ps(some(x + c, n - c), mean), scale);
        store_some(out + c, n - c, _mm256_fmadd_ps(v, some(w + c, n - c), some(b + c, n - c)));
    }
}

void gelu(float* x, size_t n) {
    const __m256 one = _mm256_set1_ps(1.f), sign = _mm256_set1_ps(-0.f);
    for (size_t i = 0; i < n; i += 8) {
        const __m256 v = some(x + i, n - i), a = _mm256_andnot_ps(sign, v);
        const __m256 t = _mm256_div_ps(one, _mm256_fmadd_ps(a, _mm256_set1_ps(kTailFactor), one));
        __m256 p = _mm256_set1_ps(kTail[0]);
        HEARTH_UNROLL for (int k = 1; k < kTailTerms; ++k) p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(kTail[k]));
        const __m256 tail = _mm256_mul_ps(t, exp2_full(_mm256_fnmadd_ps(_mm256_mul_ps(a, a), _mm256_set1_ps(kHalfLog2e), p)));
        const __m256 positive = _mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_GT_OQ);
        store_some(x + i, n - i, _mm256_mul_ps(v, _mm256_blendv_ps(tail, _mm256_sub_ps(one, tail), positive)));
    }
}

namespace {

// g·σ(t·ln 2); σ by a base-2 exponential.
HEARTH_INLINE __m256 times_sigmoid(__m256 g, __m256 t) {
    return _mm256_div_ps(g, _mm256_add_ps(_mm256_set1_ps(1.f), exp2_full(_mm256_sub_ps(_mm256_setzero_ps(), t))));
}

template <Activation activation> HEARTH_INLINE __m256 activated(__m256 g, __m256 u) {
    constexpr float log2e = 1.44269504f;
    if constexpr (activation == Activation::silu) {
        return _mm256_mul_ps(times_sigmoid(g, _mm256_mul_ps(g, _mm256_set1_ps(log2e))), u);
    } else if constexpr (activation == Activation::gelu_tanh) {
        // (1 + tanh(y)) / 2 = σ(2y), y = sqrt(2/π)·(g + 0.044715·g³)
        const __m256 cubic = _mm256_fmadd_ps(_mm256_mul_ps(g, g), _mm256_set1_ps(0.044715f), _mm256_set1_ps(1.f));
        const __m256 y = _mm256_mul_ps(_mm256_mul_ps(g, cubic), _mm256_set1_ps(2 * 0.797884561f * log2e));
        return _mm256_mul_ps(times_sigmoid(g, y), u);
    } else if constexpr (activation == Activation::sigmoid) {
        return times_sigmoid(u, _mm256_mul_ps(g, _mm256_set1_ps(log2e)));
    } else if constexpr (activation == Activation::identity) {
        return _mm256_mul_ps(g, u);
    } else {
        g = _mm256_min_ps(g, _mm256_set1_ps(7.f));
        u = _mm256_max_ps(_mm256_min_ps(u, _mm256_set1_ps(7.f)), _mm256_set1_ps(-7.f));
        return _mm256_mul_ps(times_sigmoid(g, _mm256_mul_ps(g, _mm256_set1_ps(1.702f * log2e))), _mm256_add_ps(u, _mm256_set1_ps(1.f)));
    }
}

template <Activation activation> void activate_all(float* out, const float* gate, const float* up, size_t n) {
    for (size_t i = 0; i < n; i += 8) store_some(out + i, n - i, activated<activation>(some(gate + i, n - i), some(up + i, n - i)));
}

}  // namespace

void activate(float* out, const float* gate, const float* up, size_t n, Activation activation) {
    switch (activation) {
        case Activation::silu: return activate_all<Activation::silu>(out, gate, up, n);
        case Activation::gelu_tanh: return activate_all<Activation::gelu_tanh>(out, gate, up, n);
        case Activation::clamped_silu: return activate_all<Activation::clamped_silu>(out, gate, up, n);
        case Activation::sigmoid: return activate_all<Activation::sigmoid>(out, gate, up, n);
        case Activation::identity: return activate_all<Activation::identity>(out, gate, up, n);
    }
}

void add_scaled(float* out, const float* x, float factor, size_t n) {
    const __m256 f = _mm256_set1_ps(factor);
    for (size_t i = 0; i < n; i += 8)
        store_some(out + i, n - i, _mm256_fmadd_ps(some(x + i, n - i), f, some(out + i, n - i)));
}

}  // namespace engine::avx2
