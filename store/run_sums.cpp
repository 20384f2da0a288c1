#include "store/run_sums.h"

namespace store {
namespace {

constexpr const char* kMostTools = "200";

// Of the row at hand: how long it took, in milliseconds; null while it goes on.
std::string time_quantiles_of(const std::string& row) {
    const std::string took = "extract(epoch from " + row + ".finished_at - " + row + ".started_at) * 1000";
    const auto quantile = [&](const char* share) { return "percentile_cont(" + std::string(share) + ") within group (order by " + took + ") filter (where " + row + ".finished_at is not null)"; };
    return quantile("0.5") + ", " + quantile("0.95");
}

std::string begun_between(const std::string& row) { return row + ".started_at >= to_timestamp($1::bigint / 1000000.0) and " + row + ".started_at < to_timestamp($2::bigint / 1000000.0)"; }

std::vector<RunSum> run_sums_of(const std::vector<Row>& rows) {
    const auto known = [](const Row& row, int column) { return row.null(column) ? std::nullopt : std::optional(row.real(column)); };
    std::vector<RunSum> out;
    for (const Row& row : rows) out.push_back({row.text(0), row.integer(1), row.integer(2), row.integer(3), known(row, 4), known(row, 5)});
    return out;
}

}  // namespace

std::vector<RunSum> sum_tools(Tx& tx, base::TimePoint since, base::TimePoint until) {
    static const std::string query = "select s.name, count(*), count(distinct s.run_id), count(*) filter (where s.state in ('failed', 'unknown')), " + time_quantiles_of("s") +
                                     " from step s where s.kind = 'tool' and " + begun_between("s") + " group by 1 order by 2 desc, 1 limit " + kMostTools;
    return run_sums_of(tx.exec(query, {micros_of(since), micros_of(until)}));
}

std::vector<RunSum> sum_run_days(Tx& tx, base::TimePoint since, base::TimePoint until, const std::string& tool) {
    static const std::string begin = "select to_char(r.started_at at time zone 'UTC', 'YYYY-MM-DD'), count(*), count(*), count(*) filter (where r.state in ('failed', 'no_backend', 'unknown_effect')), " + time_quantiles_of("r") +
                                     " from run r where " + begun_between("r");
    static const std::string end = " group by 1 order by 1";
    if (tool.empty()) return run_sums_of(tx.exec(begin + end, {micros_of(since), micros_of(until)}));
    return run_sums_of(tx.exec(begin + " and r.id in (select s.run_id from step s where s.kind = 'tool' and s.name = $3)" + end, {micros_of(since), micros_of(until), tool}));
}

}  // namespace store
