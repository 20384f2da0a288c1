// What each of the house may do, by the policy's own word, and what the owner says of it.
#include "server/api/handlers.h"
#include "store/house_rules.h"
#include "store/people.h"
#include "tools/rights.h"

namespace server::api {
namespace {

using base::Json;

Json right_json(const tools::Right& one) {
    return {{"tool", one.tool}, {"scope", policy::name(one.scope)}, {"verdict", policy::name(one.decision.verdict)}, {"rule", one.decision.rule}, {"why", one.decision.message}};
}

constexpr const char* kAsShipped = "shipped";

struct RightWanted {
    std::string tool, verdict;
};
base::Result<RightWanted> right_wanted(const std::string& body, const tools::Source& known) {
    const auto json = base::parse_json(body);
    if (!json) return json.error();
    auto tool = base::string_field(*json, "tool"), verdict = base::string_field(*json, "verdict");
    if (!tool) return std::move(tool).error();
    if (!verdict) return std::move(verdict).error();
    if (!known.find(*tool)) return base::error(base::Code::invalid_argument, "tool is '" + *tool + "', and there is none of that name", "GET /v1/people/rights tells them");
    for (const auto one : {policy::name(policy::Verdict::allow), policy::name(policy::Verdict::ask), policy::name(policy::Verdict::deny), std::string_view(kAsShipped)})
        if (*verdict == one) return RightWanted{*std::move(tool), *std::move(verdict)};
    return base::error(base::Code::invalid_argument, "verdict is '" + *verdict + "' but must be allow, ask, deny or shipped");
}

// One rule of the house for each person and tool that are spoken of so.
std::string rule_name(const RightWanted& wanted, base::PersonId person) {
    const std::string id = person.text();
    return "right_" + wanted.tool + "_" + id.substr(id.rfind('-') + 1);
}

base::Result<void> set_right(store::Tx& tx, const RightWanted& wanted, base::PersonId person) {
    if (!store::find_person(tx, person.text())) return base::error(base::Code::not_found, "there is no such person");
    const std::string name = rule_name(wanted, person);
    if (wanted.verdict == kAsShipped) return store::remove_rule(tx, name), base::Result<void>();
    const Json body = {{"verdict", wanted.verdict}, {"tools", {wanted.tool}}, {"people", {person.text()}}};
    const auto rule = policy::house_rule_from_json(tx.identity().tenant, name, body);
    return rule ? store::set_rule(tx, name, policy::to_json(*rule)) : base::Result<void>(rule.error());
}

}  // namespace

// By the owner: a rule of the house, or that there is none. It holds as soon as the rules are read again, within a second.
net::Task<Response> change_right(Request request, Caller caller, Services& services) {
    const auto person = base::PersonId::parse(request.parameters["id"]);
    if (!person || !services.tools) co_return error_response(404, "there is no such person", "not_found");
    if (caller.principal.role != policy::Role::owner) co_return error_response(403, "who may do what is the owner's to say", "forbidden");
    const auto wanted = right_wanted(request.body, *services.tools);
    if (!wanted) co_return error_response(wanted.error());
    auto write = [&](store::Tx& tx) { return set_right(tx, *wanted, *person); };
    const auto done = co_await services.db.run(agents::identity_of(caller.principal), write);
    if (!done) co_return error_response(done.error());
    co_return json_response({{"object", "right"}, {"person_id", person->text()}, {"tool", wanted->tool}, {"verdict", wanted->verdict}});
}

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
