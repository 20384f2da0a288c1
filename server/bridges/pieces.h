// A text as several messages, for channels that take only so much in one. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace server::bridges {

// Of at most so many UTF-16 units each, none blank; cut between paragraphs, lines or words where that leaves half a message.
std::vector<std::string> cut_into_pieces(std::string_view text, std::size_t most_units);

}  // namespace server::bridges
