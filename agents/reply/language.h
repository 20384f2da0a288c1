// In which language a text is written: by its function words and letters. Deterministic, for English, French, German,
// Spanish and Italian; some words of their neighbours are known, so that a text in one of those is not taken for one of these.
// A short text is told by words of no other language alone, and rather not at all than wrongly. What is quoted (also by
// lines that begin with >), names in capitals, names of files and code do not count.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agents/reply/words.h"
#include "base/language.h"

namespace agents::reply {

struct Leaning {
    Language language = Language::none;  // of most words; none: there is no word of any
    double lead = 0;                     // over the next language, in words
};
Leaning leaning_of(std::string_view text);

// none: too little to tell, or two languages alike.
Language language_of(std::string_view text);

// The language in which a reply to `request` is expected: that of its first part, where a colon or a line's end parts it from what it
// is about. none: any, as when the request names another language ("in Spanish", "auf Französisch", "translate") or asks what words
// mean, or when it is in a language that is not known here.
Language language_to_answer(std::string_view request);

std::string_view name(Language language);  // "French"; empty for none and other
// As texts are said in it that no model has written; nothing for none and other.
std::optional<base::Language> spoken(Language language);

}  // namespace agents::reply
