#include <algorithm>
#include <map>

#include "text/grammar_rules.h"
#include "text/unicode.h"

namespace text {
namespace {

using base::CharRange;
constexpr int max_depth = 200, max_count = 100000;

struct Bad {
    std::string what;
};

bool name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

RuleNode group_of(RuleNode::Kind kind, std::vector<RuleNode> parts) {
    if (parts.size() == 1) return std::move(parts.front());
    RuleNode n;
    n.kind = parts.empty() ? RuleNode::Kind::empty : kind;
    n.parts = std::move(parts);
    return n;
}

std::vector<CharRange> normal(std::vector<CharRange> r) {
    std::sort(r.begin(), r.end());
    std::vector<CharRange> out;
    for (const CharRange& range : r) {
        if (!out.empty() && range.first <= out.back().second + 1)
            out.back().second = std::max(out.back().second, range.second);
        else
            out.push_back(range);
    }
    return out;
}

class Parser {
public:
    Parser(std::string_view s, std::string_view open) : s_(s), open_(open) {}

    Rules parse() {
        std::size_t counted = 0;
        int line = 1;
        for (skip(); at_ < s_.size(); skip()) {
            line += int(std::count(s_.begin() + counted, s_.begin() + at_, '\n'));
            counted = at_;
            const std::string name = take_name();
            skip();
            if (!take("::=")) throw Bad{"expected ::= after \"" + name + "\""};
            const int rule = rule_index(name);
            if (defined_[std::size_t(rule)]) throw Bad{"rule \"" + name + "\" is defined twice"};
            defined_[std::size_t(rule)] = true;
            rules_.lines[std::size_t(rule)] = line;
            RuleNode node = alternatives();
            rules_.nodes[std::size_t(rule)] = std::move(node);
        }
        for (std::size_t i = 0; i < rules_.names.size(); ++i)
            if (!defined_[i] && rules_.names[i] != open_) throw Bad{"rule \"" + rules_.names[i] + "\" is used and not defined"};
        const auto root = index_.find("root");
        if (root == index_.end()) throw Bad{"there is no rule \"root\""};
        rules_.root = root->second;
        return std::move(rules_);
    }

    std::string place() const {
        const std::string_view before = s_.substr(0, at_);
        const auto line = std::count(before.begin(), before.end(), '\n') + 1;
        const std::size_t start = before.rfind('\n');
        const std::size_t column = before.size() - (start == before.npos ? 0 : start + 1) + 1;
        return "line " + std::to_string(line) + ", column " + std::to_string(column);
    }

private:
    bool end() const { return at_ >= s_.size(); }
    char peek() const { return end() ? '\0' : s_[at_]; }
    bool take(std::string_view word) {
        if (s_.substr(at_, word.size()) != word) return false;
        at_ += word.size();
        return true;
    }
    void skip() {  // white space and comments
        while (!end()) {
            if (peek() == '#')
                while (!end() && peek() != '\n') ++at_;
            else if (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r')
                ++at_;
            else
                return;
        }
    }
    std::string take_name() {
        const std::size_t from = at_;
        while (!end() && name_char(peek())) ++at_;
        if (at_ == from) throw Bad{"expected the name of a rule"};
        return std::string(s_.substr(from, at_ - from));
    }
    int rule_index(const std::string& name) {
        const auto [it, fresh] = index_.try_emplace(name, int(rules_.names.size()));
        if (fresh) {
            rules_.names.push_back(name);
            rules_.nodes.emplace_back();
            rules_.lines.push_back(0);
            defined_.push_back(false);
        }
        return it->second;
    }
    // A name that `::=` follows begins the next rule: line ends mean nothing else.
    bool at_rule_start() {
        const std::size_t start = at_;
        while (!end() && name_char(peek())) ++at_;
        const bool named = at_ > start;
        skip();
        const bool out = named && s_.substr(at_, 3) == "::=";
        at_ = start;
        return out;
    }

    RuleNode alternatives() {
        if (++depth_ > max_depth) throw Bad{"groups nested too deeply"};
        std::vector<RuleNode> all;
        do {
            all.push_back(sequence());
            skip();
        } while (take("|"));
        --depth_;
        return group_of(RuleNode::Kind::either, std::move(all));
    }

    RuleNode sequence() {
        std::vector<RuleNode> parts;
        for (;;) {
            skip();
            if (end() || peek() == '|' || peek() == ')' || at_rule_start()) break;
            RuleNode n = atom();
            while (quantifier(n)) {
            }
            parts.push_back(std::move(n));
        }
        return group_of(RuleNode::Kind::sequence, std::move(parts));
    }

    bool quantifier(RuleNode& n) {
        const std::size_t start = at_;
        skip();
        RuleNode repeat;
        repeat.kind = RuleNode::Kind::repeat;
        if (take("*")) {
        } else if (take("+")) {
            repeat.least = 1;
        } else if (take("?")) {
            repeat.most = 1;
        } else if (take("{")) {
            bounds(repeat);
        } else {
            at_ = start;
            return false;
        }
        repeat.parts.push_back(std::move(n));
        n = std::move(repeat);
        return true;
    }

    bool number(int& value) {
        skip();
        const std::size_t from = at_;
        for (value = 0; peek() >= '0' && peek() <= '9'; ++at_) value = std::min(value * 10 + (peek() - '0'), max_count + 1);
        if (value > max_count) throw Bad{"a repetition above " + std::to_string(max_count)};
        const bool found = at_ > from;
        skip();
        return found;
    }

    void bounds(RuleNode& repeat) {  // m}, m,}, ,n}, m,n}
        const bool low = number(repeat.least);
        if (take(",")) {
            if (!number(repeat.most)) repeat.most = -1;
        } else if (low) {
            repeat.most = repeat.least;
        } else {
            throw Bad{"expected a number after {"};
        }
        if (!take("}")) throw Bad{"expected } after a repetition's bounds"};
        if (repeat.most >= 0 && repeat.most < repeat.least) throw Bad{"a repetition whose bounds are out of order"};
    }

    RuleNode atom() {
        RuleNode n;
        if (take("\"")) {
            n.kind = RuleNode::Kind::literal;
            while (!take("\"")) append_utf8(n.bytes, character());
            if (n.bytes.empty()) n.kind = RuleNode::Kind::empty;
        } else if (take("[")) {
            n.kind = RuleNode::Kind::set;
            n.ranges = char_class();
        } else if (take(".")) {
            n.kind = RuleNode::Kind::set;
            n.ranges = {{0, 0x10FFFF}};
        } else if (take("(")) {
            n = alternatives();
            if (!take(")")) throw Bad{"a ( without )"};
        } else if (name_char(peek())) {
            n.kind = RuleNode::Kind::rule;
            n.rule = rule_index(take_name());
        } else if (peek() == '<' || peek() == '!') {
            throw Bad{"tokens (<name>, <[number]>) have no grammar here: write the token's text in quotes"};
        } else {
            throw Bad{"unexpected \"" + std::string(s_.substr(at_, 1)) + "\""};
        }
        return n;
    }

    std::vector<CharRange> char_class() {
        const bool negated = take("^");
        std::vector<CharRange> all;
        while (!take("]")) {
            if (take("\\d")) { all.push_back({'0', '9'}); continue; }
            if (take("\\w")) { all.insert(all.end(), {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}); continue; }
            if (take("\\s")) { all.insert(all.end(), {{9, 13}, {' ', ' '}}); continue; }
            const char32_t first = character();
            char32_t last = first;
            if (peek() == '-' && s_.substr(at_, 2) != "-]") {
                ++at_;
                last = character();
                if (last < first) throw Bad{"a range out of order in [ ]"};
            }
            all.push_back({first, last});
        }
        all = normal(std::move(all));
        return negated ? base::complement(all) : all;
    }

    char32_t character() {
        if (end()) throw Bad{"the text ends inside a literal or class"};
        int length = 1;
        const char32_t c = decode_utf8(s_, at_, length);
        if (c == no_char) throw Bad{"invalid UTF-8"};
        at_ += std::size_t(length);
        if (c != '\\') return c;
        if (end()) throw Bad{"the text ends after a backslash"};
        const char e = s_[at_++];
        switch (e) {
            case 'n': return '\n';
            case 'r': return '\r';
            case 't': return '\t';
            case 'b': return '\b';
            case 'f': return '\f';
            case 'v': return '\v';
            case '0': return 0;
            case 'x': return hex(2);
            case 'u': return take("{") ? braced() : hex(4);
            case 'U': return hex(8);
            default: break;
        }
        if ((e >= 'a' && e <= 'z') || (e >= 'A' && e <= 'Z')) throw Bad{std::string("the unknown escape \\") + e};
        --at_;
        const char32_t plain = decode_utf8(s_, at_, length);
        at_ += std::size_t(length);
        return plain;
    }

    char32_t braced() {
        const std::size_t close = s_.find('}', at_);
        if (close == s_.npos || close - at_ > 6) throw Bad{"\\u{ without }"};
        const char32_t c = hex(int(close - at_));
        ++at_;
        return c;
    }

    char32_t hex(int digits) {
        char32_t value = 0;
        for (int i = 0; i < digits; ++i) {
            const char c = peek();
            const int d = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
            if (d < 0) throw Bad{"an incomplete hexadecimal escape"};
            value = value * 16 + char32_t(d);
            ++at_;
        }
        if (value > 0x10FFFF) throw Bad{"a code point above U+10FFFF"};
        return value;
    }

    std::string_view s_, open_;
    std::size_t at_ = 0;
    int depth_ = 0;
    Rules rules_;
    std::map<std::string, int> index_;
    std::vector<bool> defined_;
};

}  // namespace

base::Result<Rules> parse_ebnf(std::string_view source, std::string_view open) {
    Parser parser(source, open);
    try {
        return parser.parse();
    } catch (const Bad& bad) {
        return base::error(base::Code::invalid_argument, "grammar, " + parser.place() + ": " + bad.what);
    }
}

std::string ebnf_literal(std::string_view bytes) {
    std::string out = "\"";
    for (char c : bytes) {
        const auto b = static_cast<unsigned char>(c);
        constexpr char hex[] = "0123456789ABCDEF";
        if (c == '"' || c == '\\')
            (out += '\\') += c;
        else if (c == '\n')
            out += "\\n";
        else if (b < 0x20 || b == 0x7F)
            ((out += "\\x") += hex[b >> 4]) += hex[b & 15];
        else
            out += c;
    }
    return out + '"';
}

}  // namespace text
