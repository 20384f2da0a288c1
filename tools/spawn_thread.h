// Has a part of the work done by a thread of its own. It gets the task and nothing else of what is known here; what comes of it is told to
// the run that called, as a message.
#pragma once

#include "tools/tool.h"

namespace tools {

inline constexpr const char* kSpawnThread = "spawn_thread";

Tool spawn_thread_tool();

}  // namespace tools
