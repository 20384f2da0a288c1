// When something is to be done, in the words of people: English and French, by a small grammar of its own. Pure.
//
//   every other day at 8am · every 3 weeks on Friday at noon · every weekday at 8am · mondays and thursdays at 18:30 · every morning · every 15 minutes · on the 1st of every month at noon
//   tous les deux jours à 8h · tous les lundis à 9h · en semaine à 7h30 · chaque jour à midi · le dernier jour du mois à 18h
//   in 20 minutes · tomorrow at 7:30 pm · on 3 March at 10:00 · demain matin · dans deux heures · vendredi à 18h
//   a cron expression
//
// What can be read in two ways is asked about, with the words that would be clear.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agents/cron.h"

namespace agents {

struct When {
    std::string cron;                     // empty: once
    std::optional<base::TimePoint> once;
};
struct Question {
    std::string text;
    std::vector<std::string> choices;     // in words that this reads, the likelier first; may be empty
    std::string all() const;              // the question and what would be clear, on one line
};

// Error{invalid_argument} naming the word that is not understood, or the time that has passed.
base::Result<std::variant<When, Question>> read_when(std::string_view text, base::TimePoint now, const Zone& zone);

}  // namespace agents
