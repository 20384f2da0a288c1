// FFS: functional principal components of curves, by a singular value decomposition with explicit quadrature weights.
#pragma once

#include <span>
#include <vector>

#include "router/math/matrix.h"

namespace router::math {

// N curves observed at T points; w are the weights of the integral over those points. With X_c the centred curves,
// X_c W^½ = U S Vᵀ, eigenfunctions φ = W^-½ V, eigenvalues λ = S²/(N-1), scores U S = X_c W φ (Ramsay and Silverman 2005, §8.4).
struct Fpca {
    Vector mean;            // T
    Vector weights;         // T
    Matrix functions;       // K × T, orthonormal: sum_t w φ_j φ_k = [j = k]
    Vector eigenvalues;     // K, falling
    Matrix scores;          // N × K
    double total_variance = 0;  // sum over all min(N-1, T) eigenvalues

    std::size_t components() const { return eigenvalues.size(); }
    double explained() const;  // by the components kept, 0 … 1
};

// Weights of the trapezoidal rule over a rising grid of at least two points.
Vector trapezoid_weights(std::span<const double> grid);

// The sign of each function makes its integral positive; where that is nothing, the entry that is largest in amount.
// `components`: at most that many, at most min(N-1, T). curves: N × T without missing values, N >= 2.
Fpca fpca(const Matrix& curves, const Vector& weights, int components);

// The fewest components that explain `share`, at most min(most, N/10) and at least one.
int components_for(const Matrix& curves, const Vector& weights, double share = 0.90, int most = 3);

// Indices of the curves to fit a model to: those whose score distance and orthogonal distance in a fit to all lie within their 0.975
// limits (Hubert, Rousseeuw and Vanden Branden 2005).
std::vector<std::size_t> ordinary_curves(const Matrix& curves, const Vector& weights);

// Scores of one curve without missing values: K.
Vector project(const Fpca& model, std::span<const double> curve);

// Scores by conditional expectation (PACE; Yao, Müller and Wang 2005) of a curve whose missing points are NaN:
// ΛΦᵀ(ΦΛΦᵀ + D)⁻¹(x - μ) over the observed points, D = diag(noise) + 1e-6·mean diagonal of ΦΛΦᵀ. noise: T variances.
Vector pace_scores(const Fpca& model, std::span<const double> curve, std::span<const double> noise);

}  // namespace router::math
