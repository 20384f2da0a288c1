#include "router/types.h"

#include <algorithm>
#include <cctype>

namespace router {
namespace {

using base::Code;
using base::error;
using base::OrderedJson;

base::Error at_message(std::size_t index, const std::string& what) {
    return error(Code::invalid_argument, "messages[" + std::to_string(index) + "]" + what);
}

std::string text_of(const OrderedJson& object, const char* field) {
    const auto it = object.find(field);
    return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

// A field that may be absent or null, and else is a text.
base::Result<std::string> optional_text(const OrderedJson& object, const char* field, std::size_t index) {
    const auto it = object.find(field);
    if (it == object.end() || it->is_null()) return std::string();
    if (!it->is_string()) return at_message(index, "." + std::string(field) + " must be a string, found " + std::string(it->type_name()));
    return it->get<std::string>();
}

base::Result<MessageRole> role_of(const OrderedJson& json, std::size_t index) {
    const std::string role = text_of(json, "role");
    if (role == "system" || role == "developer") return MessageRole::system;
    if (role == "user") return MessageRole::user;
    if (role == "assistant") return MessageRole::assistant;
    if (role == "tool") return MessageRole::tool;
    return at_message(index, ".role must be system, developer, user, assistant or tool, found '" + role + "'");
}

base::Result<std::vector<Part>> parts_of(const OrderedJson& content, MessageRole role, std::size_t index) {
    std::vector<Part> parts;
    if (content.is_null() && role == MessageRole::assistant) return parts;
    if (content.is_string()) {
        parts.push_back({Part::Kind::text, content.get<std::string>(), {}, {}});
        return parts;
    }
    if (!content.is_array()) return at_message(index, ".content must be a string or a list of parts, found " + std::string(content.type_name()));
    for (std::size_t i = 0; i < content.size(); ++i) {
        const auto& item = content[i];
        const std::string place = ".content[" + std::to_string(i) + "]", type = item.is_object() ? text_of(item, "type") : std::string();
        const char* field = type == "refusal" ? "refusal" : "text";
        if (type != "text" && !(type == "refusal" && role == MessageRole::assistant))
            return at_message(index, place + " is of type '" + type + "'; text is all that is read here");
        const auto text = item.find(field);
        if (text == item.end() || !text->is_string()) return at_message(index, place + "." + field + " must be a string");
        parts.push_back({Part::Kind::text, text->get<std::string>(), {}, {}});
    }
    return parts;
}

base::Result<ToolCall> call_of(const OrderedJson& item, std::size_t index, const std::string& place) {
    const auto function = item.is_object() ? item.find("function") : item.end();
    if (!item.is_object() || function == item.end() || !function->is_object())
        return at_message(index, place + " must be {\"id\", \"type\": \"function\", \"function\": {…}}");
    const std::string type = text_of(item, "type");
    if (item.contains("type") && type != "function") return at_message(index, place + ".type is '" + type + "'; only function is known");
    ToolCall call{text_of(item, "id"), text_of(*function, "name"), {}};
    if (call.name.empty()) return at_message(index, place + ".function.name is missing");
    if (const auto arguments = function->find("arguments"); arguments != function->end())
        call.arguments = arguments->is_string() ? arguments->get<std::string>() : arguments->dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
    return call;
}

base::Result<std::vector<ToolCall>> calls_of(const OrderedJson& json, MessageRole role, std::size_t index) {
    std::vector<ToolCall> calls;
    if (!json.is_array()) return at_message(index, ".tool_calls must be a list");
    if (role != MessageRole::assistant && !json.empty()) return at_message(index, ".tool_calls belongs to messages of the role assistant");
    for (std::size_t i = 0; i < json.size(); ++i) {
        auto call = call_of(json[i], index, ".tool_calls[" + std::to_string(i) + "]");
        if (!call) return std::move(call).error();
        calls.push_back(*std::move(call));
    }
    return calls;
}

// In every dialect such a name can be told from what surrounds it.
bool names_a_tool(const std::string& name) {
    const auto fits = [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-' || c == '.' || c == ':' || c == '/'; };
    return name.size() <= 128 && std::all_of(name.begin(), name.end(), fits);
}

}  // namespace

std::string Message::text() const {
    std::string out;
    for (const auto& part : parts)
        if (part.kind == Part::Kind::text) out += part.text;
    return out;
}

Message Message::make(MessageRole role, std::string text) {
    Message message;
    message.role = role;
    message.parts.push_back({Part::Kind::text, std::move(text), {}, {}});
    message.trusted = role != MessageRole::tool;
    return message;
}

Usage& Usage::operator+=(const Usage& other) {
    prompt_tokens += other.prompt_tokens;
    cached_tokens += other.cached_tokens;
    output_tokens += other.output_tokens;
    queued += other.queued;
    prefill += other.prefill;
    decode += other.decode;
    cost += other.cost;
    forced_tokens += other.forced_tokens;
    return *this;
}

std::string_view name(MessageRole role) {
    switch (role) {
        case MessageRole::system: return "system";
        case MessageRole::user: return "user";
        case MessageRole::assistant: return "assistant";
        case MessageRole::tool: return "tool";
    }
    return "user";
}

std::string_view name(FinishReason reason) {
    switch (reason) {
        case FinishReason::stop: return "stop";
        case FinishReason::length: return "length";
        case FinishReason::tool_calls: return "tool_calls";
        case FinishReason::cancelled: return "cancelled";
        case FinishReason::deadline: return "deadline";
    }
    return "stop";
}

base::Result<Message> message_from_json(const OrderedJson& json, std::size_t index) {
    if (!json.is_object()) return at_message(index, " must be an object");
    Message message;
    auto role = role_of(json, index);
    if (!role) return std::move(role).error();
    message.role = *role;
    if (const auto content = json.find("content"); content != json.end()) {
        auto parts = parts_of(*content, message.role, index);
        if (!parts) return std::move(parts).error();
        message.parts = *std::move(parts);
    }
    for (auto [field, to] : {std::pair{"reasoning_content", &message.reasoning}, {"name", &message.name}, {"tool_call_id", &message.tool_call_id}}) {
        auto text = optional_text(json, field, index);
        if (!text) return std::move(text).error();
        *to = *std::move(text);
    }
    if (const auto calls = json.find("tool_calls"); calls != json.end() && !calls->is_null()) {
        auto parsed = calls_of(*calls, message.role, index);
        if (!parsed) return std::move(parsed).error();
        message.tool_calls = *std::move(parsed);
    }
    if (message.role == MessageRole::tool && message.tool_call_id.empty())
        return at_message(index, ".tool_call_id is missing: a tool message answers a call");
    if (message.role != MessageRole::assistant && json.find("content") == json.end())
        return at_message(index, ".content is missing");
    message.trusted = message.role != MessageRole::tool;
    return message;
}

OrderedJson message_to_json(const Message& message) {
    OrderedJson json = {{"role", std::string(name(message.role))}};
    const std::string text = message.text();
    if (text.empty() && !message.tool_calls.empty())
        json["content"] = nullptr;
    else
        json["content"] = text;
    if (!message.reasoning.empty()) json["reasoning_content"] = message.reasoning;
    if (!message.name.empty()) json["name"] = message.name;
    if (!message.tool_call_id.empty()) json["tool_call_id"] = message.tool_call_id;
    for (const auto& call : message.tool_calls)
        json["tool_calls"].push_back({{"id", call.id},
                                      {"type", "function"},
                                      {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
    return json;
}

const std::vector<ToolSchema>& ToolMenu::list() const {
    static const std::vector<ToolSchema> none;
    return tools_ ? *tools_ : none;
}

base::Result<std::vector<ToolSchema>> tools_from_json(const OrderedJson& json) {
    std::vector<ToolSchema> tools;
    if (json.is_null()) return tools;
    if (!json.is_array()) return error(Code::invalid_argument, "tools must be a list");
    for (std::size_t i = 0; i < json.size(); ++i) {
        const auto& item = json[i];
        const std::string where = "tools[" + std::to_string(i) + "]";
        if (!item.is_object() || text_of(item, "type") != "function" || !item.contains("function") ||
            !item["function"].is_object())
            return error(Code::invalid_argument, where + " must be {\"type\": \"function\", \"function\": {…}}");
        const auto& function = item["function"];
        ToolSchema tool{text_of(function, "name"), text_of(function, "description"), OrderedJson::object()};
        if (tool.name.empty()) return error(Code::invalid_argument, where + ".function.name is missing");
        if (!names_a_tool(tool.name))
            return error(Code::invalid_argument, where + ".function.name is '" + tool.name + "' but must be at most 128 letters, digits and any of _-.:/");
        if (std::any_of(tools.begin(), tools.end(), [&](const auto& other) { return other.name == tool.name; }))
            return error(Code::invalid_argument, where + ".function.name is '" + tool.name + "' for the second time");
        if (const auto it = function.find("parameters"); it != function.end() && !it->is_null()) {
            if (!it->is_object()) return error(Code::invalid_argument, where + ".function.parameters must be an object");
            tool.parameters = *it;
        }
        if (const auto it = function.find("strict"); it != function.end() && !it->is_null()) {
            if (!it->is_boolean()) return error(Code::invalid_argument, where + ".function.strict must be true, false or null");
            tool.strict = it->get<bool>();
        }
        tools.push_back(std::move(tool));
    }
    return tools;
}

OrderedJson tools_to_json(const std::vector<ToolSchema>& tools) {
    OrderedJson json = OrderedJson::array();
    for (const auto& tool : tools) {
        OrderedJson function = {{"name", tool.name}, {"description", tool.description}};
        function["parameters"] =
            tool.parameters.empty() ? OrderedJson{{"type", "object"}, {"properties", OrderedJson::object()}} : tool.parameters;
        json.push_back({{"type", "function"}, {"function", std::move(function)}});
    }
    return json;
}

}  // namespace router
