// What one agent sees of the tools: its row's, and the agents that it may ask as tools of their own.
#pragma once

#include "agents/cast.h"
#include "tools/tool.h"

namespace router {
class Gateway;
}

namespace agents {

// Those that the row may ask, agents and the roster's characters, each as a tool.
std::vector<tools::Tool> asking_tools(const Cast& cast, const AgentRow& row, const router::Gateway& roster);

class Menu final : public tools::Source {
public:
    // Whoever `asks` holds is seen as a tool. `all` and `row` outlive it.
    Menu(const tools::Source& all, const AgentRow& row, const std::vector<tools::Tool>& asks = {});

    std::vector<const tools::Tool*> list(policy::Scope scope) const override;
    // Those of other agents too, so that a call of one is refused by policy, as a call of a tool of another scope is.
    const tools::Tool* find(const std::string& name) const override;
    bool offers(const tools::Tool& tool) const override;

private:
    const tools::Source& all_;
    const AgentRow& row_;
    std::vector<tools::Tool> asks_;
};

}  // namespace agents
