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

constexpr double MOST_SCORE = 3;  // as it is reported

// Charts remember; a node that is well again would wait for weeks until they forget: the average after a week of timeouts, and the sum for ever where
// a node has few events, each of which takes a hundredth off it. So a chart that was beyond its limit is held against two explanations of each day: as
// usual again, or as bad as it was until then. The sum of the log-likelihood ratios is a CUSUM of its own, whose alarm clears the chart.
class Recovery {
public:
    bool add(double day);                       // whether it is believed now
    bool running() const { return sum_ > 0; }  // the last days speak for it

private:
    double sum_ = 0;
};

class EwmaChart {
public:
    explicit EwmaChart(double limit) : limit_(limit) {}
    void add(double z);  // a day of that z
    double value() const { return value_; }

private:
    void recover(double z, double before);

    double limit_, value_ = 0;
    bool risen_ = false;  // beyond the limit, and no recovery since
    double shift_ = 0;    // the mean z before the recovery that is running
    Recovery recovery_;
};

// Of failures; its sum is at most what a score tells.
class CusumChart {
public:
    CusumChart(double p0, double limit) : cusum_(p0), p0_(p0), limit_(limit) {}
    void add(int failures, int n);  // a day of `failures` among n
    double value() const { return sum_; }
    const Cusum& cusum() const { return cusum_; }

private:
    void recover(int failures, int n);

    Cusum cusum_;
    double p0_, limit_, sum_ = 0;
    bool risen_ = false;
    double failures_ = 0, events_ = 0;            // since the sum left zero, but for those of the recovery that is running
    double well_failures_ = 0, well_events_ = 0;  // those
    Recovery recovery_;
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

class Charts {
public:
    Charts(const Baseline& baseline, const Limits& limits) : baseline_(&baseline), limits_(limits), level_(limits.level), spread_(limits.spread), errors_(baseline.failure_rate, limits.errors) {}

    // The next day; null, or a row without events: nothing was seen.
    Night advance(Date date, const DailyAggregate* row);
    // As if nothing had been seen since the baseline.
    void forget() { *this = Charts(*baseline_, limits_); }

private:
    const Baseline* baseline_;  // outlives the charts
    Limits limits_;
    EwmaChart level_, spread_;
    CusumChart errors_;
};

// One night a calendar day from the end of the baseline to `until`, both included. rows: rising by date.
std::vector<Night> run_charts(std::span<const DailyAggregate> rows, const Baseline& baseline, const Limits& limits, Date until);

// Whether two of the last three nights with events are beyond the limit on fresh evidence: what an action needs.
bool confirmed(std::span<const Night> nights);

// Whether a node counts as drifting: on above 1 (for actions: confirmed), off after three nights below 0.7.
struct Switch {
    bool on = false;
    int nights_below = 0;

    void update(double score, bool trigger);
};

}  // namespace router::math
