// Text that others wrote (models, files, programs, the server) on its way to a terminal: what would act on
// the terminal is shown instead.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace app {

// Control characters (C0 but line feed and tab, DEL, C1) and those that change the direction of what follows
// (U+202A–U+202E, U+2066–U+2069) become "\u001b" and the like; a byte that is no UTF-8 becomes U+FFFD. In the
// text of a JSON document the same form is JSON's own, so that its values stay what they are.
std::string visible(std::string_view text);

// The same for text that comes in pieces, which may end amid a character.
class VisibleStream {
public:
    std::string feed(std::string_view piece);
    std::string finish();  // what an unfinished character has left

private:
    std::string pending_;
};

// In one line of at most `most` bytes, whole characters, "…" where it was cut.
std::string one_line(std::string text, std::size_t most);

// On standard output, with its line feed; `indent` as nlohmann's dump takes it.
void print_json(const base::Json& value, int indent = -1);

// The words in faint letters where standard error is a terminal that shows colours; else as they are.
std::string faint(const std::string& words);

}  // namespace app
