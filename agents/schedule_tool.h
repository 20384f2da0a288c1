// The tool `schedule`, as far as it needs more than tools know: the words of times, and where the conversation is held.
#pragma once

#include "agents/frame.h"

namespace agents {

// A call of it in this run. What it writes is committed with the outcome of its step.
net::Task<base::Result<tools::ToolOutput>> schedule_call(Frame& frame, tools::Ports& ports, base::Json arguments, policy::Integrity label);

}  // namespace agents
