#include <algorithm>
#include <string_view>
#include <utility>

#include "text/grammar_rules.h"
#include "text/schema_writer.h"

namespace text {
namespace {

using Json = base::OrderedJson;
constexpr int max_depth = 100;                  // of schemas within schemas, references followed
constexpr int inline_depth = 12;                // deeper ones become rules of their own
constexpr std::size_t max_rules_bytes = 4u << 20;

void check_keywords(const Json& schema) {
    for (const char* key : {"$dynamicRef", "$recursiveRef"})
        if (schema.contains(key)) throw Refused{"the keyword \"" + std::string(key) + "\" has no grammar"};
}

bool is_finite(const RuleNode& node, const std::vector<bool>& rules) {
    using Kind = RuleNode::Kind;
    const auto finite = [&](const RuleNode& part) { return is_finite(part, rules); };
    if (node.kind == Kind::rule) return rules[std::size_t(node.rule)];
    if (node.kind == Kind::either) return std::any_of(node.parts.begin(), node.parts.end(), finite);
    return (node.kind == Kind::repeat && node.least == 0) || std::all_of(node.parts.begin(), node.parts.end(), finite);
}

// Those that have a sentence.
std::vector<bool> finite_rules(const Rules& rules) {
    std::vector<bool> out(rules.nodes.size(), false);
    const auto visit = [&](std::size_t r) { return !out[r] && is_finite(rules.nodes[r], out) && (out[r] = true); };
    for (bool more = true; more;) {  // to and fro, since rules stand before or behind those that they call
        more = false;
        for (std::size_t r = out.size(); r-- > 0;) more |= visit(r);
        for (std::size_t r = 0; r < out.size(); ++r) more |= visit(r);
    }
    return out;
}

bool applies_others(const Json& schema) {
    for (const char* key : {"$ref", "allOf", "anyOf", "oneOf", "not", "if", "dependentRequired", "dependentSchemas", "dependencies", "unevaluatedProperties", "unevaluatedItems"})
        if (schema.contains(key)) return true;
    return schema.contains("items") && schema["items"].is_array();
}

}  // namespace

SchemaWriter::SchemaWriter(const Json& schema, std::string root, SchemaOptions options)
    : schema_(schema), root_(std::move(root)), options_(options), plain_(schema) {}

std::string SchemaWriter::write() {
    const Expr body = any(schema_);
    if (!body) throw Refused{"no value satisfies the schema", impossible_};
    std::string out = root_ + " ::= " + *body + "\n" + rules_;
    if (options_.any_whitespace) out += root_ + "-space ::= [ \\t\\n\\r]{0,40}\n";
    if (const auto place = circular_ ? place_without_end(out) : std::nullopt) throw Refused{"no finite document satisfies it", place};
    return out;
}

// Where the first schema lies that has endless documents only, if all those of the whole are endless.
std::optional<std::string> SchemaWriter::place_without_end(const std::string& ebnf) const {
    const auto rules = parse_ebnf(root_ == "root" ? ebnf : "root ::= " + root_ + "\n" + ebnf).value();
    const std::vector<bool> finite = finite_rules(rules);
    if (finite[std::size_t(rules.root)]) return std::nullopt;
    for (const auto& [name, place] : places_)
        for (std::size_t r = 0; r < rules.names.size(); ++r)
            if (!finite[r] && rules.names[r] + " " == name) return place;
    return "";
}

std::string SchemaWriter::rule(const std::string& body) {
    const std::string name = fresh_name();
    add_rule(name, body);
    return name;
}

std::string SchemaWriter::fresh_name() { return root_ + "-" + std::to_string(n_rules_++) + " "; }

void SchemaWriter::add_rule(const std::string& name, const std::string& body) {
    rules_ += name + "::= " + body + "\n";
    if (rules_.size() > max_rules_bytes) throw Refused{"the schema is too large for a grammar"};
}

SchemaWriter::Expr SchemaWriter::any(const Json& schema, const std::string& step) {
    if (schema.is_boolean()) return schema.get<bool>() ? Expr(builtin("value")) : std::nullopt;
    const std::size_t length = place_.size();
    place_ += step;
    try {
        if (!schema.is_object()) throw Refused{"expected an object or a boolean as schema, found " + schema.dump().substr(0, 60)};
        if (depth_ == max_depth) throw Refused{"schemas nested deeper than " + std::to_string(max_depth) + " have no grammar"};
        ++depth_;
        Expr out = object_schema(constraints(schema));
        if (out && depth_ % inline_depth == 0) out = rule(*out);
        --depth_;
        if (!out && !impossible_.starts_with(place_)) impossible_ = place_;
        place_.resize(length);
        return out;
    } catch (Refused& r) {
        if (!r.place) r.place = place_;
        throw;
    }
}

SchemaWriter::Expr SchemaWriter::inner(const Json& schema, const std::string& step) {
    std::set<std::string> outer = std::exchange(open_, {});
    Expr out = any(schema, step);
    open_ = std::move(outer);
    return out;
}

SchemaWriter::Expr SchemaWriter::object_schema(const Json& schema) {
    if (schema.contains("$ref") && (schema.size() == 1 || plain_.draft7())) return reference(schema["$ref"].get<std::string>());
    if (schema.contains("const") || schema.contains("enum")) return values(schema);
    // A choice alone keeps its references; joined with others it does not.
    if (schema.size() == 1 && schema.contains("anyOf")) return choices(schema["anyOf"], "/anyOf/");
    if (schema.size() == 1 && schema.contains("oneOf") && plain_.disjoint_parts(schema["oneOf"])) return choices(schema["oneOf"], "/oneOf/");
    if (applies_others(schema)) return shared(schema.dump(), place_, schema, true);
    check_keywords(schema);
    return typed(schema);
}

SchemaWriter::Expr SchemaWriter::reference(const std::string& target) {
    const Json& schema = plain_.resolve(target);
    return shared(target, target.substr(1), schema, false);
}

// One rule for all places that have the same schema, so that schemas may hold themselves.
SchemaWriter::Expr SchemaWriter::shared(const std::string& key, std::string place, const Json& schema, bool taken_apart) {
    const auto [it, fresh] = shared_.try_emplace(key, "");
    if (open_.contains(key)) throw Refused{"the schema refers to itself without end"};
    circular_ = circular_ || unfinished_.contains(key);
    if (!fresh) return it->second.empty() ? std::nullopt : Expr(it->second);
    const std::string name = it->second = fresh_name();
    places_.emplace_back(name, place);
    const std::string outer = std::exchange(place_, std::move(place));
    open_.insert(key);
    unfinished_.insert(key);
    const Expr body = taken_apart ? apart(schema) : any(schema);
    open_.erase(key);
    unfinished_.erase(key);
    place_ = outer;
    // Where no value is possible the rule has no end, and what needs it is impossible as well.
    add_rule(name, body.value_or("\"0\" " + name));
    if (!body) it->second.clear();
    return body ? Expr(name) : std::nullopt;
}

SchemaWriter::Expr SchemaWriter::apart(const Json& schema) {
    std::string out;
    for (const Json& one : plain_.of(schema))
        if (const Expr e = one.contains("enum") ? values(one) : typed(one)) out += (out.empty() ? "" : "| ") + *e;
    if (out.empty()) return std::nullopt;
    return "( " + out + ") ";
}

SchemaWriter::Expr SchemaWriter::choices(const Json& parts, const std::string& step) {
    std::string out;
    for (std::size_t i = 0; i < parts.size(); ++i)
        if (const Expr one = any(parts[i], step + std::to_string(i))) out += (out.empty() ? "" : "| ") + *one;
    if (out.empty()) return std::nullopt;
    return "( " + out + ") ";
}

// The values are known: a validator says which of them the other keywords leave.
SchemaWriter::Expr SchemaWriter::values(const Json& schema) {
    check_keywords(schema);
    std::string out;
    for (const Json& v : plain_.holding(schema.contains("const") ? Json::array({schema["const"]}) : schema["enum"], schema))
        out += (out.empty() ? "" : "| ") + value(v);
    if (out.empty()) return std::nullopt;
    return "( " + out + ") ";
}

std::string SchemaWriter::literal(const Json& v) const {
    std::string text = v.dump();
    if (!options_.plain_less_than)
        for (std::size_t at = 0; (at = text.find('<', at)) != text.npos; at += 6) text.replace(at, 1, "\\u003c");
    return ebnf_literal(text) + " ";
}

std::string SchemaWriter::value(const Json& v) {
    if (!v.is_structured()) return literal(v);
    std::string out;
    for (const auto& [key, part] : v.items()) {
        if (!out.empty()) out += comma();
        if (v.is_object()) out += literal(key) + colon();
        out += value(part);
    }
    return (v.is_object() ? "\"{\" " : "\"[\" ") + space() + out + space() + (v.is_object() ? "\"}\" " : "\"]\" ");
}

SchemaWriter::Expr SchemaWriter::typed(const Json& schema) {
    const std::vector<std::string> types = written_types(schema);
    if (types.empty() && !schema.contains("type")) return builtin("value");
    std::string out;
    int n = 0;
    for (const std::string& type : types)
        if (const Expr one = of_type(type, schema)) out += (n++ ? "| " : "") + *one;
    if (n == 0) return std::nullopt;
    return n == 1 ? out : "( " + out + ") ";
}

SchemaWriter::Expr SchemaWriter::of_type(const std::string& type, const Json& schema) {
    if (type == "object") return object(schema);
    if (type == "array") return array(schema);
    if (type == "string") return text(schema);
    if (type == "number" || type == "integer") return number(schema, type == "integer");
    if (type == "boolean") return "( \"true\" | \"false\" ) ";
    if (type == "null") return "\"null\" ";
    throw Refused{"the type \"" + type + "\" is not one of JSON Schema"};
}

base::Result<std::string> Grammar::schema_to_ebnf(const Json& schema, std::string_view root, SchemaOptions options) {
    try {
        if (const auto unknown = base::unknown_words(schema); !unknown.empty())
            return base::error(base::Code::invalid_argument, "JSON schema as grammar: " + unknown.front().text());
        if (const auto well_formed = base::Schema::parse(base::Json(schema)); !well_formed)
            return base::error(base::Code::invalid_argument, "JSON schema as grammar: " + well_formed.error().message);
        const Json local = with_pointers(base::in_current_words(schema));
        return SchemaWriter(local, std::string(root), options).write();
    } catch (const Refused& r) {
        return base::error(base::Code::unsupported, "JSON schema as grammar: at \"" + r.place.value_or("") + "\": " + r.what);
    } catch (const Json::exception& e) {  // a keyword's value of another type than it wants
        return base::error(base::Code::invalid_argument, std::string("JSON schema as grammar: ") + e.what());
    }
}

}  // namespace text
