// Grammar of calls whose arguments are neither JSON nor stand between tags: Python's f(key="value", other=[True]) and
// Gemma's {key:<|"|>value<|"|>,other:[true]}. Internal to call syntax.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace text {

struct ValueStyle {
    std::string_view quote;      // on both sides of a text, which stands as it is and does not hold it; empty: Python's texts and words
    std::string_view equals;     // between an argument's name and its value
    std::string_view separator;  // between arguments
    bool python() const { return quote.empty(); }
};

// Rules that the arguments of all tools share.
std::string value_common_rules(const ValueStyle& style);

// EBNF rules, the first of them `rule`: the arguments of one call, in the order of the schema. Fails with `unsupported`
// where a schema says what cannot be kept in this way.
base::Result<std::string> value_arguments(const base::OrderedJson& parameters, const std::string& rule, const ValueStyle& style);

}  // namespace text
