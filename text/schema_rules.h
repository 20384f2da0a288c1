// Parts of the way from JSON Schema to EBNF. Internal to grammar.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "base/result.h"

namespace text {

// One end of a range of numbers, as written in the schema.
struct Bound {
    std::string digits;       // decimal, without exponent: "-12.5"
    bool exclusive = false;
};

// EBNF expressions for the JSON numbers between two bounds; unbounded ends have at most 16 digits,
// so that output stays within what programs read exactly. Empty: no number is between them.
std::string integer_ebnf(std::optional<Bound> low, std::optional<Bound> high);
std::string number_ebnf(std::optional<Bound> low, std::optional<Bound> high);

struct Refused {  // thrown: a schema that has no grammar here
    std::string what;
};

// One schema that accepts what both accept; `false` when nothing is left. References stay, under "allOf".
base::OrderedJson merge_schemas(const base::OrderedJson& a, const base::OrderedJson& b);

}  // namespace text
