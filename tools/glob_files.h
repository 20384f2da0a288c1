#pragma once

#include "tools/tool.h"

namespace tools {

// {"pattern", "path"?: "."} → the files below `path` whose path relative to it matches; a pattern
// without "/" is matched against the name alone.
net::Task<base::Result<ToolOutput>> glob_files(base::Json arguments, ToolContext& context);

}  // namespace tools
