#include "store/collections.h"

namespace store {
namespace {

using base::Code;

constexpr std::size_t kNameBytes = 40;
const std::string kNames = "abcdefghijklmnopqrstuvwxyz0123456789_-";

const std::string& columns() {
    static const std::string all = "c.id, c.name, c.schema, (select count(*) from collection_item i where i.collection_id = c.id), " + micros("c.made_at");
    return all;
}
const std::string& item_columns() {
    static const std::string all = "i.id, c.name, i.body, i.run_id, i.trusted, " + micros("i.changed_at");
    return all;
}
constexpr const char* kItems = " from collection_item i join collection c on c.id = i.collection_id where i.audience_id = hearth_person()";

std::vector<Collection> collections_of(const std::vector<Row>& rows) {
    std::vector<Collection> out;
    for (const Row& row : rows) out.push_back({row.id<CollectionId>(0), row.text(1), row.text(2), row.integer(3), row.time(4)});
    return out;
}

std::vector<CollectionItem> items_of(const std::vector<Row>& rows) {
    std::vector<CollectionItem> out;
    for (const Row& row : rows) out.push_back({row.id<CollectionItemId>(0), row.text(1), row.text(2), row.id<base::RunId>(3), row.boolean(4), row.time(5)});
    return out;
}

bool is_name(const std::string& name) { return !name.empty() && name.size() <= kNameBytes && name.find_first_not_of(kNames) == std::string::npos; }

// Still JSON.
base::Json without_known(Tx& tx, const std::string& body) { return tx.redactor().without_known(base::parse_json(body).value()); }

}  // namespace

base::Result<Collection> make_collection(Tx& tx, const std::string& name, const std::string& schema) {
    if (!is_name(name))
        return base::error(Code::invalid_argument, "'" + name + "' is no name of a collection", "take 1 to " + std::to_string(kNameBytes) + " of a to z, 0 to 9, _ and -");
    const auto made = tx.exec("insert into collection (id, name, schema) values ($1, $2, $3) on conflict (audience_id, name) do nothing returning id",
                              {CollectionId::make(base::SystemClock().now()), name, schema});
    if (made.empty()) return base::error(Code::conflict, "there is a collection '" + name + "' already", "take another name, or remove that one with all its items");
    return *find_collection(tx, name);
}

std::optional<Collection> find_collection(Tx& tx, const std::string& name) {
    if (!is_name(name)) return std::nullopt;
    const auto found = collections_of(tx.exec("select " + columns() + " from collection c where c.audience_id = hearth_person() and c.name = $1", {name}));
    return found.empty() ? std::nullopt : std::optional(found[0]);
}

std::vector<Collection> list_collections(Tx& tx) { return collections_of(tx.exec("select " + columns() + " from collection c where c.audience_id = hearth_person() order by c.name")); }

bool remove_collection(Tx& tx, const std::string& name) { return is_name(name) && !tx.exec("delete from collection where audience_id = hearth_person() and name = $1 returning id", {name}).empty(); }

void add_item(Tx& tx, CollectionId collection, const CollectionItem& item) {
    tx.send("insert into collection_item (id, collection_id, body, run_id, trusted) select $1, c.id, $3, $4, $5 from collection c where c.id = $2",
            {item.id, collection, without_known(tx, item.body), item.run, item.trusted});
}

bool change_item(Tx& tx, const CollectionItem& item, base::TimePoint read) {
    return !tx.exec("update collection_item set body = $2, run_id = $3, trusted = $4 and trusted, changed_at = greatest(clock_timestamp(), changed_at + interval '1 microsecond') where id = $1 and " + micros("changed_at") + " = $5 returning 1",
                    {item.id, without_known(tx, item.body), item.run, item.trusted, micros_of(read)})
                .empty();
}

std::optional<CollectionItem> find_item(Tx& tx, CollectionItemId id) {
    const auto found = items_of(tx.exec("select " + item_columns() + kItems + " and i.id = $1", {id}));
    return found.empty() ? std::nullopt : std::optional(found[0]);
}

std::vector<CollectionItem> list_items(Tx& tx, const std::string& collection, int limit) {
    return items_of(tx.exec("select " + item_columns() + kItems + " and ($1 = '' or c.name = $1) order by i.id desc limit $2", {collection, limit}));
}

}  // namespace store
