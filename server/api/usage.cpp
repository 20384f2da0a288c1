// What models were used for: sums by day, and single calls without what was said.
#include "server/api/handlers.h"
#include "server/api/id_json.h"

namespace server::api {
namespace {

constexpr int kMostDays = 366, kMostCalls = 500, kMostShares = 500;

base::Json call_json(const store::ModelCall& call) {
    return {{"id", call.id.text()},
            {"run_id", id_json(call.run)},
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
            {"output_tokens", call.output_tokens},
            {"forced_tokens", call.forced_tokens},
            {"agent", call.agent},
            {"conversation_id", id_json(call.conversation)},
            {"cost", call.cost}};
}

base::Json sum_json(const store::UsageSum& sum) {
    return {{"day", sum.day},
            {"model", sum.alias},
            {"purpose", sum.purpose},
            {"calls", sum.calls},
            {"failures", sum.failures},
            {"prompt_tokens", sum.prompt_tokens},
            {"cached_tokens", sum.cached_tokens},
            {"output_tokens", sum.output_tokens},
            {"cost", sum.cost}};
}

base::Json share_json(const store::UsageShare& share) {
    return {{"key", share.key},
            {"calls", share.calls},
            {"failures", share.failures},
            {"prompt_tokens", share.prompt_tokens},
            {"cached_tokens", share.cached_tokens},
            {"output_tokens", share.output_tokens},
            {"cost", share.cost}};
}

base::Json day_json(const store::UsageDay& day) {
    const auto known = [](const std::optional<double>& value, double scale) { return value ? base::Json(*value / scale) : base::Json(nullptr); };
    return {{"day", day.day}, {"calls", day.calls}, {"failures", day.failures}, {"prompt_tokens", day.prompt_tokens}, {"cached_tokens", day.cached_tokens}, {"output_tokens", day.output_tokens},
            {"cost", day.cost}, {"p50_ms", known(day.p50_us, 1000)}, {"p95_ms", known(day.p95_us, 1000)}, {"tokens_per_second", known(day.output_per_second, 1)}};
}

base::Json shadow_json(const store::ShadowSum& sum) {
    return {{"model", sum.alias}, {"shadow", sum.shadow}, {"purpose", sum.purpose}, {"calls", sum.calls}, {"failures", sum.failures}, {"same_calls", sum.same_calls}, {"likeness", sum.likeness},
            {"cost", sum.cost}, {"shadow_cost", sum.shadow_cost}, {"mean_ms", sum.ms}, {"shadow_mean_ms", sum.shadow_ms}};
}

base::Json amount_json(const router::Amount& amount) { return {{"tokens", amount.tokens}, {"cost", amount.cost}}; }

// Budgets that bind the caller; a limit of 0 is none.
base::Json budgets_json(const Caller& caller, Services& services) {
    base::Json out = base::Json::array();
    const store::Identity who = agents::identity_of(caller.principal);
    for (const auto& state : services.gateway.budgets({who.tenant, who.person, {}, {}}))
        out.push_back({{"of", state.of}, {"spent_today", amount_json(state.spent)}, {"a_day", amount_json(state.budget.day)}, {"a_request", amount_json(state.budget.request)}, {"begins_anew", state.begins_anew}});
    return out;
}

using Shares = std::vector<store::UsageShare>;

Shares shares_of(store::Tx& tx, const std::string& by, base::TimePoint since) {
    const std::pair<const char*, store::UsageBy> kinds[] = {{"agent", store::UsageBy::agent}, {"conversation", store::UsageBy::conversation}, {"model", store::UsageBy::model}, {"backend", store::UsageBy::backend}};
    for (const auto& [name, kind] : kinds)
        if (by == name) return store::usage_by(tx, kind, since, kMostShares);
    return by == "person" ? store::usage_by_person(tx, since) : Shares{};
}

}  // namespace

net::Task<Response> usage(Request request, Caller caller, Services& services) {
    const auto days = request.query_number("days", 30, 1, kMostDays);
    if (!days) co_return error_response(days.error(), "days");
    const auto limit = request.query_number("calls", 50, 0, kMostCalls);
    if (!limit) co_return error_response(limit.error(), "calls");
    const std::string by = request.query_value("by");
    if (!by.empty() && by != "agent" && by != "conversation" && by != "model" && by != "backend" && by != "person")
        co_return error_response(400, "by is '" + by + "' but must be agent, conversation, model, backend or person", "invalid_argument", "by");
    if (by == "person" && !caller.may(Access::admin)) co_return error_response(403, "sums of everybody need a key with the scope admin", "forbidden", "by");
    co_await traces_stored(services);
    const base::TimePoint since = services.clock.now() - std::chrono::hours(24) * *days;
    base::Json body = {{"object", "usage"}, {"days", base::Json::array()}, {"calls", base::Json::array()}, {"shadows", base::Json::array()}, {"budgets", budgets_json(caller, services)}};
    if (!by.empty()) body["shares"] = base::Json::array();
    auto read = [&](store::Tx& tx) {
        for (const auto& share : shares_of(tx, by, since)) body["shares"].push_back(share_json(share));
        for (const auto& sum : store::sum_usage(tx, since)) body["days"].push_back(sum_json(sum));
        for (const auto& sum : store::sum_shadows(tx, since)) body["shadows"].push_back(shadow_json(sum));
        for (const auto& call : store::list_calls(tx, since, *limit)) body["calls"].push_back(call_json(call));
    };
    co_await services.db.read(agents::identity_of(caller.principal), read);
    co_return json_response(body);
}

net::Task<Response> usage_days(Request request, Caller caller, Services& services) {
    const auto days = request.query_number("days", 30, 1, kMostDays);
    if (!days) co_return error_response(days.error(), "days");
    const std::string of = request.query_value("of");
    if (!of.empty() && of != "me" && of != "house") co_return error_response(400, "of is '" + of + "' but must be me or house", "invalid_argument", "of");
    if (of == "house" && !caller.may(Access::admin)) co_return error_response(403, "sums of everybody need a key with the scope admin", "forbidden", "of");
    co_await traces_stored(services);
    const auto first = std::chrono::floor<std::chrono::days>(services.clock.now()) - std::chrono::days(*days - 1);
    auto read = [&](store::Tx& tx) { return store::usage_days(tx, first, of == "house"); };
    base::Json data = base::Json::array();
    for (const auto& day : co_await services.db.read(agents::identity_of(caller.principal), read)) data.push_back(day_json(day));
    co_return list_response(std::move(data));
}

}  // namespace server::api
