// Rules that the owner of a house sets beside the shipped ones: data, read again while the server runs. They may make
// anything stricter. They loosen only what a shipped rule asks about, of trusted text, and never the administration.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "policy/types.h"

namespace policy {

// A moment as the house's clock shows it.
struct Moment {
    int weekday = 0;  // Monday is 0
    int minute = 0;   // of the day
};

// Unset columns match everything. Of several that match the strictest counts, in whichever order they were set.
struct HouseRule {
    base::TenantId tenant;
    std::string name;
    Verdict verdict = Verdict::deny;
    std::string reason;  // for person and model; empty: the rule is named
    std::vector<base::PersonId> people;
    std::vector<Role> roles;
    std::vector<Scope> scopes;
    std::vector<std::string> tools;
    std::vector<Permission> permissions;
    std::vector<Integrity> labels;
    std::vector<int> weekdays;       // on which its hours begin
    int from = 0, to = 0;            // minutes of the day; equal: the whole day, from > to: past midnight
    std::int64_t after_calls = 0;    // it holds once the person has called the tool so often that day
};

// As they are at a moment; whoever decides by them keeps them as long as he does. Null: none.
using HouseRules = std::shared_ptr<const std::vector<HouseRule>>;

// What a decision needs to know beside the shipped rules.
struct House {
    HouseRules rules;
    Moment now;
    std::int64_t calls_today = 0;    // of this tool by this person; only read when counts_calls() says so
};

// Whether any rule that could match asks how often the tool was called.
bool counts_calls(const std::vector<HouseRule>& rules, const Principal& who, const std::string& tool);

// The strictest rule that matches, of those of the permission; null: none does. No permission: an action without any.
const HouseRule* find_house_rule(const House& house, const Principal& who, Scope scope, const std::string& tool, std::optional<Permission> permission, Integrity label);

// {"verdict": "ask", "tools": ["bash"], "people": [id], "hours": "22:00-07:00", "weekdays": ["sat"], …}; unset columns are left
// out. Error{invalid_argument} names the field. A rule that allows must name tools or permissions.
base::Result<HouseRule> house_rule_from_json(base::TenantId tenant, const std::string& name, const base::Json& body);
base::Json to_json(const HouseRule& rule);
// "22:00-07:00" as minutes of the day, the second up to 1440. Error{invalid_argument} for what is no such time.
base::Result<std::pair<int, int>> parse_hours(const std::string& text);
// "07:30", also "24:00"; nothing: it is no time of the day.
std::optional<int> minute_of(const std::string& clock);
// A letter, then letters, digits and "_"; at most 64.
bool is_rule_name(const std::string& name);

}  // namespace policy
