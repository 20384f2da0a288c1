#include "router/math/nightly.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "router/math/robust.h"

namespace router::math {
namespace {

constexpr int COUPLING_DAYS = 90;

std::string date_text(Date date) {
    const std::chrono::year_month_day ymd(date);
    char text[32];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", int(ymd.year()), unsigned(ymd.month()), unsigned(ymd.day()));
    return text;
}

Rng rng_of(std::string_view tenant, Date until, std::string_view stage) {
    return Rng(std::string(tenant) + '|' + date_text(until) + '|' + std::string(stage) + '|' + std::string(MODEL_VERSION));
}

bool often_enough(std::span<const DailyAggregate> rows) {
    Vector counts;
    for (const DailyAggregate& row : rows)
        if (row.sample_count > 0) counts.push_back(row.sample_count);
    return !counts.empty() && median(std::move(counts)) >= 5;
}

std::string reason_of(const NodeReport& r, const Track& track, Date until) {
    if (r.events == 0) return "no events";
    if (track.gone(until)) return "no events since " + date_text(*track.seen);
    if (r.gate == Gate::insufficient) return std::to_string(track.worth) + " days and " + std::to_string(r.events) + " events; 7 and 50 are needed";
    return "no baseline yet: a change was accepted less than 7 days ago";
}

NodeReport report_of(const NodeHistory& h, const Track& track, Date until) {
    NodeReport out{.node = h.node, .gate = track.gate(until), .days = track.days, .events = track.events, .baseline = track.baseline};
    if (!track.nights.empty() && track.nights.back().night.date == until && out.gate != Gate::insufficient) {
        out.night = track.nights.back();
        out.drift_score = std::min(out.night.night.score, MOST_SCORE);
        out.weight = out.night.weight;
        out.label = out.night.drifting ? Label::degraded : out.night.night.level < -1 ? Label::improved : Label::normal;
    } else {
        out.reason = reason_of(out, track, until);
    }
    return out;
}

// The days of a node that joined the others late would shorten what is known of them all.
bool joins_coupling(const Subject& subject, const std::vector<Subject>& all, Date until) {
    Date oldest = subject.rows.front().date;
    for (const Subject& s : all) oldest = std::min(oldest, s.rows.front().date);
    return subject.rows.front().date <= std::max(oldest, until - std::chrono::days(COUPLING_DAYS / 3));
}

// z of the watched nodes over the last days, with the load of each day.
std::optional<Coupling> coupling_of(const std::vector<Subject>& subjects, Date until, Rng& rng) {
    Date first = until - std::chrono::days(COUPLING_DAYS - 1);
    for (const Subject& s : subjects) first = std::max(first, s.rows.front().date);
    const auto days = std::size_t((until - first).count() + 1);
    Matrix z(days, subjects.size(), std::numeric_limits<double>::quiet_NaN());
    Vector load(days);
    for (std::size_t i = 0; i < subjects.size(); ++i)
        for (const DailyAggregate& row : subjects[i].rows) {
            if (row.date < first || !row.level) continue;
            const auto day = std::size_t((row.date - first).count());
            z(day, i) = subjects[i].track->baseline.level_z(row);
            load[day] += row.sample_count;
        }
    for (double& l : load) l = std::log(1 + l);
    return coupling(z, load, rng);
}

Regime regime_of(const NightReport& report) {
    const auto any = [&](auto test) { return std::any_of(report.nodes.begin(), report.nodes.end(), test); };
    if (!any([](const NodeReport& n) { return n.gate != Gate::insufficient; })) return Regime::insufficient_data;
    if (any([](const NodeReport& n) { return n.label == Label::degraded; })) return Regime::degraded;
    if (report.coupling && report.coupling->coupled) return Regime::coupled;
    if (any([](const NodeReport& n) { return n.label == Label::outlier; })) return Regime::outlier;
    if (any([](const NodeReport& n) { return n.label == Label::improved; })) return Regime::improved;
    return Regime::nominal;
}

void explain_into(NightReport& report, const std::vector<Subject>& subjects, const std::vector<std::size_t>& watched, Date until, std::string_view tenant) {
    Rng rng = rng_of(tenant, until, "explain");
    const auto found = explain(subjects, until, rng);
    if (!found) return;
    report.curves = found->curves;
    report.components = found->components;
    report.clusters = found->clusters;
    for (std::size_t i = 0; i < watched.size(); ++i) {
        NodeReport& node = report.nodes[watched[i]];
        if (node.gate != Gate::full) continue;
        node.label = found->labels[i];
        if (std::isfinite(found->distances[i])) node.distance = found->distances[i];
    }
}

void couple_into(NightReport& report, const std::vector<Subject>& subjects, const std::vector<std::size_t>& watched, Date until, std::string_view tenant) {
    std::vector<Subject> joined;
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        if (!joins_coupling(subjects[i], subjects, until)) continue;
        joined.push_back(subjects[i]);
        report.watched.push_back(report.nodes[watched[i]].node);
    }
    if (joined.size() < 2) return;
    Rng rng = rng_of(tenant, until, "coupling");
    report.coupling = coupling_of(joined, until, rng);
}

}  // namespace

std::string_view name(Regime regime) {
    switch (regime) {
        case Regime::insufficient_data: return "insufficient_data";
        case Regime::nominal: return "nominal";
        case Regime::improved: return "improved";
        case Regime::degraded: return "degraded";
        case Regime::coupled: return "coupled";
        case Regime::outlier: return "outlier";
    }
    return "";
}

std::string signal_line(Regime regime, double lambda_max, double alpha) {
    char text[96];
    std::snprintf(text, sizeof text, "[MathCore | regime: %s | λ_max: %.2f | α: %.2f]", std::string(name(regime)).c_str(), std::clamp(lambda_max, 0.0, 9999.0), std::clamp(alpha, 0.0, 1.0));
    return text;
}

std::span<const DailyAggregate> rows_until(const NodeHistory& h, Date until) {
    const auto begin = std::find_if(h.rows.begin(), h.rows.end(), [](const DailyAggregate& row) { return row.sample_count > 0; });
    const auto end = std::upper_bound(begin, h.rows.end(), until, [](Date d, const DailyAggregate& row) { return d < row.date; });
    return {begin, end};
}

double pooled_autocorrelation(const std::vector<NodeHistory>& histories, Date until) {
    std::vector<Baseline> baselines;
    for (const NodeHistory& h : histories) {
        const auto rows = rows_until(h, until);
        if (rows.empty()) continue;
        const int all = int((until - rows.front().date).count()) + 1, whole = span_worth(rows, rows.front().date, h.settings.baseline_days, all);
        baselines.push_back(baseline_of(rows, rows.front().date, whole > 0 ? whole : all));
    }
    return day_autocorrelation(baselines);
}

NightReport analyse(std::string_view tenant, const std::vector<NodeHistory>& histories, Date until, LimitTable& table) {
    NightReport report;
    std::vector<std::span<const DailyAggregate>> rows;
    std::vector<std::size_t> watched;
    for (std::size_t i = 0; i < histories.size(); ++i) {
        rows.push_back(rows_until(histories[i], until));
        if (often_enough(rows[i])) watched.push_back(i);
    }
    const double autocorrelation = pooled_autocorrelation(histories, until);
    std::vector<Track> tracks;
    for (std::size_t i = 0; i < histories.size(); ++i) {
        tracks.push_back(track(rows[i], until, autocorrelation, int(watched.size()), histories[i].settings, table));
        report.nodes.push_back(report_of(histories[i], tracks[i], until));
        report.alpha = std::max(report.alpha, authority_of(report.nodes[i].gate));
    }
    std::erase_if(watched, [&](std::size_t i) { return tracks[i].baseline.days == 0 || tracks[i].gone(until); });
    std::vector<Subject> subjects;
    for (std::size_t i : watched) subjects.push_back({rows[i], &tracks[i]});
    if (report.alpha == 1) explain_into(report, subjects, watched, until, tenant);
    couple_into(report, subjects, watched, until, tenant);
    if (report.coupling) report.lambda_max = report.coupling->largest;
    report.regime = regime_of(report);
    if (report.regime != Regime::insufficient_data) report.signal = signal_line(report.regime, report.lambda_max, report.alpha);
    return report;
}

}  // namespace router::math
