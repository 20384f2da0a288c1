// Reminders that are asked for in German, Spanish or Italian, as agents/errand.h reads those of English and French: their time becomes the words that
// agents/when reads. Hours are those of the day's 24, as people of these languages write them: "um 8" is 08:00, "um 8 Uhr abends" 20:00. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agents/errand.h"

namespace agents {

// With the time in words of agents/when, and as it was said; without one where only what is to be done was.
std::optional<Errand> foreign_reminder(std::string_view message);

// The time, where a message is one and nothing else, in words of agents/when.
std::optional<std::string> foreign_time_alone(std::string_view message);

}  // namespace agents
