#include "text/jinja/lexer.h"

#include <algorithm>
#include <cstdlib>

#include "text/jinja/value.h"
#include "text/unicode.h"

namespace text::jinja {
namespace {

bool blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool name_start(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80); }
bool digit(char c) { return c >= '0' && c <= '9'; }

// Line ends become "\n", and one at the very end goes.
std::string normalized(std::string_view source) {
    std::string out;
    for (std::size_t i = 0; i < source.size(); ++i) {
        if (source[i] == '\r') {
            out += '\n';
            if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
        } else {
            out += source[i];
        }
    }
    if (!out.empty() && out.back() == '\n') out.pop_back();
    return out;
}

class Lexer {
public:
    explicit Lexer(std::string_view source) : source_(normalized(source)) {}

    std::vector<Token> run() {
        while (at_ < source_.size()) data();
        push(Token::Kind::end, "");
        return std::move(tokens_);
    }

private:
    bool starts(std::string_view what) const { return source_.compare(at_, what.size(), what) == 0; }
    void push(Token::Kind kind, std::string text) {
        for (; counted_ < at_; ++counted_)
            if (source_[counted_] == '\n') {
                ++line_;
                line_start_ = counted_ + 1;
            }
        tokens_.push_back({kind, std::move(text), line_, int(at_ - line_start_) + 1});
    }
    [[noreturn]] void fail(const std::string& what) {
        push(Token::Kind::end, "");
        throw TemplateError(what + " at line " + std::to_string(line_) + ", column " +
                            std::to_string(tokens_.back().column));
    }
    void skip_blank() {
        while (at_ < source_.size() && blank(source_[at_])) ++at_;
    }

    void text_before(std::size_t end, bool block, char sign) {
        std::string text = source_.substr(at_, end - at_);
        if (sign == '-') {
            while (!text.empty() && blank(text.back())) text.pop_back();
        } else if (block && sign != '+') {
            const std::size_t line = text.rfind('\n') + 1;
            if ((line > 0 || line_starting_) && std::all_of(text.begin() + long(line), text.end(), blank)) text.resize(line);
        }
        if (!text.empty()) push(Token::Kind::text, text);
    }

    std::size_t next_open() const {
        for (std::size_t i = source_.find('{', at_); i != std::string::npos; i = source_.find('{', i + 1))
            if (i + 1 < source_.size() && std::string_view("{%#").find(source_[i + 1]) != std::string_view::npos) return i;
        return std::string::npos;
    }

    // Text up to the next tag, then the tag.
    void data() {
        const std::size_t open = next_open();
        if (open == std::string::npos) {
            push(Token::Kind::text, source_.substr(at_));
            at_ = source_.size();
            return;
        }
        const char kind = source_[open + 1];
        const char sign = open + 2 < source_.size() ? source_[open + 2] : '\0';
        text_before(open, kind != '{', sign);
        at_ = open + 2;
        if (sign == '-' || sign == '+') ++at_;
        if (kind == '#') return comment();
        if (kind == '%' && raw()) return;
        push(kind == '{' ? Token::Kind::print_begin : Token::Kind::block_begin, "");
        expression(kind == '{' ? "}}" : "%}");
        push(kind == '{' ? Token::Kind::print_end : Token::Kind::block_end, "");
        close(kind == '%', 2);
    }

    // Past a tag's end of `length` characters, which may be preceded by a sign.
    void close(bool trims, std::size_t length) {
        const char sign = source_[at_];
        at_ += length + (sign == '-' || sign == '+' ? 1 : 0);
        if (sign == '-')
            skip_blank();
        else if (trims && sign != '+' && at_ < source_.size() && source_[at_] == '\n')
            ++at_;
        line_starting_ = source_[at_ - 1] == '\n';
    }

    void comment() {
        const std::size_t end = source_.find("#}", at_);
        if (end == std::string::npos) fail("a comment is not closed");
        const bool sign = end > at_ && (source_[end - 1] == '-' || source_[end - 1] == '+');
        at_ = sign ? end - 1 : end;
        close(true, 2);
    }

    bool raw() {
        const std::size_t back = at_;
        skip_blank();
        if (!starts("raw")) return at_ = back, false;
        at_ += 3;
        skip_blank();
        const bool minus = starts("-%}");
        if (!minus && !starts("%}")) return at_ = back, false;
        close(false, 2);
        for (std::size_t open = source_.find("{%", at_); open != std::string::npos; open = source_.find("{%", open + 2)) {
            std::size_t i = open + 2;
            const char sign = i < source_.size() ? source_[i] : '\0';
            if (sign == '-' || sign == '+') ++i;
            while (i < source_.size() && blank(source_[i])) ++i;
            if (source_.compare(i, 6, "endraw") != 0) continue;
            for (i += 6; i < source_.size() && blank(source_[i]);) ++i;
            text_before(open, true, sign);
            at_ = i;
            if (!starts("%}") && !starts("-%}") && !starts("+%}")) fail("endraw is not closed");
            close(true, 2);
            return true;
        }
        fail("raw is not closed");
    }

    void expression(std::string_view end) {
        std::string open;  // the brackets that are open
        for (;;) {
            skip_blank();
            if (at_ >= source_.size()) fail("a tag is not closed");
            const bool sign = source_[at_] == '-' || (source_[at_] == '+' && end == "%}");
            if (open.empty() && source_.compare(at_ + (sign ? 1 : 0), 2, end) == 0) return;
            const char c = source_[at_];
            if (c == '\'' || c == '"')
                string(c);
            else if (digit(c))
                number();
            else if (name_start(c))
                name();
            else
                symbol(open);
        }
    }

    void name() {
        std::size_t end = at_;
        while (end < source_.size() && (name_start(source_[end]) || digit(source_[end]))) ++end;
        push(Token::Kind::name, source_.substr(at_, end - at_));
        at_ = end;
    }

    // Past 0x1F, 0o17 or 0b11; where none stands, at_.
    std::size_t past_prefixed() const {
        const char letter = char(source_[at_ + 1] | 32);
        const int base = source_[at_] != '0' ? 0 : letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
        if (base == 0) return at_;
        const auto of_base = [base](char c) { return digit(c) ? c - '0' < base : base == 16 && (c | 32) >= 'a' && (c | 32) <= 'f'; };
        std::size_t end = at_ + 2;
        while (of_base(source_[end]) || (source_[end] == '_' && of_base(source_[end + 1]))) ++end;
        return end > at_ + 2 ? end : at_;
    }

    void integer(std::size_t end) {
        std::string text = source_.substr(at_, end - at_);
        std::erase(text, '_');
        if (text[0] == '0' && digit(text[1]) && text.find_first_not_of('0') != std::string::npos) fail("a whole number begins with 0: " + text);
        push(Token::Kind::integer, std::move(text));
        at_ = end;
    }

    void number() {
        if (const std::size_t end = past_prefixed(); end > at_) return integer(end);
        std::size_t end = at_;
        const auto digits = [&] {
            while (end < source_.size() && (digit(source_[end]) || (source_[end] == '_' && digit(source_[end + 1])))) ++end;
        };
        digits();
        if (at_ > 0 && source_[at_ - 1] == '.') return integer(end);  // pairs.0.1: places, no fraction
        bool real = false;
        if (end + 1 < source_.size() && source_[end] == '.' && digit(source_[end + 1])) {
            real = true;
            ++end;
            digits();
        }
        if (end < source_.size() && (source_[end] == 'e' || source_[end] == 'E')) {
            const std::size_t sign = source_[end + 1] == '+' || source_[end + 1] == '-' ? 1 : 0;
            if (end + 1 + sign < source_.size() && digit(source_[end + 1 + sign])) {
                real = true;
                end += 1 + sign;
                digits();
            }
        }
        if (!real) return integer(end);
        std::string text = source_.substr(at_, end - at_);
        std::erase(text, '_');
        push(Token::Kind::real, std::move(text));
        at_ = end;
    }

    void string(char quote) {
        std::string out;
        std::size_t i = at_ + 1;
        for (;; ++i) {
            if (i >= source_.size()) fail("a string is not closed");
            if (source_[i] == quote) break;
            if (source_[i] != '\\' || i + 1 >= source_.size())
                out += source_[i];
            else
                i = escape(i + 1, out);
        }
        push(Token::Kind::string, std::move(out));
        at_ = i + 1;
    }

    // The escape whose letter is at i; returns the place of its last character.
    std::size_t escape(std::size_t i, std::string& out) {
        const std::string_view plain = "nrtbfva\\'\"", meant = "\n\r\t\b\f\v\a\\'\"";
        const char c = source_[i];
        if (const auto p = plain.find(c); p != std::string_view::npos) return out += meant[p], i;
        if (c == '\n') return i;
        const std::size_t length = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
        if (length) {
            append_utf8(out, char32_t(std::strtoul(source_.substr(i + 1, length).c_str(), nullptr, 16)));
            return std::min(i + length, source_.size() - 1);
        }
        if (c >= '0' && c <= '7') {
            char32_t value = 0;
            std::size_t n = 0;
            for (; n < 3 && source_[i + n] >= '0' && source_[i + n] <= '7'; ++n) value = value * 8 + char32_t(source_[i + n] - '0');
            append_utf8(out, value);
            return i + n - 1;
        }
        out += '\\';
        out += c;
        return i;
    }

    void symbol(std::string& open) {
        static constexpr std::string_view two[] = {"**", "//", "==", "!=", "<=", ">="};
        for (std::string_view s : two)
            if (starts(s)) {
                push(Token::Kind::symbol, std::string(s));
                at_ += 2;
                return;
            }
        const char c = source_[at_];
        if (std::string_view("+-/*%~<>=()[]{}.,:;|").find(c) == std::string_view::npos)
            fail(std::string("unexpected character '") + c + "'");
        if (c == '(' || c == '[' || c == '{') open += c == '(' ? ')' : char(c + 2);
        if (c == ')' || c == ']' || c == '}') {
            if (open.empty() || open.back() != c) fail(std::string("unexpected '") + c + "'");
            open.pop_back();
        }
        push(Token::Kind::symbol, std::string(1, c));
        ++at_;
    }

    std::string source_;
    std::vector<Token> tokens_;
    std::size_t at_ = 0, counted_ = 0, line_start_ = 0;
    int line_ = 1;
    bool line_starting_ = true;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) { return Lexer(source).run(); }

}  // namespace text::jinja
