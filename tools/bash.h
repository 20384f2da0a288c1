#pragma once

#include "tools/tool.h"

namespace tools {

// {"command", "timeout_seconds"?: 1–30, "stdin"?} → output and exit status of `bash -c` in the sandbox,
// in the workspace, without network. Refused below sandbox level T2; no argument changes that.
net::Task<base::Result<ToolOutput>> bash(base::Json arguments, ToolContext& context);

}  // namespace tools
