#include "server/api/completion_shapes.h"

namespace server::api {
namespace {

using base::Json;

std::int64_t seconds(base::TimePoint t) { return std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count(); }

// OpenAI knows stop, length and tool_calls; what was cut short by stop or time is "length" to its clients.
std::string finish_text(router::FinishReason reason) {
    switch (reason) {
        case router::FinishReason::stop: return "stop";
        case router::FinishReason::tool_calls: return "tool_calls";
        case router::FinishReason::length:
        case router::FinishReason::cancelled:
        case router::FinishReason::deadline: return "length";
    }
    return "stop";
}

Json call_json(const router::ToolCall& call) {
    return {{"id", call.id}, {"type", "function"}, {"function", {{"name", call.name}, {"arguments", call.arguments}}}};
}

Json whole(const std::string& id, const std::string& alias, base::TimePoint now, Json message, const std::string& finish, const router::Usage& usage) {
    Json choice = {{"index", 0}, {"message", std::move(message)}, {"logprobs", nullptr}, {"finish_reason", finish}};
    Json out = {{"id", completion_id(id)}, {"object", "chat.completion"}, {"created", seconds(now)}, {"model", alias}};
    out["choices"] = Json::array({std::move(choice)});
    out["usage"] = usage_json(usage);
    return out;
}

Json message_json(const std::string& text, const std::string& reasoning, const std::vector<router::ToolCall>& calls) {
    Json message = {{"role", "assistant"}};
    message["content"] = text.empty() && !calls.empty() ? Json(nullptr) : Json(text);
    if (!reasoning.empty()) message["reasoning_content"] = reasoning;
    for (const auto& call : calls) message["tool_calls"].push_back(call_json(call));
    return message;
}

}  // namespace

Json usage_json(const router::Usage& usage) {
    return {{"prompt_tokens", usage.prompt_tokens},
            {"completion_tokens", usage.output_tokens},
            {"total_tokens", usage.prompt_tokens + usage.output_tokens},
            {"prompt_tokens_details", {{"cached_tokens", usage.cached_tokens}}}};
}

Json completion(const std::string& alias, const router::ModelReply& reply, base::TimePoint now) {
    return whole(base::Uuid::v7(now).text(), alias, now, message_json(reply.message.text(), reply.message.reasoning, reply.message.tool_calls),
                 finish_text(reply.finish), reply.usage);
}

Json completion(const std::string& alias, const agents::ChatResult& result, base::TimePoint now) {
    Json out = whole(result.run.text(), alias, now, message_json(result.response, result.reasoning, result.client_calls), finish_text(result.finish), result.usage);
    out["hearth"] = agent_facts(result);
    return out;
}

Json agent_facts(const agents::ChatResult& result) {
    Json out = {{"run_id", result.run.text()}, {"conversation_id", result.conversation.text()}, {"state", result.final_state}, {"tools_used", result.tools_used}};
    if (!result.error.message.empty()) out["error"] = result.error.text();
    return out;
}

std::string completion_id(const std::string& of) { return "chatcmpl-" + of; }

ChunkShapes::ChunkShapes(std::string id, std::string model, base::TimePoint now, bool count_usage)
    : id_(std::move(id)), model_(std::move(model)), created_(seconds(now)), count_usage_(count_usage) {}

Json ChunkShapes::chunk(Json delta, Json finish_reason) const {
    Json choice = {{"index", 0}, {"delta", std::move(delta)}, {"logprobs", nullptr}, {"finish_reason", std::move(finish_reason)}};
    Json out = {{"id", id_}, {"object", "chat.completion.chunk"}, {"created", created_}, {"model", model_}};
    out["choices"] = Json::array({std::move(choice)});
    if (count_usage_) out["usage"] = nullptr;
    return out;
}

Json ChunkShapes::begin() const { return chunk({{"role", "assistant"}, {"content", ""}}, nullptr); }

Json ChunkShapes::delta(const router::ModelDelta& delta) const {
    using Kind = router::ModelDelta::Kind;
    if (delta.kind == Kind::content) return chunk({{"content", delta.text}}, nullptr);
    if (delta.kind == Kind::reasoning) return chunk({{"reasoning_content", delta.text}}, nullptr);
    Json call = {{"index", delta.tool_index}};
    if (delta.kind == Kind::tool_call_started) {
        call["id"] = delta.tool_id;
        call["type"] = "function";
        call["function"] = {{"name", delta.text}, {"arguments", ""}};
    } else {
        call["function"] = {{"arguments", delta.text}};
    }
    Json calls = Json::array({std::move(call)});
    return chunk({{"tool_calls", std::move(calls)}}, nullptr);
}

Json ChunkShapes::whole_call(const router::ToolCall& call, int index) const {
    Json json = call_json(call);
    json["index"] = index;
    Json calls = Json::array({std::move(json)});
    return chunk({{"tool_calls", std::move(calls)}}, nullptr);
}

Json ChunkShapes::finish(router::FinishReason reason) const { return chunk(Json::object(), finish_text(reason)); }

Json ChunkShapes::usage(const router::Usage& usage) const {
    Json out = chunk(Json::object(), nullptr);
    out["choices"] = Json::array();
    out["usage"] = usage_json(usage);
    return out;
}

}  // namespace server::api
