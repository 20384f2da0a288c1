// The small tools of the household: memory and time. Their rows are in registry.cpp.
#pragma once

#include "tools/tool.h"

namespace tools {

// {"text": string, "about"?, "replaces"?, "since"?, "group"?: string} → a fact of the person's, recalled in later turns.
net::Task<base::Result<ToolOutput>> remember(base::Json arguments, ToolContext& context);
// {"query": string} → the facts that answer it, each with its day; where from and why in the outcome's `sources`.
net::Task<base::Result<ToolOutput>> recall(base::Json arguments, ToolContext& context);
// {} → date and time here and in UTC.
net::Task<base::Result<ToolOutput>> current_time(base::Json arguments, ToolContext& context);

base::Error no_memory();  // what every tool of the memory says where a call has none

std::vector<Tool> home_tools();

}  // namespace tools
