// What a node is believed to take, from its baseline and the events since.
#pragma once

#include "router/math/matrix.h"

namespace router::math {

struct LatencyPrior {
    double log_mean = 0;       // of ln(service latency in ms): the baseline's, or of the static cost
    double log_deviation = 0.5;// of single events about it
    double limit_ms = 120'000; // where an execution is ended
};

// A log-normal posterior whose events are discounted (0.95 an event), so that about twenty count, beside a prior worth ten. Two CUSUMs
// of the standardised residuals watch for a change: then only the events since count, and a baseline that has been refuted is worth
// two. Once the events are at the baseline again, it is worth ten again. A single event is no change, since cold starts are slow; but nothing makes an
// event faster than the node is, so that one as usual, far below what is believed of a slowed node, is.
class LatencyBelief {
public:
    explicit LatencyBelief(const LatencyPrior& prior) : prior_(prior) {}

    void add(double latency_ms, bool timed_out);

    double log_mean() const;
    double mean_ms() const;              // E[min(latency, limit)]
    double timeout_probability() const;  // of the log-normal tail, moved by the timeouts seen
    double events() const { return all_.count; }  // after discounting

private:
    struct Sums {
        double count = 0, logs = 0, timeouts = 0;
        void add(double log_latency, bool timed_out);
    };
    struct Side {
        double sum = 0;  // the CUSUM
        Sums since;      // what came since it left zero
    };

    double reference() const;
    double towards_usual(double seen, double mean, double residual, bool timed_out) const;
    static bool watch(Side& side, double residual, double log_latency, bool timed_out);
    double prior_weight() const { return changed_ ? 2 : 10; }

    LatencyPrior prior_;
    Sums all_;
    Side slower_, faster_;
    bool changed_ = false;
};

// E[min(X, limit)] and P(X > limit) of a log-normal X.
double limited_mean(double log_mean, double log_deviation, double limit);
double beyond(double log_mean, double log_deviation, double limit);

}  // namespace router::math
