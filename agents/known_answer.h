// A plain question that one thing answers which its asker, or another one of his group, has told: a small model leaves that out, or makes something up in its place, so
// that it is said back as it was told (docs/small-models.md). Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "memory/person_indexes.h"

namespace agents {

// Which of the recalled facts answers "when", "where", "who", "which", "how many" and the like, in English or French: it has every word that
// the question is about, and something of the kind that is asked for. Several, the newest first, where more was told of it: the newest may have taken the place of the others. None: none does, or
// too many do, or the person has said something else about it in this conversation, `earlier`, which nobody has kept as a fact yet. What a model has worded
// is none of the person's own words.
std::vector<memory::RecalledFact> known_answers(std::string_view question, const std::vector<memory::RecalledFact>& facts, std::chrono::sys_days today, const std::vector<std::string>& earlier);

// Whether the text is such a question and the fact has every word that it is about.
bool is_about(std::string_view fact, std::string_view question, std::chrono::sys_days today);

}  // namespace agents
