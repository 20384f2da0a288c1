// What of the remembered goes into a prompt. Pure.
#pragma once

#include <string>
#include <vector>

#include "store/facts.h"

namespace memory {

inline constexpr std::size_t kRecallBytes = 2000;
inline constexpr double kRecallScore = 0.3;  // trigram similarity below which a fact is not about the request

// The best first, none below kRecallScore, each text once, whole facts only, within `max_bytes` in all.
std::vector<store::Fact> pack(std::vector<store::Fact> facts, std::size_t max_bytes);

// The fact as a model reads it: of what the person did not say himself, that it is so.
std::string told(const store::Fact& fact);

}  // namespace memory
