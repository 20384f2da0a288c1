// What goes to a terminal. Text that others wrote passes visible() or VisibleStream first.
#pragma once

#include <cstdint>
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

// How far a stage is, on standard error: on a terminal one line, written over; elsewhere a line a stage, and one each two
// seconds of it. `total` above 1000 is bytes, else pieces; 0: not known.
void show_progress(const std::string& stage, std::uint64_t done, std::uint64_t total);
void end_progress();  // after the last, where it was shown on a terminal

// The words in faint letters where standard error is a terminal that shows colours; else as they are.
std::string faint(const std::string& words);

}  // namespace app
