// How far apart two names are, for those who mistype.
#pragma once

#include <cstddef>
#include <string_view>

namespace base {

// The fewest characters to insert, remove or replace that make one the other (Levenshtein); of bytes.
std::size_t edits_between(std::string_view a, std::string_view b);

}  // namespace base
