// Python's string operations over UTF-8.
#include <algorithm>
#include <cstdio>

#include "text/jinja/evaluator.h"
#include "text/unicode.h"

namespace text::jinja {
namespace {

char32_t point(const std::string& character) {
    int n = 1;
    return decode_utf8(character, 0, n);
}

// Where the line that ends at `at` is over: past its end, or npos where none is there.
std::size_t past_line_end(const std::string& text, std::size_t at) {
    if (text.compare(at, 2, "\r\n") == 0) return at + 2;
    if ((text[at] >= '\n' && text[at] <= '\r') || (text[at] >= 0x1c && text[at] <= 0x1e)) return at + 1;
    for (const std::string_view end : {"\u0085", "\u2028", "\u2029"})
        if (text.compare(at, end.size(), end) == 0) return at + end.size();
    return std::string::npos;
}

bool is_cased(char32_t c) {
    const auto kind = category(c);
    return kind == base::Category::Lu || kind == base::Category::Ll || kind == base::Category::Lt;
}

std::string in_title_case(const std::string& character) { return character == "ß" ? "Ss" : changed_case(character, true); }

template <class Use>
void each_point(const std::string& text, Use use) {
    for (std::size_t i = 0; i < text.size();) {
        int n = 1;
        const char32_t point = decode_utf8(text, i, n);
        use(point, i, std::size_t(n));
        i += std::size_t(n);
    }
}

}  // namespace

// The separators U+001C to U+001F too.
bool strips(char32_t c) { return is_space(c) || (c >= 0x1c && c <= 0x1f); }
bool is_word(char32_t c) { return c == '_' || (c != no_char && (classes(c) & (base::letter | base::number)) != 0); }

bool has_space(const std::string& text) {
    bool out = false;
    each_point(text, [&](char32_t c, std::size_t, std::size_t) { out = out || strips(c); });
    return out;
}

std::size_t count_words(const std::string& text) {
    std::size_t out = 0;
    bool inside = false;
    each_point(text, [&](char32_t c, std::size_t, std::size_t) {
        out += is_word(c) && !inside;
        inside = is_word(c);
    });
    return out;
}

Texts lines_of(const std::string& text, bool keep_ends) {
    Texts out;
    std::size_t from = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = past_line_end(text, at);
        if (end == std::string::npos) {
            ++at;
            continue;
        }
        out.push_back(text.substr(from, (keep_ends ? end : at) - from));
        from = at = end;
    }
    if (from < text.size()) out.push_back(text.substr(from));
    return out;
}

std::string padded(const std::string& text, std::int64_t width, Pad pad, const std::string& fill) {
    const auto missing = width - std::int64_t(length(text));
    if (missing <= 0) return text;
    check_size(std::size_t(std::min<std::int64_t>(missing, 1 << 30)) * fill.size());
    // As Python has it: the odd one goes to the left where the width is odd.
    const std::int64_t left = pad == Pad::left ? missing : pad == Pad::right ? 0 : missing / 2 + (missing & width & 1);
    std::string out;
    for (std::int64_t i = 0; i < left; ++i) out += fill;
    out += text;
    for (std::int64_t i = left; i < missing; ++i) out += fill;
    return out;
}

Texts characters(const std::string& text) {
    Texts out;
    each_point(text, [&](char32_t, std::size_t at, std::size_t n) { out.push_back(text.substr(at, n)); });
    return out;
}

Vector<std::size_t> bounds_of(const std::string& text) {
    Vector<std::size_t> out;
    each_point(text, [&](char32_t, std::size_t at, std::size_t) { out.push_back(at); });
    out.push_back(text.size());
    return out;
}

std::size_t length(const std::string& text) {
    return std::size_t(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string escaped(const std::string& text) {
    std::string out;
    for (char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&#34;"; break;
            case '\'': out += "&#39;"; break;
            default: out += c;
        }
        check_size(out.size());
    }
    return out;
}

std::string strip(const std::string& text, const std::string* set, bool left, bool right) {
    const Texts chosen = set ? characters(*set) : Texts{};
    const auto goes = [&](std::size_t from, std::size_t n) {
        const std::string c = text.substr(from, n);
        return set ? std::find(chosen.begin(), chosen.end(), c) != chosen.end() : strips(point(c));
    };
    std::size_t from = 0, to = text.size();
    while (left && from < to) {
        int n = 1;
        decode_utf8(text, from, n);
        if (!goes(from, std::size_t(n))) break;
        from += std::size_t(n);
    }
    while (right && to > from) {
        std::size_t start = to - 1;
        while (start > from && (text[start] & 0xC0) == 0x80) --start;
        if (!goes(start, to - start)) break;
        to = start;
    }
    return text.substr(from, to - from);
}

std::string changed_case(const std::string& text, bool upper) {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        int n = 1;
        const char32_t c = decode_utf8(text, i, n);
        if (c == no_char)
            out += text[i];
        else if (upper && c == 0xDF)
            out += "SS";  // the one common letter whose capital is longer
        else
            append_utf8(out, upper ? to_upper(c) : to_lower(c));
        i += std::size_t(n);
    }
    return out;
}

std::string folded_case(const std::string& text) {
    std::string out;
    each_point(text, [&](char32_t c, std::size_t at, std::size_t n) {
        if (c == no_char) out.append(text, at, n);
        else if (c == 0xDF || c == 0x1E9E) out += "ss";  // ß, the one common letter that folds to two
        else append_utf8(out, c == 0x131 ? c : to_lower(to_upper(c)));  // forms of one capital are one; ı is no i
    });
    return out;
}

std::string swapped_case(const std::string& text) {
    std::string out;
    each_point(text, [&](char32_t c, std::size_t at, std::size_t n) {
        const std::string character = text.substr(at, n);
        out += is_cased(c) ? changed_case(character, category(c) == base::Category::Ll) : character;
    });
    return out;
}

std::string without_tabs(const std::string& text, std::int64_t size) {
    std::string out;
    std::int64_t column = 0;
    each_point(text, [&](char32_t c, std::size_t at, std::size_t n) {
        if (c != '\t') {
            out.append(text, at, n);
            column = c == '\n' || c == '\r' ? 0 : column + 1;
        } else if (size > 0) {
            const std::int64_t blanks = size - column % size;
            check_size(out.size() + std::size_t(blanks));
            out.append(std::size_t(blanks), ' ');
            column += blanks;
        }
    });
    return out;
}

std::string capitalized(const std::string& text) {
    if (text.empty()) return text;
    int n = 1;
    decode_utf8(text, 0, n);
    return in_title_case(text.substr(0, std::size_t(n))) + changed_case(text.substr(std::size_t(n)), false);
}

std::string titled(const std::string& text, Words words) {
    std::string out;
    bool inside = false;
    each_point(text, [&](char32_t c, std::size_t at, std::size_t n) {
        const std::string character = text.substr(at, n);
        out += inside ? changed_case(character, false) : words == Words::of_python ? in_title_case(character) : changed_case(character, true);
        inside = words == Words::of_python ? is_cased(c) : !strips(c) && (c >= 0x80 || std::string_view("-({[<").find(char(c)) == std::string_view::npos);
    });
    return out;
}

std::string replaced(const std::string& text, const std::string& from, const std::string& to, std::int64_t count) {
    std::string out;
    std::size_t at = 0;
    if (from.empty()) {
        each_point(text, [&](char32_t, std::size_t at, std::size_t n) {
            check_size(out.size() + to.size());
            if (count != 0) out += to, --count;
            out.append(text, at, n);
        });
        return count != 0 ? out + to : out;
    }
    for (; count != 0; --count) {
        const std::size_t hit = text.find(from, at);
        if (hit == std::string::npos) break;
        check_size(out.size() + (hit - at) + to.size());
        out.append(text, at, hit - at);
        out += to;
        at = hit + from.size();
    }
    return out.append(text, at, std::string::npos);
}

std::string formatted(Evaluator&, const std::string& format, const Arguments& a) {
    std::string out;
    std::size_t next = 0;
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format[i] != '%') {
            out += format[i];
            continue;
        }
        std::string spec = "%";
        std::string key;
        if (++i < format.size() && format[i] == '(') {
            const std::size_t end = format.find(')', i);
            if (end == std::string::npos) throw TemplateError("incomplete format key");
            key = format.substr(i + 1, end - i - 1);
            i = end + 1;
        }
        while (i < format.size() && std::string_view("-+ 0#123456789.").find(format[i]) != std::string_view::npos) spec += format[i++];
        if (i >= format.size() || spec.size() > 6) throw TemplateError("incomplete format");
        if (format[i] == '%') {
            out += '%';
            continue;
        }
        const Value* v = nullptr;
        if (key.empty())
            v = next < a.positional.size() ? &a.positional[next++] : nullptr;
        else if (a.positional.size() == 1 && a.positional[0].is_dict())
            v = a.positional[0].find(Value(key));
        if (!v) v = key.empty() ? nullptr : a.find(a.positional.size(), key);
        if (!v) throw TemplateError("not enough arguments for format string");
        const char c = format[i];
        if (c == 's' || c == 'r') {
            const std::string text = c == 's' ? to_text(*v) : repr(*v);
            const int width = std::atoi(spec.c_str() + 1);
            const std::string pad(std::size_t(std::max<std::int64_t>(0, std::min(std::abs(width), 9999) - std::int64_t(length(text)))), ' ');
            check_size(out.size() + text.size() + pad.size());
            out += width < 0 ? text + pad : pad + text;
            continue;
        }
        char buffer[512];
        if ((c == 'd' || c == 'i' || c == 'x' || c == 'X' || c == 'o') && v->is_number())
            std::snprintf(buffer, sizeof buffer, (spec + "ll" + (c == 'i' ? 'd' : c)).c_str(), (long long)(v->is_float() ? std::int64_t(v->number()) : v->integer()));
        else if (std::string_view("feEgGF").find(c) != std::string_view::npos && v->is_number())
            std::snprintf(buffer, sizeof buffer, (spec + c).c_str(), v->number());
        else
            throw TemplateError(std::string("unsupported format character '") + c + "'");
        out += buffer;
    }
    return out;
}

}  // namespace text::jinja
