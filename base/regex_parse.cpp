#include <algorithm>
#include <optional>

#include "base/regex.h"
#include "base/unicode.h"
#include "base/unicode_tables.h"

namespace base {
namespace {

constexpr char32_t last_char = 0x10FFFF;
constexpr int max_count = 10000, max_depth = 200;
constexpr std::size_t max_property_ranges = 100'000;  // of all \p{…} of a pattern
using Ranges = std::vector<CharRange>;

Ranges normal(Ranges r) {
    std::sort(r.begin(), r.end());
    Ranges out;
    for (const CharRange& range : r) {
        if (!out.empty() && range.first <= out.back().second + 1)
            out.back().second = std::max(out.back().second, range.second);
        else
            out.push_back(range);
    }
    return out;
}

const Ranges digits = {{'0', '9'}};
const Ranges words = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
const Ranges blanks = {{9, 13}, {' ', ' '}, {0xA0, 0xA0}, {0x1680, 0x1680}, {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F},
                       {0x205F, 0x205F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
const Ranges line_ends = {{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};

// Names of general categories; a one-letter name covers those that begin with it. In the order of Category.
constexpr std::string_view short_names[] = {"Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps",
                                            "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co"};
constexpr std::pair<std::string_view, std::string_view> long_names[] = {
    {"Letter", "L"}, {"Uppercase_Letter", "Lu"}, {"Lowercase_Letter", "Ll"}, {"Titlecase_Letter", "Lt"}, {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"}, {"Mark", "M"}, {"Nonspacing_Mark", "Mn"}, {"Spacing_Mark", "Mc"}, {"Enclosing_Mark", "Me"}, {"Number", "N"},
    {"Decimal_Number", "Nd"}, {"digit", "Nd"}, {"Letter_Number", "Nl"}, {"Other_Number", "No"}, {"Punctuation", "P"}, {"punct", "P"},
    {"Symbol", "S"}, {"Math_Symbol", "Sm"}, {"Currency_Symbol", "Sc"}, {"Modifier_Symbol", "Sk"}, {"Other_Symbol", "So"}, {"Separator", "Z"},
    {"Space_Separator", "Zs"}, {"Other", "C"}, {"Control", "Cc"}, {"Format", "Cf"}, {"Alphabetic", "L"}, {"Uppercase", "Lu"}, {"Lowercase", "Ll"}};

std::optional<Ranges> property(std::string_view name) {
    for (std::string_view prefix : {"General_Category=", "gc="})
        if (name.substr(0, prefix.size()) == prefix) name.remove_prefix(prefix.size());
    for (auto [full, brief] : long_names)
        if (name == full) name = brief;
    if (name.empty() || name.size() > 2) return std::nullopt;
    Ranges out;
    bool known = false;
    std::vector<bool> wanted;
    for (std::string_view s : short_names) {
        wanted.push_back(s.substr(0, name.size()) == name);
        known = known || wanted.back();
    }
    if (!known) return std::nullopt;
    const auto starts = tables::category_starts();
    for (std::size_t i = 0; i < starts.size(); ++i) {
        if (!wanted[starts[i] & 0xFF]) continue;
        const char32_t first = starts[i] >> 8, last = i + 1 < starts.size() ? (starts[i + 1] >> 8) - 1 : last_char;
        if (!out.empty() && out.back().second + 1 == first)
            out.back().second = last;
        else
            out.push_back({first, last});
    }
    return out;
}

RegexNode set_of(Ranges ranges) {
    RegexNode n;
    n.kind = RegexNode::Kind::set;
    n.ranges = std::move(ranges);
    return n;
}

RegexNode group_of(RegexNode::Kind kind, std::vector<RegexNode> parts) {
    if (parts.size() == 1) return std::move(parts.front());
    RegexNode n;
    n.kind = parts.empty() ? RegexNode::Kind::empty : kind;
    n.parts = std::move(parts);
    return n;
}

struct Bad {
    std::string what;
    Code code = Code::invalid_argument;
};

// Recursive descent; errors leave by exception inside this file only.
class Parser {
public:
    explicit Parser(std::string_view pattern) : p_(pattern) {}

    RegexNode parse() {
        RegexNode n = alternatives();
        if (at_ < p_.size()) throw Bad{"an unmatched )"};
        return n;
    }
    std::size_t at() const { return at_; }

private:
    bool end() const { return at_ >= p_.size(); }
    bool next_is(char c) const { return !end() && p_[at_] == c; }
    bool take(std::string_view s) {
        if (p_.substr(at_, s.size()) != s) return false;
        at_ += s.size();
        return true;
    }
    char32_t take_char() {
        if (end()) throw Bad{"the pattern ends too early"};
        int length = 1;
        const char32_t c = decode_utf8(p_, at_, length);
        if (c == no_char) throw Bad{"invalid UTF-8"};
        at_ += std::size_t(length);
        return c;
    }

    RegexNode alternatives() {
        if (++depth_ > max_depth) throw Bad{"groups nested too deeply"};
        std::vector<RegexNode> all;
        do all.push_back(sequence());
        while (take("|"));
        --depth_;
        return group_of(RegexNode::Kind::either, std::move(all));
    }

    RegexNode sequence() {
        std::vector<RegexNode> parts;
        while (!end() && !next_is('|') && !next_is(')')) parts.push_back(quantified());
        return group_of(RegexNode::Kind::sequence, std::move(parts));
    }

    RegexNode quantified() {
        RegexNode n = atom();
        RegexNode repeat;
        repeat.kind = RegexNode::Kind::repeat;
        if (take("*")) {
        } else if (take("+")) {
            repeat.least = 1;
        } else if (take("?")) {
            repeat.most = 1;
        } else if (!next_is('{') || !counts(repeat)) {
            return n;
        }
        take("?");  // lazy: the same language
        repeat.parts.push_back(std::move(n));
        return repeat;
    }

    bool counts(RegexNode& repeat) {  // {m}, {m,}, {m,n}; anything else is a plain brace
        const std::size_t start = at_++;
        const auto number = [&](int& value) {
            const std::size_t from = at_;
            value = 0;
            for (; !end() && p_[at_] >= '0' && p_[at_] <= '9'; ++at_) value = std::min(value * 10 + (p_[at_] - '0'), max_count + 1);
            if (value > max_count) throw Bad{"a repetition above " + std::to_string(max_count)};
            return at_ > from;
        };
        int least = 0, most = -1;
        bool ok = number(least);
        if (ok && take(","))
            number(most) || (most = -1);
        else
            most = least;
        if (!ok || !take("}")) {
            at_ = start;
            return false;
        }
        if (most >= 0 && most < least) throw Bad{"a repetition whose bounds are out of order"};
        repeat.least = least;
        repeat.most = most;
        return true;
    }

    RegexNode atom() {
        RegexNode n;
        if (take("^")) return n.kind = RegexNode::Kind::text_begin, n;
        if (take("$")) return n.kind = RegexNode::Kind::text_end, n;
        if (take(".")) return set_of(complement(line_ends));
        if (take("[")) return set_of(char_class());
        if (take("(")) return group();
        refuse_quantifier();
        if (take("\\b")) return n.kind = RegexNode::Kind::word_border, n;
        if (take("\\B")) return n.kind = RegexNode::Kind::no_word_border, n;
        if (take("\\")) return set_of(escape());
        const char32_t c = take_char();
        return set_of({{c, c}});
    }

    // One that follows another has nothing to repeat either; a brace that holds no count is a character.
    void refuse_quantifier() {
        const std::size_t start = at_;
        RegexNode unused;
        if (!next_is('*') && !next_is('+') && !next_is('?') && !(next_is('{') && counts(unused))) return;
        at_ = start;
        throw Bad{"nothing to repeat"};
    }

    RegexNode group() {
        if (take("?:")) {
        } else if (p_.substr(at_, 2) == "?=" || p_.substr(at_, 2) == "?!" || p_.substr(at_, 3) == "?<=" || p_.substr(at_, 3) == "?<!") {
            throw Bad{"look-around, which is not supported", Code::unsupported};
        } else if (take("?<")) {
            while (!end() && !next_is('>')) ++at_;
            if (!take(">")) throw Bad{"a group name without >"};
        } else if (next_is('?')) {
            throw Bad{"an unknown kind of group"};
        }
        RegexNode n = alternatives();
        if (!take(")")) throw Bad{"a ( without )"};
        return n;
    }

    char32_t hex(int least, int most) {
        char32_t value = 0;
        int n = 0;
        for (; n < most && !end(); ++n, ++at_) {
            const char c = p_[at_];
            const int d = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
            if (d < 0) break;
            value = value * 16 + char32_t(d);
        }
        if (n < least || value > last_char) throw Bad{"an incomplete hexadecimal escape"};
        return value;
    }

    char32_t unicode_escape() {
        if (take("{")) {
            const char32_t c = hex(1, 6);
            if (!take("}")) throw Bad{"\\u{ without }"};
            return c;
        }
        const char32_t high = hex(4, 4);
        if (high < 0xD800 || high >= 0xDC00 || !take("\\u")) return high;
        const char32_t low = hex(4, 4);
        if (low < 0xDC00 || low >= 0xE000) throw Bad{"a lone surrogate"};
        return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    }

    Ranges escape() {  // after the backslash
        const char32_t c = take_char();
        switch (c) {
            case 'd': return digits;
            case 'D': return complement(digits);
            case 'w': return words;
            case 'W': return complement(words);
            case 's': return blanks;
            case 'S': return complement(blanks);
            case 'p': case 'P': {
                const std::size_t close = p_.find('}', at_);
                if (!take("{") || close == p_.npos) throw Bad{"\\p without {name}"};
                const std::string name(p_.substr(at_, close - at_));
                at_ = close + 1;
                auto ranges = property(name);
                if (!ranges) throw Bad{"the Unicode property \"" + name + "\", which is not supported (general categories are)", Code::unsupported};
                property_ranges_ += ranges->size();
                if (property_ranges_ > max_property_ranges) throw Bad{"too many Unicode properties"};
                return c == 'p' ? *ranges : complement(*ranges);
            }
            case 'k': throw Bad{"a back-reference, which is not supported", Code::unsupported};
            default: break;
        }
        if (c >= '1' && c <= '9') throw Bad{"a back-reference, which is not supported", Code::unsupported};
        const char32_t plain = plain_escape(c);
        return {{plain, plain}};
    }

    char32_t plain_escape(char32_t c) {
        switch (c) {
            case 't': return '\t';
            case 'n': return '\n';
            case 'r': return '\r';
            case 'v': return '\v';
            case 'f': return '\f';
            case '0': return 0;
            case 'x': return hex(2, 2);
            case 'u': return unicode_escape();
            case 'c': {
                const char32_t letter = take_char();
                if ((letter | 32) < 'a' || (letter | 32) > 'z') throw Bad{"\\c without a letter"};
                return letter % 32;
            }
            default: break;
        }
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) throw Bad{"the unknown escape \\" + utf8(c)};
        return c;
    }

    Ranges class_item() {
        if (take("\\b")) return {{8, 8}};
        if (take("\\-")) return {{'-', '-'}};
        if (take("\\")) return escape();
        const char32_t c = take_char();
        return {{c, c}};
    }

    Ranges char_class() {
        const bool negated = take("^");
        Ranges all;
        while (!take("]")) {
            if (end()) throw Bad{"a [ without ]"};
            Ranges item = class_item();
            if (next_is('-') && p_.substr(at_, 2) != "-]") {
                ++at_;
                const Ranges last = class_item();
                if (item.size() != 1 || last.size() != 1 || item[0].first != item[0].second || last[0].first != last[0].second ||
                    last[0].first < item[0].first)
                    throw Bad{"a range out of order in [ ]"};
                item[0].second = last[0].first;
            }
            all.insert(all.end(), item.begin(), item.end());
        }
        all = normal(std::move(all));
        return negated ? complement(all) : all;
    }

    std::string_view p_;
    std::size_t at_ = 0, property_ranges_ = 0;
    int depth_ = 0;
};

}  // namespace

std::vector<CharRange> complement(const std::vector<CharRange>& ranges) {
    std::vector<CharRange> out;
    char32_t next = 0;
    for (const CharRange& r : ranges) {
        if (r.first > next) out.push_back({next, r.first - 1});
        next = r.second + 1;
    }
    if (next <= last_char) out.push_back({next, last_char});
    return out;
}

Result<RegexNode> parse_regex(std::string_view pattern) {
    Parser parser(pattern);
    try {
        return parser.parse();
    } catch (const Bad& bad) {
        return error(bad.code,
                     "pattern \"" + std::string(pattern) + "\" has at byte " + std::to_string(parser.at()) + " " + bad.what);
    }
}

}  // namespace base
