#include "agents/transcript.h"

#include <algorithm>

#include "agents/pairing.h"
#include "tools/invoke.h"

namespace agents {
namespace {

using router::Message;
using router::MessageRole;

constexpr int kBytesPerToken = 3;  // low on purpose: most texts have more
constexpr int kMessageTokens = 8;  // role and markers
constexpr std::size_t kShortResult = 400;  // bytes that every tool result keeps
constexpr const char* kUnanswered = "(This was not answered.)";

int estimate(const Message& message) {
    std::size_t bytes = message.text().size();
    for (const auto& call : message.tool_calls) bytes += call.name.size() + call.arguments.size() + 32;
    return kMessageTokens + int(bytes) / kBytesPerToken;
}

// Not a call of a tool, nor a result.
bool is_said(const Message& message) { return message.role == MessageRole::user || (message.role == MessageRole::assistant && message.tool_calls.empty()); }

// Some at once, so that the prompts of the next turns begin alike, and a model finds its cached prefix.
std::ptrdiff_t messages_to_leave_out(std::ptrdiff_t said, std::ptrdiff_t window) {
    if (window <= 0 || said <= window) return 0;
    const std::ptrdiff_t block = std::max<std::ptrdiff_t>(1, window * 2 / 5);
    return (said - window + block - 1) / block * block;
}

void append_text(Message& message, const std::string& text) {
    if (text.empty()) return;
    if (!message.parts.empty() && message.parts.back().kind == router::Part::Kind::text)
        message.parts.back().text += "\n\n" + text;
    else
        message.parts.push_back({router::Part::Kind::text, text, "", ""});
}

}  // namespace

base::Result<std::vector<Message>> messages_of(const base::Json& openai) {
    std::vector<Message> out;
    for (std::size_t i = 0; i < openai.size(); ++i) {
        auto message = router::message_from_json(base::OrderedJson(openai[i]), i);
        if (!message) return std::move(message).error();
        out.push_back(std::move(*message));
    }
    return out;
}

base::Result<std::vector<Message>> history_of(const std::vector<store::StoredMessage>& stored, const WorkOfRuns& work) {
    std::vector<Message> out;
    for (std::size_t i = 0; i < stored.size(); ++i) {
        auto message = router::message_from_json(base::OrderedJson(stored[i].body), i);
        if (!message) return std::move(message).error();
        if (message->role == MessageRole::tool || !stored[i].body.value("trusted", true)) message->trusted = false;
        if (message->role == MessageRole::system) message->role = MessageRole::user;
        const auto of_same_run = [&](const auto& later) { return later.run == stored[i].run && later.role == "assistant"; };
        if (message->role == MessageRole::assistant && std::none_of(stored.begin() + std::ptrdiff_t(i) + 1, stored.end(), of_same_run))
            for (const auto& [run, did] : work)
                if (run == stored[i].run) out.insert(out.end(), did.begin(), did.end());
        const bool follows_user = message->role == MessageRole::user && !out.empty() && out.back().role == MessageRole::user;
        if (follows_user && stored[i].run != stored[i - 1].run) {
            // A turn that was stopped or broke off: without a word in between the model answers the old request, too.
            out.push_back(Message::make(MessageRole::assistant, kUnanswered));
            out.push_back(std::move(*message));
        } else if (follows_user) {
            const bool trusted = out.back().trusted && message->trusted;
            for (const auto& part : message->parts)
                if (part.kind == router::Part::Kind::text)
                    append_text(out.back(), part.text);
                else
                    out.back().parts.push_back(part);
            out.back().trusted = trusted;
        } else {
            out.push_back(std::move(*message));
        }
    }
    complete_calls(out);
    return out;
}

void instruct(std::vector<Message>& history, const std::string& instructions, bool trusted) {
    if (instructions.empty()) return;
    auto last = std::find_if(history.rbegin(), history.rend(), [](const Message& m) { return m.role == MessageRole::user; });
    if (last == history.rend()) {
        history.insert(history.begin(), Message::make(MessageRole::user, instructions));
        last = history.rend() - 1;
    } else {
        last->parts.insert(last->parts.begin(), router::Part{router::Part::Kind::text, instructions + "\n\n", "", ""});
    }
    last->trusted = last->trusted && trusted;
}

int tokens_of(const std::vector<router::ToolSchema>& tools) {
    return tools.empty() ? 0 : int(router::tools_to_json(tools).dump().size()) / kBytesPerToken;
}

std::vector<Message> lay_out(std::string system, const std::vector<Message>& examples, std::vector<Message> history,
                             Room room) {
    std::vector<Message> out;
    out.push_back(Message::make(MessageRole::system, std::move(system)));
    out.insert(out.end(), examples.begin(), examples.end());
    int used = 0;
    for (const Message& message : out) used += estimate(message);
    for (const Message& message : history) used += estimate(message);
    const std::ptrdiff_t leave = messages_to_leave_out(std::count_if(history.begin(), history.end(), is_said), room.messages);
    std::ptrdiff_t left = 0;
    // Turns begin with the person's message; whole turns go, oldest first.
    auto first = history.begin();
    while (used > room.tokens || left < leave) {
        const auto next = std::find_if(first == history.end() ? first : first + 1, history.end(),
                                       [](const Message& m) { return m.role == MessageRole::user; });
        if (next == history.end()) break;
        for (auto it = first; it != next; ++it) used -= estimate(*it);
        left += std::count_if(first, next, is_said);
        first = next;
    }
    out.insert(out.end(), std::make_move_iterator(first), std::make_move_iterator(history.end()));
    return out;
}

std::size_t shorten_longest_result(std::vector<Message>& messages) {
    const auto bytes = [](const Message& m) { return m.role == MessageRole::tool ? m.text().size() : 0; };
    const auto longest = std::max_element(messages.begin(), messages.end(), [&](const Message& a, const Message& b) { return bytes(a) < bytes(b); });
    if (longest == messages.end() || bytes(*longest) <= kShortResult) return 0;
    const std::string whole = longest->text();
    std::string kept = tools::cut_middle(whole, whole.size() / 2);
    if (kept.size() >= whole.size()) return 0;
    const std::size_t went = whole.size() - kept.size();
    longest->parts = {{router::Part::Kind::text, std::move(kept), "", ""}};
    return went;
}

std::vector<Message> with_note(std::vector<Message> messages, const std::string& note) {
    if (note.empty()) return messages;
    if (!messages.empty() && messages.back().role == MessageRole::user)
        append_text(messages.back(), note);
    else
        messages.push_back(Message::make(MessageRole::user, note));
    return messages;
}

}  // namespace agents
