#include "server/api/model_call.h"

#include "router/usage.h"

namespace server::api {
namespace {

constexpr int kModelTokens = 4096;  // of a reply, where the request sets no limit

}  // namespace

std::optional<Response> no_such_model(const std::string& alias, const Services& services) {
    if (services.gateway.has(alias)) return std::nullopt;
    std::string known;
    for (const auto& other : services.gateway.aliases()) known += other.name + ", ";
    return error_response(404, "there is no model '" + alias + "'; there are " + known + services.agents.cast().names(), "model_not_found", "model");
}

router::ModelRequest model_request(ChatBody body, const Caller& caller) {
    router::ModelRequest out = std::move(body.model);
    out.purpose = "api";
    out.cache_salt = caller.principal.person.text();
    const store::Identity who = agents::identity_of(caller.principal);
    out.on_behalf = {who.tenant, who.person, {}, {}};
    if (!body.limited) out.max_tokens = kModelTokens;
    return out;
}

net::Task<base::Result<router::ModelReply>> call_model(router::ModelRequest request, router::DeltaSink sink, Services& services) {
    const router::CallRecord record(request.on_behalf, request.alias, request.purpose, services.clock);
    auto reply = co_await services.gateway.generate(std::move(request), std::move(sink));
    services.traces.emit(record.ended(reply));
    co_return reply;
}

}  // namespace server::api
