// What PostgreSQL takes as text.
#pragma once

#include <string>
#include <string_view>

namespace store {

bool is_storable(std::string_view text);
// U+FFFD in place of each byte that is no UTF-8, and of NUL: one text from outside must not end a transaction.
std::string storable(std::string_view text);

}  // namespace store
