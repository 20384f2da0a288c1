#include "router/exercise.h"

#include <algorithm>

#include "base/utf8.h"

namespace router {
namespace {

using base::Code;

constexpr std::chrono::minutes kBetweenSaves{1};
constexpr int kDrillTokens = 64;
constexpr const char* kTool = "report_state";

}  // namespace

std::string_view name(Traffic traffic) {
    switch (traffic) {
        case Traffic::plain: return "plain";
        case Traffic::streamed: return "streamed";
        case Traffic::tools: return "tools";
    }
    return "plain";
}

std::optional<Traffic> parse_traffic(std::string_view text) {
    for (const Traffic traffic : kAllTraffic)
        if (name(traffic) == text) return traffic;
    return std::nullopt;
}

Exercises::Entry& Exercises::entry(const std::string& backend, Traffic traffic, base::TimePoint now) {
    const auto [place, fresh] = entries_.try_emplace({backend, traffic});
    if (fresh) place->second = {{backend, traffic, now}, {}, true};
    return place->second;
}

void Exercises::see(const std::string& backend, Traffic traffic, base::TimePoint now) { entry(backend, traffic, now); }

void Exercises::worked(const std::string& backend, Traffic traffic, base::TimePoint now) {
    Entry& found = entry(backend, traffic, now);
    found.changed |= found.now.failing() || now - found.saved >= kBetweenSaves;
    found.now.worked = std::max(found.now.worked, now);
}

void Exercises::failed(const std::string& backend, Traffic traffic, base::TimePoint now, std::string failure) {
    Entry& found = entry(backend, traffic, now);
    found.now.failed = now;
    found.now.failure = std::move(failure);
    found.changed = true;
}

std::vector<Exercise> Exercises::list() const {
    std::vector<Exercise> out;
    for (const auto& [key, entry] : entries_) out.push_back(entry.now);
    return out;
}

std::vector<Exercise> Exercises::take_unsaved() {
    std::vector<Exercise> out;
    for (auto& [key, entry] : entries_) {
        if (!std::exchange(entry.changed, false)) continue;
        entry.saved = entry.now.worked;
        out.push_back(entry.now);
    }
    return out;
}

void Exercises::learn(const std::vector<Exercise>& others) {
    for (const Exercise& other : others) {
        Entry& known = entry(other.backend, other.traffic, other.seen);
        known.now.seen = std::min(known.now.seen, other.seen);
        known.now.worked = std::max(known.now.worked, other.worked);
        if (other.failed > known.now.failed) known.now.failed = other.failed, known.now.failure = other.failure;
        known.saved = std::max(known.saved, other.worked);
    }
}

std::vector<Traffic> exercised_by(const ModelReply& reply, bool streamed) {
    if (reply.finish == FinishReason::cancelled || reply.finish == FinishReason::deadline) return {};
    std::vector<Traffic> out = {streamed ? Traffic::streamed : Traffic::plain};
    if (!reply.message.tool_calls.empty()) out.push_back(Traffic::tools);
    return out;
}

ModelRequest drill_request(Traffic traffic) {
    ModelRequest request;
    request.purpose = "drill";
    request.max_tokens = kDrillTokens;
    request.sampling.temperature = 0;
    request.enable_thinking = false;
    const bool tools = traffic == Traffic::tools;
    request.messages.push_back(Message::make(MessageRole::user, tools ? "Report the state \"ready\" with the tool." : "Answer with the one word: ready"));
    if (!tools) return request;
    const base::OrderedJson parameters = {{"type", "object"}, {"properties", {{"state", {{"type", "string"}}}}}, {"required", {"state"}}, {"additionalProperties", false}};
    request.tools = {{kTool, "Reports a state.", parameters}};
    request.tool_choice.kind = ToolChoice::Kind::required;
    return request;
}

base::Result<void> drill_verdict(Traffic traffic, const ModelReply& reply, const std::string& streamed) {
    const std::string text = reply.message.text();
    if (traffic == Traffic::tools) {
        if (reply.message.tool_calls.empty()) return base::error(Code::corrupt, "asked to call a tool, it called none and said '" + std::string(base::beginning(text, 80)) + "'");
        const ToolCall& call = reply.message.tool_calls[0];
        const auto arguments = base::parse_json(call.arguments);
        if (call.name != kTool || !arguments || !arguments->is_object() || !arguments->value("state", base::Json()).is_string())
            return base::error(Code::corrupt, "asked to call a tool with a text \"state\", it called " + call.name + " with " + std::string(base::beginning(call.arguments, 80)));
        return {};
    }
    if (text.empty()) return base::error(Code::corrupt, "it answered with no text" + std::string(reply.message.reasoning.empty() ? "" : ", only with thoughts"));
    if (traffic == Traffic::streamed && streamed != text) return base::error(Code::corrupt, "what it streamed ('" + std::string(base::beginning(streamed, 80)) + "') is not its answer ('" + std::string(base::beginning(text, 80)) + "')");
    return {};
}

}  // namespace router
