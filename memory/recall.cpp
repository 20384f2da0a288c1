#include "memory/recall.h"

#include <algorithm>
#include <cctype>

#include "base/utf8.h"

namespace memory {
namespace {

std::string day(base::TimePoint t) { return base::rfc3339(t).substr(0, 10); }

}  // namespace

std::vector<RecalledFact> pack(std::vector<RecalledFact> facts, std::size_t max_bytes) {
    std::vector<RecalledFact> out;
    std::size_t used = 0;
    for (RecalledFact& one : facts) {
        const bool known = std::any_of(out.begin(), out.end(), [&](const RecalledFact& other) { return other.fact.body == one.fact.body; });
        if (known || used + one.fact.body.size() > max_bytes) continue;
        used += one.fact.body.size();
        out.push_back(std::move(one));
    }
    std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.fact.created < b.fact.created; });
    return out;
}

std::string told(const store::Fact& fact) {
    const std::string by = fact.teller.empty() ? "" : "by " + fact.teller + " ";
    const std::string when = by + "on " + day(fact.created);
    std::string of = " (told " + when;
    if (!fact.document.empty()) of = " (noted " + when + " from the document “" + fact.document + "”, not said by the person";
    else if (!fact.trusted) of = " (noted " + when + " from a text, not said by the person";
    else if (fact.noted) of = " (noted " + when + " from what the person said";
    return fact.body + of + (fact.until ? "; it held until " + day(*fact.until) + ", when something newer was told)" : ")");
}

namespace {

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

// Some words before the first of these and as many behind as there is room for; the beginning where none is found letter for letter.
std::string excerpt(const std::string& text, const std::vector<std::string>& words, std::size_t most) {
    if (text.size() <= most) return text;
    std::string lower = text;
    for (char& c : lower) c = char(std::tolower(static_cast<unsigned char>(c)));
    std::size_t at = std::string::npos;
    for (const std::string& word : words) at = std::min(at, lower.find(word));
    std::size_t from = at == std::string::npos || at < most / 3 ? 0 : at - most / 3;
    while (from > 0 && from < text.size() && !is_blank(text[from - 1])) ++from;
    const std::string out(base::beginning(std::string_view(text).substr(from), most));
    return (from > 0 ? "… " : "") + out + (from + out.size() < text.size() ? " …" : "");
}

}  // namespace

std::string told(const RecalledSegment& recalled) {
    const store::Segment& said = recalled.segment;
    const std::string asked = said.asked.empty() ? "" : " the person said “" + excerpt(said.asked, recalled.words, kExcerptBytes) + "” and";
    return "On " + day(said.said) + asked + " was answered “" + excerpt(said.answered, recalled.words, kExcerptBytes) + "”" + (said.trusted ? "" : " (a text from outside was in that conversation)");
}

base::Json source_of(const RecalledSegment& recalled) {
    const store::Segment& said = recalled.segment;
    return {{"segment", said.id.text()}, {"conversation", said.conversation.text()}, {"run", said.run.is_nil() ? base::Json(nullptr) : base::Json(said.run.text())}, {"told", base::rfc3339(said.said)}, {"why", recalled.why}};
}

std::string told(const RecalledEpisode& recalled) {
    const store::Episode& one = recalled.episode;
    const std::string from = day(one.began), until = day(one.ended);
    return (from == until ? "On " + from : "From " + from + " to " + until) + " this was talked about, as a model sums it up: " + one.summary + (one.trusted ? "" : " (a text from outside was in that conversation)");
}

base::Json source_of(const RecalledEpisode& recalled) {
    const store::Episode& one = recalled.episode;
    return {{"episode", one.id.text()}, {"conversation", one.conversation.text()}, {"told", base::rfc3339(one.ended)}, {"why", recalled.why}};
}

std::string told(const RecalledSection& recalled) {
    const store::DocumentSection& one = recalled.section;
    return "From the document “" + one.name + "”" + (one.heading.empty() ? "" : ", under “" + one.heading + "”") + ": “" + excerpt(one.body, recalled.words, kSectionExcerptBytes) + "”";
}

base::Json source_of(const RecalledSection& recalled) {
    const store::DocumentSection& one = recalled.section;
    return {{"section", one.id.text()}, {"document", one.document.text()}, {"name", one.name}, {"told", base::rfc3339(one.added)}, {"why", recalled.why}};
}

base::Json source_of(const RecalledFact& recalled) {
    const store::Fact& fact = recalled.fact;
    return {{"fact", fact.id.text()}, {"run", fact.source.is_nil() ? base::Json(nullptr) : base::Json(fact.source.text())}, {"told", base::rfc3339(fact.created)}, {"why", recalled.why}};
}

}  // namespace memory
