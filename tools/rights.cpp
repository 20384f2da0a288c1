#include "tools/rights.h"

#include "policy/decide.h"

namespace tools {

net::Task<std::vector<Right>> rights_of(const Source& source, const RuleBook& book, store::Db& db, policy::Principal who, base::TimePoint now) {
    std::vector<Right> out;
    who.can_ask = true;
    for (const policy::Scope scope : {policy::Scope::home, policy::Scope::dev, policy::Scope::admin}) {
        const std::vector<const Tool*> offered = source.list(scope);
        for (const Tool* tool : offered) {
            std::optional<CallCount> counted;
            const policy::House house = co_await house_of(&book, db, who, tool->name, now, counted);
            const policy::Action action{tool->name, tool->effect, tool->permissions, tool->scopes, true};
            out.push_back({tool->name, scope, policy::decide(who, scope, action, policy::Integrity::trusted, house)});
        }
    }
    co_return out;
}

}  // namespace tools
