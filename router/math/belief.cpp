#include "router/math/belief.h"

#include <algorithm>
#include <cmath>

#include "router/math/robust.h"

namespace router::math {
namespace {

constexpr double DISCOUNT = 0.95;
constexpr double MOST = 4;       // deviations that an event is away at most
constexpr double ORDINARY = 2.5; // of them, what one event that may be a cold start counts for
constexpr double GIVEN_UP = 0.5, ALARM = MOST - GIVEN_UP;  // of the CUSUMs of residuals
constexpr double FAR = 4;  // deviations: from there on alarms leave too few events to outweigh a baseline worth two

double normal_cdf(double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }

}  // namespace

double limited_mean(double log_mean, double log_deviation, double limit) {
    const double at = (std::log(limit) - log_mean) / log_deviation;
    return std::exp(log_mean + log_deviation * log_deviation / 2) * normal_cdf(at - log_deviation) + limit * normal_cdf(-at);
}

double beyond(double log_mean, double log_deviation, double limit) { return normal_cdf(-(std::log(limit) - log_mean) / log_deviation); }

void LatencyBelief::Sums::add(double log_latency, bool timed_out) {
    count = count * DISCOUNT + 1;
    logs = logs * DISCOUNT + log_latency;
    timeouts = timeouts * DISCOUNT + timed_out;
}

// Whether the CUSUM of one side reaches its alarm.
bool LatencyBelief::watch(Side& side, double residual, double log_latency, bool timed_out) {
    side.sum = std::max(0.0, side.sum + residual - GIVEN_UP);
    if (side.sum == 0) {
        side.since = {};
        return false;
    }
    side.since.add(log_latency, timed_out);
    return side.sum >= ALARM;
}

void LatencyBelief::add(double latency_ms, bool timed_out) {
    const double spread = prior_.log_deviation, mean = reference();
    const double seen = std::log(std::max(latency_ms, 0.1)), residual = winsorised((seen - mean) / spread, MOST), log_latency = mean + residual * spread;
    const double down = towards_usual(seen, mean, residual, timed_out);
    all_.add(log_latency, timed_out);
    const bool slower = watch(slower_, winsorised(residual, ORDINARY), log_latency, timed_out);
    const bool faster = watch(faster_, down, log_latency, timed_out);
    if (!slower && !faster) return;
    all_ = slower ? slower_.since : faster_.since;
    slower_ = faster_ = {};
    changed_ = std::abs(all_.logs / all_.count - prior_.log_mean) > spread;
}

// In deviations, what an event says for the faster side. Where the node is believed slow, one that took about what is usual counts in full, and wholly where
// most events end at their limit, of which nobody knows how slow they are. One that took next to nothing says of neither.
double LatencyBelief::towards_usual(double seen, double mean, double residual, bool timed_out) const {
    const bool slow = changed_ && mean > prior_.log_mean;
    if (!slow || timed_out || std::abs(seen - prior_.log_mean) > ORDINARY * prior_.log_deviation) return winsorised(-residual, ORDINARY);
    return 2 * all_.timeouts > all_.count && seen < (prior_.log_mean + mean) / 2 ? MOST : -residual;
}

// What events are held against. Far from a refuted baseline they are held against each other alone: it would draw the mean away from them
// for ever, and each alarm would throw the events away that it is to be outweighed by.
double LatencyBelief::reference() const {
    if (!changed_ || all_.count == 0) return log_mean();
    const double seen = all_.logs / all_.count;
    return std::abs(seen - prior_.log_mean) > FAR * prior_.log_deviation ? seen : log_mean();
}

double LatencyBelief::log_mean() const { return (prior_weight() * prior_.log_mean + all_.logs) / (prior_weight() + all_.count); }

double LatencyBelief::mean_ms() const { return limited_mean(log_mean(), prior_.log_deviation, prior_.limit_ms); }

double LatencyBelief::timeout_probability() const {
    const double tail = beyond(log_mean(), prior_.log_deviation, prior_.limit_ms);
    return (10 * tail + all_.timeouts) / (10 + all_.count);
}

}  // namespace router::math
