// The person's collections: what an agent adds to them, finds in them and changes. Shown only to who has some, with their fields.
#pragma once

#include "tools/tool.h"

namespace tools {

// {"collection", "item"} → the new item's id.
net::Task<base::Result<ToolOutput>> collection_add(base::Json arguments, ToolContext& context);
// {"query"?, "collection"?} → the items that answer it, each with its id; where from and why in the outcome's `sources`.
net::Task<base::Result<ToolOutput>> collection_search(base::Json arguments, ToolContext& context);
// {"id", "fields"}: those are set, and those that are null removed.
net::Task<base::Result<ToolOutput>> collection_update(base::Json arguments, ToolContext& context);

std::vector<Tool> collection_tools();
bool is_of_collections(const std::string& tool);

}  // namespace tools
