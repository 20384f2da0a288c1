// False alarms and detection: charts against tenants without and with a change.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "router/math/bench.h"
#include "router/math/distributions.h"
#include "router/math/robust.h"
#include "router/math/scenarios.h"

namespace router::math {
namespace {

struct Alarms {
    int alarms = 0, actions = 0;  // beginnings of drifting and of acting
};

Alarms alarms_of(const std::vector<Night>& nights) {
    Alarms out;
    Switch drifting, acting;
    for (std::size_t i = 0; i < nights.size(); ++i) {
        const bool was_drifting = drifting.on, was_acting = acting.on;
        drifting.update(nights[i].score, nights[i].score > 1);
        acting.update(nights[i].score, confirmed(std::span(nights).first(i + 1)));
        out.alarms += drifting.on && !was_drifting;
        out.actions += acting.on && !was_acting;
    }
    return out;
}

struct Found {
    bool counted = false;       // not already drifting when the change came
    double delay = NEVER;       // days until the score was above 1, the day of the change being 1
    double plain_delay = NEVER;  // the same of the plain method
    bool acted = false;         // within 14 days
};

// What one node's charts say around the change.
Found found_of(const std::vector<Night>& nights, const Vector& plain, double plain_threshold, int first) {
    Found out;
    Switch drifting, acting;
    for (int i = 0; i < int(nights.size()); ++i) {
        const Night& night = nights[std::size_t(i)];
        if (i == first) out.counted = !drifting.on && !acting.on;
        drifting.update(night.score, night.score > 1);
        acting.update(night.score, confirmed(std::span(nights).first(std::size_t(i) + 1)));
        if (i < first) continue;
        const double day = i - first + 1;
        if (night.score > 1) out.delay = std::min(out.delay, day);
        if (plain[std::size_t(i)] > plain_threshold) out.plain_delay = std::min(out.plain_delay, day);
        out.acted |= acting.on && day <= 14;
    }
    return out;
}

Found repetition(const BenchOptions& o, const Scenario& s, int index, double threshold) {
    SimHistory history(bench_tenant(o, bench_family(o)), bench_seed(o, s.name, index), bench_start(index), o.baseline_days);
    const auto& nodes = history.tenant().nodes;
    const int change = bench_change(o);
    live_through(history, s, change);
    BenchCharts charts(history, o.baseline_days);
    Found out;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        if (!looks_at(s, nodes[i])) continue;
        const Found one = found_of(charts.nights(i), plain_statistic(history.rows()[i], o.baseline_days), threshold, change - o.baseline_days);
        if (!one.counted) continue;
        out.counted = true;
        out.delay = std::min(out.delay, one.delay);
        out.plain_delay = std::min(out.plain_delay, one.plain_delay);
        out.acted |= one.acted;
    }
    return out;
}

std::vector<Figure> figures_of(const Scenario& s, const std::vector<Found>& all) {
    Vector delays;
    double acted = 0;
    for (const Found& f : all) {
        if (!f.counted) continue;
        delays.push_back(f.delay);
        acted += f.acted;
    }
    std::vector<Figure> out;
    if (s.kind == Scenario::Kind::spike) {
        out.push_back({"detection", s.name + ": acted on within 14 days", acted / double(std::max<std::size_t>(1, delays.size())), "share", 0.15, false, int(delays.size())});
        return out;
    }
    const bool harmful = s.kind == Scenario::Kind::harmful;
    if (harmful) {
        out.push_back(share_figure("detection", s.name, delays, 7, s.in_7, true));
        out.push_back({"detection", s.name + ": median", median_delay(delays), "days", s.median_days});
    }
    out.push_back(share_figure("detection", s.name, delays, 14, s.in_14, harmful));
    return out;
}

}  // namespace

std::vector<Figure> bench_false_alarms(const BenchOptions& o) {
    constexpr int MONTHS_EACH = 2;
    std::vector<Figure> out;
    const int tenants = std::max(1, o.months / MONTHS_EACH);
    for (Family family : families()) {
        if (!o.family.empty() && o.family != name(family)) continue;
        std::vector<Alarms> counts(static_cast<std::size_t>(tenants));
        each_of(tenants, o.threads, [&](int t) {
            SimHistory history(bench_tenant(o, family), bench_seed(o, "null " + std::string(name(family)), t), bench_start(t), o.baseline_days);
            history.calm(o.baseline_days + 30 * MONTHS_EACH);
            BenchCharts charts(history, o.baseline_days);
            for (std::size_t i = 0; i < history.rows().size(); ++i) {
                const Alarms one = alarms_of(charts.nights(i));
                counts[std::size_t(t)].alarms += one.alarms;
                counts[std::size_t(t)].actions += one.actions;
            }
        });
        int alarms = 0, actions = 0;
        for (const Alarms& c : counts) alarms += c.alarms, actions += c.actions;
        const double months = tenants * MONTHS_EACH, upper = chi_squared_quantile(0.95, 2.0 * (alarms + 1)) / 2 / months;
        out.push_back({"false alarms", std::string(name(family)), alarms / months, "a tenant-month", 1.0});
        out.push_back({"false alarms", std::string(name(family)) + ": upper 95 %", upper, "a tenant-month", 1.15});
        out.push_back({"false alarms", std::string(name(family)) + ": acted on", actions / months, "a tenant-month"});
    }
    return out;
}

std::vector<Figure> bench_detection(const BenchOptions& o) {
    std::vector<Figure> out;
    const double threshold = plain_threshold(o);
    double ours = 0, plain = 0;
    for (const Scenario& s : changes()) {
        std::vector<Found> all(static_cast<std::size_t>(o.repetitions));
        each_of(o.repetitions, o.threads, [&](int i) { all[std::size_t(i)] = repetition(o, s, i, threshold); });
        for (Figure& f : figures_of(s, all)) out.push_back(std::move(f));
        if (s.kind != Scenario::Kind::harmful) continue;
        for (const Found& f : all) ours += f.counted && f.delay <= 7, plain += f.counted && f.plain_delay <= 7;
    }
    out.push_back({"detection", "within 7 days, over what the plain method finds", ours / std::max(1.0, plain), "times", 2.0, true});
    return out;
}

}  // namespace router::math
