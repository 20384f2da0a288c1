#pragma once

#include "tools/tool.h"

namespace tools {

// {"path", "old_string", "new_string", "replace_all"?} → old_string must occur exactly once, or
// replace_all be true; else the error says how often and on which lines it occurs.
net::Task<base::Result<ToolOutput>> edit_file(base::Json arguments, ToolContext& context);

}  // namespace tools
