// What a sequence's own tokens say about those to come: where it said the same before, it may go on as it did there. Pure.
// Prompt lookup (Saxena 2023) with the longest equal end among the last places where its last two tokens stand.
// Nothing allocates after construction.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "text/tokenizer.h"

namespace engine {

class PromptLookup {
public:
    PromptLookup() = default;
    explicit PromptLookup(std::size_t most_tokens);

    struct Match {
        int at = 0;      // where the text goes on that followed there
        int length = 0;  // tokens before it that the sequence ends with, at most kLongest; 0: there is none
    };
    static constexpr int kLongest = 32;
    // `tokens`: all of the sequence. Those since the last call are entered.
    Match find(std::span<const text::TokenId> tokens);

private:
    void enter(std::span<const text::TokenId> tokens);
    std::size_t bucket(text::TokenId a, text::TokenId b) const;

    std::vector<std::int32_t> newest_;  // by pair: the position behind it, 0: none
    std::vector<std::int32_t> older_;   // (tokens): the position before with a pair of the same bucket
    int entered_ = 0;                   // positions whose pair before them is entered
    int distance_ = 0;                  // from the last match to the end: it often goes on
};

}  // namespace engine
