// The words of a text as the analyses of a reply read them: in small letters, with what stands around them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace agents::reply {

// The languages that a reply is checked and spoken to in.
enum class Language { none, english, french, german, spanish, italian, other };

struct Word {
    std::string text;          // in small letters; of elided French words each: "j'", "ai"
    bool begins_clause = false;  // behind a comma, a semicolon, a colon, a dash or a bracket, or the first
    bool named = false;        // a file's name, or what stands between quotes or backticks (text is empty then)
};

// `quoted`: whether the text begins inside quotes; afterwards whether it ends so. What is quoted is one word without text.
std::vector<Word> words_of(std::string_view text, bool& quoted);
std::vector<Word> words_of(std::string_view text);

}  // namespace agents::reply
