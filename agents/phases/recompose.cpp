#include "agents/answer_parts.h"
#include "agents/phases/phases.h"
#include "agents/run_agent.h"
#include "agents/transcript.h"

namespace agents::phases {
namespace {

using router::Message;
using router::MessageRole;

// Everything that the earlier phases found, and the instruction to answer. A fast turn gets the
// request alone.
base::Result<std::vector<Message>> messages_for(const Turn& turn, const PhaseContext& context) {
    auto messages = context_of(context.layout.shared, turn, context);
    if (!messages || turn.execution == router::ExecutionClass::fast) return messages;
    if (!turn.thoughts.empty()) {
        auto thinking = prompt(context.frame, "thinking");
        if (!thinking) return std::move(thinking).error();
        *messages = with_note(std::move(*messages), *thinking);
        messages->push_back(Message::make(MessageRole::assistant, turn.thoughts));
    }
    auto style = prompt(context.frame, "machine_" + turn.machine);
    if (!style) return std::move(style).error();
    auto instruction = prompt(context.frame, context.row.prompt, {{"request", turn.request}, {"style", *style}});
    if (!instruction) return std::move(instruction).error();
    return with_note(std::move(*messages), *instruction);
}

void conclude(Turn& turn, const router::ModelReply& reply, const PhaseContext& context) {
    turn.answer = reply.message.text();
    turn.reasoning = reply.message.reasoning;
    turn.finish = reply.finish;
    if (reply.finish == router::FinishReason::cancelled)
        turn.state = "cancelled", turn.error = "the run was stopped";
    else if (reply.finish == router::FinishReason::deadline)
        turn.state = "partial", turn.error = context.frame.stop.stopped() ? "the time of the run was used up" : "the time for the answer was used up";
    else if (reply.finish == router::FinishReason::length)
        turn.state = "partial", turn.error = "the answer was cut after " + std::to_string(reply.usage.output_tokens) + " tokens";
    else if (turn.answer.find_first_not_of(" \t\r\n") == std::string::npos)
        turn.state = "failed", turn.error = "the model gave an empty answer";
}

}  // namespace

net::Task<base::Result<Phase>> recompose(Turn& turn, PhaseContext& context) {
    auto messages = messages_for(turn, context);
    if (!messages) co_return std::move(messages).error();
    Frame& frame = context.frame;
    const router::DeltaSink sink = [&](const router::ModelDelta& delta) {
        ChatEvent event;
        event.text = delta.text;
        if (delta.kind == router::ModelDelta::Kind::content)
            turn.answer += delta.text;
        else if (delta.kind == router::ModelDelta::Kind::reasoning)
            event.kind = ChatEvent::Kind::reasoning;
        else
            return;
        frame.emit(std::move(event));
    };
    router::ModelRequest request = request_of(context, std::move(*messages));
    if (context.layout.discipline == ToolDiscipline::guided) request.answer_rules = rules_of_parts({});
    const auto own = request.sampling.temperature;
    request.sampling = frame.sampling;
    if (!request.sampling.temperature) request.sampling.temperature = own;
    base::Result<router::ModelReply> reply = co_await model_step(frame, std::move(request), context.span, sink);
    if (!reply) co_return std::move(reply).error();  // what was streamed is in the Turn already
    conclude(turn, *reply, context);
    co_return Phase::write_memory;
}

}  // namespace agents::phases
