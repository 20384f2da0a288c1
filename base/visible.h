// Text that others wrote (models, files, programs, the server) on its way to a terminal: what would act on
// the terminal is shown instead.
#pragma once

#include <string>
#include <string_view>

namespace base {

// Control characters (C0 but line feed and tab, DEL, C1) and those that change the direction of what follows
// (U+202A–U+202E, U+2066–U+2069) become "\u001b" and the like; a byte that is no UTF-8 becomes U+FFFD. In the
// text of a JSON document the same form is JSON's own, so that its values stay what they are.
std::string visible(std::string_view text);

}  // namespace base
