// What somebody may do, as the policy would decide it now of each tool in a text of nobody but himself, with somebody there to ask. It tells people;
// what takes place is decided when it is called (tools/invoke).
#pragma once

#include <string>
#include <vector>

#include "tools/rule_book.h"
#include "tools/tool.h"

namespace tools {

struct Right {
    std::string tool;
    policy::Scope scope = policy::Scope::home;  // in which it is called
    policy::Decision decision;
};
net::Task<std::vector<Right>> rights_of(const Source& source, const RuleBook& book, store::Db& db, policy::Principal who, base::TimePoint now);

}  // namespace tools
