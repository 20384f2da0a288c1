// What schemas do not accept.
#include <algorithm>

#include "text/schema_formats.h"
#include "text/schema_rules.h"

namespace text {
namespace {

using Json = base::OrderedJson;

Json beside(const char* type, Json part) { return Json{{"type", type}, {"allOf", Json::array({Json{{"not", std::move(part)}}})}}; }
Json inverse(const Json& schema) { return schema.is_boolean() ? Json(!schema.get<bool>()) : Json{{"not", schema}}; }

// A bound, the type of the values that have it, and the keyword that bounds the others of this type.
struct Opposite {
    std::string_view key;
    const char *type, *opposite;
    int step;  // from the bound to the next value beyond
};
constexpr Opposite opposites[] = {{"minimum", "number", "exclusiveMaximum", 0}, {"maximum", "number", "exclusiveMinimum", 0},
                            {"exclusiveMinimum", "number", "maximum", 0}, {"exclusiveMaximum", "number", "minimum", 0},
                            {"minLength", "string", "maxLength", -1}, {"maxLength", "string", "minLength", 1},
                            {"minItems", "array", "maxItems", -1}, {"maxItems", "array", "minItems", 1},
                            {"minProperties", "object", "maxProperties", -1}, {"maxProperties", "object", "minProperties", 1}};

}  // namespace

// None where there are no such alternatives to be written.
PlainSchemas::Negation PlainSchemas::negated(const Json& schema) {
    if (schema.is_boolean()) return of(!schema.get<bool>());
    if (++work_ > max_work) throw Refused{"a schema whose parts refer to each other so often has no grammar"};
    if (depth_ == max_applied) throw Refused{"schemas that apply each other without end have no grammar"};
    ++depth_;
    Alternatives out;
    Json all = constraints(schema);
    if (draft7_ && all.contains("$ref")) all = Json{{"$ref", all["$ref"]}};
    bool known = true;
    for (const auto& [key, value] : all.items()) {
        const Negation some = negated_keyword(key, value, all);
        if (!(known = some.has_value())) break;
        for (const Json& one : *some) add(out, one);
    }
    --depth_;
    if (!known) return std::nullopt;
    return out;
}

PlainSchemas::Negation PlainSchemas::negated_keyword(const std::string& key, const Json& value, const Json& schema) {
    for (const Opposite& b : opposites) {
        if (key != b.key) continue;
        if (b.step == 0) return Alternatives{Json{{"type", b.type}, {b.opposite, value}}};
        const int n = count(schema, key.c_str(), 0) + b.step;
        return n < 0 ? Alternatives{} : Alternatives{Json{{"type", b.type}, {b.opposite, n}}};
    }
    if (key == "type") return of_other_types(value);
    if (key == "const") return of_other_values(Json::array({value}));
    if (key == "enum") return of_other_values(value);
    if (key == "pattern") return Alternatives{beside("string", Json{{"pattern", value}})};
    if (key == "multipleOf") return Alternatives{beside("number", Json{{"multipleOf", value}})};
    if (key == "required" || key == "properties" || key == "dependentRequired" || key == "dependentSchemas" || key == "dependencies") return of_other_properties(key, value);
    if (key == "items" || key == "prefixItems" || key == "contains") return of_other_items(key, value, schema);
    if (key == "additionalProperties" && value == true) return Alternatives{};
    if (key == "$ref") return negated(resolve(value.get<std::string>()));
    if (key == "not") return ++n_negated_, of(value);
    if (key == "allOf") return either_negated(value);
    if (key == "anyOf") return all_negated(value);
    if (key == "oneOf") return other_than_one(value);
    if (key == "if") {
        Alternatives out;
        const Negation not_if = negated(value);
        ++n_negated_;
        for (const char* branch : {"then", "else"}) {
            if (!schema.contains(branch)) continue;
            const Negation wrong = negated(schema[branch]);
            if (!wrong || !not_if) return std::nullopt;
            for (Json& one : cross(branch == std::string_view("then") ? of(value) : *not_if, *wrong)) add(out, std::move(one));
        }
        return out;
    }
    // Said with others, or a note.
    if (key == "then" || key == "else" || key == "minContains" || key == "maxContains") return Alternatives{};
    if (key == "format") return of_other_formats(value);
    return std::nullopt;
}

PlainSchemas::Negation PlainSchemas::of_other_types(const Json& value) {
    const std::vector<std::string> types = types_of(Json{{"type", value}});
    const auto has = [&](const char* t) { return std::find(types.begin(), types.end(), t) != types.end(); };
    Json others = Json::array();
    for (const char* t : {"object", "array", "string", "number", "boolean", "null"})
        if (!has(t) && !(t == std::string_view("number") && has("integer"))) others.push_back(t);
    Alternatives out;
    if (!others.empty()) out.push_back(Json{{"type", others}});
    if (has("integer") && !has("number")) out.push_back(beside("number", Json{{"multipleOf", 1}}));
    return out;
}

// A format that nobody knows is a note.
PlainSchemas::Negation PlainSchemas::of_other_formats(const Json& value) {
    const std::string pattern = value.is_string() ? pattern_of_format(value.get<std::string>(), FormatTexts::all) : "";
    if (pattern.empty()) return Alternatives{};
    return Alternatives{beside("string", Json{{"pattern", pattern}})};
}

PlainSchemas::Negation PlainSchemas::of_other_values(const Json& values) {
    const auto those = [&](auto&& is_one) {
        Json out = Json::array();
        for (const Json& v : values)
            if (is_one(v)) out.push_back(v);
        return out;
    };
    Alternatives out;
    Json others = Json::array(), rest = Json::array();
    const auto add_type = [&](const char* type, auto&& is_one) {
        const Json some = those(is_one);
        if (some.empty())
            others.push_back(type);
        else
            out.push_back(beside(type, Json{{"enum", some}}));
    };
    add_type("string", [](const Json& v) { return v.is_string(); });
    add_type("number", [](const Json& v) { return v.is_number(); });
    for (const char* type : {"object", "array"}) {  // of these only the empty one can be told from all others
        const Json some = those([&](const Json& v) { return v.type_name() == std::string_view(type); });
        if (std::any_of(some.begin(), some.end(), [](const Json& v) { return !v.empty(); })) return std::nullopt;
        if (some.empty())
            others.push_back(type);
        else
            out.push_back(Json{{"type", type}, {type == std::string_view("object") ? "minProperties" : "minItems", 1}});
    }
    for (const Json& v : {Json(true), Json(false), Json(nullptr)})
        if (std::find(values.begin(), values.end(), v) == values.end()) rest.push_back(v);
    if (!rest.empty()) out.push_back(Json{{"enum", rest}});
    if (!others.empty()) out.push_back(Json{{"type", others}});
    return out;
}

PlainSchemas::Negation PlainSchemas::of_other_properties(const std::string& key, const Json& value) {
    Alternatives out;
    const auto without = [](const Json& name) { return Json{{"type", "object"}, {"properties", {{name.get<std::string>(), false}}}}; };
    const auto with = [](const Json& name) { return Json{{"type", "object"}, {"required", Json::array({name})}}; };
    if (key == "required") {
        for (const Json& name : value) add(out, without(name));
    } else if (key == "properties") {
        for (const auto& [name, schema] : value.items()) {
            Json one = with(name);
            one["properties"][name] = inverse(schema);
            if (schema != true) add(out, std::move(one));
        }
        ++n_negated_;
    } else {
        for (const auto& [name, needs] : value.items()) {
            Alternatives wrong;
            if (needs.is_array()) {
                for (const Json& other : needs) wrong.push_back(without(other));
            } else if (const Negation not_it = negated(needs)) {
                wrong = *not_it;
            } else {
                return std::nullopt;
            }
            for (Json& one : cross({with(name)}, wrong)) add(out, std::move(one));
        }
    }
    return out;
}

PlainSchemas::Negation PlainSchemas::of_other_items(const std::string& key, const Json& value, const Json& schema) {
    Alternatives out;
    ++n_negated_;
    if (key == "prefixItems") {
        for (std::size_t i = 0; i < value.size(); ++i) {
            Json items = Json::array();
            for (std::size_t k = 0; k < i; ++k) items.push_back(true);
            items.push_back(inverse(value[i]));
            if (value[i] != true) out.push_back(Json{{"type", "array"}, {"minItems", i + 1}, {"prefixItems", items}});
        }
        return out;
    }
    if (key == "items") {
        if (value == true) return out;
        const std::size_t before = schema.contains("prefixItems") ? schema["prefixItems"].size() : 0;
        if (value == false) return Alternatives{Json{{"type", "array"}, {"minItems", before + 1}}};
        if (before || value.is_array()) return std::nullopt;
        return Alternatives{Json{{"type", "array"}, {"contains", inverse(value)}}};
    }
    const int least = count(schema, "minContains", 1), most = count(schema, "maxContains", -1);
    if (least == 1)
        out.push_back(Json{{"type", "array"}, {"items", inverse(value)}});
    else if (least != 0)
        out.push_back(Json{{"type", "array"}, {"contains", value}, {"minContains", 0}, {"maxContains", least - 1}});
    if (most >= 0) out.push_back(Json{{"type", "array"}, {"contains", value}, {"minContains", most + 1}});
    return out;
}

// At least one of the parts does not hold.
PlainSchemas::Negation PlainSchemas::either_negated(const Json& parts) {
    Alternatives out;
    for (const Json& part : parts) {
        const Negation some = negated(part);
        if (!some) return std::nullopt;
        for (const Json& one : *some) add(out, one);
    }
    return out;
}

PlainSchemas::Negation PlainSchemas::all_negated(const Json& parts) {
    Alternatives out = {Json::object()};
    for (const Json& part : parts) {
        const Negation some = negated(part);
        if (!some) return std::nullopt;
        out = cross(out, *some);
    }
    return out;
}

// None of the parts holds, or two of them do.
PlainSchemas::Negation PlainSchemas::other_than_one(const Json& parts) {
    Negation out = all_negated(parts);
    ++n_negated_;
    if (!out) return out;
    for (std::size_t i = 0; i < parts.size(); ++i)
        for (std::size_t k = i + 1; k < parts.size(); ++k)
            for (Json& one : cross(of(parts[i]), of(parts[k]))) add(*out, std::move(one));
    return out;
}

}  // namespace text
