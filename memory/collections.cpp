#include "memory/collections.h"

#include <algorithm>

#include "base/json_schema.h"
#include "memory/rank.h"

namespace memory {
namespace {

using base::Code;
using base::Json;
using base::OrderedJson;

constexpr std::size_t kSchemaBytes = 8000;
constexpr const char* kExample = R"(such as {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]})";

// The words of all values, those within lists and objects too.
void add_words(const Json& value, std::string& out) {
    if (value.is_string()) out += value.get<std::string>() + ". ";
    else if (value.is_number() || value.is_boolean()) out += base::dump(value) + ". ";
    else if (value.is_structured())
        for (const Json& one : value) add_words(one, out);
}

bool is_required(const OrderedJson& schema, const std::string& field) {
    const OrderedJson required = schema.value("required", OrderedJson::array());
    return std::find(required.begin(), required.end(), field) != required.end();
}

std::string kind_of(const OrderedJson& field) {
    if (field.is_object() && field.contains("enum")) return "one of " + field["enum"].dump();
    if (field.is_object() && field.contains("type")) return field["type"].is_string() ? field["type"].get<std::string>() : field["type"].dump();
    return "anything";
}

}  // namespace

base::Result<void> check_collection_schema(const std::string& text) {
    if (text.size() > kSchemaBytes) return base::error(Code::invalid_argument, "the schema has " + std::to_string(text.size()) + " bytes, at most " + std::to_string(kSchemaBytes) + " expected");
    const auto json = base::parse_json(text);
    if (!json) return base::error(Code::invalid_argument, "the schema is no JSON: " + json.error().message, kExample);
    if (!json->is_object() || json->value("type", Json()) != "object" || !json->value("properties", Json()).is_object() || (*json)["properties"].empty())
        return base::error(Code::invalid_argument, "the schema is not that of an object with named fields", kExample);
    if (auto schema = base::Schema::parse(*json); !schema) return base::error(Code::invalid_argument, "the schema: " + schema.error().message);
    return {};
}

base::Result<void> check_item(const store::Collection& collection, const Json& item) {
    if (const std::size_t bytes = base::dump(item).size(); bytes > kItemBytes) return base::error(Code::invalid_argument, "the item has " + std::to_string(bytes) + " bytes, at most " + std::to_string(kItemBytes) + " expected");
    const auto schema = base::Schema::parse(base::parse_json(collection.schema).value());
    if (!schema) return schema.error();
    if (auto fits = schema->validate(item); !fits) return base::error(Code::invalid_argument, fits.error().message, "the collection's fields: " + fields_of(collection));
    return {};
}

std::string fields_of(const store::Collection& collection) {
    const auto schema = base::parse_ordered_json(collection.schema).value();
    std::string out;
    for (const auto& [name, field] : schema["properties"].items()) out += (out.empty() ? "" : ", ") + name + ": " + kind_of(field) + (is_required(schema, name) ? "" : ", optional");
    return collection.name + " (" + out + ")";
}

std::vector<FoundItem> search_items(const std::vector<store::CollectionItem>& items, const std::string& question, base::TimePoint now, std::size_t most) {
    std::vector<FoundItem> out;
    const Question asked = question_of(question, std::chrono::floor<std::chrono::days>(now));
    if (asked.words.empty() && asked.phrases.empty()) {
        for (const store::CollectionItem& one : items)
            if (out.size() < most) out.push_back({one, ""});
        return out;
    }
    Index index({0, 0});
    for (auto one = items.rbegin(); one != items.rend(); ++one) {  // of equals the later is found first
        std::string words;
        add_words(base::parse_json(one->body).value(), words);
        index.add({.text = words, .said = std::chrono::floor<std::chrono::days>(one->changed)});
    }
    for (const Hit& hit : recall(index, asked, {.items = most, .own = true}).hits) out.push_back({items[items.size() - 1 - hit.item], why(index, hit)});
    return out;
}

}  // namespace memory
