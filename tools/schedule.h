// Has something done later, or again and again; tells what is scheduled, and ends it. Of the person's own alone.
#pragma once

#include "tools/tool.h"

namespace tools {

inline constexpr const char* kSchedule = "schedule";

Tool schedule_tool();

}  // namespace tools
