#include <algorithm>
#include <span>
#include <string_view>

#include "text/schema_rules.h"

namespace text {
namespace {

using Json = base::OrderedJson;

bool is(const std::string& key, std::span<const std::string_view> names) {
    return std::find(names.begin(), names.end(), key) != names.end();
}
bool is(const std::string& key, std::initializer_list<std::string_view> names) { return is(key, std::span(names.begin(), names.size())); }

Json merge_types(const Json& a, const Json& b) {
    const auto list = [](const Json& t) { return t.is_array() ? t : Json::array({t}); };
    const auto has = [](const Json& l, const char* t) { return std::find(l.begin(), l.end(), Json(t)) != l.end(); };
    const Json x = list(a), y = list(b);
    Json out = Json::array();
    for (const Json& t : x) {
        if (std::find(y.begin(), y.end(), t) != y.end() || (t == "integer" && has(y, "number")))
            out.push_back(t);
        else if (t == "number" && has(y, "integer"))
            out.push_back("integer");
    }
    return out.empty() ? Json(false) : out;
}

// The schema for a property that `s` does not name.
Json beside(const Json& s) { return s.contains("additionalProperties") ? s["additionalProperties"] : Json(true); }

void merge_properties(Json& out, const Json& a, const Json& b) {
    Json all = Json::object();
    const Json none = Json::object();
    const Json& x = a.contains("properties") ? a["properties"] : none;
    const Json& y = b.contains("properties") ? b["properties"] : none;
    for (const auto& [name, schema] : x.items()) all[name] = both_schemas(schema, y.contains(name) ? y[name] : beside(b));
    for (const auto& [name, schema] : y.items())
        if (!x.contains(name)) all[name] = both_schemas(beside(a), schema);
    if (!all.empty()) out["properties"] = all;
    if (a.contains("additionalProperties") || b.contains("additionalProperties")) out["additionalProperties"] = both_schemas(beside(a), beside(b));
}

void merge_items(Json& out, const Json& a, const Json& b) {
    const Json none = Json::array();
    const Json& x = a.contains("prefixItems") ? a["prefixItems"] : none;
    const Json& y = b.contains("prefixItems") ? b["prefixItems"] : none;
    const auto rest = [](const Json& s) { return s.contains("items") ? s["items"] : Json(true); };
    Json first = Json::array();
    for (std::size_t i = 0; i < std::max(x.size(), y.size()); ++i)
        first.push_back(both_schemas(i < x.size() ? x[i] : rest(a), i < y.size() ? y[i] : rest(b)));
    if (!first.empty()) out["prefixItems"] = first;
    if (a.contains("items") || b.contains("items")) out["items"] = both_schemas(rest(a), rest(b));
}

// Keeps a schema beside those that it cannot be merged with: under "allOf".
void keep_beside(Json& out, const Json& part) {
    Json& parts = out["allOf"];
    if (parts.is_null()) parts = Json::array();
    if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(part);
}

Json only(const Json& schema, std::span<const std::string_view> keys) {
    Json out = Json::object();
    for (const auto& [key, value] : schema.items())
        if (is(key, keys)) out[key] = value;
    return out;
}

constexpr std::string_view property_keys[] = {"properties", "patternProperties", "additionalProperties"};
constexpr std::string_view contains_keys[] = {"contains", "minContains", "maxContains"};

// Keywords that mean something together: b's beside a's.
void merge_group(Json& out, const Json& b, std::span<const std::string_view> keys) {
    const Json mine = only(out, keys), other = only(b, keys);
    if (mine.empty())
        out.update(other);
    else if (!other.empty() && mine != other)
        keep_beside(out, other);
}

// False: nothing satisfies both.
bool merge_keyword(Json& mine, const std::string& key, const Json& value) {
    if (mine == value) return true;
    if (key == "type") {
        mine = merge_types(mine, value);
        return !mine.is_boolean();
    }
    if (key == "required") {
        for (const Json& name : value)
            if (std::find(mine.begin(), mine.end(), name) == mine.end()) mine.push_back(name);
    } else if (key == "enum") {
        Json both = Json::array();
        for (const Json& v : mine)
            if (std::any_of(value.begin(), value.end(), [&](const Json& other) { return base::Json(v) == base::Json(other); })) both.push_back(v);
        mine = both;
        return !mine.empty();
    } else if (is(key, {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})) {
        if (value > mine) mine = value;
    } else if (is(key, {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})) {
        if (value < mine) mine = value;
    } else if (key == "uniqueItems") {
        mine = true;  // one of the two says so
    }
    return true;
}

// No object holds when a property is asked for and forbidden.
bool object_is_impossible(const Json& s) {
    if (!s.contains("required") || types_of(s) != std::vector<std::string>{"object"}) return false;
    if (s.contains("patternProperties")) return false;
    return std::any_of(s["required"].begin(), s["required"].end(), [&](const Json& name) {
        const auto key = name.get<std::string>();
        return (s.contains("properties") && s["properties"].contains(key) ? s["properties"][key] : beside(s)) == false;
    });
}

}  // namespace

std::vector<Json> every(const Json& schema, const char* key) {
    std::vector<Json> out;
    if (schema.contains(key)) out.push_back(schema[key]);
    if (schema.contains("allOf"))
        for (const Json& part : schema["allOf"])
            if (part.contains(key)) out.push_back(part[key]);
    return out;
}

Json both_schemas(const Json& a, const Json& b) {
    if (a == false || b == false) return false;
    if (a == true || (a.is_object() && a.empty()) || a == b) return b;
    if (b == true || (b.is_object() && b.empty())) return a;
    Json parts = Json::array();
    for (const Json* s : {&a, &b}) {
        const bool list = s->is_object() && s->size() == 1 && s->contains("allOf");
        for (const Json& part : list ? (*s)["allOf"] : Json::array({*s}))
            if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(part);
    }
    Json out;
    out["allOf"] = std::move(parts);
    return out;
}

Json merge_schemas(const Json& a, const Json& b) {
    if (a.is_boolean()) return a.get<bool>() ? b : Json(false);
    if (b.is_boolean()) return b.get<bool>() ? a : Json(false);
    Json out = a;
    for (const auto& [key, value] : b.items()) {
        if (is(key, property_keys) || is(key, contains_keys) || is(key, {"prefixItems", "items"})) continue;
        if (key == "allOf")
            for (const Json& part : value) keep_beside(out, part);
        else if (!out.contains(key))
            out[key] = value;
        else if (is(key, {"pattern", "format", "multipleOf", "propertyNames"}) && out[key] != value)
            keep_beside(out, Json{{key, value}});
        else if (!merge_keyword(out[key], key, value))
            return Json(false);
    }
    if (a.contains("patternProperties") || b.contains("patternProperties"))
        merge_group(out, b, property_keys);
    else
        merge_properties(out, a, b);
    merge_group(out, b, contains_keys);
    merge_items(out, a, b);
    return object_is_impossible(out) ? Json(false) : out;
}

}  // namespace text
