// Names inside a workspace: pure functions over paths, no file is touched.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace sandbox {

// `path` (relative, or absolute inside root) as a normalised relative path, "." for the root itself.
// Refuses NUL, invalid UTF-8 and what leads outside; nothing is Unicode-normalised.
base::Result<std::string> relative_path(const std::filesystem::path& root, const std::string& path);

// Whether `path` equals `folder` or lies under it, by whole components.
bool lies_in(const std::filesystem::path& path, const std::filesystem::path& folder);

// What code outside the sandbox would run or obey: read-only even when absent.
struct Protected {
    std::string path;  // relative to the workspace
    bool folder = false;
};
const std::vector<Protected>& protected_paths();
// Also in repositories below the root, `sub/.git/config`, and in those of submodules and worktrees: `.git/modules/sub/config`.
bool is_protected(const std::string& relative);

}  // namespace sandbox
