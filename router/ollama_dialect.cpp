// Ollama's own chat API: POST {url}/api/chat, answered in lines of JSON.
#include <map>

#include "base/utf8.h"
#include "router/dialect.h"
#include "router/refusal.h"
#include "router/reply_builder.h"

namespace router {
namespace {

using base::Code;
using base::Json;
using base::OrderedJson;

constexpr std::size_t kLongestLine = std::size_t(4) << 20;

OrderedJson message_of(const Message& message) {
    OrderedJson json = {{"role", std::string(name(message.role))}, {"content", message.text()}};
    if (!message.reasoning.empty()) json["thinking"] = message.reasoning;
    for (const auto& call : message.tool_calls) {
        auto arguments = base::parse_ordered_json(call.arguments);
        const bool object = arguments && arguments->is_object();
        json["tool_calls"].push_back({{"id", call.id}, {"function", {{"name", call.name}, {"arguments", object ? *std::move(arguments) : OrderedJson::object()}}}});
    }
    return json;
}

// A result is told by the name of its tool there.
void add_messages(OrderedJson& body, const ModelRequest& request) {
    body["messages"] = OrderedJson::array();
    std::map<std::string, std::string> called;  // id → name
    for (const auto& message : request.messages) {
        for (const auto& call : message.tool_calls) called[call.id] = call.name;
        OrderedJson json = message_of(message);
        if (message.role == MessageRole::tool) {
            const auto found = called.find(message.tool_call_id);
            json["tool_name"] = found != called.end() ? found->second : message.name;
            json["tool_call_id"] = message.tool_call_id;
        }
        body["messages"].push_back(std::move(json));
    }
    if (!request.begun.empty()) body["messages"].push_back({{"role", "assistant"}, {"content", request.begun}});
}

OrderedJson options_of(const ModelRequest& request, const DialectModel& model) {
    OrderedJson options = {{"num_predict", request.max_tokens}};
    if (model.context > 0) options["num_ctx"] = model.context;  // else it cuts the prompt at a few thousand tokens, silently
    add_sampling(options, request.sampling, "repeat_penalty");
    if (!request.stop_texts.empty()) options["stop"] = request.stop_texts;
    return options;
}

// No choice of tools can be asked for: those that may not be called are not named.
OrderedJson tools_of(const ModelRequest& request) {
    OrderedJson tools = OrderedJson::array();
    if (request.tool_choice.kind == ToolChoice::Kind::none) return tools;
    for (auto& tool : tools_to_json(request.tools))
        if (request.tool_choice.kind != ToolChoice::Kind::named || tool["function"]["name"] == request.tool_choice.name) tools.push_back(tool);
    return tools;
}

base::Result<OrderedJson> body(const ModelRequest& request, const DialectModel& model) {
    OrderedJson body = {{"model", model.name}};
    add_messages(body, request);
    body["stream"] = true;
    if (auto tools = tools_of(request); !tools.empty()) body["tools"] = std::move(tools);
    if (request.response_schema) body["format"] = *request.response_schema;
    else if (request.json_object) body["format"] = "json";
    if (!request.enable_thinking || !request.begun.empty()) body["think"] = false;  // true is an error for models that do not think
    body["options"] = options_of(request, model);
    return body;
}

net::HttpHeaders headers() { return {{"Accept", "application/x-ndjson"}}; }

class Reader final : public ReplyReader {
public:
    explicit Reader(DeltaSink sink) : builder_(std::move(sink)) {}

    base::Result<void> feed(std::string_view bytes) override {
        while (!bytes.empty()) {
            const auto end = bytes.find('\n');
            line_ += bytes.substr(0, end);
            if (line_.size() > kLongestLine) return corrupt("a line of more than 4 MiB");
            if (end == bytes.npos) return {};
            bytes.remove_prefix(end + 1);
            if (auto taken = take_line(); !taken) return taken;
        }
        return {};
    }
    base::Result<void> end() override { return take_line(); }
    bool started() const override { return started_; }
    bool finished() const override { return finished_; }
    ModelReply reply() && override { return std::move(builder_).reply(); }

private:
    base::Error corrupt(const std::string& what) const {
        return base::error(Code::corrupt, "the upstream's answer is no chat of Ollama's: " + what + " in '" + base::valid_utf8(base::beginning(line_, 200)) + "'");
    }

    base::Result<void> take_line() {
        base::Result<void> taken;
        if (line_.find_first_not_of(" \t\r") != line_.npos) taken = take();
        line_.clear();
        return taken;
    }

    base::Result<void> take() {
        const auto json = base::parse_json(line_);
        // An answer cut in the middle of a line is a broken stream and no other dialect.
        if (!json && started_) return base::error(Code::unavailable, "the upstream broke off within a line of its answer");
        if (!json || !json->is_object()) return corrupt("no JSON object");
        if (const auto error = json->find("error"); error != json->end() && !error->is_null()) {
            const std::string message = error->is_string() ? error->get<std::string>() : base::dump(*error);
            return base::error(code_of(kind_of_error("", "", message)), "the upstream failed while answering: " + message);
        }
        const bool done = json->contains("done") && (*json)["done"] == true;
        const auto message = json->find("message");
        if (message == json->end() || !message->is_object()) {
            if (!done) return corrupt("no 'message'");
        } else {
            builder_.reasoning(text_of(*message, "thinking"));
            builder_.content(text_of(*message, "content"));
            if (const auto calls = message->find("tool_calls"); calls != message->end() && calls->is_array())
                for (const auto& call : *calls)
                    if (auto taken = take_call(call); !taken) return taken;
        }
        started_ = true;
        if (const std::string model = text_of(*json, "model"); !model.empty()) builder_.model(model);
        if (done) finish(*json);
        return {};
    }

    base::Result<void> take_call(const Json& call) {
        if (!call.is_object() || !call.contains("function") || !call["function"].is_object()) return corrupt("a tool call without a function");
        const Json& function = call["function"];
        auto index = builder_.begin_call(text_of(call, "id"), text_of(function, "name"));
        if (!index) return corrupt(index.error().message);
        const auto arguments = function.find("arguments");
        if (arguments != function.end()) builder_.arguments(*index, arguments->is_string() ? arguments->get<std::string>() : arguments->is_object() ? base::dump(*arguments) : "");
        return {};
    }

    void finish(const Json& last) {
        finished_ = true;
        builder_.finish(text_of(last, "done_reason") == "length" ? FinishReason::length : FinishReason::stop);
        builder_.usage().prompt_tokens = count_of(last, "prompt_eval_count");
        builder_.usage().output_tokens = count_of(last, "eval_count");
    }

    ReplyBuilder builder_;
    std::string line_;
    bool started_ = false, finished_ = false;
};

std::unique_ptr<ReplyReader> reader(const ModelRequest&, DeltaSink sink) { return std::make_unique<Reader>(std::move(sink)); }

}  // namespace

const Dialect kOllama = {"ollama", "http://host:11434", "/api/chat", "/api/version", "", true, {"Authorization", "Bearer "}, headers, body, reader};

}  // namespace router
