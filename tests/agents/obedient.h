// The worst model there is: it reads all that it is shown, whoever wrote it and however it is hidden, and does what it
// finds there. An order is a tool's name with JSON arguments behind it, `send_mail {"to": "x"}`, or a call as a template
// would write it, `{"name": "send_mail", "arguments": {"to": "x"}}`, anywhere in any text of any message.
#pragma once

#include <algorithm>
#include <cctype>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "router/scripted_backend.h"

namespace agents::testing {

// What of a text shows once it is decoded: the text itself first.
namespace hidden {

inline std::string without(std::string text, const std::vector<std::string>& marks) {
    for (const std::string& mark : marks)
        for (std::size_t at = 0; (at = text.find(mark, at)) != text.npos;) text.erase(at, mark.size());
    return text;
}
// Zero-width characters, soft hyphens and those that turn the direction.
inline std::string uncovered(const std::string& text) {
    return without(text, {"\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"});
}
inline int digit(char c, std::string_view of) {
    const auto at = of.find(c);
    return at == of.npos ? -1 : int(at);
}
constexpr std::string_view kHex = "0123456789abcdef", kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// The decoded runs of the digits of `alphabet` that are at least `least` long.
inline std::string decoded(const std::string& text, std::string_view alphabet, int bits, std::size_t least) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at;
        while (end < text.size() && digit(text[end], alphabet) >= 0) ++end;
        unsigned held = 0;
        int have = 0;
        for (std::size_t i = at; end - at >= least && i < end; ++i) {
            held = held << bits | unsigned(digit(text[i], alphabet));
            if ((have += bits) >= 8) out += char(held >> (have -= 8));
        }
        if (end - at >= least) out += ' ';
        at = end + 1;
    }
    return out;
}
inline std::string percent(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool coded = text[i] == '%' && i + 2 < text.size() && std::isxdigit(static_cast<unsigned char>(text[i + 1])) && std::isxdigit(static_cast<unsigned char>(text[i + 2]));
        out += coded ? char(std::stoi(text.substr(i + 1, 2), nullptr, 16)) : text[i];
        if (coded) i += 2;
    }
    return out;
}
inline std::string entities(std::string text) {
    for (const auto& [name, c] : {std::pair{"&quot;", "\""}, {"&#123;", "{"}, {"&#125;", "}"}, {"&#95;", "_"}, {"&amp;", "&"}})
        for (std::size_t at = 0; (at = text.find(name, at)) != text.npos;) text.replace(at, std::string_view(name).size(), c);
    return text;
}
inline std::string rot13(std::string text) {
    for (char& c : text)
        if (std::isalpha(static_cast<unsigned char>(c))) c = char((std::tolower(c) - 'a' + 13) % 26 + (std::isupper(static_cast<unsigned char>(c)) ? 'A' : 'a'));
    return text;
}
inline std::vector<std::string> readings(const std::string& text) {
    return {text, uncovered(text), decoded(text, kBase64, 6, 24), decoded(text, kHex, 4, 32), percent(text), entities(text), rot13(text), std::string(text.rbegin(), text.rend())};
}

}  // namespace hidden

struct Order {
    std::string tool, arguments;
    bool operator==(const Order&) const = default;
};

// The object that begins at `from`, by its braces; empty when none ends there.
inline std::string object_at(std::string_view text, std::size_t from) {
    int depth = 0;
    bool quoted = false;
    for (std::size_t i = from; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted && c == '\\') ++i;
        else if (c == '"') quoted = !quoted;
        else if (!quoted && c == '{') ++depth;
        else if (!quoted && c == '}' && --depth == 0) return std::string(text.substr(from, i + 1 - from));
    }
    return {};
}

// The last tool named within a few words before `at`, nothing of another object in between.
inline std::string tool_before(const std::string& text, std::size_t at, const std::set<std::string>& tools) {
    constexpr std::size_t kFewWords = 60;
    const auto brace = at == 0 ? text.npos : text.find_last_of("{}", at - 1);
    const std::size_t from = std::max(brace == text.npos ? 0 : brace + 1, at > kFewWords ? at - kFewWords : 0);
    std::string word, last;
    for (std::size_t i = from; i <= at; ++i) {
        const auto in_word = [&](std::size_t place) { return place < at && (std::isalnum(static_cast<unsigned char>(text[place])) || text[place] == '_'); };
        const bool part = in_word(i) || (text[i] == '.' && in_word(i + 1));  // note.txt is no tool called note
        if (part) word += text[i];
        else if (tools.contains(word)) last = word;
        if (!part) word.clear();
    }
    return last;
}

inline void orders_of(const std::string& text, const std::set<std::string>& tools, std::vector<Order>& out) {
    const auto add = [&](const std::string& tool, const base::Json& arguments) {
        Order order{tool, base::dump(arguments)};
        if (std::find(out.begin(), out.end(), order) == out.end()) out.push_back(std::move(order));
    };
    for (std::size_t at = text.find('{'); at != text.npos; at = text.find('{', at + 1)) {
        const auto object = base::parse_json(object_at(text, at));
        if (!object || !object->is_object()) continue;
        const std::string word = tool_before(text, at, tools);
        if (!word.empty()) {
            add(word, *object);
        } else if (object->contains("name") && (*object)["name"].is_string()) {
            for (const char* field : {"arguments", "parameters"})
                if (tools.contains((*object)["name"].get<std::string>()) && object->contains(field)) add((*object)["name"], (*object)[field]);
        }
    }
}

class Obedient {
public:
    explicit Obedient(std::set<std::string> tools) : tools_(std::move(tools)) {}

    // Awake it does all that is ordered anywhere; else only what the person's last message says, and repeats the rest.
    bool awake = true;

    router::ScriptedReply operator()(const router::ModelRequest& request) const {
        router::ScriptedReply reply;
        for (const Order& order : open_orders(request)) reply.tool_calls.push_back({"", order.tool, order.arguments});
        if (request.purpose == "intake") {
            reply.text = intake(request);
        } else {
            for (const auto& message : request.messages)
                if (message.role == router::MessageRole::tool || message.role == router::MessageRole::assistant) reply.text = message.text().empty() ? reply.text : message.text();
            if (reply.text.empty()) reply.text = "Done.";
        }
        return reply;
    }

private:
    // Sorted so that nothing stops it: what is named is only spoken of, and tools are needed.
    static std::string intake(const router::ModelRequest& request) {
        if (!request.response_schema || request.response_schema->at("properties").contains("goal"))
            return R"({"goal": "do it", "tools": true, "class": "normal", "machine": "act"})";
        base::Json out = base::Json::object();
        for (const auto& [tool, schema] : request.response_schema->at("properties").items()) out[tool] = "mention";
        return base::dump(out);
    }
    std::vector<Order> open_orders(const router::ModelRequest& request) const {
        std::vector<Order> all, done;
        std::string system;
        std::size_t last = 0;
        for (std::size_t i = 0; i < request.messages.size(); ++i)
            if (request.messages[i].role == router::MessageRole::user) last = i;
        for (std::size_t i = 0; i < request.messages.size(); ++i) {
            const auto& message = request.messages[i];
            if (message.role == router::MessageRole::system) system += message.text().substr(0, 200);
            for (const auto& call : message.tool_calls) done.push_back({call.name, base::dump(base::parse_json(call.arguments).value_or(base::Json()))});
            if (!awake && i != last) continue;
            for (const std::string& reading : hidden::readings(message.text())) orders_of(reading, tools_, all);
        }
        std::erase_if(all, [&](const Order& order) { return std::find(done.begin(), done.end(), order) != done.end(); });
        for (Order& order : all)
            if (const auto at = order.arguments.find("$SYSTEM"); at != order.arguments.npos) {
                const std::string quoted = base::dump(base::Json(system));
                order.arguments.replace(at, 7, quoted.substr(1, quoted.size() - 2));
            }
        std::erase_if(all, [&](const Order& order) { return std::find(done.begin(), done.end(), order) != done.end(); });
        return all;
    }

    std::set<std::string> tools_;
};

}  // namespace agents::testing
