// How many readings of a text a grammar makes a position keep. Internal to grammar.
#pragma once

#include <cstddef>
#include <optional>

#include "text/automaton.h"

namespace text {

constexpr std::size_t most_readings = 20000;

// A state from which more than most_readings states are reached before the next byte is read, or from which on the count
// takes too long. What reads a byte there looks at all of them.
std::optional<int> too_many_readings(const Machine& m);

}  // namespace text
