// Nodes of which there is little to learn from: what the charts find, beside the best that any rule could. That is a CUSUM of the likelihood ratios of single events by
// one who is told the baseline, the change and the scatter, and wonders only when (Moustakides 1986): a bound by information, at as many false alarms as are allowed.
#include <algorithm>
#include <cmath>

#include "router/math/bench.h"

namespace router::math {
namespace {

constexpr double RARE = 3;           // requests of a weekday
constexpr int NULL_DAYS = 120;       // that a threshold is found on, of each repetition
constexpr double A_MONTH = 1.0 / 7;  // false alarms of a node that may be

// Their bars are shares of what the best rule finds; none where what the baseline itself leaves open is most of it.
std::vector<Scenario> rare_changes() {
    const auto change = [](std::string name, Disturbance (*on)(int, Date), std::optional<double> in_14 = {}) {
        return Scenario{.name = std::move(name), .nodes = {"recompose"}, .on = on, .in_14 = in_14, .watched = 28};
    };
    return {change("x1.4", [](int, Date) { return Disturbance{.factor = 1.4}; }), change("x2", [](int, Date) { return Disturbance{.factor = 2}; }, 0.9),
            change("x4", [](int, Date) { return Disturbance{.factor = 4}; }, 0.9), change("errors 15 %", [](int, Date) { return Disturbance{.error_rate = 0.15}; }),
            change("errors 40 %", [](int, Date) { return Disturbance{.error_rate = 0.4}; }, 0.9)};
}

// ln of how much likelier an event is after the change than before.
double evidence(const SimNode& node, const SimTenant& tenant, const Event& event, const Disturbance& to) {
    if (to.error_rate >= 0) {
        const bool failed = event.status != Status::ok;
        return failed ? std::log(to.error_rate / tenant.error_rate) : std::log((1 - to.error_rate) / (1 - tenant.error_rate));
    }
    const double seen = residual_of(node, event), moved = seen - std::log(to.factor) / node.deviation;
    return 2.5 * (std::log1p(seen * seen / 2) - std::log1p(moved * moved / 2));  // Student's t with four degrees, of variance 1
}

SimTenant rare_tenant(const BenchOptions& o) {
    BenchOptions few = o;
    few.weekday = RARE;
    return bench_tenant(few, Family::student);
}

// Of the one node that is looked at.
std::size_t node_of(const Scenario& s, const SimTenant& tenant) {
    return std::size_t(std::find_if(tenant.nodes.begin(), tenant.nodes.end(), [&](const SimNode& n) { return looks_at(s, n); }) - tenant.nodes.begin());
}

// Sums of evidence for the change by day, of a tenant that changes on the day `change`.
Vector evidence_by_day(const SimTenant& tenant, const Scenario& s, const std::string& seed, Date from, int days, int change) {
    Simulator simulator(tenant, seed, from);
    const std::size_t node = node_of(s, tenant);
    const Disturbance looked_for = s.on(0, from);
    Vector out;
    for (int d = 0; d < days; ++d) {
        const auto events = simulator.next(disturbances(s, tenant.nodes, d - change, simulator.date()));
        double sum = 0;
        for (const Event& event : events[node]) sum += evidence(tenant.nodes[node], tenant, event, looked_for);
        out.push_back(sum);
    }
    return out;
}

double alarms_above(const std::vector<Vector>& all, double threshold) {
    double count = 0, days = 0;
    for (const Vector& one : all) {
        double sum = 0;
        days += double(one.size());
        for (double value : one)
            if ((sum = std::max(0.0, sum + value)) > threshold) ++count, sum = 0;
    }
    return 30 * count / days;
}

double best_threshold(const std::vector<Vector>& calm) {
    double low = 0, high = 50;
    for (int i = 0; i < 40; ++i) {
        const double middle = (low + high) / 2;
        (alarms_above(calm, middle) > A_MONTH ? low : high) = middle;
    }
    return high;
}

double delay_above(const Vector& days, int change, double threshold) {
    double sum = 0;
    for (int d = 0; d < int(days.size()); ++d) {
        sum = std::max(0.0, sum + days[std::size_t(d)]);
        if (d < change) sum = std::min(sum, threshold);
        else if (sum > threshold) return d - change + 1;
    }
    return NEVER;
}

double charts_delay(const SimTenant& tenant, const Scenario& s, const BenchOptions& o, const std::string& seed, Date from, int change) {
    SimHistory history(tenant, seed, from, o.baseline_days);
    live_through(history, s, change);
    const auto nights = BenchCharts(history, o.baseline_days).nights(node_of(s, tenant));
    for (const Night& night : nights)
        if (const int day = int((night.date - from).count()); day >= change && night.score > 1) return day - change + 1;
    return NEVER;
}

}  // namespace

std::vector<Figure> bench_rare(const BenchOptions& o) {
    const SimTenant tenant = rare_tenant(o);
    const int change = bench_change(o);
    std::vector<Figure> out;
    for (const Scenario& s : rare_changes()) {
        std::vector<Vector> calm(static_cast<std::size_t>(o.repetitions)), changed(calm.size());
        Vector ours(calm.size()), best(calm.size());
        each_of(o.repetitions, o.threads, [&](int i) {
            const std::string seed = bench_seed(o, "rare " + s.name, i);
            const Date from = bench_start(i);
            calm[std::size_t(i)] = evidence_by_day(tenant, s, bench_seed(o, "rare, calm " + s.name, i), from, NULL_DAYS, NULL_DAYS);
            changed[std::size_t(i)] = evidence_by_day(tenant, s, seed, from, change + s.watched, change);
            ours[std::size_t(i)] = charts_delay(tenant, s, o, seed, from, change);
        });
        const double threshold = best_threshold(calm);
        for (std::size_t i = 0; i < best.size(); ++i) best[i] = delay_above(changed[i], change, threshold);
        for (const int within : {7, 14}) {
            const std::string name = s.name + ", three requests a day";
            Figure bound = share_figure("rare", name, best, within, {}, true);
            const auto bar = s.in_14 && within == 14 ? std::optional(*s.in_14 * bound.value) : std::nullopt;
            bound.name += ", best rule";
            out.push_back(std::move(bound));
            out.push_back(share_figure("rare", name, ours, within, bar, true));
        }
    }
    return out;
}

}  // namespace router::math
