#include "agents/pairing.h"

#include <algorithm>
#include <set>

namespace agents {
namespace {

using base::Json;
using router::Message;
using router::MessageRole;

std::string text_of(const Json& object, const char* field) {
    const auto it = object.find(field);
    return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

base::Error at(std::size_t index, const std::string& what, const std::string& remedy = {}) {
    return base::error(base::Code::invalid_argument, "messages[" + std::to_string(index) + "]" + what, remedy);
}

// The ids of calls that wait for their results while messages go by.
class Waiting {
public:
    base::Result<void> see(const Json& message, std::size_t index) {
        const std::string role = text_of(message, "role");
        if (role != "tool") {
            ids_.clear();
            return take_calls(message, index);
        }
        const std::string id = text_of(message, "tool_call_id");
        if (!ids_.erase(id))
            return at(index, ".tool_call_id is '" + id + "', which no call before it waits for", "repeat the assistant's message with the call, or name the conversation");
        return {};
    }

private:
    base::Result<void> take_calls(const Json& message, std::size_t index) {
        const auto calls = message.find("tool_calls");
        if (calls == message.end() || !calls->is_array()) return {};
        for (std::size_t i = 0; i < calls->size(); ++i) {
            const std::string id = text_of((*calls)[i], "id"), place = ".tool_calls[" + std::to_string(i) + "].id";
            if (id.empty()) return at(index, place + " is missing");
            if (!ids_.insert(id).second) return at(index, place + " is '" + id + "' for the second time");
        }
        return {};
    }

    std::set<std::string> ids_;
};

}  // namespace

base::Result<void> check_pairing(const std::vector<store::StoredMessage>& stored, const std::vector<Json>& messages, std::size_t from) {
    Waiting waiting;
    for (const auto& message : stored) (void)waiting.see(message.body, 0);  // was checked when it came
    for (std::size_t i = from; i < messages.size(); ++i)
        if (auto fine = waiting.see(messages[i], i); !fine) return fine;
    return {};
}

void complete_calls(std::vector<Message>& messages) {
    std::vector<Message> out;
    for (auto it = messages.begin(); it != messages.end();) {
        const std::vector<router::ToolCall> calls = it->tool_calls;
        out.push_back(std::move(*it++));
        if (calls.empty()) continue;
        std::set<std::string> answered;
        for (; it != messages.end() && it->role == MessageRole::tool; ++it) {
            answered.insert(it->tool_call_id);
            out.push_back(std::move(*it));
        }
        for (const auto& call : calls) {
            if (answered.contains(call.id)) continue;
            out.push_back(Message::make(MessageRole::tool, "There is no result: the call was given up."));
            out.back().tool_call_id = call.id;
            out.back().name = call.name;
            out.back().trusted = true;  // ours
        }
    }
    messages = std::move(out);
}

}  // namespace agents
