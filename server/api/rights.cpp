// What each of the house may do, by the policy's own word.
#include "server/api/handlers.h"
#include "store/people.h"
#include "tools/rights.h"

namespace server::api {
namespace {

using base::Json;

Json right_json(const tools::Right& one) {
    return {{"tool", one.tool}, {"scope", policy::name(one.scope)}, {"verdict", policy::name(one.decision.verdict)}, {"rule", one.decision.rule}, {"why", one.decision.message}};
}

}  // namespace

// To the owner everybody's; to others their own.
net::Task<Response> list_rights(Request, Caller caller, Services& services) {
    if (!services.tools || !services.rules) co_return list_response(Json::array());
    const bool everybody = caller.principal.role == policy::Role::owner && caller.may(Access::admin);
    auto list = [](store::Tx& tx) { return store::list_people(tx); };
    const std::vector<store::Person> people = co_await services.db.read(agents::identity_of(caller.principal), list);
    Json data = Json::array();
    for (const store::Person& one : people) {
        if (!everybody && one.id != caller.principal.person) continue;
        const policy::Principal who{caller.principal.tenant, one.id, policy::parse_role(one.role).value_or(policy::Role::guest), "rights", true};
        const std::vector<tools::Right> rights = co_await tools::rights_of(*services.tools, *services.rules, services.db, who, services.clock.now());
        Json shown = {{"id", one.id.text()}, {"object", "rights"}, {"name", one.name}, {"role", one.role}, {"scopes", scopes_of(who.role)}, {"tools", Json::array()}};
        for (const tools::Right& right : rights) shown["tools"].push_back(right_json(right));
        data.push_back(std::move(shown));
    }
    co_return list_response(std::move(data));
}

}  // namespace server::api
