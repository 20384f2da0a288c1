// The charts that decide whether a node drifts: two exponentially weighted averages and a cumulative sum, each over its own limit.
#pragma once

#include <span>
#include <vector>

#include "router/math/baseline.h"

namespace router::math {

constexpr double EWMA_WEIGHT = 0.2;  // λ
constexpr double ODDS_RATIO = 4;     // the rise of failures that the cumulative sum looks for
constexpr double MOST_A_DAY = 4;     // of that sum, so that one day alone is no alarm

// One step, in units of the chart's own standard deviation under independent normal z: sqrt(λ/(2-λ)) (Roberts 1959).
double ewma_step(double before, double z);

// A Bernoulli CUSUM of log-likelihood ratios (Page 1954; Reynolds and Stoumbos 1999), for odds of ODDS_RATIO times those of p0.
class Cusum {
public:
    explicit Cusum(double p0);
    // After a day of `failures` among n; never below 0.
    double step(double before, int failures, int n) const;

private:
    double failure_, success_;  // what one of each adds
};

// Where each chart alarms; infinite where the quantity cannot be charted.
struct Limits {
    double level = 0, spread = 0, errors = 0;
};

// The charts after one day, each divided by its limit: 1 = limit. The harmful sides count: slower, wider, failing more often; below 0
// the level tells of improvement.
struct Night {
    Date date{};
    bool seen = false;  // the day has events; else the charts stay as they were
    double z_level = 0, z_spread = 0;  // of that day, winsorised
    double level = 0, spread = 0, errors = 0;
    double score = 0;   // the greatest of the three, at least 0
    bool fresh = false; // the day itself speaks for a chart that is beyond its limit: what is remembered of a bad day alone does not act
};

constexpr double MOST_SCORE = 3;  // as it is reported

class Charts {
public:
    Charts(const Baseline& baseline, const Limits& limits) : baseline_(&baseline), limits_(limits) {}

    // The next day; null, or a row without events: nothing was seen.
    Night advance(Date date, const DailyAggregate* row);

private:
    const Baseline* baseline_;  // outlives the charts
    Limits limits_, values_;
};

// One night a calendar day from the end of the baseline to `until`, both included. rows: rising by date.
std::vector<Night> run_charts(std::span<const DailyAggregate> rows, const Baseline& baseline, const Limits& limits, Date until);

// Whether two of the last three nights are beyond the limit on fresh evidence: what an action needs.
bool confirmed(std::span<const Night> nights);

// Whether a node counts as drifting: on above 1 (for actions: confirmed), off after three nights below 0.7.
struct Switch {
    bool on = false;
    int nights_below = 0;

    void update(double score, bool trigger);
};

}  // namespace router::math
