#include "router/shadow.h"

#include <algorithm>
#include <map>

namespace router {
namespace {

std::map<std::string_view, int> words_of(std::string_view text) {
    std::map<std::string_view, int> out;
    constexpr std::string_view blanks = " \t\r\n";
    for (std::size_t at = text.find_first_not_of(blanks); at != text.npos; at = text.find_first_not_of(blanks, at)) {
        const std::size_t end = std::min(text.find_first_of(blanks, at), text.size());
        ++out[text.substr(at, end - at)];
        at = end;
    }
    return out;
}

int size_of(const std::map<std::string_view, int>& words) {
    int out = 0;
    for (const auto& [word, count] : words) out += count;
    return out;
}

base::Json calls_of(const Message& message) {
    base::Json out = base::Json::array();
    for (const auto& call : message.tool_calls) {
        const auto arguments = base::parse_json(call.arguments);
        out.push_back({call.name, arguments ? *arguments : base::Json(call.arguments)});
    }
    return out;
}

}  // namespace

bool ShadowChoice::next(double share) {
    due_ += share;
    if (due_ < 1) return false;
    due_ -= 1;
    return true;
}

double likeness(std::string_view a, std::string_view b) {
    const auto first = words_of(a), second = words_of(b);
    const int all = size_of(first) + size_of(second);
    if (all == 0) return 1;
    int common = 0;
    for (const auto& [word, count] : first)
        if (const auto found = second.find(word); found != second.end()) common += std::min(count, found->second);
    return 2.0 * common / all;
}

void compare(ShadowDelta& delta, const ModelReply& was, const ModelReply& now) {
    delta.same_calls = calls_of(was.message) == calls_of(now.message);
    delta.likeness = likeness(was.message.text(), now.message.text());
    delta.now = now.usage;
}

}  // namespace router
