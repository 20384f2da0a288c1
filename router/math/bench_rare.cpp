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

struct RareChange {
    std::string name;
    Disturbance to;
    std::optional<double> good = {};  // the least share of the bound within 14 days; none where what the baseline itself leaves open is most of it
};

std::vector<RareChange> rare_changes() {
    return {{"x1.4", {.factor = 1.4}}, {"x2", {.factor = 2}, 0.9}, {"x4", {.factor = 4}, 0.9}, {"errors 15 %", {.error_rate = 0.15}}, {"errors 40 %", {.error_rate = 0.4}, 0.9}};
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

struct RareTenant {
    SimTenant tenant;
    std::size_t node = 0;
};

RareTenant rare_tenant(const BenchOptions& o) {
    BenchOptions few = o;
    few.weekday = RARE;
    RareTenant out{bench_tenant(few, Family::student)};
    while (out.tenant.nodes[out.node].name != "recompose") ++out.node;
    return out;
}

// Sums of evidence by day, of a tenant that changes on the day `change`.
Vector evidence_by_day(const RareTenant& of, const std::string& seed, Date from, int days, int change, const Disturbance& by, const Disturbance& looked_for) {
    Simulator simulator(of.tenant, seed, from);
    std::vector<Disturbance> today(of.tenant.nodes.size());
    Vector out;
    for (int d = 0; d < days; ++d) {
        if (d == change) today[of.node] = by;
        double sum = 0;
        for (const Event& event : simulator.next(today)[of.node]) sum += evidence(of.tenant.nodes[of.node], of.tenant, event, looked_for);
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

double charts_delay(const RareTenant& of, const BenchOptions& o, const std::string& seed, Date from, int change, int days, const Disturbance& by) {
    SimHistory history(of.tenant, seed, from, o.baseline_days);
    std::vector<Disturbance> today(of.tenant.nodes.size());
    for (int d = 0; d < days; ++d) {
        if (d == change) today[of.node] = by;
        history.day(today);
    }
    const BenchBaselines baselines = bench_baselines(history, o.baseline_days);
    LimitTable table;
    const Limits limits = table.of(baselines.nodes[of.node], baselines.autocorrelation, int(of.tenant.nodes.size()));
    for (const Night& night : run_charts(history.rows()[of.node], baselines.nodes[of.node], limits, history.last()))
        if (const int day = int((night.date - from).count()); day >= change && night.score > 1) return day - change + 1;
    return NEVER;
}

}  // namespace

std::vector<Figure> bench_rare(const BenchOptions& o) {
    constexpr int WATCHED_DAYS = 28;
    const RareTenant tenant = rare_tenant(o);
    const int change = bench_change(o), days = change + WATCHED_DAYS;
    std::vector<Figure> out;
    for (const RareChange& c : rare_changes()) {
        std::vector<Vector> calm(static_cast<std::size_t>(o.repetitions)), changed(calm.size());
        Vector ours(calm.size()), best(calm.size());
        each_of(o.repetitions, o.threads, [&](int i) {
            const std::string seed = bench_seed(o, "rare " + c.name, i);
            calm[std::size_t(i)] = evidence_by_day(tenant, bench_seed(o, "rare, calm " + c.name, i), bench_start(i), NULL_DAYS, NULL_DAYS, {}, c.to);
            changed[std::size_t(i)] = evidence_by_day(tenant, seed, bench_start(i), days, change, c.to, c.to);
            ours[std::size_t(i)] = charts_delay(tenant, o, seed, bench_start(i), change, days, c.to);
        });
        const double threshold = best_threshold(calm);
        for (std::size_t i = 0; i < best.size(); ++i) best[i] = delay_above(changed[i], change, threshold);
        for (const int within : {7, 14}) {
            const double bound = share_within(best, within);
            const std::string name = c.name + ", three requests a day: within " + std::to_string(within) + " days";
            out.push_back({"rare", name + ", best rule", bound, "share"});
            out.push_back({"rare", name, share_within(ours, within), "share", c.good && within == 14 ? std::optional(*c.good * bound) : std::nullopt, true});
        }
    }
    return out;
}

}  // namespace router::math
