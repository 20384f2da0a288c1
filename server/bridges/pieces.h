// A text as several messages, for channels that take only so much in one, and measure that in units of UTF-16. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace server::bridges {

// Of UTF-16, that the text takes.
std::size_t units_of(std::string_view text);
// Where that unit begins, in bytes; a place inside a character is its beginning, one behind the end the end.
std::size_t byte_at_unit(std::string_view text, std::size_t unit);

// Where the first message of the text ends, in bytes: between paragraphs, lines or words where that leaves half a message.
std::size_t first_end(std::string_view text, std::size_t most_units);
// Of at most so many units each, none blank.
std::vector<std::string> cut_into_pieces(std::string_view text, std::size_t most_units);

}  // namespace server::bridges
