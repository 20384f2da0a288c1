// A text as the words by which it is found again, in English and in French. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace memory {

// unclear: too few function words to tell; its words are then taken as both.
enum class Language { english, french, unclear };

struct Word {
    std::string surface;  // lower case, without accents: what two spellings of a word have in common
    std::string lower;    // lower case, with them: what stemming needs
    bool capital = false; // begins with a capital letter
    bool first = false;   // of its sentence
    bool stop = false;    // a function word: nothing is found by it
};

struct Words {
    std::vector<Word> all;
    Language language = Language::unclear;
};

// Words are runs of letters, marks and digits of any script; an apostrophe parts them, so that "l'avion" holds "avion".
Words words_of(std::string_view text);

// What a word is indexed under (Snowball's English and French stemmers, then without accents): one stem, or of an unclear text both
// where they differ.
std::vector<std::string> stems(const Word& word, Language language);

}  // namespace memory
