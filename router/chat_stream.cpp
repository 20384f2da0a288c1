#include "router/chat_stream.h"

#include "base/clock.h"
#include "base/id.h"

namespace router {
namespace {

using base::Code;
using base::Json;
using base::OrderedJson;

constexpr std::size_t max_calls = 128;

// Of an object's field: the text, or "" for anything else.
std::string text_of(const Json& object, const char* field) {
    const auto it = object.find(field);
    return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

int count_of(const Json& object, const char* field) {
    const auto it = object.find(field);
    return it != object.end() && it->is_number() ? int(it->get<double>()) : 0;
}

base::Error corrupt(std::string_view what, std::string_view data) {
    return base::error(Code::corrupt, "the upstream's answer is no chat completion: " + std::string(what) + " in '" +
                                          std::string(data.substr(0, 200)) + "'",
                       "check that upstream.url names an OpenAI-compatible server, with /v1");
}

void add_sampling(OrderedJson& body, const SamplingRequest& sampling) {
    const auto add = [&body](const char* field, const auto& value) {
        if (value) body[field] = *value;
    };
    add("temperature", sampling.temperature);
    add("top_p", sampling.top_p);
    add("min_p", sampling.min_p);
    add("top_k", sampling.top_k);
    add("repetition_penalty", sampling.repetition_penalty);
    add("presence_penalty", sampling.presence_penalty);
    add("frequency_penalty", sampling.frequency_penalty);
    add("seed", sampling.seed);
    for (const auto& [token, bias] : sampling.logit_bias) body["logit_bias"][std::to_string(token)] = bias;
}

OrderedJson choice_json(const ToolChoice& choice) {
    switch (choice.kind) {
        case ToolChoice::Kind::automatic: return "auto";
        case ToolChoice::Kind::none: return "none";
        case ToolChoice::Kind::required: return "required";
        case ToolChoice::Kind::named: return {{"type", "function"}, {"function", {{"name", choice.name}}}};
    }
    return "auto";
}

}  // namespace

OrderedJson chat_body(const ModelRequest& request, const std::string& model) {
    OrderedJson body = {{"model", model}, {"messages", OrderedJson::array()}};
    for (const auto& message : request.messages) body["messages"].push_back(message_to_json(message));
    body["stream"] = true;
    body["stream_options"] = {{"include_usage", true}};
    body["max_tokens"] = request.max_tokens;
    if (!request.stop_texts.empty()) body["stop"] = request.stop_texts;
    add_sampling(body, request.sampling);
    if (!request.tools.empty()) {
        body["tools"] = tools_to_json(request.tools);
        for (std::size_t i = 0; i < request.tools.size(); ++i)
            if (request.tools[i].strict) body["tools"][i]["function"]["strict"] = *request.tools[i].strict;
        body["tool_choice"] = choice_json(request.tool_choice);
        if (request.tool_choice.most == 1) body["parallel_tool_calls"] = false;
    }
    if (request.response_schema)
        body["response_format"] = {{"type", "json_schema"},
                                   {"json_schema", {{"name", "answer"}, {"strict", true}, {"schema", *request.response_schema}}}};
    else if (request.json_object)
        body["response_format"] = {{"type", "json_object"}};
    return body;
}

base::Result<void> ChatStream::take(std::string_view data) {
    if (data == "[DONE]") {
        done_ = true;
        return {};
    }
    const auto parsed = base::parse_json(data);
    if (!parsed || !parsed->is_object()) return corrupt("no JSON object", data);
    if (const auto error = parsed->find("error"); error != parsed->end() && !error->is_null())
        return base::error(Code::unavailable, "the upstream failed while answering: " +
                                                  (error->is_object() ? text_of(*error, "message") : base::dump(*error)));
    const auto choices = parsed->find("choices");
    if (choices == parsed->end() || !choices->is_array()) return corrupt("no list 'choices'", data);
    ++chunks_;
    if (model_.empty()) model_ = text_of(*parsed, "model");
    if (const auto usage = parsed->find("usage"); usage != parsed->end() && usage->is_object()) take_usage(*usage);
    if (choices->empty()) return {};
    if (!choices->front().is_object()) return corrupt("choices[0] is no object", data);
    return take_choice(choices->front());
}

base::Result<void> ChatStream::take_choice(const Json& choice) {
    if (const auto delta = choice.find("delta"); delta != choice.end() && delta->is_object()) {
        std::string reasoning = text_of(*delta, "reasoning_content");
        if (reasoning.empty()) reasoning = text_of(*delta, "reasoning");
        const std::string content = text_of(*delta, "content");
        reasoning_ += reasoning;
        content_ += content;
        if (!reasoning.empty()) send(ModelDelta::Kind::reasoning, reasoning);
        if (!content.empty()) send(ModelDelta::Kind::content, content);
        if (const auto calls = delta->find("tool_calls"); calls != delta->end() && calls->is_array())
            for (std::size_t i = 0; i < calls->size(); ++i)
                if (auto taken = take_call((*calls)[i], i); !taken) return taken;
    }
    const std::string reason = text_of(choice, "finish_reason");
    if (reason.empty()) return {};
    has_finish_ = true;
    finish_ = reason == "length" ? FinishReason::length : reason == "tool_calls" ? FinishReason::tool_calls : FinishReason::stop;
    return {};
}

// A call's first piece names it; later ones, of the same index, only add to its arguments.
base::Result<void> ChatStream::take_call(const Json& call, std::size_t position) {
    if (!call.is_object()) return corrupt("a tool call is no object", base::dump(call));
    const auto it = call.find("index");
    const std::size_t index = it != call.end() && it->is_number_unsigned() ? it->get<std::size_t>() : position;
    const Json function = call.contains("function") && call["function"].is_object() ? call["function"] : Json::object();
    if (index > calls_.size() || index >= max_calls)
        return corrupt("tool call " + std::to_string(index) + " follows " + std::to_string(calls_.size()), base::dump(call));
    if (index == calls_.size()) {
        ToolCall fresh{text_of(call, "id"), text_of(function, "name"), {}};
        if (fresh.name.empty()) return corrupt("a tool call without a name", base::dump(call));
        if (fresh.id.empty()) fresh.id = "call_" + base::Uuid::v7(base::SystemClock().now()).text();
        calls_.push_back(fresh);
        send(ModelDelta::Kind::tool_call_started, fresh.name, int(index), fresh.id);
    }
    const std::string arguments = text_of(function, "arguments");
    calls_[index].arguments += arguments;
    if (!arguments.empty()) send(ModelDelta::Kind::tool_arguments, arguments, int(index));
    return {};
}

void ChatStream::take_usage(const Json& usage) {
    usage_.prompt_tokens = count_of(usage, "prompt_tokens");
    usage_.output_tokens = count_of(usage, "completion_tokens");
    if (const auto details = usage.find("prompt_tokens_details"); details != usage.end() && details->is_object())
        usage_.cached_tokens = count_of(*details, "cached_tokens");
}

void ChatStream::send(ModelDelta::Kind kind, const std::string& text, int index, const std::string& id) {
    if (sink_) sink_({kind, text, index, id});
}

ModelReply ChatStream::reply() && {
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
