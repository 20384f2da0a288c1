#include "server/api/response_items.h"

#include <utility>

namespace server::api {
namespace {

using base::Code;
using base::Json;
using router::Message;
using router::MessageRole;

std::string type_of(const Json& item) {
    const auto type = item.find("type");
    if (type != item.end() && !type->is_null()) return type->is_string() ? type->get<std::string>() : base::dump(*type);
    if (item.contains("role")) return "message";
    return item.contains("id") ? "item_reference" : "";
}

std::string shown(const Json& value) { return value.is_string() ? "'" + value.get<std::string>() + "'" : base::dump(value); }

// The texts of a list of parts of that type; an absent list is none.
std::string joined(const Json& item, const char* field, const std::string& type) {
    std::string out;
    const auto list = item.find(field);
    if (list == item.end() || !list->is_array()) return out;
    for (const Json& part : *list)
        if (part.is_object() && part.value("type", Json()) == type && part.value("text", Json()).is_string()) out += part["text"].get<std::string>();
    return out;
}

}  // namespace

base::Error ItemReader::wrong(const std::string& place, const std::string& what, Code code) {
    param_ = place;
    return base::error(code, place + what);
}

base::Result<std::string> ItemReader::text(const Json& item, const char* field, const std::string& place) {
    const auto it = item.find(field);
    if (it == item.end() || !it->is_string()) return wrong(place + "." + field, " must be a string");
    return it->get<std::string>();
}

base::Result<void> ItemReader::read(const Json& item, const std::string& place) {
    if (!item.is_object()) return wrong(place, " must be an object, found " + base::dump(item));
    const std::string type = type_of(item);
    if (type == "message") return message(item, place);
    if (type == "function_call") return call(item, place);
    if (type == "function_call_output") return output(item, place);
    if (type == "reasoning") return reasoning(item, place);
    return wrong(place + ".type", " is '" + type + "'; message, function_call, function_call_output and reasoning are supported", Code::unsupported);
}

base::Result<void> ItemReader::read_stored(const Json& items) {
    for (const Json& item : items)
        if (auto fine = read(item, "previous_response_id"); !fine) return fine;
    return {};
}

base::Result<std::vector<router::Part>> ItemReader::parts(const Json& content, const std::string& place) {
    std::vector<router::Part> out;
    if (content.is_string()) {
        out.push_back({router::Part::Kind::text, content.get<std::string>(), {}, {}});
        return out;
    }
    if (!content.is_array()) return wrong(place, " must be a string or a list of parts, found " + std::string(content.type_name()));
    for (std::size_t i = 0; i < content.size(); ++i) {
        const std::string at = place + "[" + std::to_string(i) + "]";
        if (!content[i].is_object()) return wrong(at, " must be an object, found " + base::dump(content[i]));
        const Json type = content[i].value("type", Json());
        if (type != "input_text" && type != "output_text" && type != "refusal") return wrong(at + ".type", " is " + shown(type) + "; text is all that is read here", Code::unsupported);
        auto said = text(content[i], type == "refusal" ? "refusal" : "text", at);
        if (!said) return std::move(said).error();
        out.push_back({router::Part::Kind::text, *std::move(said), {}, {}});
    }
    return out;
}

base::Result<void> ItemReader::message(const Json& item, const std::string& place) {
    const Json role = item.value("role", Json());
    if (role != "user" && role != "system" && role != "developer" && role != "assistant")
        return wrong(place + ".role", " is " + shown(role) + " but must be user, assistant, system or developer");
    auto content = parts(item.value("content", Json()), place + ".content");
    if (!content) return std::move(content).error();
    const bool commented = std::exchange(comments_, item.value("phase", Json()) == "commentary") && turn_ == Turn::text;
    const bool goes_on = role == "assistant" && (turn_ == Turn::reasoning || commented);
    if (!goes_on) messages_.emplace_back();
    Message& to = messages_.back();
    to.role = role == "assistant" ? MessageRole::assistant : role == "user" ? MessageRole::user : MessageRole::system;
    if (goes_on && commented) to.parts.push_back({router::Part::Kind::text, "\n\n", {}, {}});
    to.parts.insert(to.parts.end(), content->begin(), content->end());
    turn_ = role == "assistant" ? Turn::text : Turn::none;
    return {};
}

base::Result<void> ItemReader::reasoning(const Json& item, const std::string&) {
    std::string thoughts = joined(item, "content", "reasoning_text");
    if (thoughts.empty()) thoughts = joined(item, "summary", "summary_text");
    if (thoughts.empty()) return {};  // sealed by another server: nothing that a model could read
    messages_.emplace_back();
    messages_.back().role = MessageRole::assistant;
    messages_.back().reasoning = std::move(thoughts);
    turn_ = Turn::reasoning;
    return {};
}

base::Result<void> ItemReader::call(const Json& item, const std::string& place) {
    router::ToolCall made;
    for (auto [field, to] : {std::pair{"call_id", &made.id}, {"name", &made.name}, {"arguments", &made.arguments}}) {
        auto value = text(item, field, place);
        if (!value) return std::move(value).error();
        *to = *std::move(value);
    }
    if (made.id.empty() || made.name.empty()) return wrong(place + (made.id.empty() ? ".call_id" : ".name"), " is empty");
    if (!open_.insert(made.id).second) return wrong(place + ".call_id", " is '" + made.id + "' for the second time");
    if (turn_ == Turn::none) {
        messages_.emplace_back();
        messages_.back().role = MessageRole::assistant;
    }
    messages_.back().tool_calls.push_back(std::move(made));
    turn_ = Turn::calls;
    return {};
}

base::Result<void> ItemReader::output(const Json& item, const std::string& place) {
    auto id = text(item, "call_id", place);
    if (!id) return std::move(id).error();
    auto content = parts(item.value("output", Json()), place + ".output");
    if (!content) return std::move(content).error();
    if (!open_.erase(*id))
        return wrong(place + ".call_id", " is '" + *id + "', which no function_call before it waits for; name the response that made the call as previous_response_id, or repeat its items");
    messages_.push_back(Message::make(MessageRole::tool, ""));
    messages_.back().parts = *std::move(content);
    messages_.back().tool_call_id = *std::move(id);
    turn_ = Turn::none;
    return {};
}

base::Result<void> ItemReader::check_answered() const {
    if (open_.empty()) return {};
    return base::error(Code::invalid_argument, "the function_call '" + *open_.begin() + "' has no function_call_output", "send one for each call");
}

}  // namespace server::api
