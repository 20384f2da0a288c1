#pragma once

#include "tools/tool.h"

namespace tools {

// {"path", "offset"?: first line from 1, "limit"?: lines} → the lines, numbered, and a mark when more follow.
net::Task<base::Result<ToolOutput>> read_file(base::Json arguments, ToolContext& context);

}  // namespace tools
