// Γ: which nodes have their bad days together.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "router/math/matrix.h"
#include "router/math/random.h"

namespace router::math {

// Γ_sym: Spearman's correlation of the days' residuals after the total load is removed, shrunk linearly towards independence by
// the intensity of Schäfer and Strimmer 2005. z: days × nodes, NaN where a node has no events; load: one a day.
struct Coupling {
    Matrix gamma;            // nodes × nodes, symmetric, unit diagonal
    double largest = 1;      // λ_max
    double threshold = 0;    // the 95 % point of λ_max when each node's days are shuffled
    bool coupled = false;    // λ_max beyond it
};

// None where there are fewer days than twice the nodes, or fewer than two nodes.
std::optional<Coupling> coupling(const Matrix& z, const Vector& load, Rng& rng, int permutations = 1000);

// Ranks from 1, of equal values their mean.
Vector ranks(const Vector& values);

}  // namespace router::math
