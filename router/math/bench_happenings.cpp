// What the days of a household bring: whole histories with their gaps, followed as nights follow them.
#include <algorithm>
#include <cmath>

#include "router/math/bench.h"
#include "router/math/track.h"

namespace router::math {
namespace {

struct Followed {
    bool counted = false;     // not drifting already when it was waited for
    double delay = NEVER;     // days until the score was above 1, the first being 1
    bool drifting = false;    // on the last night
};

Followed followed(const Track& track, Date first) {
    Followed out;
    bool before = false;
    for (const NodeNight& night : track.nights) {
        out.drifting = night.drifting;
        if (night.night.date < first) before = night.drifting;
        else if (night.night.score > 1) out.delay = std::min(out.delay, double((night.night.date - first).count()) + 1);
    }
    out.counted = !before;
    return out;
}

double autocorrelation_of(const SimHistory& history, int baseline_days) {
    std::vector<Baseline> baselines;
    const Date first = history.last() - std::chrono::days(int(history.rows()[0].size()) - 1);
    for (const auto& rows : history.rows())
        if (const int days = span_worth(rows, first, baseline_days, int(rows.size())); days > 0) baselines.push_back(baseline_of(rows, first, days));
    return day_autocorrelation(baselines);
}

std::vector<Followed> happening(const BenchOptions& o, const Scenario& s, int index) {
    SimHistory history(bench_tenant(o, bench_family(o)), bench_seed(o, s.name, index), bench_start(index), o.baseline_days);
    const auto& nodes = history.tenant().nodes;
    const int change = bench_change(o);
    live_through(history, s, change);
    const Date first = history.last() - std::chrono::days(s.watched - 1 - s.from);
    const double autocorrelation = autocorrelation_of(history, o.baseline_days);
    const TrackSettings settings{.baseline_days = o.baseline_days};
    LimitTable table;
    std::vector<Followed> out;
    for (std::size_t i = 0; i < nodes.size(); ++i)
        if (looks_at(s, nodes[i])) out.push_back(followed(track(history.rows()[i], history.last(), autocorrelation, int(nodes.size()), settings, table), first));
    return out;
}

void judge(const Scenario& s, const std::vector<std::vector<Followed>>& all, std::vector<Figure>& out) {
    const std::string group = "happenings";
    const bool harmful = s.kind == Scenario::Kind::harmful;
    Vector delays;
    double still = 0;
    for (const auto& tenant : all)
        for (const Followed& f : tenant) {
            if (!f.counted) continue;
            delays.push_back(f.delay);
            still += f.drifting;
        }
    if (s.in_7) out.push_back({group, s.name + ": within 7 days", share_within(delays, 7), "share", s.in_7, harmful});
    if (harmful) out.push_back({group, s.name + ": median", median_delay(delays), "days", s.median_days});
    if (s.in_14) out.push_back({group, s.name + ": within 14 days", share_within(delays, 14), "share", s.in_14, harmful});
    if (s.in_watched) out.push_back({group, s.name + ": within " + std::to_string(s.watched) + " days", share_within(delays, s.watched), "share", s.in_watched, true});
    if (s.still) out.push_back({group, s.name + ": still known at the end", still / double(std::max<std::size_t>(1, delays.size())), "share", s.still, true});
}

}  // namespace

std::vector<Figure> bench_happenings(const BenchOptions& o) {
    std::vector<Figure> out;
    for (const Scenario& s : happenings()) {
        std::vector<std::vector<Followed>> all(static_cast<std::size_t>(o.repetitions));
        each_of(o.repetitions, o.threads, [&](int i) { all[std::size_t(i)] = happening(o, s, i); });
        judge(s, all, out);
    }
    return out;
}

}  // namespace router::math
