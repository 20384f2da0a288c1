#include "agents/note_facts.h"

#include <algorithm>

#include "memory/evidence.h"
#include "store/documents.h"

namespace agents {
namespace {

using base::Code;
using base::OrderedJson;

// Those of one reply, and characters of each part. All of them together are within the reply's tokens, so that none is cut off.
constexpr int kFacts = 8, kText = 200, kAbout = 60, kQuote = 160, kReplyTokens = 1400;
constexpr int kSections = 4;       // that are read at once
constexpr std::size_t kAlike = 3;  // known facts that are looked through for the same in other words

OrderedJson text_of(int least, int most) { return {{"type", "string"}, {"minLength", least}, {"maxLength", most}}; }

// As the person has said it before, of a document also as it was noted of one, else as it was found: what came from outside, or from another of a group, becomes nobody's own word by
// being said in part.
std::string known_words(memory::PersonIndexes& known, store::Tx& tx, const std::string& text, base::TimePoint now, bool own_word) {
    for (const memory::RecalledFact& one : known.recall(tx, text, now, kAlike))
        if (!one.fact.until && (one.fact.trusted || !own_word) && one.fact.teller.empty() && memory::says_all(one.fact.body, text)) return one.fact.body;
    return text;
}

store::Observation observed(memory::PersonIndexes& known, store::Tx& tx, const FoundFact& fact, base::RunId run, base::TimePoint at, bool own_word) {
    store::Observation out{known_words(known, tx, fact.text, at, own_word), run, own_word};
    out.quote = fact.quote;
    if (!memory::says_all(fact.about, fact.text)) out.subject = fact.about;  // a small model repeats the fact there
    return out;
}

std::string said_in(const store::DocumentSection& section) { return section.heading + "\n" + section.body; }

bool has_evidence(const FoundFact& fact, const std::string& quotable, const std::string& said) { return memory::quotes(fact.quote, quotable) && memory::supported(fact.text, fact.quote, said) && memory::states(fact.text, said); }

std::string shown_sections(const std::vector<store::DocumentSection>& sections) {
    std::string out = "The document “" + sections.front().name + "”:\n\n";
    for (const store::DocumentSection& one : sections) out += (one.heading.empty() ? "" : "Under “" + one.heading + "”:\n") + one.body + "\n\n";
    return out;
}

}  // namespace

OrderedJson facts_schema() {
    const OrderedJson fact = {{"type", "object"},
                              {"properties", {{"quote", text_of(1, kQuote)}, {"text", text_of(1, kText)}, {"about", text_of(0, kAbout)}}},
                              {"required", {"quote", "text", "about"}},
                              {"additionalProperties", false}};
    return {{"type", "object"}, {"properties", {{"facts", {{"type", "array"}, {"items", fact}, {"maxItems", kFacts}}}}}, {"required", {"facts"}}, {"additionalProperties", false}};
}

base::Result<std::vector<FoundFact>> parse_facts(const std::string& reply) {
    const auto json = base::parse_json(reply);
    if (!json) return json.error();
    const base::Error none = base::error(Code::corrupt, "the reply is no list of facts");
    if (!json->is_object() || !json->contains("facts") || !(*json)["facts"].is_array()) return none;
    std::vector<FoundFact> out;
    for (const base::Json& one : (*json)["facts"]) {
        const auto text = base::string_field(one, "text"), about = base::string_field(one, "about"), quote = base::string_field(one, "quote");
        if (!text || !about || !quote || text->size() > 4 * kText || about->size() > 4 * kAbout) return none;
        out.push_back({*text, *about, *quote});
    }
    return out;
}

std::vector<store::Segment>::const_iterator stands_in(const FoundFact& fact, const std::vector<store::Segment>& segments) {
    return std::find_if(segments.begin(), segments.end(), [&](const store::Segment& one) { return has_evidence(fact, one.asked, one.asked); });
}

Digest facts_of_talk(memory::PersonIndexes& known, int& noted) {
    const auto keep = [&known, &noted](store::Tx& tx, const std::vector<store::Segment>& segments, const std::string& reply, const std::string&) -> base::Result<bool> {
        const auto found = parse_facts(reply);
        if (!found) return found.error();
        std::vector<store::Observation> out;
        for (const FoundFact& fact : *found) {
            const auto segment = stands_in(fact, segments);
            if (segment == segments.end() || !segment->trusted) continue;  // what others wrote stands in it, too
            out.push_back(observed(known, tx, fact, segment->run, segment->said, true));
            out.back().segment = segment->id;
        }
        if (!store::mark_read(tx, store::ids_of(segments))) return false;
        for (const store::Observation& one : out) store::remember(tx, one);
        noted += int(out.size());
        return true;
    };
    return {"facts", "facts", facts_schema(), kReplyTokens, [keep](store::Tx& tx, const std::vector<base::Uuid>& passed_over) { return next_segments(tx, store::Reading::facts, passed_over, keep); }};
}

Digest facts_of_documents(memory::PersonIndexes& known, int& noted) {
    const auto keep = [&known, &noted](store::Tx& tx, const std::vector<store::DocumentSection>& sections, const std::string& reply) -> base::Result<bool> {
        const auto found = parse_facts(reply);
        if (!found) return found.error();
        std::vector<store::Observation> out;
        for (const FoundFact& fact : *found) {
            const auto section = std::find_if(sections.begin(), sections.end(), [&](const store::DocumentSection& one) { return has_evidence(fact, one.body, said_in(one)); });
            if (section == sections.end()) continue;
            out.push_back(observed(known, tx, fact, {}, section->added, false));
            out.back().section = section->id;
        }
        std::vector<store::SectionId> ids;
        for (const store::DocumentSection& one : sections) ids.push_back(one.id);
        if (!store::mark_read(tx, ids)) return false;
        for (const store::Observation& one : out) store::remember(tx, one);
        noted += int(out.size());
        return true;
    };
    const auto next = [keep](store::Tx& tx, const std::vector<base::Uuid>& passed_over) -> Portion {
        std::vector<store::DocumentId> documents;
        for (const base::Uuid& one : passed_over) documents.push_back({one});
        const auto sections = store::next_unread_sections(tx, kSections, documents);
        if (sections.empty()) return {};
        return {sections.front().document.value, {}, shown_sections(sections), int(sections.size()), [sections, keep](store::Tx& later, const std::string& reply, const std::string&) { return keep(later, sections, reply); }};
    };
    return {"facts", "document_facts", facts_schema(), kReplyTokens, next};
}

}  // namespace agents
