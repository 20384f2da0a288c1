// Bubblewrap binds a descriptor by the path that the kernel has for it. A workspace below a folder that its
// user may not pass has no such path; here it gets one.
#pragma once

#include <string>
#include <vector>

#include "sandbox/protection.h"

namespace sandbox {

// Whether this process, as the user that it is now, finds the folder by the kernel's path for it.
bool reachable(int folder);

// Puts this process into a user and a mount namespace of its own, where `workspace` is bound over a folder
// that everybody reaches, and makes each descriptor one of the same file there. The file modes count as they
// did. For a process with one CPU thread, before it executes a program. Empty on success, else why not.
std::string bring_within_reach(int workspace, const std::vector<Overlay>& overlays);

}  // namespace sandbox
