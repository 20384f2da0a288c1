// The formats of JSON Schema that are written as patterns. Internal to grammar.
#pragma once

#include <string>
#include <string_view>

namespace text {

// Empty: the format has none here, and is a note. Each holds only texts of the format as RFC 3339, 4122, 2673, 4291,
// 1123, 5321, 3986 and 6901 say; not all of them (no quoted local parts, no internationalised names, no leap seconds).
std::string pattern_of_format(std::string_view format);

}  // namespace text
