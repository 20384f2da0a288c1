// MixMod: Gaussian mixtures by expectation and maximisation, and how many components are believed.
#pragma once

#include <span>
#include <vector>

#include "router/math/matrix.h"
#include "router/math/random.h"

namespace router::math {

enum class Shape { full, tied, diagonal, spherical };

struct Mixture {
    Vector weights;                  // K, sum 1
    Matrix means;                    // K × d
    std::vector<Matrix> covariances; // K of d × d; of a tied mixture all the same

    std::size_t components() const { return weights.size(); }
};

struct MixtureOptions {
    Shape shape = Shape::full;
    double floor = 0.05;      // added to the diagonal of every covariance (scikit-learn's reg_covar)
    double tolerance = 1e-8;  // of the mean log-likelihood between two iterations
    int iterations = 500;
};

struct MixtureFit {
    Mixture mixture;
    double log_likelihood = 0;  // of the sample under `mixture`
    double bic = 0;             // -2ℓ + ν ln N
    int iterations = 0;
    bool converged = false;
};

int free_parameters(std::size_t components, std::size_t dimensions, Shape shape);  // ν

// ln p(x) of one point under each component times its weight; log-sum-exp of it is the point's log-density. K values.
Vector log_joint(const Mixture& m, std::span<const double> x);
double log_sum_exp(std::span<const double> values);
Vector responsibilities(const Mixture& m, std::span<const double> x);
double log_likelihood(const Mixture& m, const Matrix& x);

// One E and M step. The log-likelihood never falls where the floor is 0.
Mixture step(const Mixture& m, const Matrix& x, const MixtureOptions& options);

// From that beginning, until the log-likelihood rests or the iterations are spent. x: N × d, N >= 1.
MixtureFit fit_from(Mixture begin, const Matrix& x, const MixtureOptions& options);

// From the best of `starts` beginnings by k-means++ (Arthur and Vassilvitskii 2007), as thirty iterations tell (Biernacki, Celeux and
// Govaert 2003).
MixtureFit fit(const Matrix& x, int components, const MixtureOptions& options, Rng& rng, int starts = 10);

// What a split has to show before it is believed.
struct SplitRule {
    double bic_gain = 10;
    double separation = 2.5;    // the least Mahalanobis distance between two means, under the mean of their covariances
    double least_weight = 0.05; // and 3/N
    int least_points = 60;      // below: one component
    int most = 3;
};

// The mixture of 1 … most components with the least BIC among those that hold the rule. `effective`: how many points are independent
// (disjoint windows); where fewer than N, ℓ is scaled by effective/N and ln effective stands in the BIC.
MixtureFit select(const Matrix& x, const MixtureOptions& options, const SplitRule& rule, std::size_t effective, Rng& rng);

}  // namespace router::math
