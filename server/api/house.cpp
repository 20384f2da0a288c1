// What the operator of a house looks at: what left it, names of secrets, agents, settings.
#include "server/api/agent_answer.h"
#include "server/api/handlers.h"
#include "store/outbox_rules.h"
#include "store/people.h"
#include "store/secrets.h"

namespace server::api {
namespace {

using base::Json;

constexpr int kMostOutbox = 500;

Json secret_json(const store::SecretInfo& one) {
    return {{"name", one.name}, {"object", "secret"}, {"of", one.owner == store::SecretOwner::tenant ? "house" : "person"}, {"version", one.version}, {"host", one.host}, {"tools", one.tools},
            {"changed", base::rfc3339(one.changed)}};
}

Json agent_json(const agents::AgentRow& one) {
    return {{"name", one.name}, {"object", "agent"}, {"purpose", one.purpose}, {"machine", one.machine == agents::AgentRow::Machine::pipeline ? "pipeline" : "loop"},
            {"scope", policy::name(one.scope)}, {"key", one.key}, {"prompt", one.prompt}, {"all_tools", one.all_tools}, {"tools", one.tools}, {"asks", one.asks}};
}

}  // namespace

net::Task<Response> list_outbox(Request request, Caller caller, Services& services) {
    const auto limit = request.query_number("limit", 100, 1, kMostOutbox);
    if (!limit) co_return error_response(limit.error(), "limit");
    Json data = Json::array();
    auto read = [&](store::Tx& tx) {
        std::map<std::string, std::string> names;
        for (const auto& one : store::list_people(tx)) names[one.id.text()] = one.name;
        for (const auto& one : store::list_outbox(tx, *limit)) {
            Json row = {{"id", one.id.text()}, {"object", "outbox"}, {"person", names[one.person.text()]}, {"bridge", one.bridge}, {"chat", one.chat}, {"emitter", one.emitter}, {"part", one.part},
                        {"rule", one.rule}, {"state", one.state}, {"error", one.error}, {"attempts", one.attempts}, {"told", one.told}, {"told_by", one.told_by}, {"created", base::rfc3339(one.created)}};
            row["content"] = one.content ? Json(*one.content) : Json(nullptr);
            data.push_back(std::move(row));
        }
    };
    co_await services.db.read(agents::identity_of(caller.principal), read);
    co_return list_response(std::move(data));
}

namespace {

net::Task<Response> tell(Request request, Caller caller, Services& services, store::Told word) {
    const std::string id = request.parameters["id"];
    auto write = [&](store::Tx& tx) { return store::tell_outgoing(tx, id, word); };
    const auto told = co_await services.db.run(agents::identity_of(caller.principal), write);
    if (!told) co_return error_response(told.error());
    co_return json_response({{"id", id}, {"object", "outbox.told"}, {"told", name(word)}});
}

}  // namespace

net::Task<Response> tell_sent(Request request, Caller caller, Services& services) { return tell(std::move(request), std::move(caller), services, store::Told::sent); }
net::Task<Response> tell_unsent(Request request, Caller caller, Services& services) { return tell(std::move(request), std::move(caller), services, store::Told::unsent); }
net::Task<Response> send_again(Request request, Caller caller, Services& services) { return tell(std::move(request), std::move(caller), services, store::Told::again); }

net::Task<Response> list_secrets(Request, Caller caller, Services& services) {
    auto list = [](store::Tx& tx) { return store::list_secrets(tx); };
    Json data = Json::array();
    for (const auto& one : co_await services.db.read(agents::identity_of(caller.principal), list)) data.push_back(secret_json(one));
    co_return list_response(std::move(data));
}

net::Task<Response> list_agents(Request, Caller caller, Services& services) {
    Json data = Json::array();
    for (const auto& one : services.agents.cast().rows())
        if (may_call(caller, one)) data.push_back(agent_json(one));
    co_return list_response(std::move(data));
}

net::Task<Response> list_settings(Request, Caller, Services& services) {
    co_return list_response(services.settings ? services.settings() : Json::array());
}

}  // namespace server::api
