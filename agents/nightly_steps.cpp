#include "agents/nightly_steps.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "agents/nightly.h"
#include "agents/pipeline.h"
#include "router/math/nightly.h"
#include "store/node_import.h"

namespace agents {
namespace {

namespace math = router::math;
using base::Json;
using std::chrono::days;

math::Status status_of(const std::string& status) {
    if (status == "timeout") return math::Status::timeout;
    if (status == "cancelled") return math::Status::cancelled;
    return status == "ok" ? math::Status::ok : math::Status::error;
}

math::Event event_of(const store::NodeEvent& e) { return {e.latency_ms, std::min(e.queue_ms, e.latency_ms), status_of(e.status), e.prompt_tokens, e.output_tokens}; }

double limit_of(const std::string& node) {
    for (const PhaseRow& row : phase_table())
        if (name(row.phase) == node) return double(row.deadline.count());
    return 120'000;
}

store::DailyRow row_of(const std::string& node, const std::string& execution, const math::DailyAggregate& a) {
    return {node, execution, a.date, a.sample_count, a.avg_latency_ms, a.error_rate, a.errors, a.timeouts, a.excused, a.cancelled, a.invalid, a.level, a.level_error, a.spread,
            a.spread_censored, a.failure_logit};
}

math::DailyAggregate aggregate_of(const store::DailyRow& r) {
    math::DailyAggregate out{.date = r.date, .sample_count = r.sample_count, .avg_latency_ms = r.avg_latency_ms, .error_rate = r.error_rate, .errors = r.errors, .timeouts = r.timeouts};
    out.excused = r.excused;
    out.cancelled = r.cancelled;
    out.invalid = r.invalid;
    out.level = r.level;
    out.level_error = r.level_error;
    out.spread = r.spread;
    out.spread_censored = r.spread_censored;
    out.failure_logit = r.failure_logit;
    return out;
}

using Beginnings = std::vector<std::pair<std::string, store::Day>>;

// The days whose rows are made: a node's whole time while its token model is still being fitted, then the last ones, those that no night has seen, and those since
// which telemetry was imported.
struct Span {
    store::Day beginning{}, from{};
};
std::map<std::string, Span> spans_of(const Beginnings& beginnings, store::Day last, std::optional<store::Day> made, std::optional<store::Day> imported) {
    std::map<std::string, Span> out;
    const store::Day late = std::min(last - days(kLateDays - 1), imported.value_or(last));
    for (const auto& [node, day] : beginnings) {
        if (day > last) continue;
        const bool young = !made || day + days(kTokenDays) > last;
        out[node] = {day, young ? day : std::max(day, std::min(late, *made + days(1)))};
    }
    return out;
}

std::map<std::string, math::TokenModel> token_models(store::Tx& tx, const std::map<std::string, Span>& spans, store::Day last, const std::string& zone) {
    std::map<store::Day, std::set<std::string>> by_beginning;
    for (const auto& [node, span] : spans) by_beginning[span.beginning].insert(node);
    std::map<std::string, math::TokenModel> out;
    for (const auto& [day, nodes] : by_beginning) {
        std::map<std::string, std::vector<math::Event>> events;
        for (const auto& e : store::node_events(tx, day, std::min(last, day + days(kTokenDays - 1)), zone))
            if (nodes.contains(e.node)) events[e.node].push_back(event_of(e));
        for (const auto& [node, all] : events) out[node] = math::token_model(all);
    }
    return out;
}

}  // namespace

std::vector<router::StaticCost> static_costs() {
    // As a pipeline with a large model on a small machine has them.
    static const std::map<Phase, double> ms = {{Phase::arbiter, 2}, {Phase::intake, 12'000}, {Phase::retrieve, 5}, {Phase::copilot, 30'000}, {Phase::thinking, 30'000},
                                               {Phase::recompose, 42'000}, {Phase::write_memory, 3}};
    std::vector<router::StaticCost> out;
    for (const PhaseRow& row : phase_table()) out.push_back({std::string(name(row.phase)), ms.at(row.phase), double(row.deadline.count())});
    return out;
}

Json make_daily(store::Tx& tx, store::Day day, const std::string& zone) {
    const store::Day last = day - days(1);
    const auto spans = spans_of(store::node_beginnings(tx, zone), last, store::last_daily(tx), store::imported_since_batch(tx, zone));
    if (spans.empty()) return {{"events_processed", 0}, {"node_count", 0}, {"tenant_count", 1}};
    const auto models = token_models(tx, spans, last, zone);
    store::Day from = last;
    for (const auto& [node, span] : spans) from = std::min(from, span.from);
    std::map<std::tuple<std::string, std::string, store::Day>, std::vector<math::Event>> days_of;  // of a node and class
    std::set<std::string> seen;
    int events = 0;
    for (const auto& e : store::node_events(tx, from, last, zone)) {
        const auto span = spans.find(e.node);  // one may have come since
        if (span == spans.end() || e.day < span->second.from) continue;
        ++events;
        seen.insert(e.node);
        days_of[{e.node, "", e.day}].push_back(event_of(e));
        if (!e.execution.empty()) days_of[{e.node, e.execution, e.day}].push_back(event_of(e));
    }
    std::vector<store::DailyRow> rows;
    for (const auto& [key, all] : days_of) {
        const auto& [node, execution, date] = key;
        const auto model = models.find(node);
        rows.push_back(row_of(node, execution, math::aggregate(date, all, model == models.end() ? math::TokenModel{} : model->second, limit_of(node))));
    }
    store::save_daily(tx, rows, day);
    return {{"events_processed", events}, {"node_count", seen.size()}, {"tenant_count", 1}};
}

Json make_weekly(store::Tx& tx, store::Day day, const std::string&) {
    store::Day from = day - days(kHistoryDays);
    from -= std::chrono::weekday(from) - std::chrono::Monday;
    std::map<std::string, std::vector<math::DailyAggregate>> nodes;
    for (const auto& row : store::list_daily(tx, from, day - days(1))) nodes[row.node].push_back(aggregate_of(row));
    std::vector<store::WeeklyRow> rows;
    for (const auto& [node, all] : nodes)
        for (const math::WeeklyAggregate& w : math::weekly(all))
            rows.push_back({node, w.iso_year, w.iso_week, w.days_present, w.partial, w.sample_count, w.errors, w.timeouts, w.avg_latency_ms, w.error_rate, w.level, w.spread});
    store::save_weekly(tx, rows);
    return {{"status", "ok"}};
}

namespace {

const char* name_of(math::Gate gate) {
    switch (gate) {
        case math::Gate::insufficient: return "insufficient_data";
        case math::Gate::advisory: return "advisory";
        case math::Gate::half: return "half";
        case math::Gate::full: return "full";
    }
    return "insufficient_data";
}

math::Gate gate_named(const std::string& text) {
    for (const math::Gate gate : {math::Gate::advisory, math::Gate::half, math::Gate::full})
        if (text == name_of(gate)) return gate;
    return math::Gate::insufficient;
}

// Of single events: what a day's mean of so many does not level out.
Json baseline_json(const math::Baseline& b) {
    if (b.days == 0 || b.weekday_count <= 0) return Json::object();
    return {{"from", store::day_text(b.from)}, {"days", b.days}, {"log_mean", b.level.weekday}, {"log_deviation", std::clamp(b.level_error * std::sqrt(b.weekday_count), 0.05, 2.0)},
            {"failure_rate", b.failure_rate}, {"per_day", b.weekday_count}};
}

Json coupling_json(const math::NightReport& report) {
    if (!report.coupling) return Json::object();
    const math::Matrix& gamma = report.coupling->gamma;
    Json rows = Json::array();
    for (std::size_t i = 0; i < report.watched.size(); ++i) {
        rows.push_back(Json::array());
        for (std::size_t j = 0; j < report.watched.size(); ++j) rows.back().push_back(gamma(i, j));
    }
    return {{"nodes", report.watched}, {"gamma", std::move(rows)}};
}

store::NodeNightRow node_row(const math::NodeReport& n) {
    const math::Night& night = n.night.night;
    return {n.node, name_of(n.gate), n.days, n.events, n.drift_score, night.level, night.spread, night.errors, n.night.acting, std::string(math::name(n.label)), n.distance, n.weight, n.reason,
            baseline_json(n.baseline)};
}

}  // namespace

store::NightRow analyse_night(const std::string& tenant, const std::vector<store::DailyRow>& rows, const std::map<std::string, store::NodeSetting>& settings, store::Day day) {
    std::vector<math::NodeHistory> histories;
    for (const PhaseRow& row : phase_table()) histories.push_back({std::string(name(row.phase)), {}, {}});
    for (const store::DailyRow& row : rows) {
        auto at = std::find_if(histories.begin(), histories.end(), [&](const auto& h) { return h.node == row.node; });
        if (at == histories.end()) at = histories.insert(at, {row.node, {}, {}});
        at->rows.push_back(aggregate_of(row));
    }
    for (math::NodeHistory& history : histories)
        if (const auto said = settings.find(history.node); said != settings.end()) {
            history.settings.accepted = said->second.accepted;
            history.settings.frozen = said->second.frozen;
        }
    math::LimitTable table;
    const math::NightReport report = math::analyse(tenant, histories, day - days(1), table);
    store::NightRow out{day, std::string(math::name(report.regime)), report.lambda_max, report.alpha, report.signal, coupling_json(report), std::string(math::MODEL_VERSION), {}};
    for (const math::NodeReport& node : report.nodes) out.nodes.push_back(node_row(node));
    return out;
}

std::map<std::string, router::NodeHistory> node_histories(store::Tx& tx, store::Day today, const std::string& zone) {
    std::map<std::string, router::NodeHistory> out;
    const auto night = store::newest_night(tx);
    if (!night) return out;
    for (const store::NodeNightRow& node : night->nodes) {
        router::NodeKnown known{.gate = gate_named(node.gate), .weight = node.weight, .drift = node.drift_score};
        if (!node.baseline.empty()) {
            known.per_day = node.baseline.value("per_day", 0.0);
            known.failure_rate = node.baseline.value("failure_rate", 0.0);
            known.usual = math::LatencyPrior{.log_mean = node.baseline.value("log_mean", 0.0), .log_deviation = node.baseline.value("log_deviation", 0.5), .limit_ms = limit_of(node.node)};
        }
        out[node.node].known = std::move(known);
    }
    for (const store::DailyRow& row : store::list_daily(tx, night->day - days(kWarmDays), night->day - days(1)))
        if (row.level) out[row.node].week.push_back({row.sample_count, row.timeouts, *row.level});
    for (const store::NodeEvent& e : store::node_events(tx, night->day, std::max(today, night->day), zone)) {
        if (e.status == "cancelled") continue;
        out[e.node].today.push_back({std::max(0.0, e.latency_ms - e.queue_ms), e.status == "error", e.status == "timeout"});
    }
    return out;
}

}  // namespace agents
