#include "agents/passages.h"

#include <algorithm>
#include <cctype>

#include "base/utf8.h"
#include "text/output_parser.h"

namespace agents {
namespace {

constexpr std::size_t kLongestPassage = 320;  // bytes
constexpr std::size_t kMostPassages = 80;
constexpr std::size_t kWrapped = 50;          // bytes: a prose line of this length may go on in the next one
constexpr std::size_t kWordsOfSentence = 4;

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80; }
bool is_blank(std::string_view line) { return line.find_first_not_of(" \t") == std::string_view::npos; }

std::string_view trimmed(std::string_view text) {
    const auto from = text.find_first_not_of(" \t");
    return from == std::string_view::npos ? std::string_view() : text.substr(from, text.find_last_not_of(" \t") + 1 - from);
}

std::size_t words_in(std::string_view text) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < text.size(); ++i) count += is_letter(text[i]) && (i == 0 || !is_letter(text[i - 1]));
    return count;
}

// Where a sentence that begins at `from` ends: behind a full stop and the marks that close around it, before a space. npos: it does not.
std::size_t sentence_end(std::string_view text, std::size_t from) {
    for (std::size_t at = from; (at = text.find_first_of(".!?", at)) != std::string_view::npos; ++at) {
        std::size_t end = at + 1;
        while (end < text.size() && std::string_view("\"')*_`").find(text[end]) != std::string_view::npos) ++end;
        if (end == text.size()) return end;
        // "e.g. this" and "No. 5" go on; a new sentence begins with no small letter.
        if (text[end] == ' ' && end + 1 < text.size() && !std::islower(static_cast<unsigned char>(text[end + 1])) && at - from > 3) return end;
    }
    return std::string_view::npos;
}

// A sentence of prose stands at the line's beginning, perhaps with an emphasis or a link.
bool is_sentence(std::string_view line) {
    return (is_letter(line[0]) || std::string_view("*_[").find(line[0]) != std::string_view::npos) && words_in(line) >= kWordsOfSentence && sentence_end(line, 0) != std::string_view::npos;
}

// A heading, a rule or a fence: says little, and anything may follow it.
bool is_frame(std::string_view line) {
    const std::string_view text = trimmed(line);
    return text.starts_with('#') || text.starts_with("```") || std::none_of(text.begin(), text.end(), [](char c) { return is_letter(c) || std::isdigit(static_cast<unsigned char>(c)); });
}

bool goes_on(std::string_view line, std::string_view next) {
    return line.size() >= kWrapped && is_letter(line[0]) && !next.empty() && !is_frame(next) && (is_letter(next[0]) || std::string_view("(`\"*[").find(next[0]) != std::string_view::npos);
}

void add(Passages& out, std::string_view text, bool same_paragraph) {
    if (out.list.size() == kMostPassages || text::holds_call_mark(text)) {
        out.left_out = true;
        return;
    }
    out.list.push_back({shortened(text, kLongestPassage), same_paragraph && !out.list.empty()});
}

void add_paragraph(Passages& out, std::string_view paragraph) {
    bool first = true;
    for (std::size_t from = 0; from < paragraph.size();) {
        const std::size_t end = std::min(sentence_end(paragraph, from), paragraph.size());
        add(out, paragraph.substr(from, end - from), !first);
        first = false;
        from = paragraph.find_first_not_of(' ', end);
        if (from == std::string_view::npos) break;
    }
}

// Lines that were one before they were wrapped, as one again.
std::vector<std::string> unwrapped(const std::vector<std::string>& lines) {
    std::vector<std::string> out;
    bool fenced = false, open = false;
    for (const std::string& line : lines) {
        const bool fence = trimmed(line).starts_with("```");
        if (open && !fence && !fenced)
            out.back() += " " + std::string(trimmed(line));
        else if (!is_blank(line))
            out.push_back(line);
        fenced ^= fence;
        const std::size_t next = std::size_t(&line - lines.data()) + 1;
        open = !fenced && !is_blank(line) && !is_frame(line) && next < lines.size() && goes_on(line, lines[next]);
    }
    return out;
}

}  // namespace

std::string shortened(std::string_view text, std::size_t most) {
    if (text.size() <= most) return std::string(text);
    std::size_t end = text.find_last_of(' ', most);
    if (end == std::string_view::npos || end < most / 2)
        end = base::beginning(text, most).size();
    while (end > 0 && text[end - 1] == ' ') --end;
    return std::string(text.substr(0, end)) + " …";
}

Passages lines_as_passages(const std::vector<std::string>& lines) {
    Passages out;
    auto from = lines.begin(), to = lines.end();
    while (from != to && is_blank(*from)) ++from;
    while (from != to && is_blank(to[-1])) --to;
    for (; from != to; ++from) add(out, *from, true);
    return out;
}

Passages passages_of(const std::vector<std::string>& lines) {
    Passages out;
    const auto paragraphs = unwrapped(lines);
    out.prose = std::any_of(paragraphs.begin(), paragraphs.end(), [](const std::string& line) { return !is_frame(line) && is_sentence(line); });
    if (!out.prose) return lines_as_passages(lines);
    for (const std::string& paragraph : paragraphs)
        if (!is_frame(paragraph)) add_paragraph(out, trimmed(paragraph));
    return out;
}

}  // namespace agents
