#include "agents/note_facts.h"

#include <algorithm>

#include "memory/evidence.h"

namespace agents {
namespace {

using base::Code;
using base::OrderedJson;

// Those of one reply, and characters of each part. All of them together are within the reply's tokens, so that none is cut off.
constexpr int kFacts = 8, kText = 200, kAbout = 60, kQuote = 160, kReplyTokens = 1400;
constexpr std::size_t kAlike = 3;  // known facts that are looked through for the same in other words

OrderedJson text_of(int least, int most) { return {{"type", "string"}, {"minLength", least}, {"maxLength", most}}; }

// As the person has said it before, else as it was found: what came from outside, or from another of a group, becomes nobody's own word by being
// said in part.
std::string known_words(memory::PersonIndexes& known, store::Tx& tx, const std::string& text, base::TimePoint now) {
    for (const memory::RecalledFact& one : known.recall(tx, text, now, kAlike))
        if (!one.fact.until && one.fact.trusted && one.fact.teller.empty() && memory::says_all(one.fact.body, text)) return one.fact.body;
    return text;
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
    return std::find_if(segments.begin(), segments.end(), [&](const store::Segment& one) { return memory::quotes(fact.quote, one.asked) && memory::supported(fact.text, fact.quote, one.asked) && memory::states(fact.text, one.asked); });
}

Digest facts_of_talk(memory::PersonIndexes& known, int& noted) {
    const auto keep = [&known, &noted](store::Tx& tx, const std::vector<store::Segment>& segments, const std::string& reply, const std::string&) -> base::Result<bool> {
        const auto found = parse_facts(reply);
        if (!found) return found.error();
        std::vector<store::Observation> out;
        for (const FoundFact& fact : *found) {
            const auto segment = stands_in(fact, segments);
            if (segment == segments.end() || !segment->trusted) continue;  // what others wrote stands in it, too
            store::Observation one{known_words(known, tx, fact.text, segment->said), segment->run, segment->trusted};
            one.quote = fact.quote;
            if (!memory::says_all(fact.about, fact.text)) one.subject = fact.about;  // a small model repeats the fact there
            one.segment = segment->id;
            out.push_back(std::move(one));
        }
        if (!store::mark_read(tx, store::ids_of(segments))) return false;
        for (const store::Observation& one : out) store::remember(tx, one);
        noted += int(out.size());
        return true;
    };
    return {"facts", "facts", store::Reading::facts, facts_schema(), kReplyTokens, keep};
}

}  // namespace agents
