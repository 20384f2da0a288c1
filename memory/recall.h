// What of the remembered goes into a prompt. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "memory/person_indexes.h"

namespace memory {

inline constexpr std::size_t kRecallBytes = 2000;
inline constexpr std::size_t kExcerptBytes = 300;  // of one side of what was said
inline constexpr std::size_t kSectionExcerptBytes = 900;

// The best of `facts`, which come best first: each text once, whole facts only, within `max_bytes` in all; in the order in which they were
// told, so that what was said later stands later.
std::vector<RecalledFact> pack(std::vector<RecalledFact> facts, std::size_t max_bytes);

// The fact as a model reads it: with the day, with who told it where that was another one of a group, of what the person did not say himself or did not ask to be kept, that it is so, and of what was replaced, until when it held.
std::string told(const store::Fact& fact);

// What was said as a model reads it: the day, and of both sides what lies around the words that it was found by.
std::string told(const RecalledSegment& recalled);

// A summary with the days of what it sums up.
std::string told(const RecalledEpisode& recalled);

// A part of a document, with its name and heading.
std::string told(const RecalledSection& recalled);

// Where it comes from and why it was recalled, for the trace: id, run, day, reasons.
base::Json source_of(const RecalledSection& recalled);
base::Json source_of(const RecalledSegment& recalled);
base::Json source_of(const RecalledEpisode& recalled);
base::Json source_of(const RecalledFact& recalled);

}  // namespace memory
