// The launcher process: one CPU thread that starts, watches and kills sandboxed programs.
#pragma once

#include "sandbox/launcher.h"

namespace sandbox {

// Serves requests from `socket` until its other end is closed, then kills what runs and ends the
// process. Called in the freshly forked child.
[[noreturn]] void serve_launches(Fd socket, LauncherOptions options);

}  // namespace sandbox
