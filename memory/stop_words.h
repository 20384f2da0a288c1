// The function words of English and French.
#pragma once

#include <string_view>

#include "memory/words.h"

namespace memory {

// `surface` in lower case, without accents. Of an unclear language there is none.
bool is_stop_word(std::string_view surface, Language language);

// What people say to be polite, of which nobody wants to be reminded: "hello", "merci".
bool is_courtesy(std::string_view surface);

}  // namespace memory
