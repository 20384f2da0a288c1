#include "app/trace_text.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <map>
#include <set>
#include <vector>

#include "app/page.h"
#include "base/visible.h"

namespace app {
namespace {

using base::Json;
using std::chrono::microseconds;

constexpr std::size_t kQuestionLines = 10, kAnswerLines = 40, kResultLines = 3, kTimeWidth = 8, kIndent = 2;

// A member of an object, null where there is none.
const Json& at(const Json& object, const char* field) {
    static const Json nothing;
    const auto found = object.is_object() ? object.find(field) : object.end();
    return object.is_object() && found != object.end() ? *found : nothing;
}

// As a person reads it: a string as it is, anything else as JSON; nothing for null.
std::string words(const Json& value) { return base::visible(value.is_string() ? value.get<std::string>() : value.is_null() ? std::string() : base::dump(value)); }
long number(const Json& object, const char* field) { return at(object, field).is_number() ? long(at(object, field).get<double>()) : 0; }
microseconds micros(const Json& object, const char* field) { return microseconds(number(object, field)); }

std::string one_line_of(std::string text) {
    std::replace_if(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
    return text;
}

// Of the server's RFC 3339 in UTC.
microseconds time_of(const Json& value) {
    std::tm parts{};
    int fraction = 0;
    const std::string text = words(value);
    if (std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%d.%6d", &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &fraction) < 6) return {};
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    return std::chrono::seconds(timegm(&parts)) + microseconds(fraction);
}

std::string local_time(microseconds time, const char* form) {
    const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(time).count();
    std::tm parts{};
    localtime_r(&seconds, &parts);
    char text[64];
    return std::string(text, std::strftime(text, sizeof text, form, &parts));
}

Ink ink_of(const std::string& status) {
    if (status == "answered") return Ink::green;
    return status == "running" || status.starts_with("waiting") || status == "partial" || status == "cancelled" ? Ink::yellow : Ink::red;
}

std::string took(const Json& run) { return at(run, "finished").is_null() ? "–" : shown_time(time_of(at(run, "finished")) - time_of(at(run, "started"))); }

class RunPage {
public:
    RunPage(const Json& run, Look look) : run_(run), look_(look) {}

    std::string text() && {
        head();
        spoken(request(), kQuestionLines, "> ");
        spoken(answer(), kAnswerLines, "");
        if (const std::string error = words(at(run_, "error")); !error.empty() && error != answer()) paragraph("error: " + error, 0, Ink::red);
        out_ += '\n';
        timeline();
        doubts();
        line("chain: " + words(at(run_, "chain")), 0, at(run_, "chain") == "whole" ? Ink::faint : Ink::red);
        return std::move(out_);
    }

private:
    void line(const std::string& text, std::size_t indent, Ink ink = Ink::plain) {
        out_ += std::string(indent, ' ') + inked(fitted(text, room(indent)), ink, look_.coloured) + "\n";
    }
    void paragraph(const std::string& text, std::size_t indent, Ink ink = Ink::plain) {
        for (const std::string& part : wrapped(text, room(indent))) line(part, indent, ink);
    }
    std::size_t room(std::size_t indent) const { return look_.columns > indent + 10 ? look_.columns - indent : 10; }

    void head() {
        const std::string status = words(at(run_, "status"));
        out_ += "run " + words(at(run_, "id")) + "  " + words(at(run_, "model")) + "  " + inked(status, ink_of(status), look_.coloured) + "\n";
        const Json& usage = at(run_, "usage");
        std::string facts = local_time(time_of(at(run_, "started")), "%Y-%m-%d %H:%M:%S") + ", " + took(run_);
        if (usage.contains("model_calls"))
            facts += ", " + std::to_string(number(usage, "model_calls")) + " model calls, " + std::to_string(number(usage, "tool_calls")) + " tool calls";
        line(facts, 0);
        if (usage.contains("prompt_tokens")) line(tokens(usage), 0);
    }

    static std::string tokens(const Json& usage) {
        std::string out = "prompt " + std::to_string(number(usage, "prompt_tokens")) + " tokens, " + std::to_string(number(usage, "cached_tokens")) + " of them cached";
        if (const auto prefill = micros(usage, "prefill_us"); prefill.count() > 0) out += ", " + shown_time(prefill);
        out += "; output " + std::to_string(number(usage, "output_tokens"));
        if (const auto forced = number(usage, "forced_tokens"); forced > 0) out += ", " + std::to_string(forced) + " of them forced";
        if (const auto decode = micros(usage, "decode_us"); decode.count() > 0) out += ", " + shown_time(decode);
        return out;
    }

    // From the root span; it is written last, and a run that broke off has none.
    std::string said(const char* in_body, const char* in_turn) const {
        for (const Json& span : at(run_, "spans"))
            if (at(span, "parent").is_null() && at(at(span, "body"), in_body).is_string()) return words(span["body"][in_body]);
        return words(at(at(run_, "turn"), in_turn));
    }
    std::string request() const {
        const std::string told = said("request", "request");
        return told.empty() ? words(at(run_, "question")) : told;
    }
    std::string answer() const { return said("answer", "answer"); }

    void spoken(const std::string& text, std::size_t most, const std::string& mark) {
        if (text.empty()) return;
        out_ += '\n';
        const auto lines = wrapped(text, room(mark.size()));
        for (std::size_t i = 0; i < lines.size() && i < most; ++i) out_ += mark + inked(lines[i], mark.empty() ? Ink::plain : Ink::bold, look_.coloured) + "\n";
        more_lines(lines.size(), most, mark.size());
    }

    void more_lines(std::size_t all, std::size_t most, std::size_t indent) {
        if (all > most) line("… " + std::to_string(all - most) + " lines more", indent, Ink::faint);
    }

    // A span whose parent was never written, since the run broke off, begins a tree of its own.
    void timeline() {
        std::set<std::string> known;
        std::vector<const Json*> spans;
        for (const Json& span : at(run_, "spans")) known.insert(words(at(span, "id"))), spans.push_back(&span);
        std::stable_sort(spans.begin(), spans.end(), [](const Json* a, const Json* b) { return time_of(at(*a, "started")) < time_of(at(*b, "started")); });
        for (const Json* span : spans) {
            const std::string parent = words(at(*span, "parent"));
            children_[known.count(parent) ? parent : ""].push_back(span);
        }
        begin_ = spans.empty() ? microseconds{} : time_of(at(*spans.front(), "started"));
        for (const Json* span : children_[""]) at(*span, "kind") == "run" ? inside(*span, 0) : span_lines(*span, 0);
    }

    void inside(const Json& span, std::size_t depth) {
        for (const Json* child : children_[words(at(span, "id"))]) span_lines(*child, depth);
    }

    void span_lines(const Json& span, std::size_t depth) {
        const std::string kind = words(at(span, "kind")), name = words(at(span, "name"));
        const std::string begun = shown_time(time_of(at(span, "started")) - begin_), lasted = shown_time(micros(span, "duration_us"));
        const std::size_t indent = kTimeWidth + 2 + depth * kIndent, title_room = room(indent + lasted.size() + 2);
        const std::string title = fitted(kind + " " + name, title_room);
        const std::size_t gap = room(indent) > width_of(title) + lasted.size() ? room(indent) - width_of(title) - lasted.size() : 1;
        out_ += std::string(kTimeWidth > begun.size() ? kTimeWidth - begun.size() : 0, ' ') + inked(begun, Ink::faint, look_.coloured) + std::string(2 + depth * kIndent, ' ') +
                inked(title, Ink::bold, look_.coloured) + std::string(gap, ' ') + inked(lasted, Ink::faint, look_.coloured) + "\n";
        const std::size_t inner = indent + kIndent;
        if (kind == "model") model_lines(span, inner);
        else if (kind == "tool" || kind == "policy") call_lines(span, inner);
        else if (kind == "phase") phase_lines(span, inner);
        if (const std::string error = words(at(span, "error")); !error.empty() && kind != "tool" && error != words(at(run_, "error"))) paragraph("error: " + error, inner, Ink::red);
        inside(span, depth + 1);
    }

    void phase_lines(const Json& span, std::size_t indent) {
        const Json& facts = at(span, "attributes");
        std::string text = words(at(facts, "class"));
        if (const std::string next = words(at(facts, "next")); !next.empty()) text += ", then " + next;
        for (const Json& reason : at(facts, "reasons")) text += "; " + words(reason);
        if (!text.empty()) paragraph(text, indent, Ink::faint);
        for (const Json& change : at(facts, "class_changes")) {
            const std::string who = words(at(change, "who"));  // of admission the reasons stand above
            paragraph("class " + words(at(change, "class")) + " by " + who + (who == "admission" ? "" : ": " + words(at(change, "why"))), indent, Ink::faint);
        }
        if (const std::string verdict = words(at(facts, "verdict")); !verdict.empty()) paragraph("verdict " + verdict + ": " + words(at(facts, "why")), indent, verdict == "pass" ? Ink::faint : Ink::yellow);
        for (const Json& claim : at(at(span, "body"), "claims")) paragraph("claim “" + words(at(claim, "sentence")) + "” that no step had done: " + words(at(claim, "outcome")), indent, Ink::yellow);
    }

    void model_lines(const Json& span, std::size_t indent) {
        const Json &facts = at(span, "attributes"), &passed_over = at(facts, "fallbacks");
        std::string text = words(at(facts, "alias")) + " → " + words(at(facts, "backend")) + ": " + words(at(facts, "model"));
        if (const std::string profile = words(at(facts, "profile")); !profile.empty()) text += ", " + profile;
        if (!facts.contains("backend")) return;
        if (passed_over.empty()) text += " (first choice)";
        paragraph(text, indent);
        for (const Json& other : passed_over) paragraph("passed over " + words(at(other, "backend")) + ": " + words(at(other, "reason")), indent, Ink::yellow);
        const std::string finish = words(at(facts, "finish"));
        paragraph(tokens(at(facts, "usage")) + (finish == "stop" || finish.empty() ? "" : "; ended by " + finish), indent);
    }

    void call_lines(const Json& span, std::size_t indent) {
        const Json &body = at(span, "body"), &facts = at(span, "attributes"), &arguments = at(body, "arguments");
        if (arguments.is_object())
            for (const auto& [key, value] : arguments.items()) shortened(base::visible(key) + ": " + one_line_of(words(value)), indent);
        else if (!arguments.is_null()) shortened(one_line_of(words(arguments)), indent);
        const std::string state = words(at(facts, "state"));
        std::string head = state.empty() ? "→" : "→ " + state;
        const Json& told = at(facts, "facts");
        if (const long code = number(told, "exit_code"); code != 0) head += ", exit code " + std::to_string(code);
        if (at(told, "timed_out") == true) head += ", timed out";
        if (at(told, "out_of_memory") == true) head += ", out of memory";
        if (at(facts, "truncated") == true) head += ", its output was cut for the model";
        if (state != "done") head += ", rule " + words(at(facts, "rule"));
        line(head, indent, state == "done" ? Ink::green : Ink::red);
        const auto lines = lines_of(words(at(body, "result")));
        for (std::size_t i = 0; i < lines.size() && i < kResultLines; ++i) shortened(one_line_of(lines[i]), indent + kIndent);
        more_lines(lines.size(), kResultLines, indent + kIndent);
    }

    // In one line; what was cut is counted.
    void shortened(const std::string& text, std::size_t indent) {
        const std::size_t all = width_of(text), wide = room(indent);
        if (all <= wide) return line(text, indent);
        const std::string note = " (" + std::to_string(all) + " characters)";
        line(fitted(text, wide > note.size() + 10 ? wide - note.size() : 10) + note, indent);
    }

    // What was begun and never told its outcome.
    void doubts() {
        for (const Json& step : at(run_, "steps")) {
            const std::string state = words(at(step, "state"));
            if (state != "unknown" && state != "intent") continue;
            paragraph((state == "unknown" ? "in doubt: " : "not finished: ") + words(at(step, "name")) + " " + words(at(step, "input")), 0, Ink::red);
            if (state == "unknown") paragraph("it was begun, and nobody knows whether it was done: look for its effect before it is done again", kIndent);
        }
    }

    const Json& run_;
    const Look look_;
    std::string out_;
    std::map<std::string, std::vector<const Json*>> children_;  // by parent, as they began
    microseconds begin_{};
};

}  // namespace

std::string run_text(const Json& run, Look look) { return RunPage(run, look).text(); }

std::string short_id(const std::string& id) { return id.substr(0, 13); }

std::string runs_text(const Json& runs, Look look) {
    std::vector<std::vector<std::string>> rows = {{"TIME", "RUN", "SCOPE", "STATUS", "TOOK", "TOKENS", "QUESTION"}};
    for (const Json& run : runs) {
        const std::string model = words(at(run, "model"));
        const Json& usage = at(run, "usage");
        rows.push_back({local_time(time_of(at(run, "started")), "%d %b %H:%M"), short_id(words(at(run, "id"))), model == "hearth" ? "home" : model.substr(model.find('/') + 1),
                        words(at(run, "status")), took(run), std::to_string(number(usage, "prompt_tokens") + number(usage, "output_tokens")), one_line_of(words(at(run, "question")))});
    }
    std::vector<std::size_t> widths(rows[0].size());
    for (const auto& row : rows)
        for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width_of(row[c]));
    std::string out;
    for (std::size_t r = 0; r < rows.size(); ++r) {
        std::size_t used = 0;
        for (std::size_t c = 0; c + 1 < rows[r].size(); ++c) {
            const std::string pad(widths[c] - width_of(rows[r][c]), ' ');
            const bool right = c == 4 || c == 5;
            const Ink ink = r == 0 ? Ink::faint : c == 3 ? ink_of(rows[r][c]) : Ink::plain;
            out += (right ? pad : "") + inked(rows[r][c], ink, look.coloured) + (right ? "" : pad) + "  ";
            used += widths[c] + 2;
        }
        out += inked(fitted(rows[r].back(), look.columns > used + 8 ? look.columns - used : 8), r == 0 ? Ink::faint : Ink::plain, look.coloured) + "\n";
    }
    return out;
}

}  // namespace app
