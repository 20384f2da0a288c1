#pragma once

#include "tools/tool.h"

namespace tools {

// {"path"?: "."} → one line an entry: folders end in "/", files show their size.
net::Task<base::Result<ToolOutput>> list_dir(base::Json arguments, ToolContext& context);

}  // namespace tools
