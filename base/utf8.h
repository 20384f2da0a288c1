// Text that was cut, or that never was UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace base {

// The first characters of the text, whole, of at most `most` bytes.
std::string_view beginning(std::string_view text, std::size_t most);

// Every byte that is no UTF-8 replaced by U+FFFD: what travels as JSON or is stored takes no other.
std::string valid_utf8(std::string_view text);

}  // namespace base
