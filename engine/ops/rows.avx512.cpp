// Row-wise operations: normalisations, activations, sums.
#include "engine/ops/kernels.avx512.h"
#include "engine/ops/simd.avx512.h"

namespace engine::avx512 {
namespace {

// Sine and cosine of 8 angles: quarter turns taken off in double, Taylor's series to degree 13 and 12.
HEARTH_INLINE void sine_cosine(__m512d x, __m512d* sine, __m512d* cosine) {
    const __m512d n = _mm512_roundscale_pd(_mm512_mul_pd(x, _mm512_set1_pd(0.63661977236758134)), 8);
    __m512d r = _mm512_fnmadd_pd(n, _mm512_set1_pd(1.5707963267948966), x);
    r = _mm512_fnmadd_pd(n, _mm512_set1_pd(6.123233995736766e-17), r);
    const __m512d q = _mm512_mul_pd(r, r);
    const double s[] = {-2.5052108385441720e-8, 2.7557319223985893e-6, -1.9841269841269841e-4, 8.3333333333333332e-3,
                        -0.16666666666666666, 1};
    const double c[] = {-2.7557319223985888e-7, 2.4801587301587302e-5, -1.3888888888888889e-3, 4.1666666666666664e-2, -0.5, 1};
    __m512d a = _mm512_set1_pd(1.6059043836821613e-10), b = _mm512_set1_pd(2.0876756987868100e-9);
    HEARTH_UNROLL for (int i = 0; i < 6; ++i) {
        a = _mm512_fmadd_pd(a, q, _mm512_set1_pd(s[i]));
        b = _mm512_fmadd_pd(b, q, _mm512_set1_pd(c[i]));
    }
    a = _mm512_mul_pd(a, r);
    const __m512i turn = _mm512_cvtpd_epi64(n);
    const __mmask8 swap = _mm512_test_epi64_mask(turn, _mm512_set1_epi64(1));
    const __m512i sine_sign = _mm512_slli_epi64(_mm512_and_si512(turn, _mm512_set1_epi64(2)), 62);
    const __m512i one = _mm512_add_epi64(turn, _mm512_set1_epi64(1));
    const __m512i cosine_sign = _mm512_slli_epi64(_mm512_and_si512(one, _mm512_set1_epi64(2)), 62);
    *sine = _mm512_xor_pd(_mm512_mask_blend_pd(swap, a, b), _mm512_castsi512_pd(sine_sign));
    *cosine = _mm512_xor_pd(_mm512_mask_blend_pd(swap, b, a), _mm512_castsi512_pd(cosine_sign));
}

}  // namespace

void rope(float* row, int columns, const RopeArgs& args, int position, float* work) {
    const int half = args.dim / 2, head_dim = args.head_dim;
    const __m256 magnitude = _mm256_set1_ps(args.magnitude);
    float *sine = work, *cosine = work + half;
    for (int i = 0; i < half; i += 8) {
        const __mmask8 m = static_cast<__mmask8>(first_lanes(half - i));
        // The angle is rounded to float, as the reference implementations have it.
        const __m256 angle = _mm256_mul_ps(_mm256_maskz_loadu_ps(m, args.inverse_frequencies + i), _mm256_set1_ps(static_cast<float>(position)));
        __m512d s, c;
        sine_cosine(_mm512_cvtps_pd(angle), &s, &c);
        _mm256_mask_storeu_ps(sine + i, m, _mm256_mul_ps(_mm512_cvtpd_ps(s), magnitude));
        _mm256_mask_storeu_ps(cosine + i, m, _mm256_mul_ps(_mm512_cvtpd_ps(c), magnitude));
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
        for (int i = 0; i < half; i += 16) {
            const __mmask16 m = first_lanes(half - i);
            const __m512 a = _mm512_maskz_loadu_ps(m, head + i), b = _mm512_maskz_loadu_ps(m, head + half + i);
            const __m512 s = _mm512_maskz_loadu_ps(m, sine + i), c = _mm512_maskz_loadu_ps(m, cosine + i);
            _mm512_mask_storeu_ps(head + i, m, _mm512_fmsub_ps(a, c, _mm512_mul_ps(b, s)));
            _mm512_mask_storeu_ps(head + half + i, m, _mm512_fmadd_ps(a, s, _mm512_mul_ps(b, c)));
        }
    }
}

void rms_norm(float* out, const float* x, const float* w, int columns, float eps) {
    __m512 s0 = _mm512_setzero_ps(), s1 = s0;
    int c = 0;
    for (; c + 32 <= columns; c += 32) {
        const __m512 a = _mm512_loadu_ps(x + c), b = _mm512_loadu_ps(x + c + 16);
        s0 = _mm512_fmadd_ps(a, a, s0);
        s1 = _mm512_fmadd_ps(b, b, s1);
    }
    for (; c < columns; c += 16) {
        const __m512 a = _mm512_maskz_loadu_ps(first_lanes(columns - c), x + c);
        s0 = _mm512_fmadd_ps(a, a, s0);
    }
    const float mean = _mm512_reduce_add_ps(_mm512_add_ps(s0, s1)) / static_cast<float>(columns);
    const __m512 scale = _mm512_set1_ps(1.f / __builtin_sqrtf(mean + eps));
    for (c = 0; c < columns; c += 16) {
        const __mmask16 m = first_lanes(columns - c);
        const __m512 v = _mm512_mul_ps(_mm512_maskz_loadu_ps(m, x + c), scale);
        _mm512_mask_storeu_ps(out + c, m, w ? _mm512_mul_ps(v, _mm512_maskz_loadu_ps(m, w + c)) : v);
    }
}

void layer_norm(float* out, const float* x, const float* w, const float* b, int columns, float eps) {
    __m512 sum = _mm512_setzero_ps(), squares = sum;
    for (int c = 0; c < columns; c += 16) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(first_lanes(columns - c), x + c));
    const __m512 mean = _mm512_set1_ps(_mm512_reduce_add_ps(sum) / static_cast<float>(columns));
    for (int c = 0; c < columns; c += 16) {
        const __mmask16 m = first_lanes(columns - c);
        const __m512 v = _mm512_maskz_sub_ps(m, _mm512_maskz_loadu_ps(m, x + c), mean);
        squares = _mm512_fmadd_ps(v, v, squares);
    }
    const __m512 scale = _mm512_set1_ps(1.f / __builtin_sqrtf(_mm512_reduce_add_ps(squares) / static_cast<float>(columns) + eps));
    for (int c = 0; c < columns; c += 16) {
        const __mmask16 m = first_lanes(columns - c);
        const __m512 v = _mm512_mul_ps(_mm512_sub_ps(_mm512_maskz_loadu_ps(m, x + c), mean), scale);
        _mm512_mask_storeu_ps(out + c, m, _mm512_fmadd_ps(v, _mm512_maskz_loadu_ps(m, w + c), _mm512_maskz_loadu_ps(m, b + c)));
    }
}

void gelu(float* x, size_t n) {
    for (size_t i = 0; i < n; i += 16) {
        const __mmask16 m = first_lanes(n - i < 16 ? static_cast<int>(n - i) : 16);
        const __m512 v = _mm512_maskz_loadu_ps(m, x + i), a = _mm512_abs_ps(v), one = _mm512_set1_ps(1.f);
        const __m512 t = _mm512_div_ps(one, _mm512_fmadd_ps(a, _mm512_set1_ps(kTailFactor), one));
        __m512 p = _mm512_set1_ps(kTail[0]);
        HEARTH_UNROLL for (int k = 1; k < kTailTerms; ++k) p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(kTail[k]));
        const __m512 tail = _mm512_mul_ps(t, exp2_full(_mm512_fnmadd_ps(_mm512_mul_ps(a, a), _mm512_set1_ps(kHalfLog2e), p)));
        const __mmask16 positive = _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_GT_OQ);
        _mm512_mask_storeu_ps(x + i, m, _mm512_mul_ps(v, _mm512_mask_sub_ps(tail, positive, one, tail)));
    }
}

namespace {

// g·σ(t·ln 2); σ by a base-2 exponential.
HEARTH_INLINE __m512 times_sigmoid(__m512 g, __m512 t) {
    return _mm512_div_ps(g, _mm512_add_ps(_mm512_set1_ps(1.f), exp2_full(_mm512_sub_ps(_mm512_setzero_ps(), t))));
}

template <Activation activation> HEARTH_INLINE __m512 activated(__m512 g, __m512 u) {
    constexpr float log2e = 1.44269504f;
    if constexpr (activation == Activation::silu) {
        return _mm512_mul_ps(times_sigmoid(g, _mm512_mul_ps(g, _mm512_set1_ps(log2e))), u);
    } else if constexpr (activation == Activation::gelu_tanh) {
        // (1 + tanh(y)) / 2 = σ(2y), y = sqrt(2/π)·(g + 0.044715·g³)
        const __m512 cubic = _mm512_fmadd_ps(_mm512_mul_ps(g, g), _mm512_set1_ps(0.044715f), _mm512_set1_ps(1.f));
        const __m512 y = _mm512_mul_ps(_mm512_mul_ps(g, cubic), _mm512_set1_ps(2 * 0.797884561f * log2e));
        return _mm512_mul_ps(times_sigmoid(g, y), u);
    } else if constexpr (activation == Activation::sigmoid) {
        return times_sigmoid(u, _mm512_mul_ps(g, _mm512_set1_ps(log2e)));
    } else if constexpr (activation == Activation::identity) {
        return _mm512_mul_ps(g, u);
    } else {
        g = _mm512_min_ps(g, _mm512_set1_ps(7.f));
        u = _mm512_max_ps(_mm512_min_ps(u, _mm512_set1_ps(7.f)), _mm512_set1_ps(-7.f));
        return _mm512_mul_ps(times_sigmoid(g, _mm512_mul_ps(g, _mm512_set1_ps(1.702f * log2e))), _mm512_add_ps(u, _mm512_set1_ps(1.f)));
    }
}

template <Activation activation> void activate_all(float* out, const float* gate, const float* up, size_t n) {
    for (size_t i = 0; i < n; i += 16) {
        const __mmask16 m = first_lanes(n - i < 16 ? static_cast<int>(n - i) : 16);
        const __m512 v = activated<activation>(_mm512_maskz_loadu_ps(m, gate + i), _mm512_maskz_loadu_ps(m, up + i));
        _mm512_mask_storeu_ps(out + i, m, v);
    }
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
    const __m512 f = _mm512_set1_ps(factor);
    for (size_t i = 0; i < n; i += 16) {
        const __mmask16 m = first_lanes(n - i < 16 ? static_cast<int>(n - i) : 16);
        const __m512 v = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(m, x + i), f, _mm512_maskz_loadu_ps(m, out + i));
        _mm512_mask_storeu_ps(out + i, m, v);
    }
}

}  // namespace engine::avx512
