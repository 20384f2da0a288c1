// Python's str.format: fields, and what their specifications make of text and numbers.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "text/jinja/evaluator.h"
#include "text/unicode.h"

namespace text::jinja {
namespace {

constexpr std::int64_t most_precision = 10'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_number(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_digit); }

// [[fill]align][sign][#][0][width][grouping][.precision][type]
struct Spec {
    std::string fill = " ";
    char align = 0, sign = 0, grouping = 0, type = 0;  // 0: not said
    bool alternate = false;
    std::int64_t width = 0, precision = -1;
};

class SpecReader {
public:
    SpecReader(const std::string& spec, const Value& of) : spec_(spec), all_(characters(spec)), of_(of) {}

    Spec read() {
        Spec s;
        const bool filled = is_align(1);
        if (filled) s.fill = all_[at_++];
        if (is_align(at_)) s.align = all_[at_++][0];
        s.sign = take("+- ");
        s.alternate = take("#");
        if (!filled && take("0")) {
            s.fill = "0";
            if (!s.align && !of_.is_string()) s.align = '=';
        }
        s.width = number(0);
        s.grouping = take(",_");
        if (s.grouping && take(",_")) fail("Cannot specify both ',' and '_'.");
        if (take(".") && (s.precision = number(-1)) < 0) fail("Format specifier missing precision");
        if (s.precision > most_precision) fail("the precision is above " + std::to_string(most_precision));
        if (at_ + 1 == all_.size() && all_[at_].size() == 1) s.type = all_[at_++][0];
        if (at_ < all_.size()) fail("Invalid format specifier");
        const std::string_view groups = s.grouping == '_' ? "deEfFgG%boxX" : "deEfFgG%";
        if (s.grouping && s.type && groups.find(s.type) == groups.npos) fail(std::string("Cannot specify '") + s.grouping + "' with '" + s.type + "'.");
        return s;
    }
    [[noreturn]] void fail(const std::string& why) const {
        throw TemplateError(why + ": '" + spec_ + "' for object of type '" + of_.type_name() + "'");
    }

private:
    bool is_align(std::size_t i) const { return i < all_.size() && all_[i].size() == 1 && std::string_view("<>=^").find(all_[i][0]) != std::string_view::npos; }
    char take(std::string_view any) {
        const bool stands = at_ < all_.size() && all_[at_].size() == 1 && any.find(all_[at_][0]) != any.npos;
        return stands ? all_[at_++][0] : '\0';
    }
    std::int64_t number(std::int64_t otherwise) {
        constexpr std::int64_t most = 1 << 30;  // no text may be as long
        std::int64_t out = otherwise;
        while (const char c = take("0123456789")) out = std::min(std::max<std::int64_t>(out, 0) * 10 + (c - '0'), most);
        return out;
    }

    const std::string& spec_;
    const Texts all_;
    const Value& of_;
    std::size_t at_ = 0;
};

std::string times(std::int64_t n, const std::string& text) {
    std::string out;
    for (; n > 0; --n) out += text;
    return out;
}

// `head`, a sign, comes before what fills the width where the alignment is =.
std::string filled(const std::string& head, const std::string& body, const Spec& s, char align) {
    const std::int64_t missing = std::max<std::int64_t>(s.width - std::int64_t(length(head) + length(body)), 0);
    check_size(head.size() + body.size() + std::size_t(missing) * s.fill.size());
    const std::int64_t left = align == '<' ? 0 : align == '^' ? missing / 2 : missing;
    const std::string before = times(left, s.fill), after = times(missing - left, s.fill);
    return (align == '=' ? head + before : before + head) + body + after;
}

std::string text_as(const std::string& text, const SpecReader& reader, const Spec& s) {
    if (s.type && s.type != 's') reader.fail(std::string("Unknown format code '") + s.type + "'");
    if (s.sign) reader.fail("Sign not allowed in string format specifier");
    if (s.alternate) reader.fail("Alternate form (#) not allowed in string format specifier");
    if (s.grouping) reader.fail(std::string("Cannot specify '") + s.grouping + "' with 's'.");
    if (s.align == '=') reader.fail("'=' alignment not allowed in string format specifier");
    const auto bounds = bounds_of(text);
    const bool cut = s.precision >= 0 && std::size_t(s.precision) < bounds.size();
    return filled("", cut ? text.substr(0, bounds[std::size_t(s.precision)]) : text, s, s.align ? s.align : '<');
}

// Zeros that fill the width are grouped like other digits.
std::string grouped(const std::string& digits, std::size_t group, char separator, std::int64_t least) {
    check_size(std::size_t(std::max<std::int64_t>(least, 0)));
    std::size_t n = digits.size();
    while (std::int64_t(n + (n - 1) / group) < least) ++n;
    std::string out;
    for (std::size_t left = n; left > 0; --left) {
        if (left < n && left % group == 0) out += separator;
        out += left > digits.size() ? '0' : digits[digits.size() - left];
    }
    return out;
}

// `head`: sign and prefix; `rest`: what follows the whole part.
std::string number_as(const std::string& head, const std::string& digits, const std::string& rest, const Spec& s, std::size_t group) {
    const char align = s.align ? s.align : '>';
    if (!s.grouping || digits.empty()) return filled(head, digits + rest, s, align);
    const std::int64_t least = align == '=' && s.fill == "0" ? s.width - std::int64_t(head.size() + rest.size()) : 0;
    return filled(head, grouped(digits, group, s.grouping, least) + rest, s, align);
}

std::string sign_of(bool negative, const Spec& s) { return negative ? "-" : s.sign == '+' ? "+" : s.sign == ' ' ? " " : ""; }

std::string character_as(std::int64_t point, const SpecReader& reader, const Spec& s) {
    if (s.sign) reader.fail("Sign not allowed with integer format specifier 'c'");
    if (s.alternate) reader.fail("Alternate form (#) not allowed with integer format specifier 'c'");
    if (point < 0 || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) reader.fail("no character has the number " + std::to_string(point));
    std::string out;
    append_utf8(out, char32_t(point));
    return number_as("", "", out, s, 3);
}

std::string whole_as(std::int64_t n, const SpecReader& reader, const Spec& s) {
    if (s.precision >= 0) reader.fail("Precision not allowed in integer format specifier");
    if (s.type == 'c') return character_as(n, reader, s);
    const char type = s.type ? s.type : 'd', letter = char(type | 32);
    const int base = type == 'd' || type == 'n' ? 10 : letter == 'x' ? 16 : type == 'o' ? 8 : type == 'b' ? 2 : 0;
    if (base == 0) reader.fail(std::string("Unknown format code '") + type + "'");
    char buffer[64];
    const std::uint64_t size = n < 0 ? 0 - std::uint64_t(n) : std::uint64_t(n);
    std::string digits(buffer, std::to_chars(buffer, buffer + sizeof buffer, size, base).ptr);
    if (type == 'X') digits = changed_case(digits, true);
    const std::string prefix = s.alternate && base != 10 ? std::string("0") + type : "";
    return number_as(sign_of(n < 0, s) + prefix, digits, "", s, base == 10 ? 3 : 4);
}

std::string printed(double d, char type, std::int64_t precision, bool alternate) {
    std::string out(std::size_t(precision) + 400, '\0');
    const std::string format = std::string(alternate ? "%#.*" : "%.*") + type;
    out.resize(std::size_t(std::snprintf(out.data(), out.size(), format.c_str(), int(precision), d)));
    return out;
}

// Without a type: like g, with a fraction always, and so with an exponent one digit earlier.
std::string general(double d, std::int64_t precision) {
    precision = std::max<std::int64_t>(precision, 1);
    std::string scientific = printed(d, 'e', precision - 1, false);
    const std::size_t e = scientific.find('e');
    if (e == std::string::npos) return scientific;  // no finite number
    const int exponent = std::atoi(scientific.c_str() + e + 1);
    if (exponent >= -4 && exponent < precision - 1) {
        const std::string fixed = printed(d, 'g', precision, false);
        return fixed.find('.') == std::string::npos ? fixed + ".0" : fixed;
    }
    std::string digits = scientific.substr(0, e);
    if (digits.find('.') != std::string::npos) digits.resize(digits.find_last_not_of('0') + 1);
    if (digits.back() == '.') digits.pop_back();
    return digits + scientific.substr(e);
}

std::string real_as(double d, const SpecReader& reader, const Spec& s) {
    if (s.type && std::string_view("eEfFgGn%").find(s.type) == std::string_view::npos) reader.fail(std::string("Unknown format code '") + s.type + "'");
    const bool negative = std::signbit(d) && !std::isnan(d);
    const double size = std::fabs(d) * (s.type == '%' ? 100 : 1);
    const std::int64_t precision = s.precision < 0 ? 6 : s.precision;
    std::string text;
    if (!s.type) text = s.precision < 0 ? to_text(Value(size)) : general(size, precision);
    else text = printed(size, s.type == '%' ? 'f' : s.type == 'n' ? 'g' : s.type, precision, s.alternate);
    const auto whole = std::size_t(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
    return number_as(sign_of(negative, s), text.substr(0, whole), text.substr(whole) + (s.type == '%' ? "%" : ""), s, 3);
}

std::string value_as(const Value& v, const std::string& spec) {
    if (spec.empty()) return to_text(v);
    if (!v.is_string() && !v.is_number()) throw TemplateError(std::string("unsupported format string passed to ") + v.type_name() + ".__format__");
    SpecReader reader(spec, v);
    const Spec s = reader.read();
    if (v.is_string()) return text_as(v.string(), reader, s);
    const bool real = v.is_float() || (s.type && std::string_view("eEfFgG%").find(s.type) != std::string_view::npos);
    return real ? real_as(v.number(), reader, s) : whole_as(v.integer(), reader, s);
}

class Formatter {
public:
    Formatter(Evaluator& evaluator, const Arguments& arguments) : evaluator_(evaluator), arguments_(arguments) {}

    // A specification may hold fields of its own, and theirs no more.
    std::string run(const std::string& s, int depth = 0) {
        std::string out;
        for (std::size_t i = 0; i < s.size();) {
            if (s[i] != '{' && s[i] != '}') {
                out += s[i++];
            } else if (i + 1 < s.size() && s[i + 1] == s[i]) {
                out += s[i];
                i += 2;
            } else if (s[i] == '}') {
                throw TemplateError("Single '}' encountered in format string");
            } else {
                const std::string text = field(s, ++i, depth);
                check_size(out.size() + text.size());
                out += text;
            }
        }
        return out;
    }

private:
    // Of the field that begins at `i`; moves `i` behind it.
    std::string field(const std::string& s, std::size_t& i, int depth) {
        if (depth > 1) throw TemplateError("Max string recursion exceeded");
        const std::size_t start = i;
        for (; i < s.size() && std::string_view("{}:!").find(s[i]) == std::string_view::npos; ++i)
            if (s[i] == '[') i = std::min(s.find(']', i), s.size() - 1);
        if (i < s.size() && s[i] == '{') throw TemplateError("unexpected '{' in field name");
        const std::string name = s.substr(start, i - start);
        char conversion = '\0';
        if (i + 1 < s.size() && s[i] == '!') {
            conversion = s[i + 1];
            i += 2;
            if (i < s.size() && s[i] != ':' && s[i] != '}') throw TemplateError("expected ':' after conversion specifier");
        }
        std::string spec;
        if (i < s.size() && s[i] == ':') {
            const std::size_t from = ++i;
            for (int open = 1; i < s.size() && (open += s[i] == '{' ? 1 : s[i] == '}' ? -1 : 0) > 0;) ++i;
            spec = s.substr(from, i - from);
        }
        if (i >= s.size() || s[i] != '}') throw TemplateError("expected '}' before end of string");
        ++i;
        const Value v = converted(named(name), conversion);
        return value_as(v, run(spec, depth + 1));
    }

    static Value converted(Value v, char conversion) {
        if (conversion == '\0') return v;
        if (conversion == 's') return Value(to_text(v));
        if (conversion == 'r') return Value(repr(v));
        throw TemplateError(std::string("Unknown conversion specifier ") + conversion);
    }

    // "", "0" or "name", and then any of ".attribute" and "[key]".
    Value named(const std::string& name) {
        std::size_t at = std::min(name.find_first_of(".["), name.size());
        const std::string first = name.substr(0, at);
        Value v = argument(first, name);
        while (at < name.size()) {
            const bool key = name[at] == '[';
            const std::size_t from = at + 1, end = std::min(key ? name.find(']', from) : name.find_first_of(".[", from), name.size());
            const std::string part = name.substr(from, end - from);
            if (part.empty()) throw TemplateError("Empty attribute in format string");
            if (key && end == name.size()) throw TemplateError("Missing ']' in format string");
            v = key ? evaluator_.item(v, is_number(part) && part.size() < 10 ? Value(std::stoi(part)) : Value(part)) : evaluator_.attribute(v, part);
            at = key ? end + 1 : end;
            if (key && at < name.size() && name[at] != '.' && name[at] != '[') throw TemplateError("Only '.' or '[' may follow ']' in format field specifier");
        }
        return v;
    }

    Value argument(const std::string& first, const std::string& name) {
        const bool numbered = is_number(first), counted = name.empty();
        if ((counted && by_number_) || (name == first && numbered && by_count_))
            throw TemplateError("cannot switch between automatic field numbering and manual field specification");
        by_count_ = by_count_ || counted;
        by_number_ = by_number_ || (name == first && numbered);
        const Value* v = nullptr;
        if (counted || numbered) {
            const std::size_t place = counted ? next_++ : first.size() < 6 ? std::size_t(std::stoi(first)) : arguments_.positional.size();
            if (place < arguments_.positional.size()) v = &arguments_.positional[place];
        } else {
            v = arguments_.find(arguments_.positional.size(), first);
        }
        if (!v) throw TemplateError("format() has no value for '{" + name + "}'");
        return *v;
    }

    Evaluator& evaluator_;
    const Arguments& arguments_;
    std::size_t next_ = 0;
    bool by_count_ = false, by_number_ = false;
};

}  // namespace

std::string with_fields(Evaluator& evaluator, const std::string& format, const Arguments& arguments) { return Formatter(evaluator, arguments).run(format); }

}  // namespace text::jinja
