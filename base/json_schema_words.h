// The words of JSON Schema: which there are, where the schemas within a schema lie, and what older drafts and OpenAPI
// say in words of their own.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace base {

// A keyword whose value has a required shape.
struct SchemaKeyword {
    enum class Shape { number, count, text, texts, boolean, object, schema, schemas, schema_map, schema_or_schemas };
    const char* name;
    Shape shape;
};
std::span<const SchemaKeyword> schema_keywords();
const SchemaKeyword* find_schema_keyword(std::string_view name);  // null: it is none of them

std::string pointer_step(std::string_view key);  // "/key", escaped for a JSON pointer

// f(step, part) for each schema, and what stands in the place of one, that a keyword holds; `step`: from the schema to it.
template <class AnyJson, class F>
void for_each_part(AnyJson& schema, F f) {
    using Shape = SchemaKeyword::Shape;
    if (!schema.is_object()) return;
    const auto of_map = [&](AnyJson& map, const std::string& here, bool lists) {
        for (auto it = map.begin(); it != map.end(); ++it)
            if (!lists || !it->is_array()) f(here + pointer_step(it.key()), *it);
    };
    for (auto it = schema.begin(); it != schema.end(); ++it) {
        if (it.key() == "dependencies" && it->is_object()) of_map(*it, "/dependencies", true);
        const SchemaKeyword* k = it->is_structured() || it->is_boolean() ? find_schema_keyword(it.key()) : nullptr;
        if (!k) continue;
        const std::string here = "/" + it.key();
        if (it->is_array() && (k->shape == Shape::schemas || k->shape == Shape::schema_or_schemas)) {
            for (std::size_t i = 0; i < it->size(); ++i) f(here + "/" + std::to_string(i), (*it)[i]);
        } else if (k->shape == Shape::schema || k->shape == Shape::schema_or_schemas) {
            f(here, *it);
        } else if (k->shape == Shape::schema_map && it->is_object()) {
            of_map(*it, here, false);
        }
    }
}

// The schema in the words of draft 2020-12: draft 3's "required" of a property, draft 4's "id" and true or false as
// "exclusiveMinimum" and "exclusiveMaximum", draft 7's "additionalItems" beside "prefixItems", OpenAPI's "nullable". What has no
// counterpart stays as it is.
Json in_current_words(Json schema);
OrderedJson in_current_words(OrderedJson schema);

struct UnknownWord {
    std::string place;    // JSON pointer of the word
    std::string word;
    std::string nearest;  // the word that may be meant; may be empty
    std::string text() const;
};

// What stands in the place of a keyword and is none of JSON Schema's or OpenAPI's, does not begin with "x-", and does not lie
// on the way of a reference.
std::vector<UnknownWord> unknown_words(const OrderedJson& schema);
OrderedJson without(OrderedJson schema, const std::vector<UnknownWord>& words);

}  // namespace base
