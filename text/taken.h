// How much of the texts made of a plain layer's characters (token_table.h) a place takes. Internal to grammar.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "text/automaton.h"
#include "text/token_table.h"

namespace text {

struct Taken {
    std::int8_t all = 0;      // every text of at most so many characters is taken; TokenTable::unbounded: of any length
    std::int8_t looked = -1;  // longer texts than that were not looked at
    bool none_longer = false;
    bool may_end = false;     // a rule may end on the way: what the place refuses may yet follow on it
};

// Not for concurrent use.
class TakenTexts {
public:
    explicit TakenTexts(Places& places);
    // Looks at texts of at most `characters`, which TokenTable::most_characters bounds. Behind the first byte of a character
    // (`inside`: begun() of it) what is left of that one is not counted, and `all` is -1 where not all of it is taken.
    Taken of(Places::Place from, int layer, int characters, int inside = 0);
    // 0 behind a byte that is a character. Behind the first of several: what to ask with, or -1 when it cannot be asked.
    static int begun(std::uint8_t byte);
    // Looks no further once the places have done so much work: what is said then is true, and may be less than there is to say.
    void stop_at(std::uint64_t work) { stop_at_ = work; }
    std::size_t bytes() const { return known_.size() * sizeof(Taken) + met_.size() * sizeof(met_[0]); }

private:
    // A byte that stands for all of its class, and the state of a UTF-8 sequence behind it.
    struct Option {
        std::uint8_t byte, utf8;
    };

    std::vector<Option> options(int layer, std::uint8_t utf8) const;
    Taken look(Places::Place from, int layer, int characters, int inside);

    Places& places_;
    std::array<std::vector<std::vector<Option>>, TokenTable::n_plain> options_;  // [layer][state of UTF-8]
    std::vector<Taken> known_;        // [places × plain layers]
    std::vector<std::uint32_t> met_;  // [places × states of UTF-8] when it was met, while counting characters
    std::uint32_t now_ = 0;
    std::uint64_t stop_at_ = ~std::uint64_t(0);
};

}  // namespace text
