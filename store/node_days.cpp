#include "store/node_days.h"

#include <cstdio>

#include "store/nullable.h"

namespace store {

std::string day_text(Day day) {
    const std::chrono::year_month_day ymd(day);
    char text[32];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", int(ymd.year()), unsigned(ymd.month()), unsigned(ymd.day()));
    return text;
}

std::optional<Day> parse_day(std::string_view text) {
    const auto digits = [&](std::size_t from, std::size_t count) {
        int value = 0;
        for (std::size_t i = from; i < from + count; ++i) {
            if (text[i] < '0' || text[i] > '9') return -1;
            value = 10 * value + (text[i] - '0');
        }
        return value;
    };
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
    const int year = digits(0, 4), month = digits(5, 2), day = digits(8, 2);
    if (year < 1970 || month < 0 || day < 0) return std::nullopt;
    const std::chrono::year_month_day ymd{std::chrono::year(year), std::chrono::month(unsigned(month)), std::chrono::day(unsigned(day))};
    return ymd.ok() ? std::optional<Day>(ymd) : std::nullopt;
}

namespace {

Day day_of(const Row& row, int column) {
    const auto day = parse_day(row.text(column));
    if (!day) throw DbError(DbError::Kind::other, "the database gave '" + row.text(column) + "' where a date was expected");
    return *day;
}

int count_of(const Row& row, int column) { return int(row.integer(column)); }

}  // namespace

std::vector<NodeEvent> node_events(Tx& tx, Day first, Day last, const std::string& zone) {
    std::vector<NodeEvent> out;
    // A day by its name: where midnight comes twice, as in Havana, the database takes the second one for its beginning.
    for (const Row& row : tx.exec("select node_id, class, day, latency_ms, queue_ms, status, prompt_tokens, output_tokens from hearth_node_events($1::date - 1, $2::date + 1, $3) where day between $1::date and $2::date",
                                  {day_text(first), day_text(last), zone}))
        out.push_back({row.text(0), row.text(1), day_of(row, 2), row.real(3), row.real(4), row.text(5), count_of(row, 6), count_of(row, 7)});
    return out;
}

std::vector<std::pair<std::string, Day>> node_beginnings(Tx& tx, const std::string& zone) {
    std::vector<std::pair<std::string, Day>> out;
    for (const Row& row : tx.exec("select node_id, day from hearth_node_beginnings($1)", {zone})) out.emplace_back(row.text(0), day_of(row, 1));
    return out;
}

void save_daily(Tx& tx, const std::vector<DailyRow>& rows, Day batch) {
    for (const DailyRow& r : rows)
        tx.send("insert into daily_aggregate (node_id, class, date, sample_count, avg_latency_ms, error_rate, errors, timeouts, excused, cancelled, invalid, level, level_error, spread,"
                " spread_censored, failure_logit, batch_day) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
                " on conflict (tenant_id, node_id, class, date) do update set sample_count = excluded.sample_count, avg_latency_ms = excluded.avg_latency_ms,"
                " error_rate = excluded.error_rate, errors = excluded.errors, timeouts = excluded.timeouts, excused = excluded.excused, cancelled = excluded.cancelled,"
                " invalid = excluded.invalid, level = excluded.level, level_error = excluded.level_error, spread = excluded.spread,"
                " spread_censored = excluded.spread_censored, failure_logit = excluded.failure_logit, batch_day = excluded.batch_day",
                {r.node, r.execution, day_text(r.date), r.sample_count, r.avg_latency_ms, r.error_rate, r.errors, r.timeouts, r.excused, r.cancelled, r.invalid, r.level, r.level_error, r.spread,
                 r.spread_censored, r.failure_logit, day_text(batch)});
}

std::vector<DailyRow> list_daily(Tx& tx, Day from, Day until, bool classes) {
    std::vector<DailyRow> out;
    for (const Row& row : tx.exec("select node_id, class, date, sample_count, avg_latency_ms, error_rate, errors, timeouts, excused, cancelled, invalid, level, level_error, spread,"
                                  " spread_censored, failure_logit from daily_aggregate where date >= $1 and date <= $2 and (class = '' or $3) order by node_id, class, date",
                                  {day_text(from), day_text(until), classes}))
        out.push_back({row.text(0), row.text(1), day_of(row, 2), count_of(row, 3), row.real(4), row.real(5), count_of(row, 6), count_of(row, 7), count_of(row, 8), count_of(row, 9),
                       count_of(row, 10), real_of(row, 11), real_of(row, 12), real_of(row, 13), row.boolean(14), real_of(row, 15)});
    return out;
}

std::optional<Day> last_daily(Tx& tx) {
    const auto rows = tx.exec("select max(date) from daily_aggregate");
    return rows.at(0).null(0) ? std::nullopt : std::optional(day_of(rows[0], 0));
}

void save_weekly(Tx& tx, const std::vector<WeeklyRow>& rows) {
    for (const WeeklyRow& r : rows)
        tx.send("insert into weekly_aggregate (node_id, iso_year, iso_week, days_present, partial, sample_count, errors, timeouts, avg_latency_ms, error_rate, level, spread)"
                " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict (tenant_id, node_id, iso_year, iso_week) do update set days_present = excluded.days_present,"
                " partial = excluded.partial, sample_count = excluded.sample_count, errors = excluded.errors, timeouts = excluded.timeouts, avg_latency_ms = excluded.avg_latency_ms,"
                " error_rate = excluded.error_rate, level = excluded.level, spread = excluded.spread",
                {r.node, r.iso_year, r.iso_week, r.days_present, r.partial, r.sample_count, r.errors, r.timeouts, r.avg_latency_ms, r.error_rate, r.level, r.spread});
}

std::vector<WeeklyRow> list_weekly(Tx& tx) {
    std::vector<WeeklyRow> out;
    for (const Row& row : tx.exec("select node_id, iso_year, iso_week, days_present, partial, sample_count, errors, timeouts, avg_latency_ms, error_rate, level, spread"
                                  " from weekly_aggregate order by node_id, iso_year, iso_week"))
        out.push_back({row.text(0), count_of(row, 1), count_of(row, 2), count_of(row, 3), row.boolean(4), count_of(row, 5), count_of(row, 6), count_of(row, 7), row.real(8), row.real(9),
                       real_of(row, 10), real_of(row, 11)});
    return out;
}

std::map<std::string, NodeSetting> node_settings(Tx& tx) {
    std::map<std::string, NodeSetting> out;
    for (const Row& row : tx.exec("select distinct on (node_id) node_id, accepted, frozen from node_setting order by node_id, created_at desc"))
        out[row.text(0)] = {row.null(1) ? std::nullopt : std::optional(day_of(row, 1)), row.null(2) ? std::nullopt : std::optional(day_of(row, 2))};
    return out;
}

void save_node_setting(Tx& tx, const std::string& node, const NodeSetting& setting) {
    const auto param = [](const std::optional<Day>& day) { return day ? Param(day_text(*day)) : Param(nullptr); };
    tx.send("insert into node_setting (node_id, accepted, frozen) values ($1, $2, $3)", {node, param(setting.accepted), param(setting.frozen)});
}

void save_night(Tx& tx, const NightRow& night) {
    const std::string day = day_text(night.day);
    tx.send("insert into mathcore_night (day, regime, lambda_max, alpha, signal, coupling, model_version) values ($1, $2, $3, $4, $5, $6, $7) on conflict (tenant_id, day) do update"
            " set regime = excluded.regime, lambda_max = excluded.lambda_max, alpha = excluded.alpha, signal = excluded.signal, coupling = excluded.coupling,"
            " model_version = excluded.model_version",
            {day, night.regime, night.lambda_max, night.alpha, night.signal, night.coupling, night.model_version});
    tx.send("delete from mathcore_node where day = $1", {day});
    for (const NodeNightRow& n : night.nodes)
        tx.send("insert into mathcore_node (day, node_id, gate, days, events, drift_score, level, spread, errors, acting, label, distance, weight, reason, baseline)"
                " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
                {day, n.node, n.gate, n.days, n.events, n.drift_score, n.level, n.spread, n.errors, n.acting, n.label, n.distance, n.weight, n.reason, n.baseline});
}

namespace {

constexpr const char* kNight = "select day, regime, lambda_max, alpha, signal, coupling, model_version from mathcore_night";

NightRow night_of(const Row& row) { return {day_of(row, 0), row.text(1), row.real(2), row.real(3), row.text(4), row.json(5), row.text(6), {}}; }

// What was found of nodes in these nights, which are in order.
void add_nodes(Tx& tx, std::vector<NightRow>& nights) {
    if (nights.empty()) return;
    auto night = nights.begin();
    for (const Row& row : tx.exec("select day, node_id, gate, days, events, drift_score, level, spread, errors, acting, label, distance, weight, reason, baseline from mathcore_node"
                                  " where day >= $1 and day <= $2 order by day, node_id",
                                  {day_text(nights.front().day), day_text(nights.back().day)})) {
        while (night->day < day_of(row, 0)) ++night;
        night->nodes.push_back({row.text(1), row.text(2), count_of(row, 3), count_of(row, 4), row.real(5), row.real(6), row.real(7), row.real(8), row.boolean(9), row.text(10), real_of(row, 11),
                                row.real(12), row.text(13), row.json(14)});
    }
}

}  // namespace

std::optional<NightRow> newest_night(Tx& tx, std::optional<Day> until) {
    std::vector<NightRow> found;
    for (const Row& row : tx.exec(std::string(kNight) + " where $1::date is null or day <= $1::date order by day desc limit 1", {until ? Param(day_text(*until)) : Param(nullptr)})) found.push_back(night_of(row));
    add_nodes(tx, found);
    return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

std::vector<NightRow> list_nights(Tx& tx, Day from, Day until) {
    std::vector<NightRow> out;
    for (const Row& row : tx.exec(std::string(kNight) + " where day >= $1 and day <= $2 order by day", {day_text(from), day_text(until)})) out.push_back(night_of(row));
    add_nodes(tx, out);
    return out;
}

std::string mathcore_signal(Tx& tx) {
    const auto rows = tx.exec("select signal from mathcore_night order by day desc limit 1");
    return rows.empty() ? "" : rows[0].text(0);
}

}  // namespace store
