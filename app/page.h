// Lines of a page of a terminal: as wide as it is, coloured where it shows colours.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace app {

enum class Ink { plain, faint, bold, green, yellow, red };

std::string inked(const std::string& text, Ink ink, bool coloured);

std::size_t width_of(std::string_view text);  // in characters
// At most so many characters, "…" for what was cut.
std::string fitted(std::string_view text, std::size_t width);
// Lines of at most that width, broken at blanks where there are some; each goes on under its own indentation.
std::vector<std::string> wrapped(std::string_view text, std::size_t width);
std::vector<std::string> lines_of(std::string_view text);

// "0.1 ms", "12 ms", "3.4 s", "2 min 5 s"
std::string shown_time(std::chrono::microseconds time);

}  // namespace app
