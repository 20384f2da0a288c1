// The nightly batch, asked for by hand or by a cron of one's own.
#include "agents/nightly.h"
#include "server/api/body.h"
#include "server/api/handlers.h"

namespace server::api {
namespace {

using base::Code;

struct Wanted {
    std::optional<std::string> tenant;
    std::optional<store::Day> day;
    std::vector<std::string> ignored;
};

base::Result<Wanted> read_body(const std::string& body, std::string& param) {
    const auto json = object_of(body.empty() ? "{}" : body);
    if (!json) return json.error();
    Wanted out;
    param = "tenant_id";
    const auto tenant = base::optional_string(*json, "tenant_id");
    if (!tenant) return tenant.error();
    out.tenant = *tenant;
    param = "day";
    const auto day = base::optional_string(*json, "day");
    if (!day) return day.error();
    if (*day && !(out.day = store::parse_day(**day))) return base::error(Code::invalid_argument, "day is '" + **day + "' but must be a date such as 2026-03-10");
    out.ignored = fields_beside({"tenant_id", "day"}, *json);
    return out;
}

base::Json cost_json(const router::NodeMetrics::State& state) {
    return {{"seconds", state.cost.seconds}, {"weight", state.cost.weight}, {"timeout", state.cost.timeout}, {"usual_seconds", state.cost.baseline_seconds}, {"live_penalty", state.live_penalty}};
}

base::Json node_json(const store::NodeNightRow& node) {
    return {{"node", node.node}, {"gate", node.gate}, {"days", node.days}, {"events", node.events}, {"drift_score", node.drift_score},
            {"charts", {{"level", node.level}, {"spread", node.spread}, {"errors", node.errors}}}, {"acting", node.acting}, {"label", node.label},
            {"distance", node.distance ? base::Json(*node.distance) : base::Json(nullptr)}, {"weight", node.weight}, {"reason", node.reason}, {"baseline", node.baseline}};
}

}  // namespace

net::Task<Response> mathcore(Request, Caller caller, Services& services) {
    const auto read = [](store::Tx& tx) { return store::newest_night(tx); };
    auto found = co_await services.db.read(agents::identity_of(caller.principal), read);
    base::Json body = {{"object", "mathcore"}, {"day", nullptr}, {"nodes", base::Json::array()}};
    if (found) body["day"] = store::day_text(found->day);
    const store::NightRow night = found ? *std::move(found) : store::NightRow{.regime = "insufficient_data"};
    body.update({{"regime", night.regime}, {"lambda_max", night.lambda_max}, {"alpha", night.alpha}, {"signal", night.signal}, {"coupling", night.coupling}});
    for (const auto& state : services.nightly->states()) {
        store::NodeNightRow known{.node = state.node, .gate = "insufficient_data", .label = "unknown", .reason = "no night yet"};
        for (const auto& node : night.nodes)
            if (node.node == state.node) known = node;
        body["nodes"].push_back(node_json(known));
        body["nodes"].back()["cost"] = cost_json(state);
    }
    co_return json_response(body);
}

// A batch that failed is no success to who calls from a script, and tells what it came to all the same.
net::Task<Response> nightly_batch(Request request, Caller caller, Services& services) {
    std::string param;
    const auto wanted = read_body(request.body, param);
    if (!wanted) co_return error_response(wanted.error(), param);
    if (wanted->tenant && base::TenantId::parse(*wanted->tenant) != caller.principal.tenant)
        co_return error_response(404, "there is no tenant '" + *wanted->tenant + "'; yours is " + caller.principal.tenant.text(), "not_found", "tenant_id");
    const auto batch = co_await services.nightly->batch(wanted->day.value_or(services.nightly->today()), request.gone);
    if (!batch) co_return error_response(batch.error(), batch.error().code == Code::invalid_argument ? "day" : "");
    base::Json body = batch->answer;
    const bool failed = body.contains("error");
    if (failed) body["error"] = {{"message", body["error"]}, {"type", "server_error"}, {"param", nullptr}, {"code", "nightly_failed"}};
    Response response = json_response(body, failed ? 500 : 200);
    name_ignored(response, wanted->ignored);
    co_return response;
}

}  // namespace server::api
