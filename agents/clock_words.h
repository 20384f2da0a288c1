// "What time is it?", which a small model answers with the date, or with something. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agents/zone.h"
#include "base/language.h"

namespace agents {

// Whether the message asks for the time of day and for nothing else; in which language.
std::optional<base::Language> asks_for_time(std::string_view message);

// "It is 08:05 (2026-03-09, Europe/Paris)."
std::string time_words(base::Language language, base::TimePoint now, const Zone& zone);

}  // namespace agents
