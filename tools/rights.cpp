#include "tools/rights.h"

#include <map>

#include "tools/invoke.h"

namespace tools {

net::Task<std::vector<Right>> rights_of(const Source& source, const RuleBook& book, store::Db& db, policy::Principal who, base::TimePoint now) {
    std::vector<Right> out;
    std::map<std::string, policy::House> houses;  // by tool: calls of it are counted whatever their scope
    who.can_ask = true;
    for (const policy::Scope scope : {policy::Scope::home, policy::Scope::dev, policy::Scope::admin}) {
        const std::vector<const Tool*> offered = source.list(scope);
        for (const Tool* tool : offered) {
            auto house = houses.find(tool->name);
            if (house == houses.end()) {
                std::optional<CallCount> counted;
                policy::House now_of = co_await house_of(&book, db, who, tool->name, now, counted);
                house = houses.emplace(tool->name, std::move(now_of)).first;
            }
            out.push_back({tool->name, scope, decide_call(who, scope, *tool, true, false, policy::Integrity::trusted, house->second)});
        }
    }
    co_return out;
}

}  // namespace tools
