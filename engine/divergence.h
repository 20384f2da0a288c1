// How far apart two readings of one text are: the same positions' logits by another profile, target or program.
#pragma once

#include <span>

namespace engine {

struct Divergence {
    int positions = 0;
    double mean_kl = 0, largest_kl = 0;  // Kullback-Leibler divergence of q from p, in nats
    double top1_disagreement = 0;        // share of positions whose most likely tokens differ
};

// Of logits (positions, vocabulary). What is minus infinity in p counts for nothing.
Divergence divergence(std::span<const float> p, std::span<const float> q, int vocabulary);

}  // namespace engine
