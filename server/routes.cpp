#include "server/routes.h"

#include "server/api/handlers.h"
#include "server/failure.h"

namespace server {

// clang-format off
const std::vector<Route>& routes() {
    static const std::vector<Route> table = {
        {"GET",    "/health",              Access::open,  api::health,           "Whether the server can answer: 200 ready, 503 while loading"},
        {"GET",    "/openapi.json",        Access::user,  api::openapi_document, "This description"},
        {"GET",    "/metrics",             Access::user,  api::metrics,          "Prometheus metrics"},
        {"GET",    "/logs",                Access::admin, api::logs,             "Recent log entries; ?level= and ?limit="},
        {"GET",    "/v1/models",           Access::user,  api::models,           "The models that may be named"},
        {"POST",   "/v1/chat/completions", Access::user,  api::chat_completions, "Chat with a bare model, hearth or hearth/dev", "ChatCompletion"},
        {"POST",   "/v0/dev/chat",         Access::dev,   api::dev_chat,         "Ask the agent that reads, edits and runs code", "DevChat"},
        {"GET",    "/v1/runs",             Access::user,  api::list_runs,        "Your runs, newest first; ?limit= and ?before="},
        {"GET",    "/v1/runs/{id}",        Access::user,  api::get_run,          "A run with its whole trace"},
        {"POST",   "/v1/runs/{id}/stop",   Access::user,  api::stop_run,         "Stop a run"},
        {"GET",    "/v1/usage",            Access::user,  api::usage,            "What models were used for, by day and call; ?days= and ?calls="},
        {"GET",    "/v1/keys",             Access::admin, api::list_keys,        "Your keys, without their secrets"},
        {"POST",   "/v1/keys",             Access::admin, api::create_key,       "Make a key; its secret is shown once", "NewKey"},
        {"DELETE", "/v1/keys/{id}",        Access::admin, api::revoke_key,       "Revoke a key"},
    };
    return table;
}
// clang-format on

namespace {

// Fills parameters when the path fits the pattern; "{id}" takes one non-empty segment.
bool match(std::string_view pattern, std::string_view path, std::map<std::string, std::string>& parameters) {
    while (!pattern.empty() && !path.empty()) {
        if (pattern[0] == '{') {
            const auto name_end = pattern.find('}');
            const auto segment = path.substr(0, std::min(path.find('/'), path.size()));
            if (segment.empty()) return false;
            parameters[std::string(pattern.substr(1, name_end - 1))] = std::string(segment);
            pattern.remove_prefix(name_end + 1);
            path.remove_prefix(segment.size());
        } else if (pattern[0] == path[0]) {
            pattern.remove_prefix(1);
            path.remove_prefix(1);
        } else {
            return false;
        }
    }
    return pattern.empty() && path.empty();
}

net::Task<Response> dispatch_found(Request request, const Route& route, Services& services) {
    auto who = co_await services.auth.identify(request, route.access, services.blocking);
    if (const auto* refusal = std::get_if<Auth::Refusal>(&who)) {
        Response response = error_response(refusal->status, refusal->message, refusal->status == 401 ? "invalid_api_key" : "forbidden");
        if (refusal->status == 401) response.headers["WWW-Authenticate"] = "Bearer";
        co_return response;
    }
    if (*route.request_schema && services.may_accept)
        if (auto room = services.may_accept(); !room) co_return error_response(503, room.error().text(), "disk_full");
    co_return co_await route.run(std::move(request), std::get<Caller>(std::move(who)), services);
}

net::Task<Response> dispatch(Request request, Services& services) {
    const Route* found = nullptr;
    std::string allowed;
    for (const auto& route : routes()) {
        std::map<std::string, std::string> parameters;
        if (!match(route.path, request.path, parameters)) continue;
        allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
        if (request.method != route.method) continue;
        request.parameters = std::move(parameters);
        found = &route;
    }
    if (auto fine = services.auth.check_origin(request); !fine) co_return error_response(fine.error());
    if (!found && !allowed.empty()) {
        Response response = error_response(405, request.path + " takes " + allowed + ", not " + request.method, "method_not_allowed");
        response.headers["Allow"] = allowed;
        co_return response;
    }
    if (!found) co_return error_response(404, "there is nothing at " + request.path + "; GET /openapi.json lists what there is", "not_found");
    const std::string label = request.method + " " + request.path;
    std::exception_ptr failure;
    try {
        co_return co_await dispatch_found(std::move(request), *found, services);
    } catch (const std::exception&) {
        failure = std::current_exception();
    }
    co_return error_response(explain(failure, label, services));
}

}  // namespace

Handler dispatcher(Services& services) {
    return [&services](Request request) { return dispatch(std::move(request), services); };
}

}  // namespace server
