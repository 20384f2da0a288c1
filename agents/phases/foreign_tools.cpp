// Tools that a request names and its scope lacks: asked for, they are refused; spoken of, they are words like others.
#include <algorithm>
#include <cctype>

#include "agents/phases/phases.h"
#include "agents/transcript.h"
#include "prompts/render.h"

namespace agents::phases {
namespace {

using base::Code;
using router::Message;
using router::MessageRole;

constexpr const char* kUse = "use";
constexpr const char* kMention = "mention";

// The request alone after sorted examples: asked about it together with other things, a small model has every tool
// used that is named.
base::Result<router::ModelRequest> question(const Turn& turn, const PhaseContext& context, const std::string& tool) {
    auto system = prompt(context.frame, "tool_use", {{"tool", tool}});
    if (!system) return std::move(system).error();
    auto text = prompt(context.frame, "tool_use_examples", {{"tool", tool}});
    if (!text) return std::move(text).error();
    const auto turns = prompts::examples(*text);
    if (!turns) return base::error(Code::corrupt, "prompt tool_use_examples: " + turns.error().message);
    auto examples = messages_of(*turns);
    if (!examples) return std::move(examples).error();
    std::vector<Message> messages = {Message::make(MessageRole::system, *std::move(system))};
    messages.insert(messages.end(), examples->begin(), examples->end());
    for (Message& message : messages) message.trusted = true;  // ours
    messages.push_back(Message::make(MessageRole::user, turn.request));
    router::ModelRequest request = request_of(context, std::move(messages));
    request.tools = {};
    base::OrderedJson properties;
    properties[tool] = {{"enum", {kUse, kMention}}};
    request.response_schema = {{"type", "object"}, {"properties", properties}, {"required", base::OrderedJson::array({tool})}, {"additionalProperties", false}};
    return request;
}

// What cannot be read counts as asked for: then the person is told at least that there is no such tool here.
net::Task<base::Result<bool>> asked_for(const Turn& turn, PhaseContext& context, const std::string& tool) {
    auto request = question(turn, context, tool);
    if (!request) co_return std::move(request).error();
    const auto reply = co_await model_step(context.frame, *std::move(request), context.span);
    if (!reply && (reply.error().code != Code::deadline || context.frame.stop.stopped())) co_return reply.error();
    if (!reply) co_return true;
    if (reply->finish == router::FinishReason::cancelled) co_return base::error(Code::cancelled, "the run was stopped");
    const auto sorted = base::parse_json(reply->message.text());
    co_return !sorted || !sorted->is_object() || !sorted->contains(tool) || (*sorted)[tool] != kMention;
}

// By the same policy and with the same record as a call of it.
net::Task<bool> refuse(Turn& turn, PhaseContext& context, const std::string& tool) {
    tools::Ports ports{context.frame.parts.db, context.frame.who, context.frame.run, context.frame.parts.clock};
    const tools::Dispatch dispatch = dispatch_of(context.frame, ports, context.stop);
    const policy::Decision decision = co_await tools::check(dispatch, tool, context.span, turn.label);
    if (decision.verdict == policy::Verdict::allow) co_return false;
    turn.state = "refused";
    turn.error = decision.message;
    turn.answer = decision.message;
    ++context.frame.sums.refused_calls;
    ChatEvent event;
    event.text = turn.answer;
    context.frame.emit(std::move(event));
    co_return true;
}

}  // namespace

std::vector<std::string> foreign_tools(const Turn& turn, const PhaseContext& context) {
    std::string words = " ";
    for (char c : turn.request) words += std::isalnum(static_cast<unsigned char>(c)) || c == '_' ? char(std::tolower(static_cast<unsigned char>(c))) : ' ';
    words += ' ';
    std::vector<std::string> out;
    const auto& offered = context.layout.tools;
    for (policy::Scope scope : {policy::Scope::dev, policy::Scope::home})
        for (const tools::Tool* tool : context.frame.parts.tools.list(scope)) {
            const bool named = words.find(" " + tool->name + " ") != std::string::npos;
            const bool ours = std::any_of(offered.begin(), offered.end(), [&](const auto& one) { return one.name == tool->name; });
            if (named && !ours && std::find(out.begin(), out.end(), tool->name) == out.end()) out.push_back(tool->name);
        }
    return out;
}

net::Task<base::Result<bool>> refuse_foreign_tools(Turn& turn, PhaseContext& context) {
    const std::vector<std::string> named = foreign_tools(turn, context);
    for (const std::string& tool : named) {
        const auto asked = co_await asked_for(turn, context, tool);
        if (!asked) co_return asked.error();
        if (!*asked) continue;
        const bool refused = co_await refuse(turn, context, tool);
        if (refused) co_return true;
    }
    co_return false;
}

}  // namespace agents::phases
