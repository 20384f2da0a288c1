// The person's collections: what there is, what is in them, what their items hold to.
#include "memory/collections.h"

#include "server/api/handlers.h"
#include "server/api/id_json.h"
#include "server/api/page.h"
#include "store/storable.h"

namespace server::api {
namespace {

using base::Code;
using base::Json;

Response no_such_collection() { return error_response(404, "there is no such collection", "not_found"); }

Json collection_json(const store::Collection& one) {
    return {{"id", one.id.text()}, {"object", "collection"}, {"name", one.name}, {"schema", base::parse_json(one.schema).value()}, {"fields", memory::fields_of(one)}, {"items", one.items}, {"made", base::rfc3339(one.made)}};
}

Json item_json(const store::CollectionItem& one) {
    return {{"id", one.id.text()}, {"object", "collection.item"}, {"collection", one.collection}, {"item", base::parse_json(one.body).value()}, {"run_id", id_json(one.run)},
            {"trusted", one.trusted}, {"changed", base::rfc3339(one.changed)}};
}

// A field of the body that holds an object, as it was written.
base::Result<std::string> object_field(const std::string& body, const char* field) {
    const auto json = base::parse_ordered_json(body);
    if (!json) return json.error();
    if (!json->is_object()) return base::error(Code::invalid_argument, "the body must be a JSON object");
    if (!json->contains(field) || !(*json)[field].is_object()) return base::error(Code::invalid_argument, std::string(field) + " is missing, or no JSON object");
    return (*json)[field].dump(-1, ' ', false, base::OrderedJson::error_handler_t::replace);
}

}  // namespace

net::Task<Response> list_collections(Request, Caller caller, Services& services) {
    const auto list = [](store::Tx& tx) { return store::list_collections(tx); };
    Json data = Json::array();
    for (const auto& one : co_await services.db.read(agents::identity_of(caller.principal), list)) data.push_back(collection_json(one));
    co_return list_response(std::move(data));
}

net::Task<Response> make_collection(Request request, Caller caller, Services& services) {
    const auto schema = object_field(request.body, "schema");
    if (!schema) co_return error_response(schema.error(), "schema");
    const auto name = base::string_field(base::parse_json(request.body).value(), "name");
    if (!name) co_return error_response(name.error(), "name");
    if (auto fine = memory::check_collection_schema(*schema); !fine) co_return error_response(fine.error(), "schema");
    const auto make = [&](store::Tx& tx) { return store::make_collection(tx, *name, *schema); };
    const auto made = co_await services.db.run(agents::identity_of(caller.principal), make);
    if (!made) co_return error_response(made.error(), "name");
    co_return json_response(collection_json(*made), 201);
}

net::Task<Response> get_collection(Request request, Caller caller, Services& services) {
    const auto limit = request.query_number("limit", 50, 1, 500);
    if (!limit) co_return error_response(limit.error(), "limit");
    struct Found {
        std::optional<store::Collection> collection;
        std::vector<store::CollectionItem> items;
    };
    const std::string name = request.parameters["name"];
    const auto find = [&](store::Tx& tx) {
        Found out{store::find_collection(tx, name), {}};
        if (out.collection) out.items = store::list_items(tx, name, *limit);
        return out;
    };
    const Found found = co_await services.db.read(agents::identity_of(caller.principal), find);
    if (!found.collection) co_return no_such_collection();
    Json body = collection_json(*found.collection);
    body["data"] = Json::array();
    for (const auto& one : found.items) body["data"].push_back(item_json(one));
    co_return json_response(body);
}

net::Task<Response> add_collection_item(Request request, Caller caller, Services& services) {
    const auto text = object_field(request.body, "item");
    if (!text) co_return error_response(text.error(), "item");
    const Json item = base::parse_json(*text).value();
    const std::string name = request.parameters["name"];
    const store::CollectionItem fresh{store::CollectionItemId::make(services.clock.now()), name, base::dump(item), {}, true, services.clock.now()};
    const auto add = [&](store::Tx& tx) -> base::Result<void> {
        const auto collection = store::find_collection(tx, name);
        if (!collection) return base::error(Code::not_found, "there is no such collection");
        if (auto fits = memory::check_item(*collection, item); !fits) return fits;
        store::add_item(tx, collection->id, fresh);
        return {};
    };
    const auto added = co_await services.db.run(agents::identity_of(caller.principal), add);
    if (!added) co_return error_response(added.error(), "item");
    co_return json_response(item_json(fresh), 201);
}

net::Task<Response> remove_collection(Request request, Caller caller, Services& services) {
    const std::string name = request.parameters["name"];
    const auto remove = [&](store::Tx& tx) { return store::remove_collection(tx, name); };
    const bool removed = co_await services.db.run(agents::identity_of(caller.principal), remove);
    if (!removed) co_return no_such_collection();
    co_return json_response({{"name", name}, {"removed", true}});
}

}  // namespace server::api
