#include "agents/answer_parts.h"

#include "text/grammar_rules.h"

namespace agents {
namespace {

constexpr std::size_t kMostHeading = 80;
// A small model may go round in a circle: it comes to the next line, and to the next part.
constexpr int kMostLines = 30, kLongestLine = 300;

}  // namespace

std::string part_of(const router::ToolCall& call) {
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

std::string rules_of_parts(const std::vector<std::string>& parts) {
    if (parts.size() < 2) return "answer ::= words\n";
    std::string out = "answer ::=";
    for (const std::string& part : parts) out += (&part == &parts[0] ? " " : " \"\\n\\n\" ") + text::ebnf_literal("`" + part + "`: ") + " part";
    const std::string length = std::to_string(kLongestLine);
    return out + "\npart ::= [^ \\n{<] [^\\n]{0," + length + "} ( \"\\n\" [^\\n]{1," + length + "} ){0," + std::to_string(kMostLines - 1) +
           "}\n";
}

}  // namespace agents
