// What somebody has typed, without all that is no letter: for the few messages that are understood by themselves, before any model. Pure.
#pragma once

#include <string>
#include <string_view>

namespace server::bridges {

// Letters and digits in small, everything that is none a single blank.
std::string bare_words(std::string_view text);

}  // namespace server::bridges
