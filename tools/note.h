// The scratchpad of a conversation: what an agent keeps in mind of it from turn to turn.
#pragma once

#include "tools/tool.h"

namespace tools {

inline constexpr const char* kNote = "note";

// {"text": string}; an empty one clears it.
Tool note_tool();

}  // namespace tools
