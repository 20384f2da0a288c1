// Means, covariances that are shrunk where the sample is small, and Mahalanobis distances.
#pragma once

#include <span>

#include "router/math/matrix.h"

namespace router::math {

Vector column_means(const Matrix& x);
Matrix covariance(const Matrix& x);  // p × p, divided by n - 1; x: n × p, n >= 2

struct Shrunk {
    Matrix covariance;     // p × p
    double shrinkage = 0;  // 0: the sample's own covariance (divided by n); 1: a multiple of the identity
};

// Ledoit and Wolf 2004. x: n × p.
Shrunk ledoit_wolf(const Matrix& x);

// Squared distances (x - mean)ᵀ Σ⁻¹ (x - mean). Where Σ is singular its pseudo-inverse is used, over `rank` directions.
class Mahalanobis {
public:
    Mahalanobis(Vector mean, const Matrix& covariance);

    double squared(std::span<const double> x) const;
    int rank() const { return int(root_.rows); }
    const Vector& mean() const { return mean_; }

private:
    Vector mean_;  // p
    Matrix root_;  // rank × p: rows v_k/sqrt(λ_k)
};

}  // namespace router::math
