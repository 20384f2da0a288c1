#include "engine/divergence.h"

#include <algorithm>
#include <cmath>

namespace engine {
namespace {

double log_of_sum(std::span<const float> logits, double largest) {
    double sum = 0;
    for (const float x : logits) sum += std::exp(double(x) - largest);
    return largest + std::log(sum);
}

}  // namespace

Divergence divergence(std::span<const float> p, std::span<const float> q, int vocabulary) {
    Divergence out;
    const std::size_t v = std::size_t(vocabulary);
    int differ = 0;
    for (; std::size_t(out.positions) < p.size() / v; ++out.positions) {
        const auto a = p.subspan(std::size_t(out.positions) * v, v), b = q.subspan(std::size_t(out.positions) * v, v);
        const auto top_a = std::ranges::max_element(a), top_b = std::ranges::max_element(b);
        const double all_a = log_of_sum(a, *top_a), all_b = log_of_sum(b, *top_b);
        double kl = 0;
        for (std::size_t i = 0; i < v; ++i) {
            const double log_p = a[i] - all_a;
            if (std::isfinite(log_p)) kl += std::exp(log_p) * (log_p - (b[i] - all_b));
        }
        out.mean_kl += kl;
        out.largest_kl = std::max(out.largest_kl, kl);
        differ += top_a - a.begin() != top_b - b.begin();
    }
    if (out.positions > 0) out.mean_kl /= out.positions, out.top1_disagreement = double(differ) / out.positions;
    return out;
}

}  // namespace engine
