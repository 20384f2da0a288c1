#include "router/math/route.h"

#include <algorithm>

namespace router::math {
namespace {

constexpr double A_DAY = 1.5;  // probes
constexpr double OVERDUE = 3;  // times as many questions as come to a probe
constexpr double MOST_LIKELY = 0.9;  // that a question is a probe, or no avoided one would be weighable
constexpr double LOW = 0.3;    // the share of what is avoided whose stakes count as low

// Below 0: the deep path is preferred. Under the cost rules the amount tells nothing of a question.
double loss_of(double gain, const NodeCost& thinking, const NodeCost& recompose, const RouteSettings& settings) {
    const auto over = [](const NodeCost& c) { return c.baseline_seconds > 0 ? c.adjusted() / c.baseline_seconds : 1; };
    switch (settings.rule) {
        case Rule::absolute: return thinking.adjusted() > 2 * recompose.adjusted() ? 1 : -1;
        case Rule::relative: return over(thinking) > 2 * over(recompose) ? 1 : -1;
        case Rule::utility: break;
    }
    return price(thinking, settings) - gain;
}

}  // namespace

double price(const NodeCost& thinking, const RouteSettings& settings) {
    return settings.price_per_second * thinking.adjusted() + settings.price_of_timeout * thinking.timeout;
}

std::string_view name(Why why) { return why == Why::probe ? "probe" : why == Why::too_costly ? "too_costly" : "worth_it"; }

double Prober::probability(double loss, double heavy_per_day, const RouteSettings& settings) const {
    if (follow_ups_ > 0) return 0.6;
    if (since_ >= OVERDUE * std::max(heavy_per_day, 1.0) / A_DAY) return MOST_LIKELY;
    if (known_ && loss > stakes_) return 0;
    // Of those whose stakes are low about one and a half a day, or of all the floor's share.
    return std::clamp(A_DAY / (LOW * std::max(heavy_per_day, 1.0)), std::min(settings.probe_floor / LOW, MOST_LIKELY), MOST_LIKELY);
}

void Prober::skipped(double loss) {
    if (!known_) stakes_ = loss;
    known_ = true;
    ++since_;
    stakes_ += 0.2 * (loss > stakes_ ? LOW : LOW - 1) * std::max(stakes_, 0.01);
}

void Prober::learnt(double residual) {
    if (residual < -1)
        follow_ups_ = 4;
    else
        follow_ups_ = std::max(0, follow_ups_ - 1);
}

Decision decide(double gain, const NodeCost& thinking, const NodeCost& recompose, double heavy_per_day, Prober& prober, Rng& rng, const RouteSettings& settings) {
    const double loss = loss_of(gain, thinking, recompose, settings);
    if (!(loss > 0)) return {};
    const double p = settings.probes ? prober.probability(loss, heavy_per_day, settings) : 0;
    prober.skipped(loss);
    const bool probe = rng.uniform() < p;
    if (probe) prober.probed();
    return {.heavy = probe, .why = probe ? Why::probe : Why::too_costly, .propensity = probe ? p : 1 - p, .loss = loss};
}

}  // namespace router::math
