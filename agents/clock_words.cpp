#include "agents/clock_words.h"

#include <algorithm>
#include <iterator>

#include "agents/reply/words.h"

namespace agents {
namespace {

struct TimeQuestion {
    base::Language language;
    std::string_view words;
};
using enum base::Language;
constexpr TimeQuestion kTimeQuestions[] = {
    {english, "what time is it"}, {english, "what's the time"}, {english, "what is the time"}, {english, "what time is it now"}, {english, "what is the time now"},
    {french, "quelle heure est il"}, {french, "il est quelle heure"}, {french, "quelle heure est il maintenant"},
    {german, "wie spät ist es"}, {german, "wie viel uhr ist es"}, {german, "wieviel uhr ist es"}, {german, "wie spät ist es jetzt"},
    {spanish, "qué hora es"}, {spanish, "que hora es"}, {spanish, "qué horas son"},
    {italian, "che ora è"}, {italian, "che ore sono"}, {italian, "che ora e"},
};
constexpr base::InLanguages kBeforeTime = {"It is ", "Il est ", "Es ist ", "Son las ", "Sono le "};

}  // namespace

std::optional<base::Language> asks_for_time(std::string_view message) {
    std::string words;
    for (const reply::Word& word : reply::words_of(message)) words += (words.empty() ? "" : " ") + word.text;
    std::replace(words.begin(), words.end(), '-', ' ');
    const auto* const found = std::find_if(std::begin(kTimeQuestions), std::end(kTimeQuestions), [&](const TimeQuestion& one) { return one.words == words; });
    return found == std::end(kTimeQuestions) ? std::nullopt : std::optional(found->language);
}

std::string time_words(base::Language language, base::TimePoint now, const Zone& zone) {
    const LocalTime there = zone.local(now);
    const std::string wall = wall_text(there);
    return std::string(base::in(language, kBeforeTime)) + wall.substr(wall.rfind(' ') + 1) + " (" + date_text(std::chrono::floor<std::chrono::days>(there)) + ", " + zone.name() + ").";
}

}  // namespace agents
