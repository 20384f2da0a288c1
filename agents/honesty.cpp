#include "agents/honesty.h"

#include <algorithm>

#include "agents/passages.h"

namespace agents {
namespace {

using reply::Deed;
using router::Message;
using router::MessageRole;

constexpr std::size_t kMostOfArguments = 400;  // bytes: a command's words are looked for in them
constexpr const char* kAsked = "asked";
constexpr std::string_view kFailed = "Error: ";       // how the result of a call that failed begins (tools/invoke)
constexpr std::string_view kEnded = "\n[exit code ";  // how that of a program ends which ran, whatever it wrote (tools/bash)

// What a program wrote may begin like the refusal of a call.
bool tells_of_failure(const std::string& result) {
    const auto line = result.rfind('\n');
    return result.starts_with(kFailed) && (line == result.npos || !std::string_view(result).substr(line).starts_with(kEnded));
}

// Calls and results among messages[from … to).
std::vector<Deed> deeds_among(const Frame& frame, const std::vector<Message>& messages, std::size_t from, std::size_t to) {
    std::vector<Deed> out;
    std::vector<router::ToolCall> calls;
    for (std::size_t i = from; i < to; ++i) {
        const Message& message = messages[i];
        if (message.role == MessageRole::assistant) calls = message.tool_calls;
        const auto call = std::find_if(calls.begin(), calls.end(), [&](const auto& one) { return message.role == MessageRole::tool && one.id == message.tool_call_id; });
        if (call == calls.end()) continue;
        const tools::Tool* const tool = frame.menu->find(call->name);
        const bool failed = tells_of_failure(message.text());
        out.push_back({call->name, shortened(call->arguments, kMostOfArguments), tool && tool->effect == policy::Effect::pure, failed ? Deed::End::failed : Deed::End::done});
    }
    return out;
}

}  // namespace

Deed deed_of(const router::ToolCall& call, const tools::CallOutcome& outcome) {
    using tools::CallState;
    const auto end = outcome.state == CallState::done ? Deed::End::done : outcome.state == CallState::unknown ? Deed::End::unknown : Deed::End::failed;
    return {call.name, shortened(call.arguments, kMostOfArguments), outcome.effect == policy::Effect::pure, end};
}

reply::Evidence evidence_of(const Frame& frame, const std::string& request, const std::vector<Message>& messages) {
    const auto person = std::find_if(messages.rbegin(), messages.rend(), [](const Message& m) { return m.role == MessageRole::user; });
    const std::size_t from = reply::asks_about_the_past(request) ? 0 : std::size_t(messages.rend() - person);
    std::vector<Deed> deeds = deeds_among(frame, messages, from, messages.size());
    deeds.insert(deeds.end(), frame.sums.deeds.begin(), frame.sums.deeds.end());
    return {request, std::move(deeds), deeds_among(frame, messages, 0, from)};
}

const CheckedClaim* claim_in_question(const std::vector<CheckedClaim>& claims) {
    return !claims.empty() && claims.back().outcome == kAsked ? &claims.back() : nullptr;
}

CheckedClaim asked_about(const reply::Claim& claim) { return {claim.sentence, std::string(reply::name(claim.action)), kAsked}; }

void settle_claims(std::vector<CheckedClaim>& claims, const std::vector<reply::Claim>& caught, const reply::Evidence& evidence) {
    if (claim_in_question(claims)) {
        bool quoted = false;
        const bool done = !evidence.unfounded(claims.back().sentence, quoted);
        claims.back().outcome = done ? "done" : caught.empty() ? "withdrawn" : "corrected";
    }
    for (const reply::Claim& claim : caught) {
        claims.push_back(asked_about(claim));
        claims.back().outcome = "corrected";
    }
}

base::Result<std::string> claim_note(const Frame& frame, const char* name, const CheckedClaim& claim, const reply::Evidence& evidence) {
    return prompt(frame, name, {{"claim", claim.sentence}, {"steps", evidence.listed()}});
}

}  // namespace agents
