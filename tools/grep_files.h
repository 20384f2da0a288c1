#pragma once

#include "tools/tool.h"

namespace tools {

// {"pattern": RE2, "path"?: file or folder, "include"?: glob, "context"?: 0–10, "ignore_case"?} → matching
// lines as path:line:text (context lines as path-line-text). Linear in the text whatever the pattern.
net::Task<base::Result<ToolOutput>> grep_files(base::Json arguments, ToolContext& context);

}  // namespace tools
