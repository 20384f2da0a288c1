#include "agents/reply/inert.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace agents::reply {
namespace {

constexpr std::size_t kLongestHeld = 2000;  // bytes; what is longer is taken for no code and no address
constexpr std::size_t kShortestFence = 3, kMostIndent = 3;  // CommonMark 4.5
constexpr std::size_t kShortestScheme = 2, kLongestScheme = 32;  // 6.5

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)); }
bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-'; }
bool is_mark(char c) { return std::ispunct(static_cast<unsigned char>(c)); }
bool ends_line(char c) { return c == '\n' || c == '\r'; }

std::size_t run_of(std::string_view text, std::size_t at) { return std::min(text.find_first_not_of(text[at], at), text.size()) - at; }
std::size_t line_of(std::string_view text) { return std::min(text.find_first_of("\r\n"), text.size()); }

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t") == text.npos; }

// Elements that do something without an attribute.
bool is_active(std::string_view name) {
    std::string low(name);
    std::transform(low.begin(), low.end(), low.begin(), [](unsigned char c) { return std::tolower(c); });
    return low == "script" || low == "style";
}

// "https:…" between < and >.
bool is_address(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == text.npos || colon < kShortestScheme || colon > kLongestScheme) return false;
    return std::all_of(text.begin(), text.begin() + std::ptrdiff_t(colon), [](char c) { return is_word(c) || c == '+' || c == '.'; });
}

}  // namespace

// What decisions are made by; the same however the text came.
std::string_view Inert::ahead() const { return std::string_view(pending_).substr(at_, kLongestHeld); }

void Inert::drop(std::size_t bytes) {
    for (const char c : ahead().substr(0, bytes)) {
        line_begins_ = ends_line(c);
        behind_word_ = is_word(c) || c == '_';
        if (line_begins_) open_span_ = open_span_ && !blank_line_;
        distrusted_ = (line_begins_ ? open_span_ : distrusted_) || c == '|' || c == '$';
        blank_line_ = line_begins_ || (blank_line_ && (c == ' ' || c == '\t'));
        in_address_ = !line_begins_ && c != ' ' && c != '\t' && (in_address_ || c == ':' || c == '.' || c == '@');
    }
    at_ += bytes;
}

void Inert::emit(std::size_t bytes, std::string& out) {
    out += ahead().substr(0, bytes);
    drop(bytes);
}

// Lines as they are, to the one that closes the fence.
bool Inert::in_fence(bool over, std::string& out) {
    const std::string_view text = ahead();
    const std::size_t end = line_of(text), indent = std::min(text.find_first_not_of(' '), text.size());
    if (!rest_of_line_) {
        const bool may_close = indent < end && indent <= kMostIndent && text[indent] == mark_;
        if ((may_close || indent == text.size()) && end == text.size() && !over && text.size() < kLongestHeld) return false;
        const std::size_t length = may_close ? run_of(text, indent) : 0;
        if (length >= fence_ && is_blank(text.substr(indent + length, end - indent - length))) {
            fence_ = 0;
            fences_hold_ = fences_hold_ && (end < text.size() || text.size() < kLongestHeld);  // whether it closes is not seen
        }
    }
    rest_of_line_ = end == text.size() && fence_;
    emit(std::min(end + 1, text.size()), out);
    return true;
}

// At the beginning of a line. False: its kind is not known yet.
bool Inert::opens_fence(bool over, std::string& out) {
    const std::string_view text = ahead();
    const std::size_t indent = std::min(text.find_first_not_of(" \t"), text.size()), end = line_of(text);
    const bool whole = end < text.size() || over || text.size() == kLongestHeld;
    if (indent == text.size()) return whole;
    const char mark = text[indent];
    if (mark != '`' && mark != '~') return true;
    const std::size_t length = run_of(text, indent);
    if (indent + length < end && length < kShortestFence) return true;
    if (!whole) return false;
    const std::string_view info = text.substr(indent + length, end - indent - length);
    if (length < kShortestFence || (mark == '`' && info.find('`') != info.npos)) return true;
    // In a list it ends with that; with a | it may be the head of a table; and of what is too long nobody knows.
    fences_hold_ = fences_hold_ && indent == 0 && info.find('|') == info.npos && text.size() < kLongestHeld + (end < text.size());
    if (!fences_hold_) return true;
    fence_ = length;
    mark_ = mark;
    emit(std::min(end + 1, text.size()), out);
    return true;
}

// Code within a line, or backticks that are none.
bool Inert::span(bool over, std::string& out) {
    const std::string_view text = ahead();
    const std::size_t length = run_of(text, 0), end = line_of(text);
    const bool whole = end < text.size() || over || text.size() == kLongestHeld;
    if (length == text.size() && !whole) return false;
    distrusted_ |= in_address_;  // it may be a part of that
    std::size_t code = 0;        // with its backticks
    for (std::size_t at = text.find('`', length); at < end && !code && !distrusted_; at = text.find('`', at)) {
        const std::size_t closing = run_of(text, at);
        if (at + closing == text.size() && !whole) return false;  // it may grow
        at += closing;
        if (closing == length) code = at;
    }
    if (!code && !whole && !distrusted_) return false;
    const bool holds = code > 0 && text.substr(0, code).find_first_of("|$") == text.npos && (code < text.size() || text.size() < kLongestHeld);
    open_span_ |= !holds;
    distrusted_ |= !holds;
    emit(holds ? code : length, out);
    return true;
}

// At "<", which may begin a tag, a comment or an address.
bool Inert::tag(bool over, std::string& out) {
    const std::string_view text = ahead();
    const char second = text.size() > 1 ? text[1] : 0;
    const bool named = second == '/' || is_letter(second), whole = over || text.size() == kLongestHeld;
    const std::size_t stop = std::size_t(std::find_if(text.begin() + 1, text.end(), [](unsigned char c) { return c <= ' ' || c == 127 || c == '<' || c == '>'; }) - text.begin());
    if (!whole && (text.size() == 1 || (named && stop == text.size()))) return false;
    bool stays = !named && second != '!' && second != '?';
    if (named && stop < text.size() && text[stop] == '>') {
        const std::string_view name = text.substr(second == '/' ? 2 : 1, stop - (second == '/' ? 2 : 1));
        const bool bare = !name.empty() && is_letter(name[0]) && std::all_of(name.begin(), name.end(), is_word);
        stays = (second != '/' && is_address(name)) || (behind_word_ && bare && !is_active(name));
    }
    if (stays) {
        emit(named ? stop + 1 : 1, out);
    } else {
        out += "&lt;";  // a backslash counts for nothing in a block of HTML, nor at the end of a bare address
        drop(1);
    }
    return true;
}

// One decision; false: more must come first.
bool Inert::step(bool over, std::string& out) {
    if (fence_) return in_fence(over, out);
    if (line_begins_ && !opens_fence(over, out)) return false;
    const std::string_view text = ahead();
    if (line_begins_ && (fence_ || text.empty())) return true;
    const char first = text[0], second = text.size() > 1 ? text[1] : 0;
    if (first == '`') return span(over, out);
    if (first == '<') return tag(over, out);
    if (std::string_view("\\!$]").find(first) != std::string_view::npos && text.size() == 1 && !over) return false;
    const bool image = first == '!' && second == '[', hidden_tag = first == '\\' && second == '<';
    const bool formula = (first == '\\' && (second == '[' || second == '(')) || (first == '$' && second == '$');
    if (hidden_tag || (image && in_address_)) {
        out += image ? "&#33;" : "\\&lt;";
        drop(image ? 1 : 2);
        return true;
    }
    if (image) out += '\\';
    fences_hold_ = fences_hold_ && !formula;
    emit(first == '\\' && is_mark(second) && !in_address_ ? 2 : 1, out);
    distrusted_ |= formula;
    // Where a link leads is read before any code.
    if (first == ']' && (second == '(' || second == '[')) open_span_ = distrusted_ = true;
    return true;
}

std::string Inert::all(bool over) {
    std::string out;
    while (at_ < pending_.size() && step(over, out)) {}
    pending_.erase(0, std::exchange(at_, 0));
    return out;
}

std::string Inert::take(std::string_view piece) {
    pending_ += piece;
    return all(false);
}

std::string Inert::finish() { return all(true); }

std::string inert(std::string_view text) {
    Inert stream;
    std::string out = stream.take(text);
    return out + stream.finish();
}

}  // namespace agents::reply
