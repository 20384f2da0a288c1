#include "policy/house_rules.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/utf8.h"

namespace policy {
namespace {

using base::Code;
using base::Json;

constexpr int kDay = 24 * 60;
constexpr std::array<const char*, 7> kWeekdays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr std::size_t kLongestReason = 300;

template <class T>
bool fits(const std::vector<T>& column, const T& value) {
    return column.empty() || std::find(column.begin(), column.end(), value) != column.end();
}

// Hours past midnight belong to the day on which they began.
bool is_time(const HouseRule& rule, Moment now) {
    const auto on = [&](int day) { return fits(rule.weekdays, day); };
    if (rule.from == rule.to) return on(now.weekday);
    if (rule.from < rule.to) return on(now.weekday) && now.minute >= rule.from && now.minute < rule.to;
    return (now.minute >= rule.from && on(now.weekday)) || (now.minute < rule.to && on((now.weekday + 6) % 7));
}

bool concerns(const HouseRule& rule, const Principal& who, const std::string& tool) {
    return rule.tenant == who.tenant && fits(rule.people, who.person) && fits(rule.roles, who.role) && fits(rule.tools, tool);
}

base::Error wrong(const std::string& field, const std::string& must) { return base::error(Code::invalid_argument, field + " " + must); }

// A list of names of one of the enumerations, or of whatever `parse` knows.
template <class T, class Parse>
base::Result<void> read_list(const Json& body, const char* field, std::vector<T>& to, Parse parse) {
    const auto it = body.find(field);
    if (it == body.end()) return {};
    if (!it->is_array() || it->empty()) return wrong(field, "must be a list with at least one name");
    for (const Json& one : *it) {
        const std::optional<T> value = one.is_string() ? parse(one.get<std::string>()) : std::nullopt;
        if (!value) return wrong(field, "holds " + base::dump(one) + ", which is not known");
        to.push_back(*value);
    }
    return {};
}

template <class T>
auto named_among(std::initializer_list<T> all) {
    return [all = std::vector<T>(all)](const std::string& text) -> std::optional<T> {
        for (const T one : all)
            if (text == name(one)) return one;
        return std::nullopt;
    };
}

std::optional<int> weekday_of(const std::string& text) {
    const auto it = std::find(kWeekdays.begin(), kWeekdays.end(), text);
    return it == kWeekdays.end() ? std::nullopt : std::optional(int(it - kWeekdays.begin()));
}

std::string clock_text(int minute) {
    const auto two = [](int n) { return (n < 10 ? "0" : "") + std::to_string(n); };
    return two(minute / 60) + ":" + two(minute % 60);
}

base::Result<void> read_hours(const Json& body, HouseRule& rule) {
    const auto it = body.find("hours");
    if (it == body.end()) return {};
    const auto hours = parse_hours(it->is_string() ? it->get<std::string>() : std::string());
    if (!hours) return hours.error();
    std::tie(rule.from, rule.to) = *hours;
    return {};
}

base::Result<void> read_columns(const Json& body, HouseRule& rule) {
    const auto text = [](const std::string& one) { return one.empty() ? std::nullopt : std::optional(one); };
    using P = Permission;
    for (auto read : {read_list(body, "people", rule.people, [](const std::string& id) { return base::PersonId::parse(id); }),
                      read_list(body, "roles", rule.roles, parse_role),
                      read_list(body, "scopes", rule.scopes, parse_scope),
                      read_list(body, "tools", rule.tools, text),
                      read_list(body, "permissions", rule.permissions, named_among({P::workspace_read, P::workspace_write, P::execute, P::memory_read, P::memory_write, P::network, P::people, P::money, P::threads, P::secret, P::admin})),
                      read_list(body, "labels", rule.labels, named_among({Integrity::trusted, Integrity::untrusted})),
                      read_list(body, "weekdays", rule.weekdays, weekday_of), read_hours(body, rule)})
        if (!read) return read;
    return {};
}

base::Result<void> check_fields(const Json& body) {
    static const std::vector<std::string> known = {"verdict", "reason", "people", "roles", "scopes", "tools", "permissions", "labels", "weekdays", "hours", "after_calls"};
    for (const auto& [field, value] : body.items())
        if (!fits(known, field)) return wrong(field, "is no part of a rule");
    return {};
}

template <class T>
Json names_of(const std::vector<T>& values) {
    Json out = Json::array();
    for (const T value : values) out.push_back(name(value));
    return out;
}

}  // namespace

std::optional<int> minute_of(const std::string& clock) {
    if (clock.size() != 5 || clock[2] != ':') return std::nullopt;
    for (const int at : {0, 1, 3, 4})
        if (!std::isdigit(static_cast<unsigned char>(clock[std::size_t(at)]))) return std::nullopt;
    const int hour = std::stoi(clock.substr(0, 2)), minute = std::stoi(clock.substr(3));
    if (minute > 59 || hour * 60 + minute > kDay) return std::nullopt;
    return hour * 60 + minute;
}

base::Result<std::pair<int, int>> parse_hours(const std::string& text) {
    const auto dash = text.find('-');
    const auto from = minute_of(text.substr(0, dash)), to = dash == text.npos ? std::nullopt : minute_of(text.substr(dash + 1));
    if (!from || !to || *from % kDay == *to % kDay) return wrong("hours", "must be as 22:00-07:00, from one time of the day to another");
    return std::pair{*from % kDay, *to == 0 ? kDay : *to};
}

bool counts_calls(const std::vector<HouseRule>& rules, const Principal& who, const std::string& tool) {
    return std::any_of(rules.begin(), rules.end(), [&](const HouseRule& rule) { return rule.after_calls > 0 && concerns(rule, who, tool); });
}

const HouseRule* find_house_rule(const House& house, const Principal& who, Scope scope, const std::string& tool, std::optional<Permission> permission, Integrity label) {
    if (!house.rules) return nullptr;
    const HouseRule* found = nullptr;
    for (const HouseRule& rule : *house.rules) {
        const bool touches = rule.permissions.empty() || (permission && fits(rule.permissions, *permission));
        if (!touches || !concerns(rule, who, tool) || !fits(rule.scopes, scope) || !fits(rule.labels, label) || !is_time(rule, house.now) || house.calls_today < rule.after_calls) continue;
        if (!found || strictness(rule.verdict) > strictness(found->verdict)) found = &rule;
    }
    return found;
}

bool is_rule_name(const std::string& name) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    return !name.empty() && name.size() <= 64 && letter(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_'; });
}

base::Result<HouseRule> house_rule_from_json(base::TenantId tenant, const std::string& name, const Json& body) {
    if (!is_rule_name(name)) return base::error(Code::invalid_argument, "'" + std::string(base::beginning(name, 80)) + "' is no name of a rule", "a letter, then letters, digits and '_', at most 64");
    if (!body.is_object()) return wrong("the rule", "must be an object");
    if (auto known = check_fields(body); !known) return std::move(known).error();
    HouseRule rule;
    rule.tenant = tenant;
    rule.name = name;
    const auto verdict = base::string_field(body, "verdict");
    if (!verdict) return verdict.error();
    const auto parsed = named_among({Verdict::allow, Verdict::ask, Verdict::deny})(*verdict);
    if (!parsed) return wrong("verdict", "must be allow, ask or deny, found '" + *verdict + "'");
    rule.verdict = *parsed;
    const auto reason = base::optional_string(body, "reason");
    if (!reason) return reason.error();
    rule.reason = reason->value_or("");
    if (rule.reason.size() > kLongestReason) return wrong("reason", "has " + std::to_string(rule.reason.size()) + " bytes, at most " + std::to_string(kLongestReason) + " are taken");
    if (auto read = read_columns(body, rule); !read) return std::move(read).error();
    const auto calls = base::optional_integer(body, "after_calls");
    if (!calls) return calls.error();
    rule.after_calls = calls->value_or(0);
    if (*calls && rule.after_calls < 1) return wrong("after_calls", "must be at least 1");
    // Else a text from outside would leave an agent with more than the person's own words do.
    if (!rule.labels.empty() && (rule.verdict == Verdict::allow || fits(rule.labels, Integrity::trusted))) return wrong("labels", "may hold untrusted alone, of a rule that asks or denies");
    if (rule.verdict == Verdict::allow && rule.tools.empty() && rule.permissions.empty()) return wrong("the rule", "must name the tools or permissions that it allows");
    return rule;
}

Json to_json(const HouseRule& rule) {
    Json out = {{"verdict", name(rule.verdict)}};
    if (!rule.reason.empty()) out["reason"] = rule.reason;
    for (const auto person : rule.people) out["people"].push_back(person.text());
    if (!rule.roles.empty()) out["roles"] = names_of(rule.roles);
    if (!rule.scopes.empty()) out["scopes"] = names_of(rule.scopes);
    if (!rule.tools.empty()) out["tools"] = rule.tools;
    if (!rule.permissions.empty()) out["permissions"] = names_of(rule.permissions);
    if (!rule.labels.empty()) out["labels"] = names_of(rule.labels);
    for (const int day : rule.weekdays) out["weekdays"].push_back(kWeekdays.at(std::size_t(day)));
    if (rule.from != rule.to) out["hours"] = clock_text(rule.from) + "-" + clock_text(rule.to);
    if (rule.after_calls > 0) out["after_calls"] = rule.after_calls;
    return out;
}

}  // namespace policy
