// Grammar of calls whose arguments stand between tags (<parameter=NAME>…</parameter>). Internal to call syntax.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"

namespace text {

// Rules that the arguments of all tools share.
std::string tagged_common_rules();

// EBNF rules, the first of them `rule`: the tagged parameters of one call, in the order of the schema; any with
// any texts where the schema describes none. Fails with `unsupported` where a schema says what cannot be
// kept between tags.
base::Result<std::string> tagged_arguments(const base::OrderedJson& parameters, const std::string& rule);

}  // namespace text
