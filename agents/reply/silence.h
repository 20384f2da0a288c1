// Replies that say nothing.
#pragma once

#include <string_view>

namespace agents::reply {

// Whether nothing of the text can be seen: spaces, controls, characters of width zero and those that fill a place.
bool is_silent(std::string_view text);

}  // namespace agents::reply
