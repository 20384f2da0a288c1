// What an agent's turn begins with: the tools that it sees, and what its prompts begin with.
#pragma once

#include <memory>

#include "agents/menu.h"
#include "agents/pipeline.h"
#include "agents/session.h"

namespace agents {

std::shared_ptr<const Menu> menu_of(const Parts& parts, const Options& options, const AgentRow& row);

// The prompt's shared part: system, examples, history, request; and the tools.
base::Result<Layout> lay_out_turn(Frame& frame, const History& stored, Turn& turn);

}  // namespace agents
