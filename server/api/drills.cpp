// Backends of models, tried and last seen at work.
#include "router/usage.h"
#include "server/api/body.h"
#include "server/api/handlers.h"

namespace server::api {
namespace {

using base::Code;

base::Json time_json(base::TimePoint time) { return time == base::TimePoint{} ? base::Json(nullptr) : base::Json(base::rfc3339(time)); }

base::Json drill_json(const router::Exercise& one) {
    return {{"object", "drill"}, {"backend", one.backend}, {"traffic", router::name(one.traffic)}, {"worked", time_json(one.worked)}, {"failed", time_json(one.failed)},
            {"failure", one.failing() ? one.failure : ""}};
}

struct Wanted {
    std::string backend;
    router::Traffic traffic = router::Traffic::plain;
    std::vector<std::string> ignored;
};

base::Result<Wanted> read_body(const std::string& body, std::string& param) {
    const auto json = object_of(body);
    if (!json) return json.error();
    Wanted out;
    param = "backend";
    auto backend = base::string_field(*json, "backend");
    if (!backend) return std::move(backend).error();
    out.backend = *std::move(backend);
    param = "traffic";
    const auto text = base::string_field(*json, "traffic");
    if (!text) return text.error();
    const auto traffic = router::parse_traffic(*text);
    if (!traffic) return base::error(Code::invalid_argument, "traffic must be plain, streamed or tools, found '" + *text + "'");
    out.traffic = *traffic;
    out.ignored = fields_beside({"backend", "traffic"}, *json);
    return out;
}

}  // namespace

net::Task<Response> list_drills(Request, Caller, Services& services) {
    base::Json data = base::Json::array();
    for (const auto& one : services.gateway.exercises()) data.push_back(drill_json(one));
    co_return list_response(std::move(data));
}

// A drill that fails is an answer: it tells what is wrong with the backend.
net::Task<Response> drill(Request request, Caller caller, Services& services) {
    std::string param;
    const auto wanted = read_body(request.body, param);
    if (!wanted) co_return error_response(wanted.error(), param);
    const router::OnBehalf who{caller.principal.tenant, caller.principal.person, {}, {}};
    const router::CallRecord record(who, wanted->backend, "drill", services.clock);
    const auto reply = co_await services.gateway.drill(wanted->backend, wanted->traffic, who, request.gone);
    if (!reply && reply.error().code == Code::not_found && !services.gateway.backends().contains(wanted->backend)) co_return error_response(reply.error(), "backend");
    services.traces.emit(record.ended(reply));
    router::Exercise found{wanted->backend, wanted->traffic};
    for (const auto& one : services.gateway.exercises())
        if (one.backend == wanted->backend && one.traffic == wanted->traffic) found = one;
    base::Json body = drill_json(found);
    if (!reply) body["failure"] = reply.error().text();
    Response response = json_response(body);
    name_ignored(response, wanted->ignored);
    co_return response;
}

}  // namespace server::api
