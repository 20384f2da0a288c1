#include "text/guard.h"

#include <algorithm>

#include "text/unicode.h"

namespace text {
namespace {

std::size_t first_length(std::string_view s) {
    int n = 1;
    decode_utf8(s, 0, n);
    return std::size_t(n);
}

void add(std::vector<Piece>& out, std::string_view text, bool trusted) {
    if (!text.empty()) out.push_back({std::string(text), trusted});
}

}  // namespace

Guard::Guard(const std::vector<std::string>& control_texts) {
    for (const auto& text : control_texts) {
        if (text.empty()) continue;
        whole_.insert(text);
        longest_ = std::max(longest_, text.size());
        first_.set(static_cast<unsigned char>(text[0]));
        if (first_length(text) == text.size()) tails_.insert(text);  // nothing can stand inside it
        for (std::size_t n = 1; n < text.size(); ++n) {
            heads_.insert(text.substr(0, n));
            tails_.insert(text.substr(n));
        }
    }
}

std::string Guard::guarded(const std::string& raw) const {
    std::string text = without_marks(raw), out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::size_t n = occurrence(text, i) ? first_length(std::string_view(text).substr(i)) : 0;
        if (n && whole_.count(std::string_view(text).substr(i, n))) out += mark;
        out += text[i];
        if (n) {
            out.append(text, i + 1, n - 1);
            i += n - 1;
            out += mark;
        }
    }
    const std::size_t end = out.find_last_not_of(" \t\r\n") + 1;
    if (head_at_end(std::string_view(out).substr(0, end)) && !std::string_view(out).substr(0, end).ends_with(mark)) out.insert(end, mark);
    return out;
}

base::OrderedJson Guard::guarded(const base::OrderedJson& json) const {
    if (json.is_string()) return guarded(json.get<std::string>());
    base::OrderedJson out = json;
    if (json.is_array())
        for (auto& item : out) item = guarded(item);
    if (json.is_object()) {
        out = base::OrderedJson::object();
        for (const auto& [key, value] : json.items()) out[guarded(key)] = guarded(value);
    }
    return out;
}

std::vector<Piece> Guard::pieces(std::string_view rendered) const {
    std::vector<Piece> out;
    std::size_t from = 0;
    for (bool more = true; more;) {
        const std::size_t at = std::min(rendered.find(mark, from), rendered.size());
        more = at < rendered.size();
        std::string_view part = rendered.substr(from, at - from);
        const std::size_t tail = from ? longest_prefix(part) : 0;
        add(out, part.substr(0, tail), false);
        part.remove_prefix(tail);
        const std::size_t head = more ? head_at_end(part) : 0;
        add(out, part.substr(0, part.size() - head), true);
        add(out, part.substr(part.size() - head), false);
        from = at + mark.size();
    }
    return out;
}

std::string Guard::without_marks(std::string_view text) {
    std::string out(text);
    for (std::size_t at = 0; (at = out.find(mark, at)) != out.npos;) out.erase(at, mark.size());
    return out;
}

bool Guard::occurrence(std::string_view text, std::size_t at) const {
    if (!first_[static_cast<unsigned char>(text[at])]) return false;
    for (std::size_t n = 1; n <= std::min(longest_, text.size() - at); ++n)
        if (whole_.count(text.substr(at, n))) return true;
    return false;
}

std::size_t Guard::head_at_end(std::string_view text) const {
    for (std::size_t n = std::min(longest_, text.size()); n > 0; --n)
        if (heads_.count(text.substr(text.size() - n))) return n;
    return 0;
}

std::size_t Guard::longest_prefix(std::string_view text) const {
    for (std::size_t n = std::min(longest_, text.size()); n > 0; --n)
        if (tails_.count(text.substr(0, n))) return n;
    return 0;
}

}  // namespace text
