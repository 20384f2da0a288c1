// What one agent sees of the tools: its row's, and the agents that it may ask as tools of their own.
#pragma once

#include "agents/cast.h"
#include "tools/tool.h"

namespace agents {

class Menu final : public tools::Source {
public:
    // `asks`: whether it may ask others; one that was asked may not. `all`, row and cast outlive it.
    Menu(const tools::Source& all, const Cast& cast, const AgentRow& row, bool asks);

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
