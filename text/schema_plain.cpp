#include <algorithm>
#include <cctype>
#include <string_view>

#include "text/schema_formats.h"
#include "text/schema_rules.h"

namespace text {
namespace {

using Json = base::OrderedJson;

constexpr std::size_t max_alternatives = 64;

constexpr std::string_view constraint_keywords[] = {
    "type", "enum", "const", "format", "multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "pattern",
    "items", "prefixItems", "additionalItems", "minItems", "maxItems", "uniqueItems", "contains", "minContains", "maxContains", "unevaluatedItems",
    "properties", "patternProperties", "additionalProperties", "required", "minProperties", "maxProperties", "propertyNames", "dependentRequired",
    "dependentSchemas", "dependencies", "unevaluatedProperties", "$ref", "$dynamicRef", "$recursiveRef", "allOf", "anyOf", "oneOf", "not", "if", "then", "else"};

// Keywords that mean a type when no "type" is given.
constexpr std::pair<std::string_view, std::string_view> meant[] = {
    {"properties", "object"}, {"required", "object"}, {"additionalProperties", "object"}, {"minProperties", "object"},
    {"maxProperties", "object"}, {"patternProperties", "object"}, {"items", "array"}, {"prefixItems", "array"},
    {"propertyNames", "object"}, {"dependentRequired", "object"}, {"dependentSchemas", "object"}, {"dependencies", "object"},
    {"minItems", "array"}, {"maxItems", "array"}, {"uniqueItems", "array"}, {"contains", "array"}, {"multipleOf", "number"}, {"minLength", "string"}, {"maxLength", "string"},
    {"pattern", "string"}, {"minimum", "number"}, {"maximum", "number"}, {"exclusiveMinimum", "number"}, {"exclusiveMaximum", "number"}};

// Those of them that apply a schema to the same value; the rest is plain.
constexpr std::string_view applying[] = {"$ref", "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentRequired",
                                         "dependentSchemas", "dependencies", "unevaluatedProperties", "unevaluatedItems"};

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

// Whether the keyword holds values, and no schemas.
bool among_values(const std::string& key) { return key == "const" || key == "enum" || key == "default" || key == "examples"; }

// The schema with references that lead into `document`.
Json referring_to(const Json& schema, const std::string& document, bool& any) {
    if (!schema.is_structured()) return schema;
    Json out = schema;
    for (const auto& [key, part] : out.items()) {
        if (schema.is_object() && among_values(key)) continue;
        if (schema.is_object() && key == "$ref" && part.is_string() && part.get_ref<const std::string&>().starts_with('#')) {
            part = document + part.get<std::string>();
            any = true;
        } else {
            part = referring_to(part, document, any);
        }
    }
    return out;
}

// A validator takes formats for notes: what they say of texts, as patterns.
Json with_formats(const Json& schema) {
    if (!schema.is_structured()) return schema;
    Json out = schema;
    for (const auto& [key, part] : out.items())
        if (!schema.is_object() || !among_values(key)) part = with_formats(part);
    if (!schema.is_object() || !schema.contains("format") || !schema["format"].is_string()) return out;
    const std::string pattern = pattern_of_format(schema["format"].get<std::string>(), FormatTexts::all);
    if (!pattern.empty()) out["allOf"].push_back(Json{{"pattern", pattern}});
    return out;
}

}  // namespace

void PlainSchemas::add(Alternatives& out, Json one) {
    if (one == false || std::find(out.begin(), out.end(), one) != out.end()) return;
    if (out.size() == max_alternatives) throw Refused{"more than " + std::to_string(max_alternatives) + " combinations of alternatives have no grammar"};
    out.push_back(std::move(one));
}

std::vector<Json> PlainSchemas::cross(const Alternatives& a, const Alternatives& b) {
    Alternatives out;
    for (const Json& x : a)
        for (const Json& y : b) add(out, merge_schemas(x, y));
    return out;
}

namespace {

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
    Json own = referring_to(with_formats(schema), "schema:", any);
    if (draft7_ && own.is_object()) own["$schema"] = root_["$schema"];
    std::map<std::string, base::Json> documents;
    if (any) documents["schema:"] = base::Json(with_formats(root_));
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
    if (depth_ == max_applied) throw Refused{"schemas that apply each other more than " + std::to_string(max_applied) + " deep, or without end, have no grammar"};
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
    const long negations = n_negated_;
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
        if (!others) throw Refused{"the keyword \"not\" has no grammar for this schema"};
        out = cross(out, *others);
    }
    if (all.contains("if")) out = cross(out, conditional(all));
    for (const char* key : {"dependentRequired", "dependentSchemas", "dependencies"})
        if (all.contains(key))
            for (const auto& [name, needs] : all[key].items()) out = cross(out, dependent(name, needs));
    for (const char* key : {"unevaluatedProperties", "unevaluatedItems"})
        if (all.contains(key) && n_negated_ > negations) throw Refused{"the keyword \"" + std::string(key) + "\" beside what holds only under a condition has no grammar"};
    for (Json& one : out) leave_unevaluated(one, all);
    --depth_;
    return out;
}

// What "if", "then" and "else" say.
std::vector<Json> PlainSchemas::conditional(const Json& schema) {
    if (!schema.contains("then") && !schema.contains("else")) return of(true);
    const auto part = [&](const char* key) { return schema.contains(key) ? of(schema[key]) : of(true); };
    Alternatives out = cross(of(schema["if"]), part("then"));
    const auto otherwise = negated(schema["if"]);
    if (!otherwise) throw Refused{"the keyword \"if\" has no grammar for this condition"};
    for (Json& one : cross(*otherwise, part("else"))) add(out, std::move(one));
    return out;
}

// What objects need that have the property: others, or a schema.
std::vector<Json> PlainSchemas::dependent(const std::string& name, const Json& needs) {
    Alternatives out = {Json{{"properties", {{name, false}}}}};
    const Json with = Json{{"type", "object"}, {"required", Json::array({name})}};
    for (Json& one : cross({with}, needs.is_array() ? Alternatives{Json{{"required", needs}}} : of(needs))) add(out, std::move(one));
    return out;
}

// What the parts of an alternative say of properties and items they evaluate.
void PlainSchemas::leave_unevaluated(Json& one, const Json& schema) {
    if (schema.contains("unevaluatedProperties") && every(one, "additionalProperties").empty()) {
        if (every(one, "patternProperties").size() > 1 || (every(one, "patternProperties").size() == 1 && !one.contains("patternProperties")))
            throw Refused{"the keyword \"unevaluatedProperties\" beside several \"patternProperties\" has no grammar"};
        one["additionalProperties"] = schema["unevaluatedProperties"];
    }
    if (!schema.contains("unevaluatedItems") || one.contains("items")) return;
    Json others = schema["unevaluatedItems"];
    if (const auto evaluated = every(one, "contains"); !evaluated.empty()) {
        others = Json{{"anyOf", Json::array({others})}};
        for (const Json& part : evaluated) others["anyOf"].push_back(part);
    }
    one["items"] = others;
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

}  // namespace text
