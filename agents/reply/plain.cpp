#include "agents/reply/plain.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>
#include <vector>

#include "base/utf8.h"

namespace agents::reply {
namespace {

constexpr std::size_t kLongestLine = 4000;  // bytes that are waited for
constexpr std::string_view kSigns = "\\`|{}[]$<>*_~#/";

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80; }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)); }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Commands of formulas and what is read for them; any other is left out.
struct Command {
    std::string_view name, text;
};
constexpr std::array kCommands = {
    Command{"cdot", "·"},    Command{"times", "×"},   Command{"div", "÷"},     Command{"pm", "±"},      Command{"leq", "≤"},       Command{"le", "≤"},
    Command{"geq", "≥"},     Command{"ge", "≥"},      Command{"neq", "≠"},     Command{"ne", "≠"},      Command{"approx", "≈"},    Command{"infty", "∞"},
    Command{"sqrt", "√"},    Command{"sum", "Σ"},     Command{"int", "∫"},     Command{"pi", "π"},      Command{"alpha", "α"},     Command{"beta", "β"},
    Command{"gamma", "γ"},   Command{"delta", "δ"},   Command{"lambda", "λ"},  Command{"mu", "μ"},      Command{"sigma", "σ"},     Command{"theta", "θ"},
    Command{"omega", "ω"},   Command{"Delta", "Δ"},   Command{"Omega", "Ω"},   Command{"to", "→"},      Command{"rightarrow", "→"}, Command{"degree", "°"},
    Command{"circ", "°"},    Command{"ldots", "…"},   Command{"dots", "…"},    Command{"quad", " "},    Command{"percent", "%"},   Command{"in", "∈"},
};

// The group in braces that begins at `at`; empty and `at` as it was where there is none.
std::string_view group(std::string_view text, std::size_t& at) {
    if (at >= text.size() || text[at] != '{') return {};
    int depth = 0;
    for (std::size_t i = at; i < text.size(); ++i) {
        depth += text[i] == '{' ? 1 : text[i] == '}' ? -1 : 0;
        if (depth > 0) continue;
        const std::string_view inner = text.substr(at + 1, i - at - 1);
        at = i + 1;
        return inner;
    }
    return {};
}

std::string formula(std::string_view text);

std::string command(std::string_view text, std::size_t& at) {
    std::size_t end = at + 1;
    while (end < text.size() && std::isalpha(static_cast<unsigned char>(text[end]))) ++end;
    const std::string_view name = text.substr(at + 1, end - at - 1);
    if (name.empty()) {  // \( \[ \\ \, \%
        const char next = at + 1 < text.size() ? text[at + 1] : ' ';
        at = std::min(at + 2, text.size());
        return next == '%' || next == '&' || next == '$' ? std::string(1, next) : next == '\\' || next == ',' || next == ';' ? " " : "";
    }
    at = end;
    if (name == "frac" || name == "dfrac" || name == "tfrac") {
        const std::string above = formula(group(text, at)), below = formula(group(text, at));
        const bool plain = std::none_of(above.begin(), above.end(), is_blank) && std::none_of(below.begin(), below.end(), is_blank);
        return plain ? above + " : " + below : "(" + above + ") : (" + below + ")";
    }
    const auto known = std::find_if(kCommands.begin(), kCommands.end(), [&](const Command& one) { return one.name == name; });
    return known == kCommands.end() ? "" : std::string(known->text);
}

// Without backslashes and braces.
std::string formula(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] == '\\') {
            out += command(text, at);
        } else {
            if (text[at] != '{' && text[at] != '}') out += text[at];
            ++at;
        }
    }
    return out;
}

bool is_address(std::string_view word) { return word.find("://") != std::string_view::npos && word.find("file:/") == std::string_view::npos; }

// "path:/etc", and not "and/or".
bool has_root(std::string_view word) {
    for (std::size_t at = word.find('/'); at != std::string_view::npos; at = word.find('/', at + 1))
        if (at + 1 < word.size() && is_letter(word[at + 1]) && (at == 0 || !(is_letter(word[at - 1]) || is_digit(word[at - 1])))) return true;
    return false;
}

bool is_path(std::string_view word) {
    const auto slashes = std::count(word.begin(), word.end(), '/');
    if (slashes == 0 || is_address(word)) return false;
    if (has_root(word)) return true;
    if (word.size() > 1 && (word.starts_with('/') || word.starts_with("~/") || word.starts_with("./") || word.starts_with("../"))) return true;
    if (std::all_of(word.begin(), word.end(), [](char c) { return is_digit(c) || c == '/' || c == '.' || c == ':'; })) return false;  // a date
    const std::string_view last = word.substr(word.rfind('/') + 1);
    const auto dot = last.find('.');
    return slashes >= 2 || (dot != std::string_view::npos && dot + 1 < last.size() && is_letter(last[dot + 1]));
}

// A word of blanks around it, with the marks at its ends.
std::string without_path(std::string_view word) {
    constexpr std::string_view kOpens = "\"'([“„«", kCloses = "\"'),;:!?]”»…";
    std::size_t from = 0, to = word.size();
    while (from < to && kOpens.find(word[from]) != std::string_view::npos) ++from;
    while (to > from && (kCloses.find(word[to - 1]) != std::string_view::npos || (word[to - 1] == '.' && to - from > 1))) --to;
    std::string_view inner = word.substr(from, to - from);
    while (is_path(inner)) {
        while (inner.size() > 1 && inner.ends_with('/')) inner.remove_suffix(1);
        const auto slash = inner.rfind('/');
        inner = slash == std::string_view::npos ? inner : inner.substr(slash + 1);
    }
    return std::string(word.substr(0, from)) + std::string(inner) + std::string(word.substr(to));
}

std::string without_paths(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find_first_of(" \t\r\n", at), text.size());
        out += text.substr(at, end - at).find('/') == std::string_view::npos ? std::string(text.substr(at, end - at)) : without_path(text.substr(at, end - at));
        for (at = end; at < text.size() && is_blank(text[at]); ++at) out += text[at];
    }
    return out;
}

// "<tool_call>", "</b>": what looks like a tag; a sign of comparison stays.
std::string without_tags(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const bool tag = text[at] == '<' && at + 1 < text.size() && (is_letter(text[at + 1]) || text[at + 1] == '/' || text[at + 1] == '!' || text[at + 1] == '|');
        const std::size_t end = tag ? text.find('>', at) : std::string_view::npos;
        if (end != std::string_view::npos) at = end;
        else if (!tag) out += text[at];
    }
    return out;
}

// `[text](address)` as "text (address)".
std::string without_links(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == ']' && at + 1 < text.size() && text[at + 1] == '(') out += ' ';
        else if (text[at] != '[' && text[at] != ']') out += text[at];
    }
    return out;
}

// Emphasis, code marks, table bars, amounts.
std::string without_marks(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at], next = at + 1 < text.size() ? text[at + 1] : ' ', last = at == 0 ? ' ' : text[at - 1];
        if (c == '`' || c == '{' || c == '}' || c == '\\') continue;
        if (c == '$' && !is_digit(next)) continue;
        if (c == '*' && (next == '*' || last == '*' || !is_blank(next) || !is_blank(last))) continue;
        if ((c == '_' || c == '~') && (next == c || last == c)) continue;
        if (c == '|') out += ',';
        else out += c;
    }
    return out;
}

bool is_rule(std::string_view line) {  // of a table, under a heading, between paragraphs
    const auto signs = std::count_if(line.begin(), line.end(), [](char c) { return std::string_view("-=*_|:+").find(c) != std::string_view::npos; });
    return signs >= 3 && std::all_of(line.begin(), line.end(), [](char c) { return is_blank(c) || std::string_view("-=*_|:+").find(c) != std::string_view::npos; });
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

// "| a | b |" as "a, b".
std::string cells(std::string_view row) {
    std::string out;
    for (std::size_t at = 0; at <= row.size();) {
        const std::size_t end = std::min(row.find('|', at), row.size());
        const std::string_view cell = trimmed(row.substr(at, end - at));
        if (!cell.empty()) out += (out.empty() ? "" : ", ") + std::string(cell);
        at = end + 1;
    }
    return out;
}

// What begins a line: headings lose their marks, points of a list get a dash, fences go.
std::string begun(std::string_view line) {
    const std::size_t indent = std::min(line.find_first_not_of(" \t"), line.size());
    std::string_view rest = line.substr(indent);
    if (rest.starts_with("```") || rest.starts_with("~~~")) return {};
    if (std::count(rest.begin(), rest.end(), '|') >= 2) return cells(rest);
    while (rest.starts_with('#') || rest.starts_with('>')) {
        rest.remove_prefix(1);
        while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
    }
    if ((rest.starts_with("* ") || rest.starts_with("+ "))) return std::string(line.substr(0, indent)) + "- " + std::string(rest.substr(2));
    return std::string(line.substr(0, indent)) + std::string(rest);
}

// {"key": "value"} as key: value; also where each member has a line.
std::string json_words(std::string_view text) {
    const bool member = trimmed(text).starts_with('"') && text.find("\":") != std::string_view::npos;
    std::string out;
    for (const char c : text)
        if (c != '"' || (!member && text.find('{') == std::string_view::npos)) out += c;
    return out;
}

std::string cleaned(std::string_view text) { return without_paths(without_marks(without_links(without_tags(formula(json_words(text)))))); }

// Until nothing changes: what is taken out may bring two marks together.
std::string settled(std::string text, bool line_begins) {
    for (;;) {
        std::string next = cleaned(line_begins ? begun(text) : text);
        if (next == text) return text;
        text = std::move(next);
    }
}

// Where a piece ends that can be made plain by itself; npos: not yet.
std::size_t end_of_segment(std::string_view text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '\n') return at + 1;
        if (kSigns.find(text[at]) != std::string_view::npos || (text[at] == '-' && at == 0)) {
            const auto line = text.find('\n', at);
            if (line != std::string_view::npos) return line + 1;
            break;
        }
        if (std::string_view(".!?").find(text[at]) != std::string_view::npos && at + 1 < text.size() && is_blank(text[at + 1])) return at + 1;
    }
    if (text.size() <= kLongestLine) return std::string_view::npos;
    const auto blank = text.substr(0, kLongestLine).find_last_of(" \t");
    if (blank != std::string_view::npos && blank > 0) return blank;
    return base::beginning(text, kLongestLine).size();
}

// What has no blank in so many bytes was cut anywhere: its signs might come together with the next ones.
bool is_cut(std::string_view text) { return text.size() > kLongestLine - 4 && text.find_first_of(" \t\n", 1) == std::string_view::npos; }
std::string without_signs(std::string_view text) {
    std::string out;
    for (const char c : text)
        if (kSigns.find(c) == std::string_view::npos) out += c;
    return out;
}

}  // namespace

std::string Plain::segment(std::string_view text) {
    const bool begins = line_begins_, ends = text.ends_with('\n');
    line_begins_ = ends;
    if (ends) text.remove_suffix(1);
    if (begins && is_rule(text)) return {};
    std::string out = is_cut(text) ? without_signs(text) : settled(std::string(text), begins);
    const bool nothing = trimmed(out).empty() || trimmed(out) == ",";
    if (begins && nothing && !trimmed(text).empty()) {  // a line that held nothing else is gone with its end
        line_begins_ = true;
        return {};
    }
    return out + (ends ? "\n" : "");
}

std::string Plain::take(std::string_view piece) {
    pending_ += piece;
    std::string out;
    for (;;) {
        const std::size_t end = end_of_segment(pending_);
        if (end == std::string::npos) return out;
        out += segment(std::string_view(pending_).substr(0, end));
        pending_.erase(0, end);
    }
}

std::string Plain::finish() {
    if (pending_.empty()) return {};
    const std::string rest = std::exchange(pending_, {});
    return segment(rest);
}

std::string plain(std::string_view text) {
    Plain stream;
    std::string out = stream.take(text);
    return out + stream.finish();
}

}  // namespace agents::reply
