// The words of claims, as data: see claims.h.
#pragma once

#include <string_view>
#include <vector>

#include "agents/reply/claims.h"

namespace agents::reply {

// Words stand apart by blanks. In forms a star marks what counts with a thing beside it alone; in `asked` what is a request only where a verb stands
// ("email Anna", not "an email").
struct ActionRow {
    Action action;
    std::string_view name;
    std::string_view english, french, german;  // participles and past forms
    std::string_view asked;                    // of requests, in all languages
    std::string_view tools;                    // words of tools' names that do it
    std::string_view in_english, in_french, in_german;  // that nothing of it was done
};
const std::vector<ActionRow>& action_rows();

// One list each, in all languages.
extern const std::string_view kThings;      // what is acted on
extern const std::string_view kComposing;   // a text is to be written
extern const std::string_view kConditions;  // what follows in the clause has not happened
extern const std::string_view kPastQuestions;
extern const std::string_view kAdverbs;     // between "I have" and "sent"
extern const std::string_view kOpenings;    // a claim may go on from here with the next word
extern const std::string_view kLateOpenings;  // or end with any later one
extern const std::string_view kIrregular;   // English past forms that are not also the present
extern const std::string_view kIndefinite;  // a subject with one of these is nothing that was asked for
extern const std::string_view kCounts;      // in front of "tests", where they are said to pass
extern const std::string_view kDenied;      // of a subject: nothing was done
extern const std::string_view kModals;      // in front of "have been": it may not be so
extern const std::string_view kHearsay;     // what follows is what another text says, or is wished for
extern const std::string_view kOtherTimes;
extern const std::string_view kKnowledge;   // what begins so asks for no action

}  // namespace agents::reply
