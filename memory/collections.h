// What a collection's schema may be, what fits it, and which items answer a question. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "store/collections.h"

namespace memory {

inline constexpr std::size_t kItemBytes = 8000;
inline constexpr int kMostItems = 5000;  // that a search looks through, the newest

// A JSON Schema of an object with named fields. Error{invalid_argument}: it is none, with the place.
base::Result<void> check_collection_schema(const std::string& schema);
// Error{invalid_argument}: begins with the pointer of what does not fit.
base::Result<void> check_item(const store::Collection& collection, const base::Json& item);
// "recipes (title: string, minutes: integer, optional)", as a model reads it.
std::string fields_of(const store::Collection& collection);

// The best first; without words all of them, in their order.
struct FoundItem {
    store::CollectionItem item;
    std::string why;
};
std::vector<FoundItem> search_items(const std::vector<store::CollectionItem>& items, const std::string& question, base::TimePoint now, std::size_t most);

}  // namespace memory
