// The words that occur, and the one that a mistyped word may have meant. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace memory {

class Vocabulary {
public:
    Vocabulary() = default;
    Vocabulary(Vocabulary&&) = default;
    Vocabulary& operator=(Vocabulary&&) = default;

    // → the word's number. Function words have one too, but nothing is repaired to them.
    std::uint32_t add(const std::string& surface, bool stop);
    std::optional<std::uint32_t> find(const std::string& surface) const;
    const std::string& word(std::uint32_t number) const { return *words_[number].text; }

    // The word that differs from `surface` by one slip of the hand (a letter too many, too few, another, or two of them changed over), of
    // nine letters and more by two; both begin alike. Of several the nearest, then one of the same letters, then the most frequent. Words of
    // less than five letters are too like each other, and below seven one with another letter is mostly another word.
    std::optional<std::uint32_t> repair(const std::string& surface) const;

    std::size_t bytes() const;

private:
    // A word of a first letter and a length, with what says at once of most that they are too far off.
    struct Likeness {
        std::uint32_t letters;  // a bit for each that occurs
        std::uint32_t number;
    };
    struct Known {
        const std::string* text;  // the key of numbers_
        std::uint32_t uses;       // 0: a function word
    };
    std::unordered_map<std::string, std::uint32_t> numbers_;
    std::vector<Known> words_;
    std::unordered_map<std::uint32_t, std::vector<Likeness>> by_beginning_;  // first letter and length → words
};

// Levenshtein's distance where two neighbours changed over count as one edit (optimal string alignment); more than `most`: most + 1.
std::size_t slips_between(std::string_view a, std::string_view b, std::size_t most);

}  // namespace memory
