#include <algorithm>
#include <cctype>
#include <string_view>

#include "text/schema_rules.h"

namespace text {
namespace {

using Json = base::OrderedJson;
constexpr int max_depth = 64, max_work = 20000;
constexpr std::size_t max_alternatives = 64;

constexpr std::string_view constraint_keywords[] = {
    "type", "enum", "const", "multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "pattern",
    "items", "prefixItems", "additionalItems", "minItems", "maxItems", "uniqueItems", "contains", "minContains", "maxContains", "unevaluatedItems",
    "properties", "patternProperties", "additionalProperties", "required", "minProperties", "maxProperties", "propertyNames", "dependentRequired",
    "dependentSchemas", "dependencies", "unevaluatedProperties", "$ref", "$dynamicRef", "$recursiveRef", "allOf", "anyOf", "oneOf", "not", "if", "then", "else"};

// Keywords that mean a type when no "type" is given.
constexpr std::pair<std::string_view, std::string_view> meant[] = {
    {"properties", "object"}, {"required", "object"}, {"additionalProperties", "object"}, {"minProperties", "object"},
    {"maxProperties", "object"}, {"patternProperties", "object"}, {"items", "array"}, {"prefixItems", "array"},
    {"minItems", "array"}, {"maxItems", "array"}, {"uniqueItems", "array"}, {"minLength", "string"}, {"maxLength", "string"},
    {"pattern", "string"}, {"minimum", "number"}, {"maximum", "number"}, {"exclusiveMinimum", "number"}, {"exclusiveMaximum", "number"}};

// Those of them that apply a schema to the same value; the rest is plain.
constexpr std::string_view applying[] = {"$ref", "allOf", "anyOf", "oneOf", "not", "unevaluatedProperties", "unevaluatedItems"};

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

// References lead elsewhere below a schema with a URI of its own.
void check_resources(const Json& json, const std::string& place, bool own_uri) {
    if (json.is_array())
        for (std::size_t i = 0; i < json.size(); ++i) check_resources(json[i], place + "/" + std::to_string(i), own_uri);
    if (!json.is_object()) return;
    const auto id = json.find("$id"), ref = json.find("$ref");
    own_uri = own_uri || (!place.empty() && id != json.end() && id->is_string() && !id->get_ref<const std::string&>().starts_with('#'));
    if (own_uri && ref != json.end() && ref->is_string()) throw Refused{"a reference inside a schema with an \"$id\" of its own has no grammar", place};
    for (const auto& [key, part] : json.items()) check_resources(part, place + "/" + key, own_uri);
}

// The schema with references that lead into `document`.
Json referring_to(const Json& schema, const std::string& document, bool& any) {
    if (!schema.is_structured()) return schema;
    Json out = schema;
    for (const auto& [key, part] : out.items()) {
        if (schema.is_object() && (key == "const" || key == "enum" || key == "default" || key == "examples")) continue;
        if (schema.is_object() && key == "$ref" && part.is_string() && part.get_ref<const std::string&>().starts_with('#')) {
            part = document + part.get<std::string>();
            any = true;
        } else {
            part = referring_to(part, document, any);
        }
    }
    return out;
}

void add(std::vector<Json>& out, Json one) {
    if (one == false || std::find(out.begin(), out.end(), one) != out.end()) return;
    if (out.size() == max_alternatives) throw Refused{"more than " + std::to_string(max_alternatives) + " combinations of alternatives have no grammar"};
    out.push_back(std::move(one));
}

std::vector<Json> cross(const std::vector<Json>& a, const std::vector<Json>& b) {
    std::vector<Json> out;
    for (const Json& x : a)
        for (const Json& y : b) add(out, merge_schemas(x, y));
    return out;
}

// The alternatives with the types that they will be written for.
std::vector<Json> narrowed(std::vector<Json> alternatives) {
    for (Json& one : alternatives)
        if (const auto types = written_types(one); !types.empty()) one["type"] = types;
    return alternatives;
}

// Draft 7 writes tuples as a list of "items" and what follows them as "additionalItems".
void rewrite_tuple(Json& schema) {
    if (schema.contains("items") && schema["items"].is_array()) {
        schema["prefixItems"] = schema["items"];
        schema.erase("items");
        if (schema.contains("additionalItems")) schema["items"] = schema["additionalItems"];
        if (schema["prefixItems"].empty()) schema.erase("prefixItems");
    }
    schema.erase("additionalItems");
}

}  // namespace

bool constrains(const std::string& key) {
    return std::find(std::begin(constraint_keywords), std::end(constraint_keywords), key) != std::end(constraint_keywords);
}

Json constraints(const Json& schema) {
    Json out = Json::object();
    for (const auto& [key, value] : schema.items())
        if (constrains(key)) out[key] = value;
    if (!out.contains("if")) out.erase("then"), out.erase("else");
    if (!out.contains("contains")) out.erase("minContains"), out.erase("maxContains");
    return out;
}

std::vector<std::string> written_types(const Json& schema) {
    std::vector<std::string> out;
    if (schema.contains("type")) return types_of(schema);
    for (auto [keyword, type] : meant)
        if (schema.contains(keyword) && std::find(out.begin(), out.end(), type) == out.end()) out.emplace_back(type);
    return out;
}

std::vector<std::string> types_of(const Json& schema) {
    if (!schema.contains("type")) return {"object", "array", "string", "number", "boolean", "null"};
    std::vector<std::string> out;
    for (const Json& t : schema["type"].is_array() ? schema["type"] : Json::array({schema["type"]})) out.push_back(t.get<std::string>());
    return out;
}

PlainSchemas::PlainSchemas(const Json& root) : root_(root) {
    check_resources(root, "", false);
    const std::string uri = root.is_object() && root.contains("$schema") && root["$schema"].is_string() ? root["$schema"].get<std::string>() : "";
    for (const char* draft : {"draft-04", "draft-06", "draft-07"}) draft7_ = draft7_ || uri.find(draft) != uri.npos;
}

const Json& PlainSchemas::resolve(const std::string& target) const {
    if (target == "#") return root_;
    const Json* at = &root_;
    if (target.rfind("#/", 0) != 0) throw Refused{"the reference \"" + target + "\" has no grammar: only those inside the schema (\"#/…\") have one"};
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

Json PlainSchemas::holding(const Json& values, const Json& schema) const {
    bool any = false;
    Json own = referring_to(schema, "schema:", any);
    if (draft7_) own["$schema"] = root_["$schema"];
    std::map<std::string, base::Json> documents;
    if (any) documents["schema:"] = base::Json(root_);
    const auto judge = base::Schema::parse(base::Json(own), documents);
    if (!judge) throw Refused{judge.error().message};
    Json out = Json::array();
    for (const Json& v : values)
        if (judge->validate(base::Json(v)).ok()) out.push_back(v);
    return out;
}

std::vector<Json> PlainSchemas::of(const Json& schema) {
    if (schema.is_boolean()) return schema.get<bool>() ? Alternatives{Json::object()} : Alternatives{};
    if (!schema.is_object()) throw Refused{"expected an object or a boolean as schema, found " + schema.dump().substr(0, 60)};
    if (++work_ > max_work) throw Refused{"a schema whose parts refer to each other so often has no grammar"};
    if (depth_ == max_depth) throw Refused{"schemas that apply each other more than " + std::to_string(max_depth) + " deep, or without end, have no grammar"};
    const Json all = constraints(schema);
    if (draft7_ && all.contains("$ref")) {
        ++depth_;
        Alternatives out = of(resolve(all["$ref"].get<std::string>()));
        --depth_;
        return out;
    }
    for (const char* key : {"$dynamicRef", "$recursiveRef"})
        if (all.contains(key)) throw Refused{"the keyword \"" + std::string(key) + "\" has no grammar"};
    if (all.contains("const") || all.contains("enum")) {
        const Json left = holding(all.contains("const") ? Json::array({all["const"]}) : all["enum"], all);
        return left.empty() ? Alternatives{} : Alternatives{Json{{"enum", left}}};
    }
    ++depth_;
    Json own = all;
    for (std::string_view key : applying) own.erase(std::string(key));
    rewrite_tuple(own);
    Alternatives out = {own};
    if (all.contains("$ref")) out = cross(out, of(resolve(all["$ref"].get<std::string>())));
    if (all.contains("allOf"))
        for (const Json& part : all["allOf"]) out = cross(out, of(part));
    if (all.contains("anyOf")) {
        Alternatives some;
        for (const Json& part : all["anyOf"])
            for (Json& one : of(part)) add(some, std::move(one));
        out = cross(out, some);
    }
    if (all.contains("oneOf")) out = exactly_one(out, all["oneOf"]);
    if (all.contains("not")) {
        const auto others = negated(all["not"]);
        if (!others) throw Refused{"the keyword \"not\" has no grammar but for types and required properties"};
        out = cross(out, *others);
    }
    // What the parts of an alternative say of properties and items they evaluate.
    for (Json& one : out) {
        if (all.contains("unevaluatedProperties") && !one.contains("additionalProperties")) one["additionalProperties"] = all["unevaluatedProperties"];
        if (all.contains("unevaluatedItems") && !one.contains("items")) one["items"] = all["unevaluatedItems"];
    }
    --depth_;
    return out;
}

// Parts that may hold together are taken without one another, where that can be said.
std::vector<Json> PlainSchemas::exactly_one(const Alternatives& around, const Json& parts) {
    std::vector<Alternatives> all, meaning;
    for (const Json& part : parts) {
        meaning.push_back(cross(around, of(part)));
        all.push_back(narrowed(meaning.back()));
    }
    for (std::size_t i = 0; i < all.size(); ++i)
        for (std::size_t k = i + 1; k < all.size(); ++k) {
            if (disjoint(all[i], meaning[k]) && disjoint(all[k], meaning[i])) continue;
            const auto not_i = negated(parts[i]), not_k = negated(parts[k]);
            if (!not_i || !not_k)
                throw Refused{"parts " + std::to_string(i) + " and " + std::to_string(k) +
                              " of \"oneOf\" may hold together, which has no grammar: require a property that tells them apart, or use \"anyOf\""};
            all[i] = cross(all[i], *not_k);
            all[k] = cross(all[k], *not_i);
        }
    Alternatives out;
    for (Alternatives& some : all)
        for (Json& one : some) add(out, std::move(one));
    return out;
}

bool PlainSchemas::disjoint_parts(const Json& parts) {
    std::vector<Alternatives> meaning;
    for (const Json& part : parts) {
        meaning.push_back(of(part));
        for (std::size_t i = 0; i + 1 < meaning.size(); ++i)
            if (!disjoint(narrowed(meaning[i]), meaning.back()) || !disjoint(narrowed(meaning.back()), meaning[i])) return false;
    }
    return true;
}

// Alternatives for all that the schema does not accept; none where there are no such alternatives to be written.
std::optional<std::vector<Json>> PlainSchemas::negated(const Json& schema) {
    if (schema.is_boolean()) return of(!schema.get<bool>());
    Alternatives out;
    const Json all = constraints(schema);
    for (const auto& [key, value] : all.items()) {
        const auto some = negated_keyword(key, value);
        if (!some) return std::nullopt;
        for (const Json& one : *some) add(out, one);
    }
    return out;
}

std::optional<std::vector<Json>> PlainSchemas::negated_keyword(const std::string& key, const Json& value) {
    Alternatives out;
    if (key == "required") {
        for (const Json& name : value) add(out, Json{{"type", "object"}, {"properties", {{name.get<std::string>(), false}}}});
        return out;
    }
    if (key == "type") {
        const std::vector<std::string> types = types_of(Json{{"type", value}});
        const auto has = [&](const char* t) { return std::find(types.begin(), types.end(), t) != types.end(); };
        if (has("integer") && !has("number")) return std::nullopt;
        Json others = Json::array();
        for (const char* t : {"object", "array", "string", "number", "boolean", "null"})
            if (!has(t)) others.push_back(t);
        if (!others.empty()) out.push_back(Json{{"type", others}});
        return out;
    }
    if (key == "allOf") {
        for (const Json& part : value) {
            const auto some = negated(part);
            if (!some) return std::nullopt;
            for (const Json& one : *some) add(out, one);
        }
        return out;
    }
    if (key != "anyOf") return std::nullopt;
    out = {Json::object()};
    for (const Json& part : value) {
        const auto some = negated(part);
        if (!some) return std::nullopt;
        out = cross(out, *some);
    }
    return out;
}

}  // namespace text
