// The bench of MathCore: simulated tenants, and each bar of docs/mathcore.md as a figure beside its bound.
#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "router/math/nightly.h"
#include "router/math/scenarios.h"

namespace router::math {

struct BenchOptions {
    std::string seed = "1";
    int seeds = 1;          // that one and those behind it, over which months and repetitions are dealt out
    int months = 400;       // simulated months without any change, in each family
    int repetitions = 200;  // of each scenario
    int threads = 1;        // they change the time and nothing else
    int nodes = 7;
    double weekday = 60;    // requests a day
    int baseline_days = 30;
    std::string family;     // empty: all of them for false alarms, t4 for the rest
};

struct Figure {
    std::string group, name;
    double value = 0;
    std::string unit;
    std::optional<double> bound = {};  // none: told, not judged
    bool at_least = false;             // the bound is from below
    int of = 0;                        // how many a share is of; 0: no share, or of other than independent cases

    bool holds() const { return !bound || (at_least ? value >= *bound : value <= *bound); }
};

std::vector<Figure> bench_false_alarms(const BenchOptions& options);
std::vector<Figure> bench_detection(const BenchOptions& options);
std::vector<Figure> bench_happenings(const BenchOptions& options);
std::vector<Figure> bench_rare(const BenchOptions& options);  // at three requests a day, whatever the options ask
std::vector<Figure> bench_intraday(const BenchOptions& options);
std::vector<Figure> bench_labels(const BenchOptions& options);
std::vector<Figure> bench_routing(const BenchOptions& options);

// A tenant of 20 nodes and 365 days, for the time that a night takes.
SimHistory bench_history(const BenchOptions& options, int nodes, int days);

// What the bench's parts share:

// work(0) … work(n-1), on `threads` CPU threads, in any order.
void each_of(int n, int threads, const std::function<void(int)>& work);
Family bench_family(const BenchOptions& options);  // where not all are asked
SimTenant bench_tenant(const BenchOptions& options, Family family);
std::string bench_seed(const BenchOptions& options, const std::string& part, int repetition);
Date bench_start(int repetition);  // each weekday in turn

int bench_change(const BenchOptions& options);  // the day of a scenario's change, behind the baseline
void live_through(SimHistory& history, const Scenario& scenario, int change);  // from its first day until it is watched no more

// Of delays in days, some of which may be never.
constexpr double NEVER = std::numeric_limits<double>::infinity();
double share_within(const Vector& delays, double days);
Figure share_figure(std::string group, const std::string& name, const Vector& delays, int days, std::optional<double> bound, bool at_least);
double median_delay(Vector delays);

std::vector<NodeHistory> bench_nodes(const SimHistory& history, int baseline_days);  // as a night is given them

// The charts of a history's nodes, against the baselines of their first days alone.
class BenchCharts {
public:
    BenchCharts(const SimHistory& history, int baseline_days);  // the history outlives it
    std::vector<Night> nights(std::size_t node);                // those behind the baseline

private:
    const SimHistory& history_;
    std::vector<Baseline> baselines_;
    double autocorrelation_;
    LimitTable table_;
};

// Daily statistic of the plain method, whose detection is a yardstick: Mahalanobis distance, without sign, of the principal components' scores of
// seven-day windows of (average latency, error rate), against the windows of the baseline. One value a day after the baseline.
Vector plain_statistic(const std::vector<DailyAggregate>& rows, int baseline_days);
// Its threshold of one false alarm a month over the tenant's nodes, found on tenants without change.
double plain_threshold(const BenchOptions& options);

}  // namespace router::math
