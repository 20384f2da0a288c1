#include <algorithm>
#include <utility>

#include "text/grammar_rules.h"
#include "text/schema_rules.h"
#include "text/unicode.h"

namespace text {
namespace {

using base::CharRange;
using base::RegexNode;
using K = RegexNode::Kind;

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
        case K::text_end: throw Refused{"^ and $ have a grammar only at the ends of a pattern or of its alternatives"};
        case K::word_border:
        case K::no_word_border: throw Refused{"\\b and \\B have no grammar"};
    }
    for (const RegexNode& part : r.parts) n.parts.push_back(node_of(part));
    return n;
}

RegexNode regex_node(RegexNode::Kind kind, std::vector<RegexNode> parts) {
    RegexNode n;
    n.kind = kind;
    n.parts = std::move(parts);
    return n;
}

std::string code_point(char32_t c) {
    constexpr char hex[] = "0123456789ABCDEF";
    std::string out = "\\U";
    for (int shift = 28; shift >= 0; shift -= 4) out += hex[(c >> shift) & 15];
    return out;
}

std::string json_ebnf(const RegexNode& r, bool less) {
    switch (r.kind) {
        case K::empty: return "\"\" ";
        case K::set: return json_char_ebnf(r.ranges, less);
        case K::sequence: {
            std::string out;
            for (const RegexNode& part : r.parts) out += json_ebnf(part, less);
            return "( " + (out.empty() ? "\"\" " : out) + ") ";
        }
        case K::either: {
            std::string out;
            for (const RegexNode& part : r.parts) out += (out.empty() ? "" : "| ") + json_ebnf(part, less);
            return "( " + (out.empty() ? "\"\" " : out) + ") ";
        }
        case K::repeat:
            return "( " + json_ebnf(r.parts[0], less) + "){" + std::to_string(r.least) + "," + (r.most < 0 ? "" : std::to_string(r.most)) + "} ";
        default: (void)node_of(r);  // says why not
    }
    return "";
}

RegexNode anything() {
    RegexNode one, many;
    one.kind = K::set;
    one.ranges = {{0, 0x10FFFF}};
    many.kind = K::repeat;
    many.parts.push_back(std::move(one));
    return many;
}

struct Width {
    long least = 0, most = 0;  // characters; most -1: no bound
};

Width width_of(const RegexNode& r) {
    const auto times = [](long n, long m) { return std::min(n * m, 1000000l); };
    Width out;
    switch (r.kind) {
        case K::set: return {1, 1};
        case K::sequence:
            for (const RegexNode& part : r.parts) {
                const Width w = width_of(part);
                out = {std::min(out.least + w.least, 1000000l), out.most < 0 || w.most < 0 ? -1 : std::min(out.most + w.most, 1000000l)};
            }
            return out;
        case K::either:
            for (std::size_t i = 0; i < r.parts.size(); ++i) {
                const Width w = width_of(r.parts[i]);
                out = i == 0 ? w : Width{std::min(out.least, w.least), out.most < 0 || w.most < 0 ? -1 : std::max(out.most, w.most)};
            }
            return out;
        case K::repeat: {
            const Width w = width_of(r.parts[0]);
            return {times(w.least, r.least), w.most == 0 ? 0 : w.most < 0 || r.most < 0 ? -1 : times(w.most, r.most)};
        }
        default: return {0, 0};
    }
}

// Narrows the parts to texts of so many characters: by the repetition of a set that alone makes texts differ
// in length. False: there are no such texts.
bool keep_to(std::vector<RegexNode>& parts, const TextForm& form) {
    RegexNode whole;
    whole.kind = K::sequence;
    whole.parts = parts;
    const Width all = width_of(whole);
    if (all.least >= form.least && (form.most < 0 || (all.most >= 0 && all.most <= form.most))) return true;
    if ((all.most >= 0 && all.most < form.least) || (form.most >= 0 && all.least > form.most)) return false;
    RegexNode* free = nullptr;
    long others = 0;
    for (RegexNode& part : parts) {
        const Width w = width_of(part);
        if (w.least == w.most) {
            others += w.least;
        } else if (free || part.kind != K::repeat || part.parts[0].kind != K::set) {
            throw Refused{"beside \"minLength\" or \"maxLength\" it has a grammar only where one repeated set of characters makes the length"};
        } else {
            free = &part;
        }
    }
    if (!free) return true;
    free->least = int(std::max(long(free->least), long(form.least) - others));
    if (form.most >= 0) free->most = int(free->most < 0 ? form.most - others : std::min(long(free->most), form.most - others));
    return free->most < 0 || free->least <= free->most;
}

base::Error refused(std::string_view pattern, const Refused& bad) {
    return base::error(base::Code::unsupported, "the pattern \"" + std::string(pattern) + "\": " + bad.what);
}

}  // namespace

std::string char_class_ebnf(const std::vector<CharRange>& ranges) {
    std::string out = "[";
    for (auto [first, last] : ranges) out += code_point(first) + "-" + code_point(last);
    return out + "] ";
}

std::string json_char_ebnf(const std::vector<CharRange>& ranges, bool less) {
    const auto has = [&](char32_t c) {
        return std::any_of(ranges.begin(), ranges.end(), [c](const CharRange& r) { return r.first <= c && c <= r.second; });
    };
    std::vector<CharRange> plain;
    std::string out;
    const auto add = [&](char32_t first, char32_t last) {
        if (first <= last) plain.push_back({first, last});
    };
    for (auto [first, last] : ranges) {
        first = std::max(first, char32_t(0x20));
        for (char32_t cut : {U'"', U'<', U'\\'})
            if ((cut != '<' || !less) && first <= cut && cut <= last) {
                if (first < cut) add(first, cut - 1);
                first = cut + 1;
            }
        add(first, last);
    }
    // Escapes share what they begin with: a place in the midst of a text stays small.
    constexpr std::pair<char32_t, char32_t> short_forms[] = {{'"', '"'}, {'\\', '\\'}, {8, 'b'}, {9, 't'}, {10, 'n'}, {12, 'f'}, {13, 'r'}};
    const auto is_short = [&](char32_t c) { return std::any_of(std::begin(short_forms), std::end(short_forms), [c](const auto& f) { return f.first == c; }); };
    std::vector<CharRange> letters, digits[2];  // digits: the second of two, by the first
    for (auto [c, letter] : short_forms)
        if (has(c)) letters.push_back({letter, letter});
    constexpr char hex[] = "0123456789abcdef";
    for (char32_t c = 0; c < 0x20; ++c)
        if (has(c) && !is_short(c)) digits[c >> 4].push_back({char32_t(hex[c & 15]), char32_t(hex[c & 15])});
    const auto either = [](std::string& to, const std::string& one) { to += (to.empty() ? "" : "| ") + one; };
    std::string numbers, escapes;
    for (int first : {0, 1})
        if (!digits[first].empty()) either(numbers, ebnf_literal(std::string(1, hex[first])) + " " + char_class_ebnf(digits[first]));
    if (!less && has('<')) either(numbers, ebnf_literal("3c") + " ");
    if (!letters.empty()) either(escapes, char_class_ebnf(letters));
    if (!numbers.empty()) either(escapes, ebnf_literal("u00") + " ( " + numbers + ") ");
    if (!plain.empty()) out = char_class_ebnf(plain);
    if (!escapes.empty()) either(out, ebnf_literal("\\") + " ( " + escapes + ") ");
    if (out.empty()) throw Refused{"a set that holds no character"};
    return "( " + out + ") ";
}

RegexNode regex_of(const RuleNode& node) {
    std::vector<RegexNode> parts;
    for (const RuleNode& part : node.parts) parts.push_back(regex_of(part));
    switch (node.kind) {
        case RuleNode::Kind::literal:
            for (std::size_t at = 0; at < node.bytes.size();) {
                int length = 1;
                const char32_t c = decode_utf8(node.bytes, at, length);
                at += std::size_t(length);
                parts.push_back(regex_node(K::set, {}));
                parts.back().ranges = {{c, c}};
            }
            return regex_node(K::sequence, std::move(parts));
        case RuleNode::Kind::set: {
            RegexNode n = regex_node(K::set, {});
            n.ranges = node.ranges;
            return n;
        }
        case RuleNode::Kind::sequence: return regex_node(K::sequence, std::move(parts));
        case RuleNode::Kind::either: return regex_node(K::either, std::move(parts));
        case RuleNode::Kind::repeat: {
            RegexNode n = regex_node(K::repeat, std::move(parts));
            n.least = node.least;
            n.most = node.most;
            return n;
        }
        default: return {};
    }
}

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
    } catch (const Refused& bad) {
        return refused(pattern, bad);
    }
    rules.nodes.push_back(std::move(root));
    return rules;
}

base::Result<std::string> regex_json_ebnf(std::string_view pattern, TextForm form) {
    auto parsed = base::parse_regex(pattern);
    if (!parsed) return std::move(parsed).error();
    std::vector<Branch> all;
    branches(std::move(*parsed), all);
    std::string out;
    try {
        for (Branch& b : all) {
            if (!b.begins) b.parts.insert(b.parts.begin(), anything());
            if (!b.ends) b.parts.push_back(anything());
            if (!keep_to(b.parts, form)) continue;
            std::string one = "\"\\\"\" ";
            for (const RegexNode& part : b.parts) one += json_ebnf(part, form.plain_less_than);
            out += (out.empty() ? "" : "| ") + one + "\"\\\"\" ";
        }
    } catch (const Refused& bad) {
        return refused(pattern, bad);
    }
    return out.empty() ? "" : "( " + out + ")";
}

}  // namespace text
