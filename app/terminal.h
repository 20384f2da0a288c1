// What goes to a terminal. Text that others wrote passes visible() or VisibleStream first.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/visible.h"

namespace app {

using base::visible;

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
