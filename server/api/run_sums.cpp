// Runs by tool and by day.
#include "server/api/handlers.h"
#include "server/api/page.h"
#include "store/run_sums.h"

namespace server::api {
namespace {

constexpr int kMostDaysOfRuns = 366;

base::Json run_sum_json(const store::RunSum& one, const char* key) {
    const auto known = [](const std::optional<double>& value) { return value ? base::Json(*value) : base::Json(nullptr); };
    return {{key, one.key}, {"count", one.count}, {"runs", one.runs}, {"failures", one.failures}, {"p50_ms", known(one.p50_ms)}, {"p95_ms", known(one.p95_ms)}};
}

}  // namespace

net::Task<Response> run_sums(Request request, Caller caller, Services& services) {
    const auto days = request.query_number("days", 30, 1, kMostDaysOfRuns);
    if (!days) co_return error_response(days.error(), "days");
    const std::string tool = request.query_value("tool");
    if (auto refusal = no_text("tool", tool)) co_return *std::move(refusal);
    const base::TimePoint until = services.clock.now(), since = std::chrono::floor<std::chrono::days>(until) - std::chrono::days(*days - 1);
    base::Json body = {{"object", "run_sums"}, {"tools", base::Json::array()}, {"days", base::Json::array()}};
    auto read = [&](store::Tx& tx) {
        for (const auto& one : store::sum_tools(tx, since, until)) body["tools"].push_back(run_sum_json(one, "tool"));
        for (const auto& one : store::sum_run_days(tx, since, until, tool)) body["days"].push_back(run_sum_json(one, "day"));
    };
    co_await services.db.read(agents::identity_of(caller.principal), read);
    co_return json_response(body);
}

}  // namespace server::api
