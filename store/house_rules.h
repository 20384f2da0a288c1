// The rules of a house, as rows: a name and what policy/house_rules.h reads.
#pragma once

#include <string>
#include <vector>

#include "store/db.h"

namespace store {

struct RuleRow {
    base::TenantId tenant;
    std::string name;
    base::Json body;
    base::TimePoint changed{};
    bool operator==(const RuleRow&) const = default;
};

std::vector<RuleRow> list_rules(Tx& tx);      // of this person's house, by name
std::vector<RuleRow> all_rules(Tx& tx);       // of every house; needs no person
// The owner's to do: {permission_denied} for anybody else. With the commit all processes are told (Signal::Kind::rules).
base::Result<void> set_rule(Tx& tx, const std::string& name, const base::Json& body);
bool remove_rule(Tx& tx, const std::string& name);

// How often this person's runs have begun a call of the tool since then.
std::int64_t count_calls(Tx& tx, const std::string& tool, base::TimePoint since);
// For one who begins a call in this transaction if the count allows it: whoever else counts so waits for its end, and counts it.
std::int64_t count_calls_alone(Tx& tx, const std::string& tool, base::TimePoint since);

}  // namespace store
