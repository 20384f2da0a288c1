#pragma once

#include "tools/tool.h"

namespace tools {

// {"path", "content"} → the file holds exactly that; folders on the way are made.
net::Task<base::Result<ToolOutput>> write_file(base::Json arguments, ToolContext& context);

}  // namespace tools
