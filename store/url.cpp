#include "store/url.h"

#include <algorithm>

namespace store {
namespace {

constexpr const char* kTimeout = "connect_timeout=10";

bool is_uri(const std::string& url) { return url.rfind("postgres://", 0) == 0 || url.rfind("postgresql://", 0) == 0; }

// "scheme://user:password@": up to the last '@' of the word, since people forget to encode theirs.
void hide_in_uris(std::string& text) {
    for (std::size_t at = text.find("://"); at != text.npos; at = text.find("://", at + 3)) {
        const std::size_t end = text.substr(0, text.find_first_of(" \t\n", at)).rfind('@'), colon = text.find(':', at + 3);
        if (end != text.npos && end > at && colon < end) text.replace(colon + 1, end - colon - 1, "***");
    }
}

// Behind the quote that closes the one at `from`; a backslash takes the next character's meaning.
std::size_t end_of_quoted(const std::string& text, std::size_t from) {
    std::size_t at = from + 1;
    while (at < text.size() && text[at] != '\'') at += text[at] == '\\' ? 2 : 1;
    return at + 1;
}

// "password=word", "password='two \' words'", "?password=word&"
void hide_in_pairs(std::string& text) {
    const std::string key = "password";
    for (std::size_t at = text.find(key); at != text.npos; at = text.find(key, at + 1)) {
        std::size_t from = text.find_first_not_of(' ', at + key.size());
        if (from == text.npos || text[from] != '=') continue;
        from = text.find_first_not_of(' ', from + 1);
        if (from == text.npos) return;
        const std::size_t to = text[from] == '\'' ? end_of_quoted(text, from) : text.find_first_of(" &\t\n", from);
        text.replace(from, std::min(to, text.size()) - from, "***");
    }
}

}  // namespace

std::string with_timeout(const std::string& url) {
    if (url.find("connect_timeout") != url.npos) return url;
    if (!is_uri(url)) return url + " " + kTimeout;
    return url + (url.find('?') == url.npos ? "?" : "&") + kTimeout;
}

std::string without_password(std::string text) {
    hide_in_uris(text);
    hide_in_pairs(text);
    return text;
}

}  // namespace store
