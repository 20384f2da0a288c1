// A path that is not there is often a slip of one that is: README for README.md.
#pragma once

#include <string>

#include "sandbox/workspace.h"

namespace tools {

// `error`, and where it says that `path` is not found, with the nearest names of the workspace as its remedy.
base::Error with_near_names(const sandbox::Workspace& workspace, const std::string& path, base::Error error);

// How many characters must be put in, taken out or replaced. ASCII letters count without their case.
std::size_t edits_between(std::string_view a, std::string_view b);

}  // namespace tools
