// A plain question that one thing answers which its asker has told: a small model leaves that out, or makes something up in its place, so
// that it is said back as it was told (docs/small-models.md). Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include "memory/person_indexes.h"

namespace agents {

// Which of the recalled facts answers "when", "where", "who", "which", "how many" and the like, in English or French: it has every word that
// the question is about, and something of the kind that is asked for. Nothing: none does, or several do.
std::optional<memory::RecalledFact> known_answer(std::string_view question, const std::vector<memory::RecalledFact>& facts, std::chrono::sys_days today);

// Whether the text is such a question and the fact has every word that it is about.
bool is_about(std::string_view fact, std::string_view question, std::chrono::sys_days today);

}  // namespace agents
