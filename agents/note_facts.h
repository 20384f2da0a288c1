// Facts that nobody asked to keep: a model under grammar reads them out of what a person said, at night, and out of his documents. One that does not stand on the person's own words, or the
// document's, is dropped, so that the assistant never claims what nobody said.
#pragma once

#include "agents/digest.h"
#include "memory/person_indexes.h"

namespace agents {

// Of a reply under facts_schema(). Error{corrupt}: it is none.
struct FoundFact {
    std::string text, about, quote;
};
base::OrderedJson facts_schema();
base::Result<std::vector<FoundFact>> parse_facts(const std::string& reply);

// In which of the segments the person says it; none: in none of them. Pure.
std::vector<store::Segment>::const_iterator stands_in(const FoundFact& fact, const std::vector<store::Segment>& segments);

// What `known` holds in other words is counted there. `noted` counts the facts that are kept. Both outlive it.
Digest facts_of_talk(memory::PersonIndexes& known, int& noted);
// They are a text's word and nobody's own, whoever gave the document.
Digest facts_of_documents(memory::PersonIndexes& known, int& noted);

}  // namespace agents
