#include <algorithm>
#include <cctype>
#include <string_view>

#include "base/json_schema.h"
#include "text/grammar_rules.h"
#include "text/schema_writer.h"

namespace text {
namespace {

using Json = base::OrderedJson;
constexpr int max_depth = 64;

// Keywords that say something which no rule here can keep.
constexpr std::string_view refused[] = {
    "not", "if", "propertyNames", "dependentRequired", "dependentSchemas", "dependencies", "contains",
    "multipleOf", "$dynamicRef", "$recursiveRef", "unevaluatedItems"};

// Keywords that mean a type when no "type" is given.
constexpr std::pair<std::string_view, std::string_view> meant[] = {
    {"properties", "object"}, {"required", "object"}, {"additionalProperties", "object"}, {"minProperties", "object"},
    {"maxProperties", "object"}, {"patternProperties", "object"}, {"items", "array"}, {"prefixItems", "array"},
    {"minItems", "array"}, {"maxItems", "array"}, {"uniqueItems", "array"}, {"minLength", "string"}, {"maxLength", "string"},
    {"pattern", "string"}, {"minimum", "number"}, {"maximum", "number"}, {"exclusiveMinimum", "number"}, {"exclusiveMaximum", "number"}};

// Keywords that constrain: the others beside a "$ref" are notes.
bool constrains(const std::string& key) {
    for (auto [keyword, type] : meant)
        if (keyword == key) return true;
    if (std::find(std::begin(refused), std::end(refused), key) != std::end(refused)) return true;
    return key == "type" || key == "enum" || key == "const" || key == "anyOf" || key == "oneOf" || key == "allOf" || key == "$ref";
}

bool any_constraint(const Json& schema) {
    for (const auto& [key, unused] : schema.items())
        if (constrains(key)) return true;
    return false;
}

void check_keywords(const Json& schema) {
    for (std::string_view key : refused)
        if (schema.contains(key)) throw Refused{"the keyword \"" + std::string(key) + "\" has no grammar"};
    if (schema.contains("patternProperties") && !schema["patternProperties"].empty())
        throw Refused{"the keyword \"patternProperties\" has no grammar"};
    if (schema.contains("uniqueItems") && schema["uniqueItems"] == true && schema.value("maxItems", Json(2)) > 1)
        throw Refused{"the keyword \"uniqueItems\" has no grammar"};
}

std::string hex_decoded(std::string_view s) {  // %XX of a URI fragment, then ~1 and ~0 of a JSON pointer
    std::string out;
    for (std::size_t i = 0; i < s.size(); ++i) {
        if (s[i] == '%' && i + 2 < s.size() && std::isxdigit((unsigned char)s[i + 1]) && std::isxdigit((unsigned char)s[i + 2])) {
            out += char(std::stoi(std::string(s.substr(i + 1, 2)), nullptr, 16));
            i += 2;
        } else if (s[i] == '~' && i + 1 < s.size()) {
            out += s[++i] == '1' ? '/' : '~';
        } else {
            out += s[i];
        }
    }
    return out;
}

}  // namespace

SchemaWriter::SchemaWriter(const Json& schema, std::string root, SchemaOptions options)
    : schema_(schema), root_(std::move(root)), options_(options) {}

std::string SchemaWriter::write() {
    const Expr body = any(schema_);
    if (!body) throw Refused{"no value satisfies the schema"};
    std::string out = root_ + " ::= " + *body + "\n" + rules_;
    if (options_.any_whitespace) out += root_ + "-space ::= [ \\t\\n\\r]{0,40}\n";
    return out;
}

std::string SchemaWriter::rule(const std::string& body) {
    const std::string name = root_ + "-" + std::to_string(n_rules_++);
    rules_ += name + " ::= " + body + "\n";
    return name + " ";
}

SchemaWriter::Expr SchemaWriter::any(const Json& schema) {
    if (schema.is_boolean()) return schema.get<bool>() ? Expr(builtin("value")) : std::nullopt;
    if (!schema.is_object()) throw Refused{"expected an object or a boolean as schema, found " + schema.dump().substr(0, 60)};
    if (++depth_ > max_depth) throw Refused{"schemas nested deeper than " + std::to_string(max_depth)};
    Expr out = object_schema(schema);
    --depth_;
    return out;
}

SchemaWriter::Expr SchemaWriter::object_schema(const Json& schema) {
    if (schema.contains("$ref")) {
        if (!schema["$ref"].is_string()) throw Refused{"expected a string as \"$ref\""};
        Json rest = schema;
        rest.erase("$ref");
        if (!any_constraint(rest)) return reference(schema["$ref"].get<std::string>());
        return any(all_of(schema));
    }
    if (schema.contains("allOf")) return any(all_of(schema));
    check_keywords(schema);
    if (schema.contains("anyOf")) return choices(schema, "anyOf");
    if (schema.contains("oneOf")) return choices(schema, "oneOf");
    if (schema.contains("const") || schema.contains("enum")) return values(schema);
    return typed(schema);
}

SchemaWriter::Expr SchemaWriter::reference(const std::string& target) {
    const auto [it, fresh] = references_.try_emplace(target, "");
    if (!fresh) return it->second;
    const std::string name = root_ + "-" + std::to_string(n_rules_++);
    it->second = name + " ";
    const int outer = std::exchange(depth_, 0);
    const Expr body = any(resolve(target));
    depth_ = outer;
    if (!body) throw Refused{"no value satisfies \"" + target + "\""};
    rules_ += name + " ::= " + *body + "\n";
    return name + " ";
}

const Json& SchemaWriter::resolve(const std::string& target) const {
    if (target == "#") return schema_;
    const Json* at = &schema_;
    if (target.rfind("#/", 0) != 0) throw Refused{"the reference \"" + target + "\": only those inside the schema (\"#/…\") have a grammar"};
    for (std::size_t from = 2; from <= target.size();) {
        const std::size_t slash = std::min(target.find('/', from), target.size());
        const std::string step = hex_decoded(std::string_view(target).substr(from, slash - from));
        if (at->is_object() && at->contains(step))
            at = &(*at)[step];
        else if (at->is_array() && !step.empty() && step.size() < 6 && step.find_first_not_of("0123456789") == step.npos &&
                 std::size_t(std::stoi(step)) < at->size())
            at = &(*at)[std::size_t(std::stoi(step))];
        else
            throw Refused{"the reference \"" + target + "\" leads nowhere"};
        from = slash + 1;
    }
    return *at;
}

// The schema with what "allOf" and "$ref" hold merged into it, one level.
Json SchemaWriter::all_of(const Json& schema) {
    if (++depth_ > max_depth) throw Refused{"references nested deeper than " + std::to_string(max_depth)};
    Json out = schema;
    std::vector<Json> parts;
    if (out.contains("$ref")) {
        parts.push_back(resolve(out["$ref"].get<std::string>()));
        out.erase("$ref");
    }
    if (out.contains("allOf")) {
        for (const Json& part : out["allOf"]) parts.push_back(part);
        out.erase("allOf");
    }
    for (const Json& part : parts)
        out = merge_schemas(out, part.is_object() && (part.contains("$ref") || part.contains("allOf")) ? all_of(part) : part);
    --depth_;
    return out;
}

// "oneOf" as "anyOf": which of them holds is left to whoever reads the value.
SchemaWriter::Expr SchemaWriter::choices(const Json& schema, const std::string& key) {
    Json rest = schema;
    rest.erase(key);
    const bool alone = !any_constraint(rest);
    std::string out;
    for (const Json& choice : schema[key]) {
        const bool nested = choice.is_object() && (choice.contains("$ref") || choice.contains("allOf"));
        const Expr one = any(alone ? choice : merge_schemas(rest, nested ? all_of(choice) : choice));
        if (one) out += (out.empty() ? "" : "| ") + *one;
    }
    if (out.empty()) return std::nullopt;
    return "( " + out + ") ";
}

SchemaWriter::Expr SchemaWriter::values(const Json& schema) {
    // The values are known: a validator says which of them the other keywords leave.
    auto checked = base::Schema::parse(base::Json(schema));
    if (!checked) throw Refused{checked.error().message};
    const Json all = schema.contains("const") ? Json::array({schema["const"]}) : schema["enum"];
    std::string out;
    for (const Json& v : all)
        if (checked->validate(base::Json(v)).ok()) out += (out.empty() ? "" : "| ") + value(v);
    if (out.empty()) return std::nullopt;
    return "( " + out + ") ";
}

std::string SchemaWriter::value(const Json& v) {
    if (!v.is_structured()) return ebnf_literal(v.dump()) + " ";
    std::string out;
    for (const auto& [key, part] : v.items()) {
        if (!out.empty()) out += comma();
        if (v.is_object()) out += ebnf_literal(Json(key).dump()) + " " + colon();
        out += value(part);
    }
    return (v.is_object() ? "\"{\" " : "\"[\" ") + space() + out + space() + (v.is_object() ? "\"}\" " : "\"]\" ");
}

SchemaWriter::Expr SchemaWriter::typed(const Json& schema) {
    std::vector<std::string> types;
    if (schema.contains("type")) {
        const Json& t = schema["type"];
        for (const Json& one : t.is_array() ? t : Json::array({t})) {
            if (!one.is_string()) throw Refused{"expected a string or strings as \"type\", found " + t.dump()};
            types.push_back(one.get<std::string>());
        }
    } else {
        for (auto [keyword, type] : meant)
            if (schema.contains(keyword) && std::find(types.begin(), types.end(), type) == types.end()) types.emplace_back(type);
        if (types.empty()) return builtin("value");
    }
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
        return SchemaWriter(schema, std::string(root), options).write();
    } catch (const Refused& r) {
        return base::error(base::Code::unsupported, "JSON schema as grammar: " + r.what);
    } catch (const Json::exception& e) {  // a keyword's value of another type than it wants
        return base::error(base::Code::invalid_argument, std::string("JSON schema as grammar: ") + e.what());
    }
}

}  // namespace text
