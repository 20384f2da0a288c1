#include <algorithm>
#include <string_view>

#include "text/schema_rules.h"

namespace text {
namespace {

using Json = base::OrderedJson;

bool is(const std::string& key, std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), key) != names.end();
}

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
    for (const auto& [name, schema] : x.items()) all[name] = merge_schemas(schema, y.contains(name) ? y[name] : beside(b));
    for (const auto& [name, schema] : y.items())
        if (!x.contains(name)) all[name] = merge_schemas(beside(a), schema);
    if (!all.empty()) out["properties"] = all;
    if (a.contains("additionalProperties") && b.contains("additionalProperties"))
        out["additionalProperties"] = merge_schemas(a["additionalProperties"], b["additionalProperties"]);
}

Json merge_choices(const Json& a, const Json& b) {
    constexpr std::size_t most = 64;
    Json out = Json::array();
    for (const Json& x : a)
        for (const Json& y : b) {
            // A reference is followed where the choice is written out.
            Json both;
            both["allOf"] = Json::array({x, y});
            out.push_back(std::move(both));
        }
    if (out.size() > most) throw Refused{"more than " + std::to_string(most) + " combinations of alternatives"};
    return out;
}

// False: nothing satisfies both.
bool merge_keyword(Json& out, const std::string& key, const Json& value) {
    Json& mine = out[key];
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
            if (std::find(value.begin(), value.end(), v) != value.end()) both.push_back(v);
        mine = both;
        return !mine.empty();
    } else if (key == "const") {
        return false;
    } else if (is(key, {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})) {
        if (value > mine) mine = value;
    } else if (is(key, {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})) {
        if (value < mine) mine = value;
    } else if (is(key, {"items", "unevaluatedProperties"})) {
        mine = merge_schemas(mine, value);
    } else if (is(key, {"anyOf", "oneOf"})) {
        mine = merge_choices(mine, value);
    } else if (is(key, {"pattern", "prefixItems", "patternProperties", "not", "if", "multipleOf", "propertyNames"})) {
        throw Refused{"\"" + key + "\" given twice, differently, in schemas that must hold together"};
    }
    return true;
}

}  // namespace

Json merge_schemas(const Json& a, const Json& b) {
    if (a.is_boolean()) return a.get<bool>() ? b : Json(false);
    if (b.is_boolean()) return b.get<bool>() ? a : Json(false);
    // What is a reference stays one: it is followed, and merged, where the schema is written out.
    if (a.contains("$ref") || b.contains("$ref") || a.contains("allOf") || b.contains("allOf")) {
        if (a == b) return a;
        Json both;
        both["allOf"] = Json::array({a, b});
        return both;
    }
    Json out = a;
    for (const auto& [key, value] : b.items()) {
        if (key == "properties" || key == "additionalProperties") continue;
        if (!out.contains(key))
            out[key] = value;
        else if (!merge_keyword(out, key, value))
            return Json(false);
    }
    if (!out.contains("additionalProperties") && b.contains("additionalProperties")) out["additionalProperties"] = b["additionalProperties"];
    merge_properties(out, a, b);
    return out;
}

}  // namespace text
