// Functional principal components of several curves at once (Happ and Greven 2018).
#pragma once

#include <vector>

#include "router/math/fpca.h"

namespace router::math {

// One quantity's curves of the same N units. Its weight in the whole is 1/∫Var, so that no unit of measure counts more.
struct Block {
    Matrix curves;   // N × T_j
    Vector weights;  // T_j
    int components = 0;  // M_j of its own decomposition
};

struct Mfpca {
    std::vector<Fpca> parts;        // one a block, M_j components each
    Vector variances;               // v_j = ∫Var, one a block
    Matrix mixing;                  // (sum M_j) × K: the columns c
    Vector eigenvalues;             // ν: K, falling
    Matrix scores;                  // ρ: N × K
    std::vector<Matrix> functions;  // ψ^(j): K × T_j
};

// ξ^(j) from each block, Z = [ξ^(j)/√v_j], (ν, c) the eigenpairs of ZᵀZ/(N-1), ρ = Zc, ψ^(j) = sum c φ^(j)√v_j. With all M_j,
// ν are the eigenvalues of ordinary PCA of the stacked weighted blocks. A block without variance takes no part.
Mfpca mfpca(const std::vector<Block>& blocks, int components);

// Scores of one more unit from its scores ξ^(j) in each block (by project or pace_scores): K.
Vector project(const Mfpca& model, const std::vector<Vector>& block_scores);

}  // namespace router::math
