#include "agents/phases/phases.h"
#include "agents/run_agent.h"
#include "agents/transcript.h"

namespace agents::phases {

net::Task<base::Result<Phase>> copilot(Turn& turn, PhaseContext& context) {
    turn.needs_tools = true;
    auto messages = context_of(context.layout.calling, turn, context);
    if (!messages) co_return std::move(messages).error();
    AgentTask task;
    task.alias = alias_of(context.frame.options, Phase::copilot);
    task.purpose = "copilot";
    task.prefix = std::move(*messages);
    task.tools = context.layout.tools;
    task.discipline = context.layout.discipline;
    task.grammars = context.layout.grammars;
    task.sampling.temperature = context.row.temperature;
    task.max_tokens = context.row.max_tokens;
    task.answers = false;
    task.label = turn.label;
    task.stop = context.stop;
    task.parent = context.span;
    LoopResult result = co_await run_agent(context.frame, std::move(task));
    turn.work = std::move(result.work);
    turn.label = result.label;
    turn.client_calls = std::move(result.client_calls);
    if (result.end == LoopEnd::client_calls) {
        turn.state = "waiting_client";
        turn.finish = router::FinishReason::tool_calls;
        turn.answer = result.text;
    } else if (result.end != LoopEnd::answered) {
        // Out of its own time or tokens: the answer is made from what there is.
        const bool own_limit = (result.end == LoopEnd::deadline && !context.frame.stop.stopped()) || result.end == LoopEnd::out_of_tokens;
        if (!own_limit || context.frame.tokens_left() <= 0) co_return std::move(result.error);
        turn.reasons.push_back("copilot ended early: " + result.error.message);
    }
    co_return after_copilot(turn);
}

}  // namespace agents::phases
