// Regular expressions in time linear in the text: ECMA-262 syntax with the u flag, as JSON Schema
// asks for, less back-references and look-around, which are refused by name.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace base {

using CharRange = std::pair<char32_t, char32_t>;  // both ends included

struct RegexNode {
    enum class Kind { empty, set, sequence, either, repeat, text_begin, text_end, word_border, no_word_border };
    Kind kind = Kind::empty;
    std::vector<CharRange> ranges;  // set: sorted, disjoint
    std::vector<RegexNode> parts;   // sequence, either: any number; repeat: one
    int least = 0, most = -1;       // repeat; most -1: no bound
};

// The error names the pattern, the place (in bytes) and what is wrong there.
Result<RegexNode> parse_regex(std::string_view pattern);

// Every code point that the ranges leave out.
std::vector<CharRange> complement(const std::vector<CharRange>& ranges);

class Regex {
public:
    // Refuses patterns whose program would exceed 20,000 instructions (large counted repetitions).
    static Result<Regex> compile(std::string_view pattern);
    bool search(std::string_view text) const;   // somewhere in the text
    bool matches(std::string_view text) const;  // the whole text

private:
    struct Instruction {
        enum class Kind : std::uint8_t { set, split, jump, text_begin, text_end, word_border, no_word_border, match } kind;
        int a = 0, b = 0;  // set: index into sets_, next is the following instruction; split: both targets; jump: target
    };
    struct Run;
    using SetNumbers = std::map<std::vector<CharRange>, int>;  // what a repetition writes out again and again is there once
    Result<void> emit(const RegexNode& node, SetNumbers& numbers);
    bool run(std::string_view text, bool anywhere, bool whole) const;
    std::vector<Instruction> program_;
    std::vector<std::vector<CharRange>> sets_;
};

}  // namespace base
