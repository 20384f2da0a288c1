// Whether somebody has said what a model claims that he said. By words: case, accents and punctuation make no difference. Pure.
#pragma once

#include <string_view>

namespace memory {

// The quote's words stand in a row in what was said, at least two of them, or one long one.
bool quotes(std::string_view quote, std::string_view said);

// The sentence claims little beyond what was said: it has a word of the quote's that means something, all its numbers and names were said, and of its other
// words that mean something at least half.
bool supported(std::string_view sentence, std::string_view quote, std::string_view said);

// It is a statement: no question, of two words or more that mean something, and where it only repeats what was said, with a word that states ("is", "I") and does not
// ask for something ("Write a poem about rain").
bool states(std::string_view sentence, std::string_view said);

// A known sentence has all words that mean something of another one, and denies what that denies: nothing is new.
bool says_all(std::string_view known, std::string_view other);

}  // namespace memory
