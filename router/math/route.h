// Whether a heavy question takes the deep path, and when a node that is avoided is asked all the same, to learn whether it is well
// again.
#pragma once

#include <string_view>

#include "router/math/random.h"

namespace router::math {

// utility: deep iff what it gains exceeds what it costs. absolute: the plain rule, deep unless c'(thinking) > 2·c'(recompose).
// relative: the same with each cost over its own baseline, so that thinking that is long by nature is not banned.
enum class Rule { utility, absolute, relative };

struct RouteSettings {
    Rule rule = Rule::utility;
    double price_per_second = 0.005;  // λ: what a second of waiting costs, in units of quality
    double price_of_timeout = 0.2;    // π
    double probe_floor = 0.05;        // the least share of heavy questions that probe an avoided node
    bool probes = true;               // false: none does, and only a night, or what else goes deep, tells that it is well again
};

// c'(v) = c(v)(1 + w) in seconds, with the probability of a timeout. baseline: c(v) when all was well.
struct NodeCost {
    double seconds = 0, weight = 0, timeout = 0, baseline_seconds = 0;
    double adjusted() const { return seconds * (1 + weight); }
};

// What the deep path costs beyond the plain one, in units of quality: λ·c'(thinking) + π·P(timeout).
double price(const NodeCost& thinking, const RouteSettings& settings);

enum class Why { worth_it, too_costly, probe };
std::string_view name(Why why);

struct Decision {
    bool heavy = true;
    Why why = Why::worth_it;
    double propensity = 1;  // with which this path was chosen: for replays weighted by its inverse
    double loss = 0;        // what going deep is believed to lose; 0 where it is worth it. Known under the utility rule
};

// Remembers what was avoided, so that about one probe a day or the floor's share is spent, on questions where little is lost; on any one, where three times as many as usual were
// avoided since the last. A probe
// that was much faster than believed is followed up by the next questions, until the belief has followed or they disappoint.
class Prober {
public:
    // Probability that this question, for which the plain path is preferred, is used as a probe. heavy_per_day: how many come.
    double probability(double loss, double heavy_per_day, const RouteSettings& settings) const;
    void skipped(double loss);  // the stakes follow a low quantile of what is avoided
    void probed() { since_ = 0; }
    // After a probe: ln(latency) less its believed mean, in deviations of single events.
    void learnt(double residual);

private:
    double stakes_ = 0;  // running quantile of losses
    bool known_ = false;
    int follow_ups_ = 0;
    int since_ = 0;  // questions avoided since the last probe
};

// gain: ΔQ, what thinking is expected to add to this answer's quality. One draw of rng where the plain path is preferred, else none.
Decision decide(double gain, const NodeCost& thinking, const NodeCost& recompose, double heavy_per_day, Prober& prober, Rng& rng, const RouteSettings& settings);

}  // namespace router::math
