#include "router/chat_stream.h"

#include <algorithm>

#include "base/utf8.h"
#include "net/sse.h"
#include "router/dialect.h"
#include "router/refusal.h"

namespace router {
namespace {

using base::Code;
using base::Json;
using base::OrderedJson;

base::Error corrupt(std::string_view what, std::string_view data) {
    return base::error(Code::corrupt, "the upstream's answer is no chat completion: " + std::string(what) + " in '" +
                                          base::valid_utf8(base::beginning(data, 200)) + "'");
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

OrderedJson tools_and_strictness(const ToolMenu& tools) {
    OrderedJson out = tools_to_json(tools);
    for (std::size_t i = 0; i < tools.size(); ++i)
        if (tools[i].strict) out[i]["function"]["strict"] = *tools[i].strict;
    return out;
}

OrderedJson chat_body(const ModelRequest& request, const std::string& model) {
    OrderedJson body = {{"model", model}, {"messages", OrderedJson::array()}};
    for (const auto& message : request.messages) body["messages"].push_back(message_to_json(message));
    body["stream"] = true;
    body["stream_options"] = {{"include_usage", true}};
    body["max_tokens"] = request.max_tokens;
    if (!request.stop_texts.empty()) body["stop"] = request.stop_texts;
    add_sampling(body, request.sampling, "repetition_penalty");
    for (const auto& [token, bias] : request.sampling.logit_bias) body["logit_bias"][std::to_string(token)] = bias;
    if (!request.tools.empty()) {
        body["tools"] = tools_and_strictness(request.tools);
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
    if (const auto error = parsed->find("error"); error != parsed->end() && !error->is_null()) {
        const base::Json fields = error->is_object() ? *error : base::Json{{"message", error->is_string() ? *error : base::Json(base::dump(*error))}};
        const std::string message = text_of(fields, "message");
        return base::error(code_of(kind_of_error(text_of(fields, "code"), text_of(fields, "type"), message)), "the upstream failed while answering: " + message);
    }
    const auto choices = parsed->find("choices");
    if (choices == parsed->end() || !choices->is_array()) return corrupt("no list 'choices'", data);
    ++chunks_;
    if (const std::string model = text_of(*parsed, "model"); !model.empty()) builder_.model(model);
    if (const auto usage = parsed->find("usage"); usage != parsed->end() && usage->is_object()) take_usage(*usage);
    if (choices->empty()) return {};
    if (!choices->front().is_object()) return corrupt("choices[0] is no object", data);
    return take_choice(choices->front());
}

base::Result<void> ChatStream::take_choice(const Json& choice) {
    const auto delta = choice.find("delta"), whole = choice.find("message");
    const auto piece = delta != choice.end() && delta->is_object() ? delta : whole;
    if (piece != choice.end() && piece->is_object()) {
        std::string reasoning = text_of(*piece, "reasoning_content");
        if (reasoning.empty()) reasoning = text_of(*piece, "reasoning");
        builder_.reasoning(reasoning);
        builder_.content(text_of(*piece, "content"));
        if (const auto calls = piece->find("tool_calls"); calls != piece->end() && calls->is_array())
            for (std::size_t i = 0; i < calls->size(); ++i)
                if (auto taken = take_call((*calls)[i], i); !taken) return taken;
    }
    const std::string reason = text_of(choice, "finish_reason");
    if (reason.empty()) return {};
    has_finish_ = true;
    builder_.finish(reason == "length" ? FinishReason::length : reason == "tool_calls" ? FinishReason::tool_calls : FinishReason::stop);
    return {};
}

// A call's first piece names it; later ones, of the same index, only add to its arguments.
base::Result<void> ChatStream::take_call(const Json& call, std::size_t position) {
    if (!call.is_object()) return corrupt("a tool call is no object", base::dump(call));
    const auto it = call.find("index");
    const std::size_t index = it != call.end() && it->is_number_unsigned() ? it->get<std::size_t>() : position;
    const Json function = call.contains("function") && call["function"].is_object() ? call["function"] : Json::object();
    if (index > builder_.calls())
        return corrupt("tool call " + std::to_string(index) + " follows " + std::to_string(builder_.calls()), base::dump(call));
    if (index == builder_.calls())
        if (auto begun = builder_.begin_call(text_of(call, "id"), text_of(function, "name")); !begun) return corrupt(begun.error().message, base::dump(call));
    const auto arguments = function.find("arguments");
    // Some send them as the object that they are.
    builder_.arguments(index, arguments != function.end() && arguments->is_object() ? base::dump(*arguments) : text_of(function, "arguments"));
    return {};
}

void ChatStream::take_usage(const Json& usage) {
    Usage& sums = builder_.usage();
    sums.prompt_tokens = count_of(usage, "prompt_tokens");
    sums.output_tokens = count_of(usage, "completion_tokens");
    if (const auto details = usage.find("prompt_tokens_details"); details != usage.end() && details->is_object())
        sums.cached_tokens = count_of(*details, "cached_tokens");
}

ModelReply ChatStream::reply() && { return std::move(builder_).reply(); }

namespace {

class OpenaiReader final : public ReplyReader {
public:
    explicit OpenaiReader(DeltaSink sink) : stream_(std::move(sink)) {}

    base::Result<void> feed(std::string_view bytes) override {
        const std::size_t kept = std::min(bytes.size(), kMostDocument - std::min(kMostDocument, document_.size()));
        if (!stream_.started()) document_ += bytes.substr(0, kept);
        auto events = events_.feed(bytes);
        if (!events) return base::error(Code::corrupt, events.error().message);
        for (const auto& event : *events)
            if (auto taken = stream_.take(event.data); !taken) return taken;
        return {};
    }
    base::Result<void> end() override {
        const auto first = document_.find_first_not_of(" \r\n\t");
        if (stream_.started() || first == document_.npos || document_[first] != '{') return {};
        return stream_.take(document_);
    }
    bool started() const override { return stream_.started(); }
    bool finished() const override { return stream_.finished(); }
    ModelReply reply() && override { return std::move(stream_).reply(); }

private:
    static constexpr std::size_t kMostDocument = std::size_t(4) << 20;

    ChatStream stream_;
    net::SseParser events_;
    std::string document_;  // until the first event: an answer that is not streamed
};

net::HttpHeaders openai_headers() { return {{"Accept", "text/event-stream"}}; }

base::Result<OrderedJson> openai_body(const ModelRequest& request, const DialectModel& model) {
    OrderedJson body = chat_body(request, model.name);
    if (request.begun.empty()) return body;
    body["messages"].push_back({{"role", "assistant"}, {"content", request.begun}});
    body["continue_final_message"] = true;  // vLLM and SGLang; llama.cpp does so by itself
    body["add_generation_prompt"] = false;
    return body;
}

std::unique_ptr<ReplyReader> openai_reader(const ModelRequest&, DeltaSink sink) { return std::make_unique<OpenaiReader>(std::move(sink)); }

}  // namespace

const Dialect kOpenai = {"openai", "https://host/v1", "/chat/completions", "/models", "/embeddings", false, {"Authorization", "Bearer "}, openai_headers, openai_body, openai_reader};

}  // namespace router
