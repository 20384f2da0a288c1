// What a question looks for. Pure.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "memory/dates.h"
#include "memory/words.h"

namespace memory {

struct Sought {
    std::string surface;
    std::vector<std::string> stems;    // in the question's language, or in both
    std::vector<std::string> others;   // in the language that the question is not in, for where those find nothing
    int count = 1;                     // how often the question says it
    bool name = false;                 // it has a capital letter, and does not begin a sentence
};

struct Question {
    std::vector<Sought> words;                      // each once, without function words and courtesies
    std::vector<std::vector<std::string>> phrases;  // surfaces in a row: what is in quotation marks, and names of several words
    std::vector<Dates> dates;
    bool past = false;                              // it asks for what was and is no more: "her former address", "avant"
    bool talk = false;                              // it asks for what was talked about, or for a time that is over: "what did we say last week?"
};

Question question_of(std::string_view text, std::chrono::sys_days today);

}  // namespace memory
