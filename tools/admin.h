// The tools that tell of the machine's own work: the person's runs, their steps, and what they used. They change nothing.
#pragma once

#include "tools/tool.h"

namespace tools {

// {"limit"?: 1…50, "state"?: a final state} → a line a run, the newest first.
net::Task<base::Result<ToolOutput>> recent_runs(base::Json arguments, ToolContext& context);
// {"run": id} → what was asked, each step with what it brought, and what was answered.
net::Task<base::Result<ToolOutput>> read_run(base::Json arguments, ToolContext& context);
// {"days"?: 1…90} → calls and tokens by model and agent.
net::Task<base::Result<ToolOutput>> usage(base::Json arguments, ToolContext& context);

std::vector<Tool> admin_tools();

}  // namespace tools
