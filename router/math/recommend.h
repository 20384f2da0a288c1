// Recommender: from drift and live telemetry to the weight by which a node's cost grows.
#pragma once

#include <span>
#include <string>

#include "router/math/charts.h"

namespace router::math {

// How much a node's history may do. See docs/mathcore.md for the one table of days.
enum class Gate { insufficient, advisory, half, full };

// `days` complete calendar days of telemetry, of which those with events have `median_events` in the median.
Gate gate_of(int days, int events, double median_events);
double authority_of(Gate gate);  // 0, 0, 0.5, 1

// What the last quarter of an hour says of a node, as a share of what is still usual: 0 at or below the baseline's median latency and
// failure rate, 1 from the baseline's 95th percentile or five points more failures on.
struct LiveWindow {
    double level = 0;         // EWMA of ln(service latency), 15 min
    double failure_rate = 0;  // the same of failures
    int events = 0;           // that they rest on; of none the penalty is 0
};
struct LiveBaseline {
    double median = 0, p95 = 0;  // of ln(service latency)
    double failure_rate = 0;
};
double live_penalty(const LiveWindow& live, const LiveBaseline& baseline);

// 0.6·live + 0.4·min(drift, 3)/3·authority, in 0 … 1.
double weight_adjustment(double live, double drift, double authority);
// The same without bounds: 0.6·live + 0.4·drift.
double raw_weight_adjustment(double live, double drift);

// The nightly part of the weight moves by at most 0.25 a night.
double limited(double before, double wanted, double most = 0.25);

// Events of one node as they come, against the baseline: a CUSUM for shifts of twice and more, which asks no night (§5).
class FastPath {
public:
    // centre, scale: of ln(service latency) of single events in the baseline.
    FastPath(double centre, double scale) : centre_(centre), scale_(scale) {}

    bool add(double log_latency);  // whether the shift is believed now
    bool on() const { return on_; }

private:
    double centre_, scale_;
    double up_ = 0, down_ = 0;
    bool on_ = false;
};

}  // namespace router::math
