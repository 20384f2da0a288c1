// Python's textwrap: a line is cut into words and blanks, which are put together to lines again.
#include <algorithm>

#include "text/jinja/evaluator.h"
#include "text/unicode.h"

namespace text::jinja {
namespace {

bool is_blank(char32_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_letter(char32_t c) { return is_word(c) && category(c) != base::Category::Nd; }
bool joins(char32_t c) { return is_word(c) || (c < 0x80 && std::string_view("!\"'&.,?").find(char(c)) != std::string_view::npos); }

class Wrapper {
public:
    Wrapper(const std::string& line, const WrapStyle& style) : line_(line), style_(style) {
        for (std::size_t i = 0; i < line.size();) {
            int n = 1;
            const char32_t c = decode_utf8(line, i, n);
            points_.push_back(c == no_char ? U'\uFFFD' : c);
            bytes_.push_back(i);
            i += std::size_t(n);
        }
        bytes_.push_back(line.size());
        for (std::size_t at = 0; at < points_.size();) {
            const std::size_t end = is_blank(points_[at]) ? blanks_end(at) : style_.at_hyphens ? part_end(at) : word_end(at);
            chunks_.push_back({at, end});
            at = end;
        }
    }

    Texts lines() {
        Texts out;
        while (next_ < chunks_.size()) {
            if (!out.empty() && is_space_only(chunks_[next_])) ++next_;
            if (const std::string line = this->line(); !line.empty()) out.push_back(line);
        }
        return out;
    }

private:
    struct Chunk {
        std::size_t from, to;
        std::size_t size() const { return to - from; }
    };

    char32_t at(std::size_t i) const { return i < points_.size() ? points_[i] : 0; }
    bool letter(std::size_t i) const { return i < points_.size() && is_letter(points_[i]); }
    bool joins_before(std::size_t i) const { return i > 0 && joins(points_[i - 1]); }
    std::size_t blanks_end(std::size_t i) const { return end_while(i, [](char32_t c) { return is_blank(c); }); }
    std::size_t word_end(std::size_t i) const { return end_while(i, [](char32_t c) { return !is_blank(c); }); }

    template <class Is>
    std::size_t end_while(std::size_t i, Is is) const {
        while (i < points_.size() && is(points_[i])) ++i;
        return i;
    }

    // Two dashes or more that a word follows.
    std::size_t dash_end(std::size_t i) const {
        const std::size_t end = end_while(i, [](char32_t c) { return c == '-'; });
        return end >= i + 2 && end < points_.size() && is_word(points_[end]) ? end : i;
    }

    // Of a word up to where it may be cut: behind a hyphen between letters, or before a dash.
    std::size_t part_end(std::size_t from) const {
        if (joins_before(from))
            if (const std::size_t end = dash_end(from); end > from) return end;
        for (std::size_t i = from + 1;; ++i) {
            if (i >= points_.size() || is_blank(points_[i])) return i;
            if (at(i) != '-') continue;
            const bool behind = (i >= 2 && letter(i - 1) && letter(i - 2)) || (i >= 3 && letter(i - 3) && at(i - 2) == '-' && joins(points_[i - 1]));
            if (behind && letter(i + 1) && (letter(i + 2) || (at(i + 2) == '-' && letter(i + 3)))) return i + 1;
            if (joins_before(i) && dash_end(i) > i) return i;
        }
    }

    bool is_space_only(const Chunk& chunk) const {
        return std::all_of(points_.begin() + long(chunk.from), points_.begin() + long(chunk.to), [](char32_t c) { return strips(c); });
    }

    std::string line() {
        Vector<Chunk> parts;
        std::size_t used = 0;
        for (; next_ < chunks_.size() && used + chunks_[next_].size() <= style_.width; ++next_) {
            parts.push_back(chunks_[next_]);
            used += chunks_[next_].size();
        }
        if (next_ < chunks_.size() && chunks_[next_].size() > style_.width) take_of_long(parts, style_.width - used);
        if (!parts.empty() && is_space_only(parts.back())) parts.pop_back();
        return parts.empty() ? "" : line_.substr(bytes_[parts.front().from], bytes_[parts.back().to] - bytes_[parts.front().from]);
    }

    // What fits of a chunk that is longer than a line: nothing may, which is a part of no characters.
    void take_of_long(Vector<Chunk>& parts, std::size_t left) {
        Chunk& chunk = chunks_[next_];
        if (!style_.inside_words) {
            if (parts.empty()) parts.push_back(chunks_[next_++]);
            return;
        }
        std::size_t end = chunk.from + left;
        for (std::size_t i = end; style_.at_hyphens && i > chunk.from + 1; --i) {
            if (points_[i - 1] != '-') continue;
            const auto begin = points_.begin() + long(chunk.from);
            if (std::any_of(begin, points_.begin() + long(i) - 1, [](char32_t c) { return c != '-'; })) end = i;
            break;
        }
        parts.push_back({chunk.from, end});
        chunk.from = end;
    }

    const std::string& line_;
    const WrapStyle& style_;
    Vector<char32_t> points_;
    Vector<std::size_t> bytes_;  // where each begins
    Vector<Chunk> chunks_;
    std::size_t next_ = 0;
};

}  // namespace

Texts wrapped(const std::string& line, const WrapStyle& style) { return Wrapper(line, style).lines(); }

}  // namespace text::jinja
