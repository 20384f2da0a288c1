// What a message asks for in the plainest words and asks for alone: that something be remembered, or that the person be reminded of it. A small
// model promises such things and calls no tool, so that they are read here before any model is asked. Rather nothing than wrong: what is
// a question, quoted, denied, conditional or only a part of the message is none. English, French, German, Spanish and Italian. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/language.h"

namespace agents {

struct Errand {
    enum class Kind { remember, remind };
    Kind kind = Kind::remember;
    std::string text;    // the fact, or what the person is reminded of, in words of the message
    std::string when{};  // of a reminder, as agents/when reads it; empty: it was not said
    bool to_do = false;  // of a reminder: "to …", "de …"
    std::optional<base::Language> language{};  // in which it is asked for, where the asking itself tells
    std::string spoken{};  // the time in the person's words, where `when` has others (agents/foreign_errand.h)
    bool operator==(const Errand&) const = default;
};
// A reminder without a time only where it says what is to be done: "remind me of the rules of chess" asks for them.
std::optional<Errand> errand_of(std::string_view message);
// What is kept of a reminder until its time has come: a message that reminder_of reads.
std::string reminder_order(std::string_view text, base::Language language);
// Of what a message without a time reminds, once its time has come. Behind the words of reminder_order all is the text, a time in it too.
std::optional<Errand> reminder_of(std::string_view message);

// The time, where a message is one and nothing else, as an answer to "when?" is: "20:00", "at 8 in the evening, please".
std::optional<std::string> time_alone(std::string_view message);

// In small letters, with straight apostrophes: as words of a message are compared.
std::string folded_small(std::string_view text);

}  // namespace agents
