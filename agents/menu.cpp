#include "agents/menu.h"

#include <algorithm>
#include <utility>

#include "agents/characters.h"
#include "router/gateway.h"
#include "tools/ports.h"

namespace agents {
namespace {

// Its own calls are steps of the run like others: what takes effect once is theirs, and asking again finds them in the journal.
constexpr policy::Effect kAskingEffect = policy::Effect::pure;
constexpr std::chrono::minutes kLongestTask{10};

net::Task<base::Result<tools::ToolOutput>> ask(base::Json arguments, tools::ToolContext& context) {
    if (!context.ports || !context.ports->delegates) co_return base::error(base::Code::unavailable, "no agent can be asked here");
    co_return co_await context.ports->delegates->ask(std::move(arguments), context);
}

tools::Tool tool_of(std::string name, const AgentRow& row, policy::Scope asking) {
    tools::Tool tool;
    tool.name = std::move(name);
    tool.purpose = "Ask another agent. " + row.purpose;
    tool.input = row.input;
    tool.output = {{"type", "object"}, {"properties", {{"agent", {{"type", "string"}}}, {"partial", {{"type", "boolean"}}}, {"model_calls", {{"type", "integer"}}}}}, {"required", {"agent", "partial"}}};
    tool.scopes = {asking};
    tool.effect = kAskingEffect;
    tool.deadline = kLongestTask;
    tool.run = ask;
    return tool;
}

}  // namespace

std::vector<tools::Tool> asking_tools(const Cast& cast, const AgentRow& row, const router::Gateway& roster) {
    std::vector<tools::Tool> out;
    for (const std::string& name : row.asks)
        if (const AgentRow* const asked = cast.find(name)) out.push_back(tool_of(asking_tool(*asked), *asked, row.scope));
    if (!asks_characters(row)) return out;
    for (const router::Alias& character : characters_of(roster.aliases())) out.push_back(tool_of(asking_tool(character), row_of(character, row.scope), row.scope));
    return out;
}

Menu::Menu(const tools::Source& all, const AgentRow& row, const std::vector<tools::Tool>& asks) : all_(all), row_(row), asks_(asks) {}

std::vector<const tools::Tool*> Menu::list(policy::Scope scope) const {
    std::vector<const tools::Tool*> out;
    for (const tools::Tool* tool : all_.list(scope))
        if (offers(*tool)) out.push_back(tool);
    for (const tools::Tool& tool : asks_) out.push_back(&tool);
    return out;
}

const tools::Tool* Menu::find(const std::string& name) const {
    for (const tools::Tool& tool : asks_)
        if (tool.name == name) return &tool;
    return all_.find(name);
}

bool Menu::offers(const tools::Tool& tool) const {
    const bool asks = std::any_of(asks_.begin(), asks_.end(), [&](const tools::Tool& one) { return one.name == tool.name; });
    return asks || row_.all_tools || std::find(row_.tools.begin(), row_.tools.end(), tool.name) != row_.tools.end();
}

}  // namespace agents
