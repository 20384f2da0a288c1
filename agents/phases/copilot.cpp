#include "agents/honesty.h"
#include "agents/phases/phases.h"
#include "agents/run_agent.h"
#include "agents/transcript.h"

namespace agents::phases {

net::Task<base::Result<Phase>> copilot(Turn& turn, PhaseContext& context) {
    turn.needs_tools = true;
    if (turn.errand) co_return co_await fulfil(turn, context);
    auto messages = context_of(context.layout.calling, turn, context);
    if (!messages) co_return std::move(messages).error();
    const CheckedClaim* const claim = claim_in_question(turn.claims);
    if (claim) {
        auto note = claim_note(context.frame, "claim_act", *claim, evidence_of(context.frame, turn.request, context.layout.shared));
        if (!note) co_return std::move(note).error();
        *messages = with_note(std::move(*messages), *note);
    }
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
    turn.work.insert(turn.work.end(), std::make_move_iterator(result.work.begin()), std::make_move_iterator(result.work.end()));
    if (!result.told.empty()) turn.confirmation = std::move(result.told);
    turn.label = result.label;
    turn.client_calls = std::move(result.client_calls);
    if (result.end == LoopEnd::client_calls) {
        turn.state = "waiting_client";
        turn.finish = router::FinishReason::tool_calls;
        turn.answer += result.text;
    } else if (result.end != LoopEnd::answered) {
        // Out of its own time or tokens: the answer is made from what there is.
        const bool own_limit = (result.end == LoopEnd::deadline && !context.frame.stop.stopped()) || result.end == LoopEnd::out_of_tokens;
        if (!own_limit || context.frame.tokens_left() <= 0) co_return std::move(result.error);
        turn.reasons.push_back("copilot ended early: " + result.error.message);
    }
    co_return after_copilot(turn);
}

}  // namespace agents::phases
