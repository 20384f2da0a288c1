#include "agents/delegate.h"

#include <utility>

#include "agents/characters.h"
#include "agents/journal.h"
#include "agents/transcript.h"
#include "router/gateway.h"

namespace agents {
namespace {

using base::Code;
using base::Json;
using router::Message;
using router::MessageRole;

// The frame as the asked agent has it, for as long as it lives.
class Aside {
public:
    Aside(Frame& frame, const AgentRow& row, std::string within) : frame_(frame) {
        const int left = frame.tokens_left();
        kept_.sums = std::exchange(frame.sums, {});
        kept_.budget = std::exchange(frame.output_budget, row.tokens > 0 ? std::min(row.tokens, left) : left / 2);
        kept_.row = std::exchange(frame.row, &row);
        kept_.menu = std::exchange(frame.menu, std::make_shared<Menu>(frame.parts.tools, row));
        kept_.client_tools = std::exchange(frame.client_tools, {});
        frame.within = std::move(within);
    }
    ~Aside() {
        frame_.sums = std::move(kept_.sums);
        frame_.output_budget = kept_.budget;
        frame_.row = kept_.row;
        frame_.menu = std::move(kept_.menu);
        frame_.client_tools = std::move(kept_.client_tools);
        frame_.within.clear();
    }
    Aside(const Aside&) = delete;
    Aside& operator=(const Aside&) = delete;

private:
    Frame& frame_;
    struct {
        Sums sums;
        int budget = 0;
        const AgentRow* row = nullptr;
        std::shared_ptr<const Menu> menu;
        std::vector<router::ToolSchema> client_tools;
    } kept_;
};

// The one text of a task that has but one, else its fields by name.
std::string text_of_task(const Json& arguments) {
    if (arguments.size() == 1) return arguments.begin().value().get<std::string>();
    std::string out;
    for (const auto& [name, value] : arguments.items()) out += (out.empty() ? "" : "\n") + name + ": " + value.get<std::string>();
    return out;
}

bool whole(LoopEnd end) { return end == LoopEnd::answered; }
bool partial(LoopEnd end) { return end == LoopEnd::out_of_rounds || end == LoopEnd::out_of_tokens || end == LoopEnd::out_of_context || end == LoopEnd::deadline; }

std::string halfway(const std::string& agent, const LoopResult& result) {
    return agent + " stopped halfway: " + result.error.message + ". " +
           (result.text.empty() ? "There is nothing of its answer." : "As far as it came:\n" + result.text) +
           "\nAsk it for what is missing, or say that it is not finished.";
}

}  // namespace

net::Task<base::Result<tools::ToolOutput>> Asking::ask(Json arguments, tools::ToolContext& context) {
    const AgentRow* row = frame_.options.cast->find_asked(context.call->name);
    std::optional<router::Alias> character;
    AgentRow of_character;
    if (!row && asks_characters(*frame_.row)) character = find_character(frame_.parts.gateway, context.call->name);
    if (character) {
        of_character = row_of(*character, frame_.row->scope);
        row = &of_character;
    }
    if (!row) co_return base::error(Code::not_found, "there is no agent behind " + context.call->name);
    const Aside aside(frame_, *row, context.call->id + "/");
    auto system = character ? system_of_character(frame_, character_variables(prompt_variables(frame_), *character)) : system_of(frame_, row->prompt);
    if (!system) co_return std::move(system).error();
    AgentTask task;
    task.alias = character ? character->name : task_.alias;
    task.purpose = row->name;
    task.prefix = {Message::make(MessageRole::system, *std::move(system)), Message::make(MessageRole::user, text_of_task(arguments))};
    task.prefix.front().trusted = true;
    task.prefix.back().trusted = context.label == policy::Integrity::trusted;
    task.discipline = task_.discipline;
    task.grammars = task_.grammars;
    task.tools = tool_menu(frame_, task.discipline, {}, {});
    task.max_tokens = frame_.output_budget;
    task.aside = true;
    task.label = context.label;
    task.stop = context.stop;
    task.parent = context.span;
    const LoopResult result = co_await run_agent(frame_, std::move(task));
    if (!whole(result.end) && !partial(result.end)) co_return result.error;
    tools::ToolOutput out;
    out.text = whole(result.end) ? result.text : halfway(row->name, result);
    out.integrity = result.label;
    out.facts = {{"agent", row->name}, {"partial", partial(result.end)}, {"model_calls", frame_.sums.model_steps}, {"sums", sums_to_json(frame_.sums)}};
    co_return out;
}

void add_asked(Sums& sums, const Json& facts) {
    const auto found = facts.find("sums");
    if (found == facts.end() || !facts.contains("agent")) return;
    const Sums asked = sums_from_json(*found);
    sums.usage += asked.usage;
    sums.tools_used += asked.tools_used;
    sums.refused_calls += asked.refused_calls;
    sums.deeds.insert(sums.deeds.end(), asked.deeds.begin(), asked.deeds.end());
    sums.in_doubt.insert(sums.in_doubt.end(), asked.in_doubt.begin(), asked.in_doubt.end());
}

}  // namespace agents
