// The formats of JSON Schema that are written as patterns. Internal to grammar.
#pragma once

#include <string>
#include <string_view>

namespace text {

// Which texts of a format a pattern holds.
enum class FormatTexts {
    written,  // those that a model is let write: no quoted local parts, leap seconds or long host names
    all,      // for telling whether a text is one; still no internationalised names
};

// Empty: the format has none here, and is a note. Each holds only texts of the format as RFC 3339, 4122, 2673, 4291,
// 1123, 5321, 3986 and 6901 say.
std::string pattern_of_format(std::string_view format, FormatTexts which = FormatTexts::written);

}  // namespace text
