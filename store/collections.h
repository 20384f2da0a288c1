// Collections: a person's named lists, each with a JSON Schema that its items hold to. What fits is decided by memory/collections.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/db.h"

namespace store {

using CollectionId = base::Id<struct CollectionTag>;
using CollectionItemId = base::Id<struct CollectionItemTag>;

struct Collection {
    CollectionId id;
    std::string name, schema;        // JSON, with the fields in their order
    std::int64_t items = 0;
    base::TimePoint made{};
};
// Error{invalid_argument}: the name is none. {conflict}: there is one of that name.
base::Result<Collection> make_collection(Tx& tx, const std::string& name, const std::string& schema);
std::optional<Collection> find_collection(Tx& tx, const std::string& name);
std::vector<Collection> list_collections(Tx& tx);  // by name
bool remove_collection(Tx& tx, const std::string& name);  // with its items

struct CollectionItem {
    CollectionItemId id;
    std::string collection, body;    // the name; a JSON object
    base::RunId run;                 // that wrote it last; nil: the person's own command
    bool trusted = false;            // no text from outside was in the conversation by then
    base::TimePoint changed{};
};
void add_item(Tx& tx, CollectionId collection, const CollectionItem& item);
// Its body, run and trust. False: it is not as it was when `read` any more, or gone.
bool change_item(Tx& tx, const CollectionItem& item, base::TimePoint read);
std::optional<CollectionItem> find_item(Tx& tx, CollectionItemId id);
// The newest first; of all collections where the name is empty.
std::vector<CollectionItem> list_items(Tx& tx, const std::string& collection, int limit);

}  // namespace store
