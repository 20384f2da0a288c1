// What models were used for: sums by day, and single calls without what was said.
#include "server/api/handlers.h"

namespace server::api {
namespace {

constexpr int kMostDays = 366, kMostCalls = 500;

base::Json call_json(const store::ModelCall& call) {
    return {{"id", call.id.text()},
            {"run_id", call.run.is_nil() ? base::Json(nullptr) : base::Json(call.run.text())},
            {"model", call.alias},
            {"purpose", call.purpose},
            {"backend", call.backend},
            {"served_by", call.model},
            {"profile", call.profile},
            {"finish_reason", call.finish},
            {"error", call.error},
            {"fallbacks", call.fallbacks},
            {"started", base::rfc3339(call.started)},
            {"duration_us", call.duration.count()},
            {"queued_us", call.queued.count()},
            {"prefill_us", call.prefill.count()},
            {"decode_us", call.decode.count()},
            {"prompt_tokens", call.prompt_tokens},
            {"cached_tokens", call.cached_tokens},
            {"output_tokens", call.output_tokens}};
}

base::Json sum_json(const store::UsageSum& sum) {
    return {{"day", sum.day},
            {"model", sum.alias},
            {"purpose", sum.purpose},
            {"calls", sum.calls},
            {"failures", sum.failures},
            {"prompt_tokens", sum.prompt_tokens},
            {"cached_tokens", sum.cached_tokens},
            {"output_tokens", sum.output_tokens}};
}

}  // namespace

net::Task<Response> usage(Request request, Caller caller, Services& services) {
    const auto days = request.query_number("days", 30, 1, kMostDays);
    if (!days) co_return error_response(days.error(), "days");
    const auto limit = request.query_number("calls", 50, 0, kMostCalls);
    if (!limit) co_return error_response(limit.error(), "calls");
    auto flush = [&] { services.traces.flush(); };
    co_await net::on_pool(services.blocking, flush);
    const base::TimePoint since = services.clock.now() - std::chrono::hours(24) * *days;
    base::Json body = {{"object", "usage"}, {"days", base::Json::array()}, {"calls", base::Json::array()}};
    auto read = [&](store::Tx& tx) {
        for (const auto& sum : store::sum_usage(tx, since)) body["days"].push_back(sum_json(sum));
        for (const auto& call : store::list_calls(tx, since, *limit)) body["calls"].push_back(call_json(call));
    };
    co_await services.db.read(agents::identity_of(caller.principal), read);
    co_return json_response(body);
}

}  // namespace server::api
