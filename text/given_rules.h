// A language that a client brings: what an answer must be.
#pragma once

#include <string>
#include <vector>

namespace text {

struct GivenRules {
    enum class Kind {
        regex,   // texts[0], which the whole answer matches
        ebnf,    // texts[0], see Grammar::from_ebnf
        choice,  // one of the texts
    } kind = Kind::regex;
    std::vector<std::string> texts;
    bool operator==(const GivenRules&) const = default;
};

}  // namespace text
