// Anthropic's Messages API: POST {url}/messages. An answer of a schema is asked for as the call of a tool whose input it is.
#include <algorithm>
#include <map>

#include "base/utf8.h"
#include "net/sse.h"
#include "router/dialect.h"
#include "router/refusal.h"
#include "router/reply_builder.h"

namespace router {
namespace {

using base::Code;
using base::Json;
using base::OrderedJson;

constexpr const char* kAnswerTool = "give_answer";
constexpr std::size_t kMostDocument = std::size_t(4) << 20;

bool blank(const std::string& text) { return text.find_first_not_of(" \t\r\n") == text.npos; }
bool answer_is_bound(const ModelRequest& r) { return r.response_schema || r.json_object; }
bool calls_allowed(const ModelRequest& r) { return !r.tools.empty() && r.tool_choice.kind != ToolChoice::Kind::none; }
bool calls_forced(const ModelRequest& r) { return calls_allowed(r) && r.tool_choice.kind != ToolChoice::Kind::automatic; }
bool has_answer_tool(const ModelRequest& r) { return answer_is_bound(r) && !calls_forced(r); }

OrderedJson text_block(const std::string& text) { return {{"type", "text"}, {"text", text}}; }

OrderedJson arguments_of(const ToolCall& call) {
    auto parsed = base::parse_ordered_json(call.arguments);
    return parsed && parsed->is_object() ? *std::move(parsed) : OrderedJson::object();
}

// Blocks of one message; empty text has no block there.
OrderedJson blocks_of(const Message& message) {
    OrderedJson blocks = OrderedJson::array();
    const std::string text = message.text();
    if (message.role == MessageRole::tool) {
        OrderedJson result = {{"type", "tool_result"}, {"tool_use_id", message.tool_call_id}};
        if (!blank(text)) result["content"] = text;
        blocks.push_back(std::move(result));
        return blocks;
    }
    if (!blank(text)) blocks.push_back(text_block(text));
    for (const auto& call : message.tool_calls)
        blocks.push_back({{"type", "tool_use"}, {"id", call.id}, {"name", call.name}, {"input", arguments_of(call)}});
    return blocks;
}

// System messages at the front are a field of their own there; later ones count as the user's. Neighbours of one role become
// one message, as the results of one turn's calls must be.
void add_messages(OrderedJson& body, const ModelRequest& request) {
    OrderedJson messages = OrderedJson::array();
    std::string system;
    for (const auto& message : request.messages) {
        if (message.role == MessageRole::system && messages.empty()) {
            system += (system.empty() ? "" : "\n\n") + message.text();
            continue;
        }
        OrderedJson blocks = blocks_of(message);
        if (blocks.empty()) continue;
        const char* role = message.role == MessageRole::assistant ? "assistant" : "user";
        if (messages.empty() || messages.back()["role"] != role) messages.push_back({{"role", role}, {"content", OrderedJson::array()}});
        for (auto& block : blocks) messages.back()["content"].push_back(std::move(block));
    }
    if (!request.begun.empty()) messages.push_back({{"role", "assistant"}, {"content", request.begun}});
    if (!blank(system)) body["system"] = system;
    body["messages"] = std::move(messages);
}

OrderedJson tool_json(const std::string& name, const std::string& description, const OrderedJson& schema) {
    OrderedJson tool = {{"name", name}};
    if (!description.empty()) tool["description"] = description;
    tool["input_schema"] = schema.empty() ? OrderedJson{{"type", "object"}, {"properties", OrderedJson::object()}} : schema;
    if (!tool["input_schema"].contains("type")) tool["input_schema"]["type"] = "object";
    return tool;
}

OrderedJson choice_json(const ModelRequest& request) {
    const ToolChoice& choice = request.tool_choice;
    OrderedJson out = {{"type", "auto"}};
    if (has_answer_tool(request) || choice.kind == ToolChoice::Kind::required) out["type"] = "any";
    else if (choice.kind == ToolChoice::Kind::named) out = {{"type", "tool"}, {"name", choice.name}};
    else if (choice.kind == ToolChoice::Kind::none) return {{"type", "none"}};
    if (choice.most == 1 || (choice.most == 0 && calls_forced(request)) || has_answer_tool(request)) out["disable_parallel_tool_use"] = true;
    return out;
}

base::Result<OrderedJson> body(const ModelRequest& request, const DialectModel& model) {
    OrderedJson body = {{"model", model.name}, {"max_tokens", std::max(1, request.max_tokens)}};
    add_messages(body, request);
    body["stream"] = true;
    if (!request.stop_texts.empty()) body["stop_sequences"] = request.stop_texts;
    // Newer models take one of the two only.
    if (request.sampling.temperature) body["temperature"] = std::clamp(*request.sampling.temperature, 0.0, 1.0);
    else if (request.sampling.top_p) body["top_p"] = *request.sampling.top_p;
    if (request.sampling.top_k && *request.sampling.top_k > 0) body["top_k"] = *request.sampling.top_k;
    OrderedJson tools = OrderedJson::array();
    for (const auto& tool : request.tools) tools.push_back(tool_json(tool.name, tool.description, tool.parameters));
    if (has_answer_tool(request)) {
        const OrderedJson schema = request.response_schema.value_or(OrderedJson{{"type", "object"}});
        if (!schema.is_object() || (schema.contains("type") && schema["type"] != "object"))
            return base::error(Code::unsupported, "the dialect 'anthropic' answers in objects only, and response_format asks for another type", "wrap it in an object");
        if (!request.begun.empty()) return base::error(Code::unsupported, "an answer of a schema cannot be gone on with in the dialect 'anthropic'");
        tools.push_back(tool_json(kAnswerTool, "Gives the answer. Call it once, with all of the answer.", schema));
    }
    if (tools.empty()) return body;
    body["tools"] = std::move(tools);
    body["tool_choice"] = choice_json(request);
    return body;
}

net::HttpHeaders headers() { return {{"Accept", "text/event-stream"}, {"anthropic-version", "2023-06-01"}}; }

class Reader final : public ReplyReader {
public:
    Reader(DeltaSink sink, bool answer_tool) : builder_(std::move(sink)), answer_tool_(answer_tool) {}

    base::Result<void> feed(std::string_view bytes) override {
        if (!started_) document_ += bytes.substr(0, kMostDocument - std::min(kMostDocument, document_.size()));
        auto events = events_.feed(bytes);
        if (!events) return base::error(Code::corrupt, events.error().message);
        for (const auto& event : *events) {
            const auto json = base::parse_json(event.data);
            if (!json || !json->is_object()) return corrupt("no JSON object", event.data);
            if (auto taken = take(*json); !taken) return taken;
        }
        return {};
    }

    base::Result<void> end() override {
        if (started_ || blank(document_)) return {};
        const auto json = base::parse_json(document_);
        if (!json || !json->is_object() || text_of(*json, "type") != "message") return {};
        return take_whole(*json);
    }

    bool started() const override { return started_; }
    bool finished() const override { return finished_; }
    ModelReply reply() && override { return std::move(builder_).reply(); }

private:
    struct Block {
        bool answer = false;            // its input is the answer's text
        std::optional<std::size_t> call;
    };

    static base::Error corrupt(const std::string& what, std::string_view data) {
        return base::error(Code::corrupt, "the upstream's answer is no message: " + what + " in '" + base::valid_utf8(base::beginning(data, 200)) + "'");
    }

    // Kinds of events that are not known here are left out, as the API asks of its clients.
    base::Result<void> take(const Json& event) {
        const std::string type = text_of(event, "type");
        const auto part = [&](const char* field) { return event.contains(field) && event[field].is_object() ? event[field] : Json::object(); };
        if (type == "error") {
            const Json error = part("error");
            const std::string message = text_of(error, "message");
            return base::error(code_of(kind_of_error("", text_of(error, "type"), message)), "the upstream failed while answering: " + message);
        }
        if (type == "message_start") {
            started_ = true;
            const Json message = part("message");
            builder_.model(text_of(message, "model"));
            if (message.contains("usage") && message["usage"].is_object()) take_usage(message["usage"]);
            return {};
        }
        if (type == "content_block_start") return open_block(count_of(event, "index"), part("content_block"));
        if (type == "content_block_delta") return take_delta(count_of(event, "index"), part("delta"));
        if (type == "message_delta") {
            if (const std::string reason = text_of(part("delta"), "stop_reason"); !reason.empty()) finish(reason), finished_ = started_;
            take_usage(part("usage"));
        }
        if (type == "message_stop") finished_ = started_;
        return {};
    }

    base::Result<void> open_block(int index, const Json& block) {
        if (!started_) return corrupt("a block before its message", base::dump(block));
        const std::string type = text_of(block, "type");
        Block& open = blocks_[index] = {};
        if (type == "text") builder_.content(text_of(block, "text"));
        if (type == "thinking") builder_.reasoning(text_of(block, "thinking"));
        if (type != "tool_use") return {};
        if (answer_tool_ && text_of(block, "name") == kAnswerTool) {
            open.answer = true;
        } else {
            auto call = builder_.begin_call(text_of(block, "id"), text_of(block, "name"));
            if (!call) return corrupt(call.error().message, base::dump(block));
            open.call = *call;
        }
        if (block.contains("input") && block["input"].is_object() && !block["input"].empty()) take_input(open, base::dump(block["input"]));
        return {};
    }

    base::Result<void> take_delta(int index, const Json& delta) {
        const std::string type = text_of(delta, "type");
        const auto found = blocks_.find(index);
        if (found == blocks_.end()) return corrupt("a piece of block " + std::to_string(index) + ", which never began,", base::dump(delta));
        if (type == "text_delta") builder_.content(text_of(delta, "text"));
        if (type == "thinking_delta") builder_.reasoning(text_of(delta, "thinking"));
        if (type == "input_json_delta") take_input(found->second, text_of(delta, "partial_json"));
        return {};
    }

    void take_input(const Block& block, const std::string& json) {
        if (block.answer) builder_.content(json);
        else if (block.call) builder_.arguments(*block.call, json);
    }

    void finish(const std::string& reason) {
        const bool cut = reason == "max_tokens" || reason == "model_context_window_exceeded";
        builder_.finish(cut ? FinishReason::length : FinishReason::stop);  // with calls: tool_calls
    }

    // Input tokens that were read from or written to the cache are counted apart there. Later counts replace earlier ones.
    void take_usage(const Json& usage) {
        Usage& sums = builder_.usage();
        if (usage.contains("input_tokens")) {
            sums.cached_tokens = count_of(usage, "cache_read_input_tokens");
            sums.prompt_tokens = count_of(usage, "input_tokens") + sums.cached_tokens + count_of(usage, "cache_creation_input_tokens");
        }
        if (usage.contains("output_tokens")) sums.output_tokens = count_of(usage, "output_tokens");
    }

    base::Result<void> take_whole(const Json& message) {
        if (!message.contains("content") || !message["content"].is_array()) return corrupt("no list 'content'", base::dump(message));
        started_ = true;
        builder_.model(text_of(message, "model"));
        int index = 0;
        for (const auto& block : message["content"])
            if (auto taken = open_block(index++, block); !taken) return taken;
        if (message.contains("usage") && message["usage"].is_object()) take_usage(message["usage"]);
        finish(text_of(message, "stop_reason"));
        finished_ = true;
        return {};
    }

    ReplyBuilder builder_;
    const bool answer_tool_;
    net::SseParser events_;
    std::map<int, Block> blocks_;
    std::string document_;  // until the message begins: an answer that is not streamed
    bool started_ = false, finished_ = false;
};

std::unique_ptr<ReplyReader> reader(const ModelRequest& request, DeltaSink sink) { return std::make_unique<Reader>(std::move(sink), has_answer_tool(request)); }

}  // namespace

const Dialect kAnthropic = {"anthropic", "https://api.anthropic.com/v1", "/messages", "/models", "", true, {"x-api-key", ""}, headers, body, reader};

}  // namespace router
