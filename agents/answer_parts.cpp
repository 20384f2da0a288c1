#include "agents/answer_parts.h"

#include <algorithm>
#include <cctype>
#include <sstream>

#include "text/grammar_rules.h"

namespace agents {
namespace {

constexpr std::size_t kMostHeading = 80;
// A small model may go round in a circle: it comes to the next line, and to the next part. What it says of a text
// further down is less and less what the text says.
constexpr int kMostLines = 3, kLongestLine = 300;
constexpr std::size_t kMostNames = 64, kLongestName = 120;
constexpr std::size_t kMostOpenings = 6, kLongestOpening = 100, kWordsOfOpening = 3;
constexpr std::size_t kLongResult = 400;  // bytes; behind a longer one a small model loses the question

std::string heading_of(const router::ToolCall& call) {
    std::string out = call.name;
    if (const auto arguments = base::parse_ordered_json(call.arguments); arguments && arguments->is_object())
        for (const auto& value : *arguments)
            if (value.is_string()) {
                out += " " + value.get<std::string>();
                break;
            }
    out = out.substr(0, out.find_first_of("\r\n"));
    if (out.size() <= kMostHeading) return out;
    std::size_t end = kMostHeading;
    while ((static_cast<unsigned char>(out[end]) & 0xc0) == 0x80) --end;  // whole characters
    return out.substr(0, end) + "…";
}

bool in_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80; }

// The words of a line: what stands between spaces, without the punctuation around it.
std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> out;
    while (true) {
        const auto from = std::find_if(line.begin(), line.end(), in_word);
        if (from == line.end()) return out;
        const auto end = std::find_if(from, line.end(), [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; });
        auto to = end;
        while (!in_word(to[-1])) --to;
        if (std::any_of(from, to, [](char c) { return in_word(c) && !std::isdigit(static_cast<unsigned char>(c)); })) out.emplace_back(from, to);
        line = {end, line.end()};
    }
}

// The first words of each line. A title alone could be followed by anything: fewer than three words only where
// there is no line of more.
std::vector<std::string> openings_of(const std::string& result) {
    std::vector<std::string> out;
    for (const std::size_t wanted : {kWordsOfOpening, std::size_t(1)}) {
        std::istringstream lines(result);
        for (std::string line; std::getline(lines, line) && out.size() < kMostOpenings;) {
            const auto words = words_of(line);
            if (words.size() < wanted) continue;
            const std::string_view last = words[std::min(words.size(), kWordsOfOpening) - 1];
            const char* from = words[0].data();
            if (from != line.data() && (from[-1] == '"' || from[-1] == '`')) --from;
            std::string opening(from, std::size_t(last.data() + last.size() - from));
            if (opening.size() <= kLongestOpening && std::find(out.begin(), out.end(), opening) == out.end()) out.push_back(std::move(opening));
        }
        if (!out.empty()) return out;
    }
    return out;
}

std::string either(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words) out += (out.empty() ? "( " : " | ") + text::ebnf_literal(word);
    return out + " )";
}

// Names in the listing's order, so that none comes twice but as the last. The first is said: what begins in the
// middle goes on from there, and leaves out what a person would want to see.
std::string listing_rule(const std::vector<std::string>& names, bool more) {
    std::string out = "names-begin";
    if (names.size() > 1) out += " " + text::ebnf_literal(names[0]) + " names-next";
    for (std::size_t i = 1; i + 1 < names.size(); ++i) out += " ( " + text::ebnf_literal(names[i]) + " names-next )?";
    return out + " " + either(names) + " names-end" + (more ? " \" …\"" : "");
}

std::string part_rule(const Part& part, const std::string& line) {
    if (!part.names.empty()) return listing_rule(part.names, part.more);
    if (part.openings.empty()) return "[^ \\n\\t{<] [^\\n\\t]" + line + " lines";
    return either(part.openings) + " ( [^a-zA-Z0-9\\n\\t] [^\\n\\t]" + line + " )? lines";
}

}  // namespace

Part part_of(const router::ToolCall& call, const tools::CallOutcome& outcome) {
    Part part;
    part.heading = heading_of(call);
    for (const std::string& name : outcome.names)
        if (part.names.size() < kMostNames && name.size() <= kLongestName) part.names.push_back(name);
    part.more = part.names.size() < outcome.names.size();
    constexpr std::string_view kMark = "Error: ";
    const bool marked = outcome.text.starts_with(kMark);
    if (part.names.empty()) part.openings = openings_of(marked ? outcome.text.substr(kMark.size()) : outcome.text);
    part.alone = outcome.text.size() > kLongResult || outcome.state != tools::CallState::done;
    return part;
}

std::string rules_of_parts(const std::vector<Part>& parts) {
    if (parts.empty() || (parts.size() == 1 && !parts[0].alone)) return "answer ::= words\n";
    const std::string line = "{0," + std::to_string(kLongestLine) + "}";
    std::string out = "answer ::=";
    for (const Part& part : parts)
        out += (&part == &parts[0] ? " " : " \"\\n\\n\" ") + text::ebnf_literal("`" + part.heading + "`: ") + " " + part_rule(part, line);
    out += "\nlines ::= ( \"\\n\" [^\\n\\t0-9] [^\\n\\t]" + line + " ){0," + std::to_string(kMostLines - 1) + "}\n";
    return out + "names-begin ::= \"\" | \"- \" | \"the folder \"\n"
                 "names-next ::= \"/\"? ( \", \" | \" and \" | \", and \" | \"\\n\" | \"\\n- \" ) ( \"the folder \" )?\n"
                 "names-end ::= \"/\"? \".\"?\n";
}

}  // namespace agents
