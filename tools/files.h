// What the file tools share: access to the workspace of the call, lines, cuts.
#pragma once

#include <string>
#include <vector>

#include "sandbox/workspace.h"
#include "tools/tool.h"

namespace tools {

constexpr std::uint64_t kMostFileBytes = 8ull << 20;  // a larger file is refused, whole or by lines
constexpr std::size_t kMostWalked = 20000;            // entries that glob and grep look at

// The workspace, or the error that this turn has none.
base::Result<sandbox::Workspace*> workspace_of(const ToolContext& context);

// Lines without their line ends; a last line without one counts.
std::vector<std::string_view> lines_of(std::string_view text);

// `arguments[field]` when present, checked against the bounds; `otherwise` when absent.
base::Result<std::int64_t> bounded(const base::Json& arguments, std::string_view field, std::int64_t otherwise,
                                   std::int64_t low, std::int64_t high);

}  // namespace tools
