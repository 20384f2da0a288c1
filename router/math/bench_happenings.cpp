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

std::vector<Followed> happening(const BenchOptions& o, const Scenario& s, int index) {
    SimHistory history(bench_tenant(o, bench_family(o)), bench_seed(o, s.name, index), bench_start(index), o.baseline_days);
    live_through(history, s, bench_change(o));
    const Date first = history.last() - std::chrono::days(s.watched - 1 - s.from);
    const auto nodes = bench_nodes(history, o.baseline_days);
    const double autocorrelation = pooled_autocorrelation(nodes, history.last());
    LimitTable table;
    std::vector<Followed> out;
    for (std::size_t i = 0; i < nodes.size(); ++i)
        if (looks_at(s, history.tenant().nodes[i])) out.push_back(followed(track(rows_until(nodes[i], history.last()), history.last(), autocorrelation, int(nodes.size()), nodes[i].settings, table), first));
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
    if (s.in_7) out.push_back(share_figure(group, s.name, delays, 7, s.in_7, harmful));
    if (harmful) out.push_back({group, s.name + ": median", median_delay(delays), "days", s.median_days});
    if (s.in_14) out.push_back(share_figure(group, s.name, delays, 14, s.in_14, harmful));
    if (s.in_watched) out.push_back(share_figure(group, s.name, delays, s.watched, s.in_watched, true));
    if (s.still) out.push_back({group, s.name + ": still known at the end", still / double(std::max<std::size_t>(1, delays.size())), "share", s.still, true, int(delays.size())});
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
