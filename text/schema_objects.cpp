// Objects: the properties with names in the schema's order, then others by what their names match.
#include <algorithm>
#include <map>
#include <tuple>

#include "base/regex.h"
#include "text/schema_writer.h"

namespace text {
namespace {

using Json = base::OrderedJson;
constexpr std::size_t max_patterns = 6, max_places = 4000;

base::Regex compiled(const std::string& pattern) {
    auto regex = base::Regex::compile(pattern);
    if (!regex) throw Refused{regex.error().message};
    return *std::move(regex);
}

// What a schema, and the schemas that must hold with it, say of properties by their names.
class PropertyRules {
public:
    PropertyRules(const Json& schema, bool allow_additional) {
        add(schema);
        if (schema.contains("allOf"))
            for (const Json& part : schema["allOf"]) add(part);
        bool any = false;
        for (const Json* shape : shapes_)
            for (const char* key : {"properties", "patternProperties", "additionalProperties"}) any = any || (shape->contains(key) && !(*shape)[key].empty());
        unsaid_ = allow_additional || !any;
        for (const Json* shape : shapes_)
            if (shape->contains("properties"))
                for (const auto& [name, unused] : (*shape)["properties"].items()) add_once(names, name);
        if (schema.contains("required"))
            for (const Json& name : schema["required"]) add_once(names, name.get<std::string>());
        for (const Json* shape : shapes_)
            if (shape->contains("patternProperties"))
                for (const auto& [pattern, unused] : (*shape)["patternProperties"].items()) add_once(patterns, pattern);
        if (patterns.size() > max_patterns) throw Refused{"more than " + std::to_string(max_patterns) + " patterns of \"patternProperties\" have no grammar"};
        for (const std::string& p : patterns) found_.push_back(compiled(p));
    }

    std::vector<std::string> names, patterns;

    struct Rule {
        Json schema;
        std::string step;  // where it lies: of several the first
    };
    Rule named(const std::string& name) const {
        std::vector<std::string> matched;
        for (std::size_t i = 0; i < patterns.size(); ++i)
            if (found_[i].search(name)) matched.push_back(patterns[i]);
        return rule(&name, matched);
    }
    // Of other names, which match these of the patterns.
    Rule matching(const std::vector<std::string>& matched) const { return rule(nullptr, matched); }

private:
    void add(const Json& schema) {
        for (const char* key : {"properties", "patternProperties", "additionalProperties"})
            if (schema.contains(key)) return shapes_.push_back(&schema);
    }
    static void add_once(std::vector<std::string>& list, const std::string& one) {
        if (std::find(list.begin(), list.end(), one) == list.end()) list.push_back(one);
    }

    Rule rule(const std::string* name, const std::vector<std::string>& matched) const {
        Rule out{true, ""};
        const auto add = [&](const Json& schema, const std::string& step) {
            if (out.step.empty()) out.step = step;
            out.schema = both_schemas(out.schema, schema);
        };
        bool said = false;
        for (const Json* shape : shapes_) {
            bool known = false;
            if (name && shape->contains("properties") && (*shape)["properties"].contains(*name)) add((*shape)["properties"][*name], "/properties" + pointer_step(*name)), known = true;
            if (shape->contains("patternProperties"))
                for (const std::string& p : matched)
                    if ((*shape)["patternProperties"].contains(p)) add((*shape)["patternProperties"][p], "/patternProperties" + pointer_step(p)), known = true;
            if (!known && shape->contains("additionalProperties")) add((*shape)["additionalProperties"], "/additionalProperties"), known = true;
            said = said || known;
        }
        if (!said && !unsaid_) return {false, "/additionalProperties"};
        return out;
    }

    std::vector<const Json*> shapes_;
    std::vector<base::Regex> found_;  // beside patterns
    bool unsaid_;  // properties of which nothing is said may be there
};

}  // namespace

// The members of one object, written as an automaton whose states are: how many of the named ones are decided,
// whether one was written, and (where the schema counts) how many were.
class SchemaWriter::Members {
public:
    Members(SchemaWriter& writer, const Json& schema) : writer_(writer), least_(count(schema, "minProperties", 0)), most_(count(schema, "maxProperties", -1)) {}

    void add(std::string text, bool required) { members_.push_back({std::move(text), required}); }
    void add_others(const std::string& text) { others_ += (others_.empty() ? "" : "| ") + text; }

    Expr write() {
        const int n_required = int(std::count_if(members_.begin(), members_.end(), [](const Member& m) { return m.required; }));
        if (least_ <= n_required) least_ = 0;
        if (others_.empty() && most_ >= int(members_.size())) most_ = -1;
        if (!others_.empty()) others_ = writer_.rule(others_);
        const Expr out = rest(0, false, 0);
        // Nothing keeps two names that the schema does not know from being the same.
        if (!out && wants_others_apart_) throw Refused{"\"minProperties\" that only two or more properties without names can reach has no grammar"};
        return out;
    }

private:
    struct Member {
        std::string text;
        bool required;
    };

    // What may follow before the closing brace.
    Expr rest(std::size_t i, bool begun, int n) {
        if (least_ == 0 && most_ < 0) n = 0;
        if (i == members_.size()) return others(begun, n);
        const auto [it, fresh] = known_.try_emplace({i, begun, n});
        if (!fresh) return it->second;
        if (known_.size() > max_places) throw Refused{"the counts of an object's properties are too large for a grammar"};
        const Member& m = members_[i];
        const std::string one = (begun ? writer_.comma() : "") + m.text;
        const Expr with = most_ >= 0 && n == most_ ? std::nullopt : rest(i + 1, true, n + 1);
        const Expr without = m.required ? std::nullopt : rest(i + 1, begun, n);
        Expr out;
        if (with && without)
            out = *with == *without ? "( " + one + ")? " + *with : "( " + one + *with + (without->empty() ? ")? " : "| " + *without + ") ");
        else if (with)
            out = one + *with;
        else
            out = without;
        if (out && i > 0 && with) out = writer_.rule(*out);
        return known_[{i, begun, n}] = out;
    }

    Expr others(bool begun, int n) {
        const int need = std::max(least_ - n, 0), room = most_ < 0 ? -1 : most_ - n;
        if (need == 0 && (others_.empty() || room == 0)) return "";
        if (others_.empty() || room == 0) return std::nullopt;
        if (need > 1) {
            wants_others_apart_ = true;
            return std::nullopt;
        }
        const auto [it, fresh] = other_rules_.try_emplace({begun, need, room});
        if (!fresh) return it->second;
        const std::string more = writer_.comma() + others_;
        std::string out = begun ? repeat_ebnf(more, need, room) : others_ + repeat_ebnf(more, 0, room < 0 ? -1 : room - 1);
        if (!begun && need == 0) out = "( " + out + ")? ";
        return it->second = writer_.rule(out);
    }

    SchemaWriter& writer_;
    int least_, most_;
    std::vector<Member> members_;
    std::string others_;  // one more property; empty: none
    std::map<std::tuple<std::size_t, bool, int>, Expr> known_;
    std::map<std::tuple<bool, int, int>, Expr> other_rules_;
    bool wants_others_apart_ = false;
};

SchemaWriter::Expr SchemaWriter::object(const Json& schema) {
    const PropertyRules rules(schema, options_.allow_additional);
    const std::vector<Json> name_rules = every(schema, "propertyNames");
    const Json required = schema.contains("required") ? schema["required"] : Json::array();
    Members members(*this, schema);
    Json names = Json::array();
    for (const std::string& name : rules.names) {
        const auto rule_of_name = rules.named(name);
        const bool needed = std::find(required.begin(), required.end(), Json(name)) != required.end();
        const bool allowed = std::all_of(name_rules.begin(), name_rules.end(), [&](const Json& r) { return !plain_.holding(Json::array({name}), r).empty(); });
        names.push_back(name);
        if (const Expr e = allowed ? inner(rule_of_name.schema, rule_of_name.step) : std::nullopt)
            members.add(rule(literal(name) + colon() + *e), needed);
        else if (needed)
            return std::nullopt;
    }
    if (schema.contains("maxProperties") && schema["maxProperties"] == 0) {
        const Expr none = members.write();
        return none ? Expr("\"{\" " + space() + *none + "\"}\" ") : std::nullopt;
    }
    const Texts known = texts_among(names);
    std::vector<std::optional<Texts>> found(rules.patterns.size());
    const auto names_with = [&](std::size_t i) -> const Texts& { return found[i] ? *found[i] : found[i].emplace(texts_with(rules.patterns[i])); };
    for (std::size_t some = 0; some < std::size_t(1) << rules.patterns.size(); ++some) {
        std::vector<std::string> matched;
        for (std::size_t i = 0; i < rules.patterns.size(); ++i)
            if (some >> i & 1) matched.push_back(rules.patterns[i]);
        const auto rule_of_others = rules.matching(matched);
        if (rule_of_others.schema == false) continue;
        std::string key = builtin("string");
        if (!names.empty() || !rules.patterns.empty() || !name_rules.empty()) {
            Texts keys = names_under(name_rules) - known;
            for (std::size_t i = 0; i < rules.patterns.size(); ++i)
                keys = some >> i & 1 ? keys & names_with(i) : keys - names_with(i);
            if (keys.empty()) {
                spend(keys);
                continue;
            }
            key = R"("\"" )" + texts_ebnf(keys, Spelling::key) + R"("\"" )";
        }
        if (const Expr e = inner(rule_of_others.schema, rule_of_others.step)) members.add_others(key + colon() + *e);
    }
    const Expr all = members.write();
    return all ? Expr("\"{\" " + space() + *all + (all->empty() ? "" : space()) + "\"}\" ") : std::nullopt;
}

}  // namespace text
