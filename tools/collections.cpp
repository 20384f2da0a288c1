#include "tools/collections.h"

#include "memory/collections.h"
#include "store/run_writer.h"
#include "tools/home.h"
#include "tools/ports.h"
#include "tools/schemas.h"

namespace tools {
namespace {

using base::Code;
using base::Json;
using policy::Integrity;

constexpr std::size_t kFound = 10;

base::Error no_collection(store::Tx& tx, const std::string& name) {
    std::string names;
    for (const store::Collection& one : store::list_collections(tx)) names += (names.empty() ? "" : ", ") + one.name;
    return base::error(Code::not_found, "there is no collection '" + name + "'", names.empty() ? "the person makes one: hearth memory collection create" : "there are " + names);
}

store::CollectionItem written(const ToolContext& context, store::CollectionItemId id, const Json& body) {
    return {id, "", base::dump(body), context.ports->run, context.label == Integrity::trusted, {}};
}

}  // namespace

net::Task<base::Result<ToolOutput>> collection_add(Json arguments, ToolContext& context) {
    if (!context.ports || !context.ports->memory) co_return no_memory();
    const auto name = base::string_field(arguments, "collection");
    if (!name) co_return name.error();
    const Json item = arguments.value("item", Json());
    const auto find = [&](store::Tx& tx) -> base::Result<store::Collection> {
        auto found = store::find_collection(tx, *name);
        if (!found) return no_collection(tx, *name);
        return *std::move(found);
    };
    const auto collection = co_await context.ports->db.read(context.ports->who, find);
    if (!collection) co_return collection.error();
    if (auto fits = memory::check_item(*collection, item); !fits) co_return std::move(fits).error();
    const store::CollectionItem fresh = written(context, store::CollectionItemId::make(context.ports->clock.now()), item);
    context.ports->writes.push_back([fresh, id = collection->id](store::Tx& tx) { store::add_item(tx, id, fresh); });
    ToolOutput out{"Added to " + *name + " as " + fresh.id.text() + ": " + fresh.body};
    out.integrity = Integrity::trusted;
    out.facts["item"] = fresh.id.text();
    co_return out;
}

net::Task<base::Result<ToolOutput>> collection_search(Json arguments, ToolContext& context) {
    if (!context.ports || !context.ports->memory) co_return no_memory();
    const std::string name = arguments.value("collection", ""), query = arguments.value("query", "");
    const auto list = [&](store::Tx& tx) -> base::Result<std::vector<store::CollectionItem>> {
        if (!name.empty() && !store::find_collection(tx, name)) return no_collection(tx, name);
        return store::list_items(tx, name, memory::kMostItems);
    };
    const auto items = co_await context.ports->db.read(context.ports->who, list);
    if (!items) co_return items.error();
    const auto found = memory::search_items(*items, query, context.ports->clock.now(), kFound);
    ToolOutput out;
    out.integrity = Integrity::trusted;
    out.facts["count"] = found.size();
    out.facts["sources"] = Json::array();
    for (const memory::FoundItem& one : found) {
        out.text += "- " + one.item.collection + " " + one.item.id.text() + ": " + one.item.body + "\n";
        out.facts["sources"].push_back({{"item", one.item.id.text()}, {"collection", one.item.collection}, {"run", one.item.run.is_nil() ? Json(nullptr) : Json(one.item.run.text())}, {"why", one.why}});
        if (!one.item.trusted) out.integrity = Integrity::untrusted;
    }
    if (out.text.empty()) out.text = "Nothing in " + (name.empty() ? "the collections" : name) + " answers \"" + query + "\".";
    co_return out;
}

net::Task<base::Result<ToolOutput>> collection_update(Json arguments, ToolContext& context) {
    if (!context.ports || !context.ports->memory) co_return no_memory();
    const auto text = base::string_field(arguments, "id");
    if (!text) co_return text.error();
    const auto id = store::CollectionItemId::parse(*text);
    struct Found {
        store::CollectionItem item;
        store::Collection collection;
    };
    const auto find = [&](store::Tx& tx) -> base::Result<Found> {
        const auto item = id ? store::find_item(tx, *id) : std::nullopt;
        const auto collection = item ? store::find_collection(tx, item->collection) : std::nullopt;
        if (!collection) return base::error(Code::not_found, "there is no item '" + *text + "'", "collection_search tells the ids");
        return Found{*item, *collection};
    };
    const auto found = co_await context.ports->db.read(context.ports->who, find);
    if (!found) co_return found.error();
    Json body = base::parse_json(found->item.body).value();
    body.merge_patch(arguments.value("fields", Json::object()));
    if (auto fits = memory::check_item(found->collection, body); !fits) co_return std::move(fits).error();
    store::CollectionItem changed = written(context, *id, body);
    changed.trusted = changed.trusted && found->item.trusted;
    context.ports->writes.push_back([changed, read = found->item.changed](store::Tx& tx) {
        if (store::change_item(tx, changed, read)) return;
        const auto now = store::find_item(tx, changed.id);
        throw store::Overtaken(now ? "somebody else has changed it just now. It is now: " + now->body + "\nCall again with what is still to change." : "the item was removed just now.");
    });
    ToolOutput out{"It is now: " + changed.body};
    out.integrity = changed.trusted ? Integrity::trusted : Integrity::untrusted;
    out.facts["item"] = id->text();
    co_return out;
}

std::vector<Tool> collection_tools() {
    using policy::Effect;
    using policy::Permission;
    using policy::Scope;
    using namespace schemas;
    const std::chrono::milliseconds quick{5000};
    const auto fields = [](const char* what) { return base::OrderedJson{{"type", "object"}, {"description", what}}; };
    return {
        {"collection_add", "Put an item into one of the person's collections.", object({{"collection", text("its name")}, {"item", fields("with the collection's fields")}}, {"collection", "item"}),
         facts({{"item", "string"}}), {Scope::home}, Effect::transactional, {Permission::memory_write}, quick, collection_add},
        {"collection_search", "Find items of the person's collections.", object({{"query", text("words to look for; without it: the newest")}, {"collection", text("its name; without it: all")}}),
         facts({{"count", "integer"}, {"sources", "array"}}), {Scope::home}, Effect::pure, {Permission::memory_read}, quick, collection_search},
        {"collection_update", "Change an item of one of the person's collections.", object({{"id", text("of the item, as collection_search tells it")}, {"fields", fields("what changes; null removes one")}}, {"id", "fields"}),
         facts({{"item", "string"}}), {Scope::home}, Effect::transactional, {Permission::memory_read, Permission::memory_write}, quick, collection_update},
    };
}

bool is_of_collections(const std::string& tool) { return tool.starts_with("collection_"); }

}  // namespace tools
