#include "base/json_schema_words.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "base/edits.h"

namespace base {
namespace {

using Shape = SchemaKeyword::Shape;

constexpr SchemaKeyword keywords[] = {
    {"multipleOf", Shape::number}, {"maximum", Shape::number}, {"minimum", Shape::number}, {"exclusiveMaximum", Shape::number},
    {"exclusiveMinimum", Shape::number}, {"maxLength", Shape::count}, {"minLength", Shape::count}, {"maxItems", Shape::count},
    {"minItems", Shape::count}, {"maxContains", Shape::count}, {"minContains", Shape::count}, {"maxProperties", Shape::count},
    {"minProperties", Shape::count}, {"pattern", Shape::text}, {"required", Shape::texts}, {"uniqueItems", Shape::boolean},
    {"dependentRequired", Shape::object}, {"properties", Shape::schema_map}, {"patternProperties", Shape::schema_map},
    {"$defs", Shape::schema_map}, {"definitions", Shape::schema_map}, {"dependentSchemas", Shape::schema_map},
    {"allOf", Shape::schemas}, {"anyOf", Shape::schemas}, {"oneOf", Shape::schemas}, {"prefixItems", Shape::schemas},
    {"items", Shape::schema_or_schemas}, {"additionalItems", Shape::schema}, {"additionalProperties", Shape::schema},
    {"unevaluatedItems", Shape::schema}, {"unevaluatedProperties", Shape::schema}, {"contains", Shape::schema},
    {"propertyNames", Shape::schema}, {"not", Shape::schema}, {"if", Shape::schema}, {"then", Shape::schema}, {"else", Shape::schema},
    {"contentSchema", Shape::schema},
};

constexpr std::string_view other_words[] = {
    "type", "enum", "const", "format", "dependencies", "$ref", "$dynamicRef", "$recursiveRef", "$schema", "$id", "$anchor", "$dynamicAnchor", "$recursiveAnchor",
    "$vocabulary", "$comment", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "contentMediaType", "contentEncoding",
    "discriminator", "xml", "externalDocs", "example"};  // the last four are OpenAPI's

// Words of other drafts and of habit, and what says the same today.
constexpr std::pair<std::string_view, std::string_view> meant[] = {
    {"id", "$id"}, {"divisibleBy", "multipleOf"}, {"disallow", "not"}, {"extends", "allOf"}, {"additionalItems", "items"}, {"nullable", "type"}};

enum class Draft { four_or_less, six_or_seven, later };

Draft draft_of(const auto& schema) {
    if (!schema.is_object() || !schema.contains("$schema") || !schema["$schema"].is_string()) return Draft::later;
    const std::string uri = schema["$schema"];
    if (uri.find("draft-03") != uri.npos || uri.find("draft-04") != uri.npos) return Draft::four_or_less;
    return uri.find("draft-06") != uri.npos || uri.find("draft-07") != uri.npos ? Draft::six_or_seven : Draft::later;
}

// A schema by its place; what references lead to is one wherever it lies.
template <class AnyJson>
struct Place {
    AnyJson* schema;
    std::string pointer;
};

template <class AnyJson>
std::vector<Place<AnyJson>> places_of(AnyJson& root, std::set<std::string>* references = nullptr) {
    std::vector<Place<AnyJson>> out = {{&root, ""}};
    std::unordered_set<const void*> seen = {&root};
    const auto add = [&](AnyJson& schema, std::string pointer) {
        if (schema.is_object() && seen.insert(&schema).second) out.push_back({&schema, std::move(pointer)});
    };
    for (std::size_t i = 0; i < out.size(); ++i) {
        AnyJson* const schema = out[i].schema;
        const std::string pointer = out[i].pointer;
        for_each_part(*schema, [&](const std::string& step, AnyJson& part) { add(part, pointer + step); });
        if (!schema->is_object() || !schema->contains("$ref") || !(*schema)["$ref"].is_string()) continue;
        const std::string target = (*schema)["$ref"];
        if (!target.starts_with("#/")) continue;
        if (references) references->insert(target.substr(1));
        try {
            add(root.at(typename AnyJson::json_pointer(target.substr(1))), target.substr(1));
        } catch (const typename AnyJson::exception&) {  // it leads nowhere, or is not spelled plainly
        }
    }
    return out;
}

// A bound that the other word makes exclusive.
void rewrite_exclusive(auto& schema, const char* exclusive, const char* bound) {
    const auto it = schema.find(exclusive);
    if (it == schema.end() || !it->is_boolean()) return;
    if (*it == false) {
        schema.erase(exclusive);
    } else if (schema.contains(bound)) {
        const auto value = schema[bound];
        schema[exclusive] = value;
        schema.erase(bound);
    }
}

// What older drafts call the items behind a list, beside today's word for the list.
void rewrite_additional(auto& schema) {
    if (!schema.contains("prefixItems") || !schema.contains("additionalItems") || schema.contains("items")) return;
    const auto others = schema["additionalItems"];
    schema["items"] = others;
    schema.erase("additionalItems");
}

template <class AnyJson>
void rewrite_nullable(AnyJson& schema) {
    const auto it = schema.find("nullable");
    if (it == schema.end() || !it->is_boolean()) return;
    const bool may_be_null = it->template get<bool>();
    schema.erase("nullable");
    if (!may_be_null) return;
    if (schema.contains("type")) {
        AnyJson types = schema["type"].is_array() ? schema["type"] : AnyJson::array({schema["type"]});
        if (std::find(types.begin(), types.end(), AnyJson("null")) == types.end()) types.push_back("null");
        schema["type"] = types;
        return;
    }
    if (schema.contains("enum") || schema.contains("const")) return;  // these list null themselves
    AnyJson inner = AnyJson::object();
    const auto move = [&](const char* key) {
        if (!schema.contains(key)) return;
        const AnyJson value = schema[key];
        inner[key] = value;
        schema.erase(key);
    };
    for (const char* key : {"$ref", "$dynamicRef", "$recursiveRef"}) move(key);
    for (const SchemaKeyword& k : keywords) {
        const std::string_view name = k.name;
        const bool of_parent = name == "required" && schema.contains(k.name) && schema[k.name].is_boolean();
        if (name != "$defs" && name != "definitions" && !of_parent) move(k.name);
    }
    if (!inner.empty()) schema["anyOf"] = AnyJson::array({inner, AnyJson{{"type", "null"}}});
}

// "required": true of a property, as its object says it.
template <class AnyJson>
void rewrite_required(AnyJson& schema) {
    const auto properties = schema.find("properties");
    if (properties == schema.end() || !properties->is_object()) return;
    AnyJson names = AnyJson::array();
    for (auto it = properties->begin(); it != properties->end(); ++it) {
        if (!it->is_object() || !it->contains("required") || !(*it)["required"].is_boolean()) continue;
        if ((*it)["required"] == true) names.push_back(it.key());
        it->erase("required");
    }
    if (names.empty() || (schema.contains("required") && !schema["required"].is_array())) return;
    for (const AnyJson& name : names)
        if (std::find(schema["required"].begin(), schema["required"].end(), name) == schema["required"].end()) schema["required"].push_back(name);
}

// Whether anything in it may have to be said otherwise: mostly nothing has.
bool may_be_old(const auto& json) {
    if (json.is_object())
        for (auto it = json.begin(); it != json.end(); ++it) {
            const std::string_view key = it.key();
            if (key == "nullable" || key == "additionalItems" || key == "id") return true;
            if (it->is_boolean() && (key == "required" || key == "exclusiveMinimum" || key == "exclusiveMaximum")) return true;
        }
    return json.is_structured() && std::any_of(json.begin(), json.end(), [](const auto& inner) { return may_be_old(inner); });
}

template <class AnyJson>
AnyJson rewritten(AnyJson root) {
    if (!may_be_old(root)) return root;
    auto places = places_of(root);
    const bool with_id = draft_of(root) == Draft::four_or_less;
    // The inner ones first: a schema that is rewritten moves its parts.
    std::stable_sort(places.begin(), places.end(), [](const auto& a, const auto& b) { return a.pointer.size() > b.pointer.size(); });
    for (const auto& place : places) {
        AnyJson& schema = *place.schema;
        if (!schema.is_object()) continue;
        rewrite_exclusive(schema, "exclusiveMinimum", "minimum");
        rewrite_exclusive(schema, "exclusiveMaximum", "maximum");
        rewrite_additional(schema);
        rewrite_required(schema);
        rewrite_nullable(schema);
        if (with_id && schema.contains("id") && schema["id"].is_string() && !schema.contains("$id")) {
            const AnyJson id = schema["id"];
            schema["$id"] = id;
            schema.erase("id");
        }
    }
    return root;
}

bool is_known(const std::string& word, const OrderedJson& schema, Draft draft) {
    if (word == "nullable") return schema[word].is_boolean();
    if (word == "id") return draft == Draft::four_or_less && schema[word].is_string();
    // Beside anything but a list it says nothing, in the drafts that have it.
    if (word == "additionalItems") return draft != Draft::later || (schema.contains("items") ? schema["items"].is_array() : schema.contains("prefixItems"));
    return find_schema_keyword(word) || word.starts_with("x-") || std::find(std::begin(other_words), std::end(other_words), word) != std::end(other_words);
}

std::string nearest_to(const std::string& word) {
    for (const auto& [other, word_of_today] : meant)
        if (other == word) return std::string(word_of_today);
    std::string best;
    std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
    const auto ask = [&](std::string_view other) {
        const std::size_t edits = edits_between(word, other);
        if (edits < least) least = edits, best = other;
    };
    for (const SchemaKeyword& k : keywords) ask(k.name);
    for (std::string_view other : other_words) ask(other);
    return best;
}

}  // namespace

std::span<const SchemaKeyword> schema_keywords() { return keywords; }

const SchemaKeyword* find_schema_keyword(std::string_view name) {
    static const auto by_name = [] {
        std::unordered_map<std::string_view, const SchemaKeyword*> out;
        for (const SchemaKeyword& k : keywords) out.emplace(k.name, &k);
        return out;
    }();
    const auto it = by_name.find(name);
    return it == by_name.end() ? nullptr : it->second;
}

std::string pointer_step(std::string_view key) {
    std::string out = "/";
    for (char c : key) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return out;
}

Json in_current_words(Json schema) { return rewritten(std::move(schema)); }
OrderedJson in_current_words(OrderedJson schema) { return rewritten(std::move(schema)); }

std::string UnknownWord::text() const {
    return "at \"" + place + "\": JSON Schema has no word \"" + word + "\"" + (nearest.empty() ? "" : "; did you mean \"" + nearest + "\"?");
}

std::vector<UnknownWord> unknown_words(const OrderedJson& schema) {
    std::vector<UnknownWord> out;
    std::set<std::string> references;
    const Draft draft = draft_of(schema);
    for (const auto& place : places_of(schema, &references)) {
        if (!place.schema->is_object()) continue;
        for (const auto& [word, value] : place.schema->items()) {
            if (is_known(word, *place.schema, draft)) continue;
            const std::string pointer = place.pointer + pointer_step(word);
            const auto way = references.lower_bound(pointer + "/");
            if (way != references.end() && way->starts_with(pointer + "/")) continue;
            out.push_back({pointer, word, nearest_to(word)});
        }
    }
    return out;
}

OrderedJson without(OrderedJson schema, const std::vector<UnknownWord>& words) {
    for (const UnknownWord& unknown : words) {
        const OrderedJson::json_pointer at(unknown.place);
        schema.at(at.parent_pointer()).erase(unknown.word);
    }
    return schema;
}

}  // namespace base
