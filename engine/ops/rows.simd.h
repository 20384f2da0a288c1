// Row-wise operations: normalisations, activations, sums, rotation. Included by rows.NAME.cpp.
#pragma once

namespace engine::HEARTH_TARGET {
namespace {

// Sine and cosine: quarter turns taken off in double, Taylor's series to degree 13 and 12.
HEARTH_INLINE void sine_cosine(Doubles x, Doubles* sine, Doubles* cosine) {
    const Doubles n = to_nearest(x * splat(0.63661977236758134));
    Doubles r = fnmadd(n, splat(1.5707963267948966), x);
    r = fnmadd(n, splat(6.123233995736766e-17), r);
    const Doubles q = r * r;
    const double s[] = {-2.5052108385441720e-8, 2.7557319223985893e-6, -1.9841269841269841e-4, 8.3333333333333332e-3,
                        -0.16666666666666666, 1};
    const double c[] = {-2.7557319223985888e-7, 2.4801587301587302e-5, -1.3888888888888889e-3, 4.1666666666666664e-2, -0.5, 1};
    Doubles a = splat(1.6059043836821613e-10), b = splat(2.0876756987868100e-9);
    HEARTH_UNROLL for (int i = 0; i < 6; ++i) {
        a = fmadd(a, q, splat(s[i]));
        b = fmadd(b, q, splat(c[i]));
    }
    a = a * r;
    const Longs turn = to_longs(n), swap = -(turn & 1);  // all bits where sine and cosine change places
    const Longs of_sine = ((Longs)a & ~swap) | ((Longs)b & swap), of_cosine = ((Longs)b & ~swap) | ((Longs)a & swap);
    *sine = (Doubles)(of_sine ^ (turn & 2) << 62);
    *cosine = (Doubles)(of_cosine ^ ((turn + 1) & 2) << 62);
}

}  // namespace

void rope(float* row, int columns, const RopeArgs& args, int position, float* work) {
    const int half = args.dim / 2, head_dim = args.head_dim;
    float *sine = work, *cosine = work + half;
    for (int i = 0; i < half; i += kDoubles) {
        // The angle is rounded to float, as the reference implementations have it.
        Doubles s, c;
        sine_cosine(doubles(args.inverse_frequencies + i, half - i, static_cast<float>(position)), &s, &c);
        store_doubles(sine + i, half - i, s, args.magnitude);
        store_doubles(cosine + i, half - i, c, args.magnitude);
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
        for (int i = 0; i < half; i += kLanes) {
            const int m = half - i;
            const Register a = some(head + i, m), b = some(head + half + i, m), s = some(sine + i, m), c = some(cosine + i, m);
            store_some(head + i, m, fmsub(a, c, b * s));
            store_some(head + half + i, m, fmadd(a, s, b * c));
        }
    }
}

void rms_norm(float* out, const float* x, const float* w, int columns, float eps) {
    Register sum[4];
    HEARTH_UNROLL for (int i = 0; i < 4; ++i) sum[i] = splat(0.f);
    int c = 0;
    for (; c + 4 * kLanes <= columns; c += 4 * kLanes)
        HEARTH_UNROLL for (int i = 0; i < 4; ++i) {
            const Register v = load_floats(x + c + kLanes * i);
            sum[i] = fmadd(v, v, sum[i]);
        }
    for (; c < columns; c += kLanes) {
        const Register v = some(x + c, columns - c);
        sum[0] = fmadd(v, v, sum[0]);
    }
    const float mean = sum_of((sum[0] + sum[1]) + (sum[2] + sum[3])) / static_cast<float>(columns);
    const Register scale = splat(1.f / __builtin_sqrtf(mean + eps));
    for (c = 0; c < columns; c += kLanes) {
        const Register v = some(x + c, columns - c) * scale;
        store_some(out + c, columns - c, w ? v * some(w + c, columns - c) : v);
    }
}

void layer_norm(float* out, const float* x, const float* w, const float* b, int columns, float eps) {
    Register sum = splat(0.f), squares = sum;
    for (int c = 0; c < columns; c += kLanes) sum = sum + some(x + c, columns - c);
    const Register mean = splat(sum_of(sum) / static_cast<float>(columns));
    for (int c = 0; c < columns; c += kLanes) {
        const Register v = kept(first_lanes(columns - c), some(x + c, columns - c) - mean);
        squares = fmadd(v, v, squares);
    }
    const Register scale = splat(1.f / __builtin_sqrtf(sum_of(squares) / static_cast<float>(columns) + eps));
    for (int c = 0; c < columns; c += kLanes) {
        const int m = columns - c;
        const Register v = (some(x + c, m) - mean) * scale;
        store_some(out + c, m, fmadd(v, some(w + c, m), some(b + c, m)));
    }
}

void gelu(float* x, size_t n) {
    const Register one = splat(1.f);
    for (size_t i = 0; i < n; i += kLanes) {
        const long m = static_cast<long>(n - i);
        const Register v = some(x + i, m), a = magnitude(v);
        const Register t = one / fmadd(a, splat(kTailFactor), one);
        Register p = splat(kTail[0]);
        HEARTH_UNROLL for (int k = 1; k < kTailTerms; ++k) p = fmadd(p, t, splat(kTail[k]));
        const Register tail = t * exp2_full(fnmadd(a * a, splat(kHalfLog2e), p));
        store_some(x + i, m, v * choose(is_positive(v), one - tail, tail));
    }
}

namespace {

// g·σ(t·ln 2); σ by a base-2 exponential.
HEARTH_INLINE Register times_sigmoid(Register g, Register t) { return g / (splat(1.f) + exp2_full(splat(0.f) - t)); }

template <Activation activation> HEARTH_INLINE Register activated(Register g, Register u) {
    constexpr float log2e = 1.44269504f;
    if constexpr (activation == Activation::silu) {
        return times_sigmoid(g, g * splat(log2e)) * u;
    } else if constexpr (activation == Activation::gelu_tanh) {
        // (1 + tanh(y)) / 2 = σ(2y), y = sqrt(2/π)·(g + 0.044715·g³)
        const Register cubic = fmadd(g * g, splat(0.044715f), splat(1.f));
        return times_sigmoid(g, (g * cubic) * splat(2 * 0.797884561f * log2e)) * u;
    } else if constexpr (activation == Activation::sigmoid) {
        return times_sigmoid(u, g * splat(log2e));
    } else if constexpr (activation == Activation::identity) {
        return g * u;
    } else {
        g = smaller(g, splat(7.f));
        u = larger(smaller(u, splat(7.f)), splat(-7.f));
        return times_sigmoid(g, g * splat(1.702f * log2e)) * (u + splat(1.f));
    }
}

template <Activation activation> void activate_all(float* out, const float* gate, const float* up, size_t n) {
    for (size_t i = 0; i < n; i += kLanes) {
        const long m = static_cast<long>(n - i);
        store_some(out + i, m, activated<activation>(some(gate + i, m), some(up + i, m)));
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
    const Register f = splat(factor);
    for (size_t i = 0; i < n; i += kLanes) {
        const long m = static_cast<long>(n - i);
        store_some(out + i, m, fmadd(some(x + i, m), f, some(out + i, m)));
    }
}

}  // namespace engine::HEARTH_TARGET
