#include "agents/known_answer.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <string>

#include "agents/when_words.h"
#include "memory/question.h"

namespace agents {
namespace {

enum class Asked { time, place, number, thing };
struct Opening {
    std::string_view words;  // that the question begins with
    Asked asked;
};
constexpr Opening kOpenings[] = {
    {"when", Asked::time},     {"on which day", Asked::time}, {"at what time", Asked::time}, {"what time", Asked::time}, {"quand", Asked::time},       {"quel jour", Asked::time},  {"a quelle heure", Asked::time},
    {"where", Asked::place},   {"ou est", Asked::place},      {"ou sont", Asked::place},     {"how many", Asked::number}, {"how much", Asked::number}, {"how old", Asked::number},  {"combien", Asked::number}, {"what number", Asked::number},
    {"who is", Asked::thing},  {"who are", Asked::thing},     {"which", Asked::thing},       {"what is", Asked::thing},   {"what are", Asked::thing},   {"what s", Asked::thing},    {"whose", Asked::thing}, {"wheres", Asked::place}, {"whens", Asked::time}, {"whats", Asked::thing}, {"whos", Asked::thing},    {"what colour", Asked::thing},
    {"what color", Asked::thing}, {"qui est", Asked::thing},  {"quel est", Asked::thing},    {"quelle est", Asked::thing}, {"quels sont", Asked::thing}, {"quelles sont", Asked::thing}, {"comment s appelle", Asked::thing}, {"how is", Asked::thing},
};
constexpr std::string_view kPlaceWords[] = {"above", "at", "behind", "below", "beside", "between", "by", "in", "inside", "near", "next", "on", "under", "a", "au", "aux", "chez", "dans", "derriere", "devant", "en", "pres", "sous", "sur"};
constexpr std::size_t kMostAnswers = 3;
constexpr std::size_t kLongest = 160;   // bytes: what is longer asks more
constexpr std::size_t kFewestWords = 2; // that a question must be about, where it does not say of what kind the answer is

const Opening* opening_of(const memory::Words& question) {
    std::string text;
    for (const memory::Word& word : question.all) text += word.surface + " ";
    const auto* const found = std::find_if(std::begin(kOpenings), std::end(kOpenings), [&](const Opening& one) { return text.starts_with(std::string(one.words) + " "); });
    return found == std::end(kOpenings) ? nullptr : found;
}

// What the question is about, without how it is asked.
memory::Question subject_of(std::string_view text, const Opening& opening, std::chrono::sys_days today) {
    memory::Question out = memory::question_of(text, today);
    std::erase_if(out.words, [&](const memory::Sought& word) { return (" " + std::string(opening.words) + " ").find(" " + word.surface + " ") != std::string::npos; });
    return out;
}

std::set<std::string> stems_of(const memory::Words& text) {
    std::set<std::string> out;
    for (const memory::Word& word : text.all)
        for (std::string& stem : memory::stems(word, text.language)) out.insert(std::move(stem));
    return out;
}

bool has(const std::set<std::string>& stems, const memory::Sought& word) {
    const auto in = [&](const std::string& stem) { return stems.contains(stem); };
    return std::any_of(word.stems.begin(), word.stems.end(), in) || std::any_of(word.others.begin(), word.others.end(), in);
}

bool has_all(const memory::Words& text, const memory::Question& question) {
    const std::set<std::string> stems = stems_of(text);
    return std::all_of(question.words.begin(), question.words.end(), [&](const memory::Sought& word) { return has(stems, word); });
}

bool tells_a_time(std::string_view fact) {
    using words::Kind;
    static constexpr Kind kTimes[] = {Kind::clock, Kind::iso_date, Kind::slashed, Kind::month, Kind::weekday, Kind::weekdays, Kind::weekend, Kind::day, Kind::part, Kind::noon, Kind::midnight, Kind::number, Kind::ordinal, Kind::every};
    const std::vector<words::Word> all = words::read(fact);
    return std::any_of(all.begin(), all.end(), [](const words::Word& word) { return std::find(std::begin(kTimes), std::end(kTimes), word.kind) != std::end(kTimes); });
}

bool tells(Asked asked, const std::string& fact, const memory::Words& words) {
    if (asked == Asked::time) return tells_a_time(fact);
    if (asked == Asked::number) return std::any_of(fact.begin(), fact.end(), [](unsigned char c) { return std::isdigit(c) != 0; }) || tells_a_time(fact);
    if (asked == Asked::thing) return true;
    const auto of_a_place = [](const memory::Word& word) { return std::find(std::begin(kPlaceWords), std::end(kPlaceWords), word.surface) != std::end(kPlaceWords); };
    return std::any_of(words.all.begin(), words.all.end(), of_a_place);
}

// Something that the question does not have itself.
bool adds(const memory::Words& fact, const memory::Question& question) {
    const auto is_new = [&](const memory::Word& word) {
        const std::vector<std::string> stems = memory::stems(word, fact.language);
        const std::set<std::string> own(stems.begin(), stems.end());
        return !word.stop && std::none_of(question.words.begin(), question.words.end(), [&](const memory::Sought& sought) { return has(own, sought); });
    };
    return std::any_of(fact.all.begin(), fact.all.end(), is_new);
}

// A message that has all that is asked about is where the fact was told, the same question, or news of it.
bool says_else(const std::string& message, const std::string& fact, const memory::Question& question) {
    if (message.find(fact) != message.npos || !has_all(memory::words_of(message), question)) return false;
    return !message.ends_with('?') || !opening_of(memory::words_of(message));
}

}  // namespace

std::vector<memory::RecalledFact> known_answers(std::string_view text, const std::vector<memory::RecalledFact>& facts, std::chrono::sys_days today, const std::vector<std::string>& earlier) {
    if (text.size() > kLongest || std::count(text.begin(), text.end(), '?') > 1 || text.find('\n') != text.npos) return {};
    const Opening* const opening = opening_of(memory::words_of(text));
    if (!opening) return {};
    const memory::Question question = subject_of(text, *opening, today);
    if (question.past || question.talk || question.words.size() < (opening->asked == Asked::thing ? kFewestWords : 1)) return {};
    std::vector<memory::RecalledFact> out;
    for (const memory::RecalledFact& one : facts) {
        if (!one.fact.trusted || one.fact.noted || one.fact.until) continue;
        const memory::Words words = memory::words_of(one.fact.body);
        if (!has_all(words, question) || !adds(words, question) || !tells(opening->asked, one.fact.body, words)) continue;
        out.push_back(one);
    }
    const auto disputes = [&](const std::string& message) {
        return std::all_of(out.begin(), out.end(), [&](const memory::RecalledFact& one) { return says_else(message, one.fact.body, question); });
    };
    if (out.size() > kMostAnswers || std::any_of(earlier.begin(), earlier.end(), disputes)) return {};
    std::stable_sort(out.begin(), out.end(), [](const auto& one, const auto& other) { return one.fact.created > other.fact.created; });
    return out;
}

bool is_about(std::string_view fact, std::string_view text, std::chrono::sys_days today) {
    const Opening* const opening = opening_of(memory::words_of(text));
    if (!opening) return false;
    const memory::Question question = subject_of(text, *opening, today);
    return !question.words.empty() && has_all(memory::words_of(fact), question);
}

}  // namespace agents
