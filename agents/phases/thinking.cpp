#include "agents/answer_parts.h"
#include "agents/honesty.h"
#include "agents/phases/phases.h"
#include "agents/reply/echo.h"
#include "agents/transcript.h"
#include "store/digest.h"

namespace agents::phases {
namespace {

// Of the request: the same one is thought over the same way again.
std::uint64_t seed_of(const std::string& request) { return std::stoull(store::sha256_hex(request).substr(0, 15), nullptr, 16); }

}  // namespace

net::Task<base::Result<Phase>> thinking(Turn& turn, PhaseContext& context) {
    auto messages = context_of(context.layout.shared, turn, context);
    if (!messages) co_return std::move(messages).error();
    auto instruction = prompt(context.frame, context.row.prompt);
    if (!instruction) co_return std::move(instruction).error();
    std::string told;
    for (const router::Message& message : *messages) told += message.text() + "\n";
    Frame& frame = context.frame;
    std::string streamed;
    const router::DeltaSink sink = [&](const router::ModelDelta& delta) {
        if (delta.kind != router::ModelDelta::Kind::content && delta.kind != router::ModelDelta::Kind::reasoning) return;
        streamed += delta.text;
        ChatEvent event;
        event.kind = ChatEvent::Kind::reasoning;
        event.text = delta.text;
        frame.emit(std::move(event));
    };
    router::ModelRequest request = request_of(context, with_note(std::move(*messages), *instruction));
    request.sampling.seed = frame.sampling.seed.value_or(seed_of(turn.request));
    const bool guided = context.layout.discipline == ToolDiscipline::guided;
    if (guided) request.answer_rules = rules_of_parts({});  // words, and not a call written out
    base::Result<router::ModelReply> reply = co_await model_step(frame, std::move(request), context.span, sink);
    if (frame.stop.stopped()) co_return frame.stop.error("the run");
    if (reply)
        turn.thoughts = reply->message.text();
    else if (reply.error().code == base::Code::deadline)
        turn.thoughts = streamed;  // thinking ran out of its own time: what there is must do
    else
        co_return std::move(reply).error();
    // The answer is written from it: what it claims falsely it would hand on.
    turn.thoughts = reply::corrected(turn.thoughts, evidence_of(frame, turn.request, context.layout.shared));
    // Notes of a small model that are the instruction filled in with what it was told would be handed on as the answer.
    if (guided && reply::is_filled_form(turn.thoughts, *instruction, told)) turn.thoughts.clear();
    co_return Phase::recompose;
}

}  // namespace agents::phases
