#include "router/reply_builder.h"

#include <algorithm>
#include <limits>

#include "base/clock.h"
#include "base/id.h"

namespace router {

std::string text_of(const base::Json& object, const char* field) {
    const auto it = object.find(field);
    return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

int count_of(const base::Json& object, const char* field) {
    const auto it = object.find(field);
    if (it == object.end() || !it->is_number()) return 0;
    const double value = it->get<double>();
    return value >= 0 && value <= std::numeric_limits<int>::max() ? int(value) : 0;
}

void ReplyBuilder::content(const std::string& text) {
    if (text.empty()) return;
    content_ += text;
    send(ModelDelta::Kind::content, text);
}

void ReplyBuilder::reasoning(const std::string& text) {
    if (text.empty()) return;
    reasoning_ += text;
    send(ModelDelta::Kind::reasoning, text);
}

base::Result<std::size_t> ReplyBuilder::begin_call(std::string id, std::string name) {
    if (name.empty()) return base::error(base::Code::corrupt, "a tool call without a name");
    if (calls_.size() >= kMostCalls) return base::error(base::Code::corrupt, "more than " + std::to_string(kMostCalls) + " tool calls");
    if (id.empty()) id = "call_" + base::Uuid::v7(base::SystemClock().now()).text();
    const std::size_t index = calls_.size();
    calls_.push_back({id, name, {}});
    send(ModelDelta::Kind::tool_call_started, name, int(index), id);
    return index;
}

void ReplyBuilder::arguments(std::size_t call, const std::string& text) {
    if (text.empty()) return;
    calls_[call].arguments += text;
    send(ModelDelta::Kind::tool_arguments, text, int(call));
}

void ReplyBuilder::send(ModelDelta::Kind kind, const std::string& text, int index, const std::string& id) {
    if (sink_) sink_({kind, text, index, id});
}

ModelReply ReplyBuilder::reply() && {
    ModelReply reply;
    reply.message.role = MessageRole::assistant;
    if (!content_.empty()) reply.message = Message::make(MessageRole::assistant, std::move(content_));
    reply.message.reasoning = std::move(reasoning_);
    reply.message.tool_calls = std::move(calls_);
    for (auto& call : reply.message.tool_calls)
        if (call.arguments.empty()) call.arguments = "{}";
    reply.finish = finish_;
    if (finish_ == FinishReason::stop && !reply.message.tool_calls.empty()) reply.finish = FinishReason::tool_calls;
    reply.usage = usage_;
    reply.model = std::move(model_);
    return reply;
}

}  // namespace router
