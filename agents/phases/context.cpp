#include <algorithm>

#include "agents/grounding.h"
#include "agents/phases/phases.h"
#include "agents/transcript.h"

namespace agents::phases {
namespace {

// What a guided model has written by then it repeats in other words, which nothing else ends.
constexpr int kMostGuidedTokens = 2048;

}  // namespace

router::ModelRequest request_of(const PhaseContext& context, std::vector<router::Message> messages) {
    router::ModelRequest request;
    request.alias = alias_of(context.frame.options, context.row.phase);
    request.purpose = name(context.row.phase);
    request.messages = std::move(messages);
    // A small model that sees tools writes calls, even where it may make none.
    if (context.layout.discipline == ToolDiscipline::free) request.tools = context.layout.tools;
    request.tool_choice.kind = router::ToolChoice::Kind::none;
    request.sampling.temperature = context.row.temperature;
    request.max_tokens = context.row.max_tokens;
    request.end_circles = context.layout.discipline == ToolDiscipline::guided;
    if (request.end_circles) request.max_tokens = std::min(request.max_tokens, kMostGuidedTokens);
    request.stop = context.stop;
    return request;
}

base::Result<std::vector<router::Message>> context_of(std::vector<router::Message> messages, const Turn& turn, const PhaseContext& context) {
    if (asks_about_the_system(turn.request)) {
        const Parts& parts = context.frame.parts;
        const std::string facts = system_facts(parts.gateway, alias_of(context.frame.options, Phase::recompose), parts.surroundings ? parts.surroundings() : "");
        auto note = prompt(context.frame, "grounding", {{"facts", facts}});
        if (!note) return std::move(note).error();
        messages = with_note(std::move(messages), *note);
    }
    if (!turn.facts.empty()) {
        std::string list;
        for (const std::string& fact : turn.facts) list += (list.empty() ? "- " : "\n- ") + fact;
        auto note = prompt(context.frame, "retrieve", {{"facts", list}});
        if (!note) return std::move(note).error();
        messages = with_note(std::move(messages), *note);
    }
    if (turn.needs_tools && !turn.resumes_client) {
        auto note = prompt(context.frame, "copilot", {{"goal", turn.goal}});
        if (!note) return std::move(note).error();
        messages = with_note(std::move(messages), *note);
    }
    messages.insert(messages.end(), turn.work.begin(), turn.work.end());
    return messages;
}

}  // namespace agents::phases
