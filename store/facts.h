// What the assistant was told to remember, per audience. A fact is never changed: what is observed again is counted, and what is newer
// about the same closes what it replaces, which stays with the time for which it held.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/db.h"

namespace store {

using SegmentId = base::Id<struct SegmentTag>;  // of what was said: store/segments.h
using SectionId = base::Id<struct SectionTag>;  // of a document: store/documents.h

// In the order in which what is remembered is read: by the transaction that wrote it, or closed it.
struct MemoryPlace {
    std::int64_t written = 0;
    base::Uuid id{};
};
struct Fact {
    base::FactId id;
    std::string body;
    base::RunId source;             // in which it was first kept; nil: in none
    base::TimePoint created{};
    bool trusted = false;           // the person's own word; else text from outside was in the conversation that it was kept in
    MemoryPlace place{};
    std::optional<base::TimePoint> until{};  // it was replaced, and held until then
    std::string teller{};           // who told it, of a group's that another member told; else empty
    bool noted = false;             // a model has read it out of what the person said, who did not ask for it to be kept, or out of a document
    std::string document{};         // the name of that document, where the person has not said it
};

// Something that was told or read, once.
struct Observation {
    std::string body;
    base::RunId run{};              // in which; nil: in none
    bool trusted = false;
    std::string call{}, quote{};    // by which of its tool calls, and from which words
    std::string subject{};          // what of whom it tells ("phone number of Anna"): it replaces what held of that; empty: nothing
    std::string instead_of{};       // the words of the fact that it replaces; empty: none
    std::optional<base::TimePoint> since{};  // holds from then on; none: from now
    base::AudienceId audience{};    // a group of the person's, whose fact it is; nil: his own
    SegmentId segment{};            // it is read out of that, holds since it was said, and ends nothing that was told later; nil: it is told now
    SectionId section{};            // the same of a document, since that came in; where the person has said something about the same it is over already
};
// → the observation's id, by which the fact is found too; the fact's own where nothing with these words holds already. What is not trusted replaces nothing
// that is.
base::FactId remember(Tx& tx, const Observation& observation, base::FactId id = base::FactId::make(base::SystemClock().now()));
base::FactId remember(Tx& tx, const std::string& body, base::RunId run);

// What a reader may read, and from where it has to go on the next time: everything before is visible to him now.
struct MemoryScope {
    std::vector<base::AudienceId> audiences;  // the person, then his groups in the order of their ids
    MemoryPlace next;
    std::int64_t erased = 0;                  // the transaction in which something of theirs was last forgotten
    bool facts = false, segments = false, episodes = false, sections = false;  // of these there are some from that transaction on
};
// In one statement, so that whoever asks again and finds nothing new has read little. `since`: of what was read last the `next`.
MemoryScope memory_scope(Tx& tx, const MemoryPlace& since = {});

// Of one audience those behind that place, in order. The audience is asked for by name, so that two locks stand before another's facts: this
// one and row-level security.
std::vector<Fact> facts_behind(Tx& tx, base::AudienceId audience, const MemoryPlace& place, int most);

// Of these the ones that can be seen, in any order. Here and below, too, whose they are is asked beside row-level security.
std::vector<Fact> facts_by_id(Tx& tx, const std::vector<base::FactId>& ids);

// A fact with all that is known of it.
struct Sighting {
    base::FactId id;
    base::RunId run;
    std::string call, quote;
    bool trusted = false;
    base::TimePoint at{};
    SegmentId segment{};            // that it was read out of; nil here and there: it was told to be kept
    SectionId section{};
    std::string document{};         // the section's, by name
};
struct FactRecord {
    Fact fact;
    base::AudienceId audience;
    std::string subject;            // plain: lower case, without what it ends with
    int seen = 1;                   // how often
    base::TimePoint last_seen{}, from{};
    base::FactId replaced_by;       // nil: by nothing, or by what was forgotten since
    std::vector<Sighting> sightings{};       // find_fact: the first ones
    std::vector<base::FactId> replaces{};    // find_fact
};
// The newest first; `all`: those that were replaced, too.
std::vector<FactRecord> list_facts(Tx& tx, int limit, std::optional<base::FactId> before, bool all);
// By its id or that of an observation.
std::optional<FactRecord> find_fact(Tx& tx, base::FactId id);

// See hearth_forget: the facts, those that were read out of what goes with them alone, and what holds their words. `really` false: only how much that would be. Empty: there is no such fact of this person.
struct Forgotten {
    std::string kind;
    std::int64_t number = 0;
};
// In a group others were told what the person said: it goes there, too (hearth_forget_told), and `others` are these people.
std::vector<Forgotten> forget_facts(Tx& tx, const std::vector<base::FactId>& ids, bool really, std::vector<base::PersonId>* others = nullptr);
// Shorter ones are not looked for in other rows than those of the runs in which they were told and recalled.
inline constexpr int kLeastSoughtText = 8;

}  // namespace store
