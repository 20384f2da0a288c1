// hearth rule: what the house allows, asks about and denies beside the shipped rules. Works without a running server; one
// that runs looks once a second.
#include <algorithm>
#include <cstdio>

#include "app/commands.h"
#include "app/database.h"
#include "app/terminal.h"
#include "policy/decide.h"
#include "policy/reply.h"
#include "store/house_rules.h"
#include "store/people.h"
#include "tools/registry.h"

namespace app {
namespace {

using base::Code;
using base::Json;

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
    return out;
}

std::vector<std::string> tool_names() {
    std::vector<std::string> out;
    for (const auto& tool : tools::builtin_tools()) out.push_back(tool.name);
    out.push_back(policy::kReply);
    return out;
}

// A rule about a tool that is written wrongly would hold for nothing.
base::Result<void> check_tools(const std::vector<std::string>& named) {
    const auto all = tool_names();
    for (const auto& tool : named)
        if (std::find(all.begin(), all.end(), tool) == all.end()) return base::error(Code::invalid_argument, "there is no tool '" + tool + "'", "the tools are " + joined(all));
    return {};
}

base::Result<Json> ids_of(store::Tx& tx, const std::vector<std::string>& people) {
    const auto all = store::list_people(tx);
    Json out = Json::array();
    for (const auto& wanted : people) {
        const auto is_meant = [&](const store::Person& row) { return row.name == wanted || row.id.text() == wanted; };
        const auto found = std::count_if(all.begin(), all.end(), is_meant);
        std::vector<std::string> names;
        for (const auto& row : all) names.push_back(row.name);
        if (found == 0) return base::error(Code::not_found, "there is no person '" + wanted + "'", "there are " + joined(names));
        if (found > 1) return base::error(Code::invalid_argument, std::to_string(found) + " people have the name '" + wanted + "'", "give the id");
        out.push_back(std::find_if(all.begin(), all.end(), is_meant)->id.text());
    }
    return out;
}

Json body_of(const RuleOptions& options, const Json& people) {
    Json out = {{"verdict", options.verdict}};
    if (!options.reason.empty()) out["reason"] = options.reason;
    if (!people.empty()) out["people"] = people;
    for (const auto& [field, words] : {std::pair<const char*, const std::vector<std::string>&>{"roles", options.roles}, {"scopes", options.scopes}, {"tools", options.tools},
                                       {"permissions", options.permissions}, {"labels", options.labels}, {"weekdays", options.weekdays}})
        if (!words.empty()) out[field] = words;
    if (!options.hours.empty()) out["hours"] = options.hours;
    if (options.after_calls > 0) out["after_calls"] = options.after_calls;
    return out;
}

// "tools bash; hours 22:00-07:00", people by name.
std::string conditions(Json body, const std::vector<store::Person>& people) {
    std::string out;
    for (const auto& [field, value] : body.items()) {
        if (field == "verdict" || field == "reason") continue;
        std::vector<std::string> words;
        for (const Json& one : value.is_array() ? value : Json::array({value})) {
            std::string word = one.is_string() ? one.get<std::string>() : base::dump(one);
            for (const auto& person : people)
                if (person.id.text() == word) word = person.name;
            words.push_back(word);
        }
        out += (out.empty() ? "" : "; ") + field + " " + joined(words);
    }
    return out.empty() ? "always" : out;
}

template <class T>
std::vector<std::string> names_of(const std::vector<T>& values) {
    std::vector<std::string> out;
    for (const T value : values) out.emplace_back(policy::name(value));
    return out;
}

void print_line(const std::string& name, const std::string& verdict, const std::string& when, const std::string& why) {
    std::printf("%-5s  %-32s %s%s\n", verdict.c_str(), visible(name).c_str(), visible(when).c_str(), why.empty() ? "" : (": " + visible(why)).c_str());
}

Json shipped_json(const policy::Rule& rule) {
    Json out = {{"name", rule.name}, {"shipped", true}, {"verdict", policy::name(rule.verdict)}};
    for (const auto& [field, words] : {std::pair{"roles", names_of(rule.roles)}, {"scopes", names_of(rule.scopes)}, {"permissions", names_of(rule.permissions)}, {"labels", names_of(rule.labels)}})
        if (!words.empty()) out[field] = words;
    if (*rule.message) out["reason"] = rule.message;
    return out;
}

}  // namespace

int rule_set(const LoadedSettings& loaded, const std::string& name, const RuleOptions& options) {
    const auto work = [&](store::Tx& tx) -> base::Result<policy::HouseRule> {
        if (auto known = check_tools(options.tools); !known) return std::move(known).error();
        const auto people = ids_of(tx, options.people);
        if (!people) return people.error();
        auto rule = policy::house_rule_from_json(tx.identity().tenant, name, body_of(options, *people));
        if (!rule) return rule;
        if (auto written = store::set_rule(tx, name, policy::to_json(*rule)); !written) return std::move(written).error();
        return rule;
    };
    const auto rule = as_owner(loaded.settings, work);
    if (!rule) return complain(rule.error());
    if (options.json) {
        Json out = policy::to_json(*rule);
        out["name"] = name;
        print_json(out);
    } else {
        std::printf("set %s; a server that runs follows it within two seconds\n", name.c_str());
    }
    return 0;
}

int rule_list(const LoadedSettings& loaded, bool json) {
    struct Found {
        std::vector<store::RuleRow> rules;
        std::vector<store::Person> people;
    };
    const auto found = as_owner(loaded.settings, [](store::Tx& tx) -> base::Result<Found> { return Found{store::list_rules(tx), store::list_people(tx)}; });
    if (!found) return complain(found.error());
    Json out = Json::array();
    for (const auto& row : found->rules) {
        if (!json) print_line(row.name, row.body.value("verdict", "?"), conditions(row.body, found->people), row.body.value("reason", ""));
        Json one = row.body;
        one.update({{"name", row.name}, {"shipped", false}, {"changed", base::rfc3339(row.changed)}});
        out.push_back(std::move(one));
    }
    if (!json) std::puts("shipped, the first that matches:");
    for (const auto& rule : policy::default_rules()) {
        Json one = shipped_json(rule);
        Json columns = one;
        for (const char* field : {"name", "shipped"}) columns.erase(field);
        if (!json) print_line(rule.name, std::string(policy::name(rule.verdict)), conditions(std::move(columns), {}), rule.message);
        out.push_back(std::move(one));
    }
    if (json) print_json(out);
    return 0;
}

int rule_remove(const LoadedSettings& loaded, const std::string& name, bool json) {
    const auto work = [&](store::Tx& tx) -> base::Result<bool> { return store::remove_rule(tx, name); };
    const auto removed = as_owner(loaded.settings, work);
    if (!removed) return complain(removed.error());
    if (!*removed) return complain(base::error(Code::not_found, "there is no rule '" + name + "' of this house", "hearth rule list shows them"));
    if (json) print_json({{"name", name}, {"removed", true}});
    else std::printf("removed %s\n", name.c_str());
    return 0;
}

}  // namespace app
