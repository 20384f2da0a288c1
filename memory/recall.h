// What of the remembered goes into a prompt. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "memory/fact_indexes.h"

namespace memory {

inline constexpr std::size_t kRecallBytes = 2000;

// The best of `facts`, which come best first: each text once, whole facts only, within `max_bytes` in all; in the order in which they were
// told, so that what was said later stands later.
std::vector<RecalledFact> pack(std::vector<RecalledFact> facts, std::size_t max_bytes);

// The fact as a model reads it: with the day, and of what the person did not say himself, that it is so.
std::string told(const store::Fact& fact);

// Where it comes from and why it was recalled, for the trace: id, run, day, reasons.
base::Json source_of(const RecalledFact& recalled);

}  // namespace memory
