// SimTel: telemetry of a tenant as it might be, for the bench. Seeded; no run differs from another of the same name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "router/math/aggregate.h"
#include "router/math/random.h"

namespace router::math {

// How ln(latency) of single events scatters: log-normal; Student's t with four degrees; one event in twelve four times as slow
// (cold); two in five answered from a cache in a fifth of the time.
enum class Family { log_normal, student, cold_warm, cached };
std::string_view name(Family family);
std::vector<Family> families();

struct SimNode {
    std::string name;
    double median_ms = 0;
    double deviation = 0.45;  // of ln(latency) of single events
    double share = 1;         // of the requests that reach it
    bool model = false;       // runs a language model: it has tokens, cold starts and the time limit
};

struct SimTenant {
    std::vector<SimNode> nodes;
    Family family = Family::student;
    double weekday = 60, weekend = 25;  // mean requests a day
    double day_deviation = 0.07;        // of the day's effect on ln(latency)
    double day_autocorrelation = 0.4;
    double error_rate = 0.005;
    double missing = 0.02;              // share of days without any telemetry of a node
    double cold_start = 0.02;           // share of a model's events that are 2.5 times as slow
    double limit_ms = 120'000;
};

// The pipeline's seven nodes; others repeat its middle ones under names of their own, fewer leave the last ones out.
SimTenant default_tenant(int nodes = 7);

// ln(latency) of an event less all that the simulator knows beforehand of its node and its prompt, in deviations of single events.
double residual_of(const SimNode& node, const Event& event);

// What is different on a day, at one node or at all.
struct Disturbance {
    double factor = 1;           // of latencies
    double spread = 1;           // of the deviation of single events
    double error_rate = -1;      // instead of the tenant's; below 0: the tenant's
    double timeout_rate = 0;     // of events that hang until the limit
    double tokens = 1;           // factor of the prompt's tokens; latency follows them
    double shared = 0;           // deviation of a day effect that all models have in common
    bool silent = false;         // no events
    double volume = 1;           // factor of the number of events
    double outliers = 0;         // share of events that take twenty times as long
    double zeros = 0;            // share of events whose clock read nothing
    double refused = 0;          // share of events that fail at once, of which nobody knows how long they took
    bool untimed = false;        // of a timeout nobody knows how long it took
};

// Events day by day, from `from` on.
class Simulator {
public:
    Simulator(SimTenant tenant, std::string_view seed, Date from);

    // Events of the next day: one list a node. `disturbances`: one a node.
    std::vector<std::vector<Event>> next(const std::vector<Disturbance>& disturbances);
    Date date() const { return date_; }  // of the day that next() gives

    const SimTenant& tenant() const { return tenant_; }

private:
    Event event(const SimNode& node, double effect, const Disturbance& disturbance);

    SimTenant tenant_;
    Rng rng_;
    Date date_;
    Vector effects_;
    double shared_ = 0;
};

// Daily rows of what a Simulator gives, as nights would keep them: the token model of a node is fitted to its first `baseline_days`,
// and there are no rows before.
class SimHistory {
public:
    SimHistory(SimTenant tenant, std::string_view seed, Date from, int baseline_days);

    void day(const std::vector<Disturbance>& disturbances);
    void calm(int days);  // so many on which nothing is different
    Date last() const { return simulator_.date() - std::chrono::days(1); }
    const std::vector<std::vector<DailyAggregate>>& rows() const { return rows_; }  // one list a node
    const SimTenant& tenant() const { return simulator_.tenant(); }

private:
    Simulator simulator_;
    int baseline_days_, days_ = 0;
    std::vector<std::vector<std::vector<Event>>> kept_;  // of the baseline, until the token models are known
    std::vector<TokenModel> tokens_;
    std::vector<std::vector<DailyAggregate>> rows_;
};

}  // namespace router::math
