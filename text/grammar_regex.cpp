#include <algorithm>
#include <utility>

#include "text/grammar_rules.h"

namespace text {
namespace {

using base::CharRange;
using base::RegexNode;
using K = RegexNode::Kind;

struct Bad {
    std::string what;
};

// One alternative of the whole pattern, with its anchors taken off.
struct Branch {
    std::vector<RegexNode> parts;
    bool begins = false, ends = false;
};

void branches(RegexNode node, std::vector<Branch>& out) {
    if (node.kind == K::either) {
        for (RegexNode& part : node.parts) branches(std::move(part), out);
        return;
    }
    Branch b;
    if (node.kind == K::sequence)
        b.parts = std::move(node.parts);
    else
        b.parts.push_back(std::move(node));
    while (!b.parts.empty() && b.parts.front().kind == K::text_begin) b.begins = true, b.parts.erase(b.parts.begin());
    while (!b.parts.empty() && b.parts.back().kind == K::text_end) b.ends = true, b.parts.pop_back();
    // ^(?:a|b)$ : a group alone between the anchors may have anchors of its own.
    if (b.parts.size() == 1 && (b.parts[0].kind == K::either || b.parts[0].kind == K::sequence)) {
        std::vector<Branch> inner;
        branches(std::move(b.parts[0]), inner);
        for (Branch& i : inner) {
            i.begins |= b.begins;
            i.ends |= b.ends;
            out.push_back(std::move(i));
        }
        return;
    }
    out.push_back(std::move(b));
}

RuleNode node_of(const RegexNode& r) {
    RuleNode n;
    switch (r.kind) {
        case K::empty: return n;
        case K::set:
            n.kind = RuleNode::Kind::set;
            n.ranges = r.ranges;
            return n;
        case K::sequence: n.kind = RuleNode::Kind::sequence; break;
        case K::either: n.kind = RuleNode::Kind::either; break;
        case K::repeat:
            n.kind = RuleNode::Kind::repeat;
            n.least = r.least;
            n.most = r.most;
            break;
        case K::text_begin:
        case K::text_end: throw Bad{"^ and $ have a grammar only at the ends of a pattern or of its alternatives"};
        case K::word_border:
        case K::no_word_border: throw Bad{"\\b and \\B have no grammar"};
    }
    for (const RegexNode& part : r.parts) n.parts.push_back(node_of(part));
    return n;
}

std::string code_point(char32_t c) {
    constexpr char hex[] = "0123456789ABCDEF";
    std::string out = "\\U";
    for (int shift = 28; shift >= 0; shift -= 4) out += hex[(c >> shift) & 15];
    return out;
}

// A JSON string's spellings of the characters of a set.
std::string json_set(const std::vector<CharRange>& ranges) {
    const auto has = [&](char32_t c) {
        return std::any_of(ranges.begin(), ranges.end(), [c](const CharRange& r) { return r.first <= c && c <= r.second; });
    };
    std::string plain, out;
    const auto add = [&](char32_t first, char32_t last) {
        if (first <= last) plain += code_point(first) + "-" + code_point(last);
    };
    for (auto [first, last] : ranges) {
        first = std::max(first, char32_t(0x20));
        for (char32_t cut : {U'"', U'\\'})
            if (first <= cut && cut <= last) {
                if (first < cut) add(first, cut - 1);
                first = cut + 1;
            }
        add(first, last);
    }
    if (!plain.empty()) out = "[" + plain + "] ";
    constexpr std::pair<char32_t, const char*> short_forms[] = {{'"', "\""}, {'\\', "\\"}, {8, "b"}, {9, "t"}, {10, "n"}, {12, "f"}, {13, "r"}};
    const auto add_escape = [&](const std::string& bytes) { out += (out.empty() ? "" : "| ") + ebnf_literal(bytes) + " "; };
    for (auto [c, text] : short_forms)
        if (has(c)) add_escape(std::string("\\") + text);
    constexpr char hex[] = "0123456789abcdef";
    for (char32_t c = 0; c < 0x20; ++c)
        if (has(c) && !(c >= 8 && c <= 13 && c != 11)) add_escape(std::string("\\u00") + hex[c >> 4] + hex[c & 15]);
    if (out.empty()) throw Bad{"a set that holds no character"};
    return "( " + out + ") ";
}

std::string json_ebnf(const RegexNode& r) {
    switch (r.kind) {
        case K::empty: return "\"\" ";
        case K::set: return json_set(r.ranges);
        case K::sequence: {
            std::string out;
            for (const RegexNode& part : r.parts) out += json_ebnf(part);
            return "( " + (out.empty() ? "\"\" " : out) + ") ";
        }
        case K::either: {
            std::string out;
            for (const RegexNode& part : r.parts) out += (out.empty() ? "" : "| ") + json_ebnf(part);
            return "( " + (out.empty() ? "\"\" " : out) + ") ";
        }
        case K::repeat:
            return "( " + json_ebnf(r.parts[0]) + "){" + std::to_string(r.least) + "," + (r.most < 0 ? "" : std::to_string(r.most)) + "} ";
        default: (void)node_of(r);  // says why not
    }
    return "";
}

base::Error refused(std::string_view pattern, const Bad& bad) {
    return base::error(base::Code::unsupported, "the pattern \"" + std::string(pattern) + "\": " + bad.what);
}

}  // namespace

base::Result<Rules> regex_rules(std::string_view pattern) {
    auto parsed = base::parse_regex(pattern);
    if (!parsed) return std::move(parsed).error();
    std::vector<Branch> all;
    branches(std::move(*parsed), all);
    Rules rules;
    rules.names = {"root"};
    RuleNode root;
    root.kind = RuleNode::Kind::either;
    try {
        for (const Branch& b : all) {
            RuleNode n;
            n.kind = RuleNode::Kind::sequence;
            for (const RegexNode& part : b.parts) n.parts.push_back(node_of(part));
            root.parts.push_back(std::move(n));
        }
    } catch (const Bad& bad) {
        return refused(pattern, bad);
    }
    rules.nodes.push_back(std::move(root));
    return rules;
}

base::Result<std::string> regex_json_ebnf(std::string_view pattern) {
    auto parsed = base::parse_regex(pattern);
    if (!parsed) return std::move(parsed).error();
    std::vector<Branch> all;
    branches(std::move(*parsed), all);
    const std::string any = json_set({{0, 0x10FFFF}});
    std::string out;
    try {
        for (const Branch& b : all) {
            std::string one = "\"\\\"\" ";
            if (!b.begins) one += any + "* ";
            for (const RegexNode& part : b.parts) one += json_ebnf(part);
            if (!b.ends) one += any + "* ";
            out += (out.empty() ? "" : "| ") + one + "\"\\\"\" ";
        }
    } catch (const Bad& bad) {
        return refused(pattern, bad);
    }
    return "( " + out + ")";
}

}  // namespace text
