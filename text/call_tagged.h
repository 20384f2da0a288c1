// Grammar of calls whose arguments stand between tags, as in <parameter=NAME>…</parameter>. Internal to call syntax.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace text {

// How a parameter is written: OPEN NAME OPENED VALUE CLOSE. No text between may hold one of the stops, by
// which the parser knows its end.
struct TagStyle {
    std::string_view open, opened, close;
    std::vector<std::string_view> stops;
    std::string_view opened_json = {};  // instead of `opened` before what is no text
};

// Rules that the arguments of all tools share.
std::string tagged_common_rules(const TagStyle& style);

// EBNF rules, the first of them `rule`: the tagged parameters of one call, in the order of the schema; any with
// any texts where the schema describes none. Fails with `unsupported` where a schema says what cannot be
// kept between tags.
base::Result<std::string> tagged_arguments(const base::OrderedJson& parameters, const std::string& rule, const TagStyle& style);

}  // namespace text
