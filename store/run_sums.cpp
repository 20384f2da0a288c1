#include "store/run_sums.h"

#include "store/nullable.h"

namespace store {
namespace {

constexpr const char* kSpan = "to_timestamp($1::bigint / 1000000.0), to_timestamp($2::bigint / 1000000.0)";

std::vector<RunSum> run_sums_of(const std::vector<Row>& rows) {
    std::vector<RunSum> out;
    for (const Row& row : rows) out.push_back({row.text(0), row.integer(1), row.integer(2), row.integer(3), real_of(row, 4), real_of(row, 5)});
    return out;
}

}  // namespace

std::vector<RunSum> sum_tools(Tx& tx, base::TimePoint since, base::TimePoint until) {
    return run_sums_of(tx.exec(std::string("select * from hearth_tool_sums(") + kSpan + ")", {micros_of(since), micros_of(until)}));
}

std::vector<RunSum> sum_run_days(Tx& tx, base::TimePoint since, base::TimePoint until, const std::string& tool) {
    return run_sums_of(tx.exec(std::string("select * from hearth_run_days(") + kSpan + ", $3)", {micros_of(since), micros_of(until), tool}));
}

}  // namespace store
