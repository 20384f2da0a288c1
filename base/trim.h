// Texts without the blanks around them.
#pragma once

#include <algorithm>
#include <string_view>

namespace base {

inline constexpr std::string_view kBlanks = " \t\r\n";

inline std::string_view trimmed_left(std::string_view s) { return s.substr(std::min(s.find_first_not_of(kBlanks), s.size())); }
inline std::string_view trimmed_right(std::string_view s) { return s.substr(0, s.find_last_not_of(kBlanks) + 1); }
inline std::string_view trimmed(std::string_view s) { return trimmed_right(trimmed_left(s)); }

}  // namespace base
