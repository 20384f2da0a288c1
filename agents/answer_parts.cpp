#include "agents/answer_parts.h"

#include <algorithm>
#include <cctype>

#include "text/grammar_rules.h"
#include "text/output_parser.h"

namespace agents {
namespace {

using router::ToolCall;
using tools::CallOutcome;

constexpr std::size_t kMostSubject = 80, kMostError = 320, kMostNames = 64;
constexpr std::size_t kShortText = 400, kShortLines = 12;  // up to here a text is quoted whole
constexpr std::size_t kMostMatches = 10;
constexpr int kSentencesOfRun = 3, kLinesOfRun = 8;
constexpr std::string_view kIndent = "    ";

// How a tool is spoken of: `argument` is what it was called on, `could_not` what it failed to do with that.
struct Form {
    std::string_view tool, argument, could_not;
};
constexpr Form kForms[] = {
    {"read_file", "path", "read "},     {"list_dir", "path", "list "},           {"glob_files", "pattern", "look for "},
    {"grep_files", "pattern", "search for "}, {"bash", "command", "run "},       {"write_file", "path", "write "},
    {"edit_file", "path", "edit "},
};

std::string argument_of(const ToolCall& call, std::string_view name) {
    const auto arguments = base::parse_ordered_json(call.arguments);
    if (!arguments || !arguments->is_object()) return {};
    const auto found = arguments->find(std::string(name));
    if (found == arguments->end() || !found->is_string()) return {};
    const auto text = found->get<std::string>();
    const std::string line = text.substr(0, text.find_first_of("\r\n"));
    return shortened(line, kMostSubject) + (line.size() < text.size() && line.size() <= kMostSubject ? " …" : "");
}

// A name that a reader could take for two, or for a part of the sentence, stands in quotes.
std::string shown(const std::string& name) {
    const bool plain = std::all_of(name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || std::string_view("._-/+@~=:*?[]{}").find(c) != std::string_view::npos || static_cast<unsigned char>(c) >= 0x80; });
    return plain ? name : "“" + name + "”";
}

std::string shown_command(const std::string& command) { return command.find('`') == std::string::npos ? "`" + command + "`" : "“" + command + "”"; }

std::string counted(std::size_t n, const char* one, const char* many) { return std::to_string(n) + " " + (n == 1 ? one : many); }

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        out.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

bool is_note(std::string_view line) { return line.size() > 2 && line.front() == '[' && line.back() == ']'; }

std::string sentence(std::string text) {
    if (text.empty() || std::string_view(".!?…").find(text.back()) == std::string_view::npos) text += '.';
    return text;
}

// "Search for x: no line matches x." of a result that is one remark of the tool.
std::string remark(const std::string& about, std::string_view note) { return about + ": " + sentence(std::string(note.substr(1, note.size() - 2))); }

std::string listed(const std::vector<std::string>& names, std::size_t total) {
    std::vector<std::string> kept;
    for (const std::string& name : names)
        if (kept.size() < kMostNames && !text::holds_call_mark(name)) kept.push_back(shown(name));
    const std::size_t more = total - std::min(total, kept.size());
    std::string out;
    for (std::size_t i = 0; i < kept.size(); ++i) out += (i == 0 ? "" : i + 1 == kept.size() && more == 0 ? " and " : ", ") + kept[i];
    return out + (more > 0 ? " and " + std::to_string(more) + " more." : ".");
}

std::size_t total_of(const CallOutcome& outcome, const char* fact) {
    const auto found = outcome.facts.is_object() ? outcome.facts.find(fact) : outcome.facts.end();
    return found != outcome.facts.end() && found->is_number_unsigned() ? std::max(found->get<std::size_t>(), outcome.names.size()) : outcome.names.size();
}

std::string between(const Passage& next, bool prose) {
    if (!prose) return "\n" + std::string(kIndent);
    return next.goes_on ? " " : "” and “";
}

// `lead` and the passages: all of them where they are few, else a choice.
Part quoted(std::string lead, Passages passages, bool whole) {
    Part part;
    auto& list = passages.list;
    if (list.empty()) return {lead + " nothing that can be quoted.", {}, false, false};
    std::size_t bytes = 0;
    for (const Passage& passage : list) bytes += passage.text.size();
    whole = whole || (!passages.left_out && bytes <= kShortText && list.size() <= kShortLines);
    if (whole && list.size() == 1 && !passages.left_out) return {lead + " “" + list[0].text + "”", {}, false, false};
    part.said = std::move(lead) + (passages.prose ? " “" : "\n" + std::string(kIndent));
    part.prose = passages.prose;
    part.left_out = passages.left_out;
    if (!whole) {
        part.choice = std::move(list);
        return part;
    }
    for (const Passage& passage : list) part.said += (&passage == &list[0] ? "" : between(passage, part.prose)) + passage.text;
    part.said += part.prose ? "”" : part.left_out ? "\n" + std::string(kIndent) + "…" : "";
    return {std::move(part.said), {}, false, false};
}

Part of_file(const std::string& path, const CallOutcome& outcome) {
    std::vector<std::string> lines;
    std::vector<std::string> raw = lines_of(outcome.text);
    bool more = false;
    for (std::string& line : raw) {
        const std::size_t digits = line.find_first_not_of("0123456789");
        if (digits != 0 && digits != std::string::npos && line[digits] == '\t') lines.push_back(line.substr(digits + 1));
        else if (!lines.empty() && is_note(line)) more = true;  // how to go on
        else if (raw.size() == 1 && is_note(line)) return {remark(shown(path), line), {}, false, false};
        else lines.push_back(std::move(line));
    }
    Passages passages = passages_of(lines);
    passages.left_out |= more;
    return quoted(shown(path) + " says:", std::move(passages), false);
}

Part of_command(const std::string& command, const CallOutcome& outcome) {
    std::vector<std::string> lines = lines_of(outcome.text);
    std::string lead = "The command " + shown_command(command);
    if (!lines.empty() && is_note(lines.back())) {
        if (const std::string end = lines.back().substr(1, lines.back().size() - 2); end != "exit code 0") lead += (end.starts_with("exit") ? " ended with " : " was ") + end + " and";
        lines.pop_back();
    }
    Passages passages = lines_as_passages(lines);
    if (passages.list.empty() && !passages.left_out) return {lead + " printed nothing.", {}, false, false};
    return quoted(lead + " printed:", std::move(passages), false);
}

Part of_matches(const std::string& pattern, const CallOutcome& outcome) {
    std::vector<std::string> lines = lines_of(outcome.text);
    if (!lines.empty() && is_note(lines[0])) return {remark("Search for “" + pattern + "”", lines[0]), {}, false, false};
    const std::size_t matches = std::max<std::size_t>(1, total_of(outcome, "matches"));
    Passages passages = lines_as_passages(lines);
    if (passages.list.size() > kMostMatches) passages.list.resize(kMostMatches), passages.left_out = true;
    return quoted(counted(matches, "line matches", "lines match") + " “" + pattern + "”:", std::move(passages), true);
}

Part of_failure(const Form* form, const std::string& subject, const ToolCall& call, const CallOutcome& outcome) {
    constexpr std::string_view kMark = "Error: ", kToTheAgent = " Do not repeat it";  // the person is told by the answer's last sentence
    std::string why = outcome.text.substr(outcome.text.starts_with(kMark) ? kMark.size() : 0);
    if (why.ends_with(tools::kDoWithout)) why.resize(why.size() - tools::kDoWithout.size());
    why = sentence(shortened(why.substr(0, why.find('\n')), kMostError));
    if (outcome.state == tools::CallState::unknown) {
        why.resize(std::min(why.find(kToTheAgent), why.size()));
        if (!why.empty()) why[0] = char(std::toupper(static_cast<unsigned char>(why[0])));
        return {std::move(why), {}, false, false};
    }
    const std::string what = form ? std::string(form->could_not) + (form->tool == "bash" ? shown_command(subject) : shown(subject)) : "use " + call.name;
    return {"I could not " + what + ": " + why, {}, false, false};
}

}  // namespace

Part part_of(const ToolCall& call, const CallOutcome& outcome) {
    const auto* form = std::find_if(std::begin(kForms), std::end(kForms), [&](const Form& f) { return f.tool == call.name; });
    if (form == std::end(kForms)) form = nullptr;
    std::string subject = form ? argument_of(call, form->argument) : "";
    while (subject.size() > 1 && subject.ends_with('/')) subject.pop_back();
    if (outcome.state != tools::CallState::done) return of_failure(form, subject, call, outcome);
    if (call.name == "list_dir") {
        const std::string folder = subject.empty() || subject == "." ? "The current folder" : "The folder " + shown(subject);
        if (outcome.names.empty()) return {folder + " is empty.", {}, false, false};
        const std::size_t total = total_of(outcome, "entries");
        return {folder + " holds " + counted(total, "entry", "entries") + ": " + listed(outcome.names, total), {}, false, false};
    }
    if (call.name == "glob_files") {
        if (outcome.names.empty()) return {"No file matches “" + subject + "”.", {}, false, false};
        const std::size_t total = total_of(outcome, "files");
        return {counted(total, "file matches", "files match") + " “" + subject + "”: " + listed(outcome.names, total), {}, false, false};
    }
    if (call.name == "read_file") return of_file(subject, outcome);
    if (call.name == "grep_files") return of_matches(subject, outcome);
    if (call.name == "bash") return of_command(subject, outcome);
    const Passages passages = passages_of(lines_of(outcome.text));
    // What the other tools say is a sentence already: "Wrote 12 bytes to a.txt."
    if (passages.list.size() == 1 && !passages.left_out) return {passages.list[0].text, {}, false, false};
    return quoted(call.name + " says:", passages, false);
}

std::string text_of(const Part& part) {
    std::string out = part.said;
    if (part.choice.empty()) return out;
    const std::size_t most = std::min(part.choice.size(), std::size_t(part.prose ? kSentencesOfRun : kLinesOfRun));
    for (std::size_t i = 0; i < most; ++i) out += (i == 0 ? "" : between(part.choice[i], part.prose)) + part.choice[i].text;
    const bool goes_on = part.left_out || most < part.choice.size();
    return out + (part.prose ? "”" : goes_on ? "\n" + std::string(kIndent) + "…" : "");
}

namespace {

// Rules "pI-iK-nM": passage K, and at most M - 1 of those behind it.
std::string run_rules(const Part& part, const std::string& prefix) {
    const auto name = [&](std::size_t at, int left) { return prefix + "-i" + std::to_string(at) + "-n" + std::to_string(left); };
    const int most = part.prose ? kSentencesOfRun : kLinesOfRun;
    const std::string cut = part.prose ? "”" : "\n" + std::string(kIndent) + "…";
    std::string out;
    for (std::size_t i = 0; i < part.choice.size(); ++i) {
        const bool last = i + 1 == part.choice.size();
        const std::string end = part.prose || !last || part.left_out ? text::ebnf_literal(cut) : "\"\"";
        out += prefix + "-i" + std::to_string(i) + " ::= " + text::ebnf_literal(part.choice[i].text) + "\n";
        for (int left = 1; left <= most; ++left)
            out += name(i, left) + " ::= " + prefix + "-i" + std::to_string(i) + " ( " + end +
                   (last || left == 1 ? "" : " | " + text::ebnf_literal(between(part.choice[i + 1], part.prose)) + " " + name(i + 1, left - 1)) + " )\n";
    }
    out += prefix + " ::= " + name(0, most);
    const std::string skipped = part.prose ? "" : text::ebnf_literal("…\n" + std::string(kIndent)) + " ";
    for (std::size_t i = 1; i < part.choice.size(); ++i)
        if (!part.choice[i].text.empty()) out += " | " + skipped + name(i, most);
    return out + "\n";
}

}  // namespace

std::string rules_of_parts(const std::vector<Part>& parts) {
    if (parts.empty()) return "answer ::= words\n";
    std::string out = "answer ::=", rules;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        out += " " + text::ebnf_literal((i == 0 ? "" : "\n\n") + parts[i].said);
        if (parts[i].choice.empty()) continue;
        const std::string name = "part" + std::to_string(i);
        out += " " + name;
        rules += run_rules(parts[i], name);
    }
    return out + "\n" + rules;
}

}  // namespace agents
