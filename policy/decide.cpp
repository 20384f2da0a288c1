#include "policy/decide.h"

#include <algorithm>

#include "policy/reasons.h"

namespace policy {
namespace {

template <class T>
bool matches(const std::vector<T>& column, T value) {
    return column.empty() || std::find(column.begin(), column.end(), value) != column.end();
}

Decision of_rule(const Rule& rule) { return {rule.verdict, rule.name, rule.message}; }

Decision decide_permission(const Principal& who, Scope scope, Permission permission, Integrity label) {
    for (const Rule& rule : default_rules())
        if (matches(rule.roles, who.role) && matches(rule.scopes, scope) && matches(rule.permissions, permission) &&
            matches(rule.labels, label))
            return of_rule(rule);
    return {Verdict::deny, "no_rule", "No rule allows " + std::string(name(permission)) + "."};
}

// The shipped decision, and what the house makes of it.
Decision in_the_house(Decision shipped, const HouseRule* rule, std::optional<Permission> permission, Integrity label) {
    if (!rule || (rule->verdict == Verdict::allow && shipped.verdict == Verdict::allow)) return shipped;
    const bool may_loosen = shipped.verdict == Verdict::ask && label == Integrity::trusted && permission != Permission::admin;
    if (strictness(rule->verdict) < strictness(shipped.verdict) && !may_loosen) return shipped;
    if (rule->verdict == Verdict::allow) return {Verdict::allow, rule->name, ""};
    return {rule->verdict, rule->name, rule->reason.empty() ? "The rule \"" + rule->name + "\" of this house says so." : rule->reason};
}

Decision without_permissions(const Action& action) {
    if (action.effect == Effect::pure) return {Verdict::allow, "pure_touches_nothing", ""};
    return {Verdict::ask, "effect_without_permission", "It has effects and does not say on what."};
}

Decision strictest(const Principal& who, Scope scope, const Action& action, Integrity label, const House& house) {
    if (who.role == Role::guest) return {Verdict::deny, "guests_have_no_tools", "Guests may talk, and use no tools."};
    if (who.role == Role::peer)
        return {Verdict::deny, "peers_have_no_tools", "Another household's assistant may not use tools here."};
    if (std::find(action.scopes.begin(), action.scopes.end(), scope) == action.scopes.end())
        return {Verdict::deny, "not_in_scope",
                "It is not among the tools of scope " + std::string(name(scope)) + "."};
    if (!action.on_menu) return {Verdict::deny, "not_on_menu", "It is not among this agent's tools."};
    const auto house_rule = [&](std::optional<Permission> permission) { return find_house_rule(house, who, scope, action.name, permission, label); };
    if (action.permissions.empty()) return in_the_house(without_permissions(action), house_rule(std::nullopt), std::nullopt, label);
    Decision worst{Verdict::allow, "", ""};
    for (Permission permission : action.permissions) {
        Decision one = in_the_house(decide_permission(who, scope, permission, label), house_rule(permission), permission, label);
        if (worst.rule.empty() || strictness(one.verdict) > strictness(worst.verdict)) worst = std::move(one);
    }
    return worst;
}

}  // namespace

const std::vector<Rule>& default_rules() {
    using P = Permission;
    using S = Scope;
    using V = Verdict;
    static const std::vector<Rule> rules = {
        // name | roles | scopes | permissions | labels | verdict | message
        {"members_do_not_administer", {Role::member, Role::guest, Role::peer}, {}, {P::admin}, {}, V::deny,
         "Only the owner changes how this machine is run."},
        {"untrusted_text_asks", {}, {}, {P::network, P::people, P::money, P::admin}, {Integrity::untrusted}, V::ask,
         "Text from outside is in this conversation, and the action reaches beyond this machine."},
        {"untrusted_text_asks_for_secrets", {}, {}, {P::secret}, {Integrity::untrusted}, V::ask,
         "Text from outside is in this conversation, and the action is given a secret."},
        {"workspace_reads", {}, {}, {P::workspace_read}, {}, V::allow, ""},
        {"dev_writes_its_workspace", {}, {S::dev}, {P::workspace_write}, {}, V::allow, ""},
        {"home_only_reads_files", {}, {S::home}, {P::workspace_write}, {}, V::deny,
         "The household assistant reads files and changes none."},
        {"dev_executes_in_the_sandbox", {}, {S::dev}, {P::execute}, {}, V::allow, ""},
        {"home_executes_nothing", {}, {S::home}, {P::execute}, {}, V::deny, "The household assistant runs no programs."},
        {"memory_reads", {}, {}, {P::memory_read}, {}, V::allow, ""},
        {"untrusted_text_is_remembered_as_such", {}, {}, {P::memory_write}, {Integrity::untrusted}, V::allow, ""},
        {"memory_writes", {}, {}, {P::memory_write}, {}, V::allow, ""},
        {"threads_do_what_their_parent_may", {}, {}, {P::threads}, {}, V::allow, ""},
        {"secrets_go_where_they_are_bound", {}, {}, {P::secret}, {}, V::allow, ""},
        {"leaving_the_machine_asks", {}, {}, {P::network}, {}, V::ask, "It leaves this machine."},
        {"people_ask", {}, {}, {P::people}, {}, V::ask, "It touches other people."},
        {"money_asks", {}, {}, {P::money}, {}, V::ask, "It costs money."},
        {"owner_administers", {Role::owner}, {}, {P::admin}, {}, V::ask, "It changes how this machine is run."},
    };
    return rules;
}

Decision decide(const Principal& principal, Scope scope, const Action& action, Integrity label, const House& house) {
    Decision decision = strictest(principal, scope, action, label, house);
    if (decision.verdict == Verdict::allow) return decision;
    decision.message = action.name + std::string(decision.verdict == Verdict::deny ? " is refused: " : kNeedsApproval) + decision.message;
    if (decision.verdict == Verdict::ask && !principal.can_ask) {
        decision.verdict = Verdict::deny;
        decision.message += " Nobody is present to approve it, so it was not done.";
    }
    return decision;
}

}  // namespace policy
