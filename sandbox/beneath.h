// Opening files below a folder, following no symbolic link and leaving it by no way.
#pragma once

#include <cstdint>
#include <string>

#include "sandbox/workspace.h"

namespace sandbox {

// openat2(RESOLVE_BENEATH | NO_MAGICLINKS | NO_SYMLINKS), never waiting for the other end of a pipe; `flags` as for
// open(). Empty with errno on failure.
Fd open_beneath(int folder, const std::string& relative, std::uint64_t flags, std::uint64_t mode = 0);

// The same as O_PATH.
Fd open_path(int folder, const std::string& relative);

// Where a symbolic link leads; empty for anything else.
std::string link_target(int folder, const std::string& name);

}  // namespace sandbox
