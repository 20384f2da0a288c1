// Answers, which models write in Markdown, as Telegram shows them: a text and what is marked in it. Pure. What is no Markdown that is
// known here stays as it was written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace server::bridges {

inline constexpr std::size_t kMessageUnits = 4096;  // of UTF-16, that a message holds

struct MarkedText {
    std::string text;
    base::Json entities = base::Json::array();  // of the API's type MessageEntity
};
// `behind_words`: an address may lie behind other words; else it stands beside them, for whoever reads to see where it leads.
MarkedText telegram_marked(std::string_view markdown, bool behind_words);

// In order, each Markdown by itself whose text fits into one message; code that goes on in the next is code there.
std::vector<std::string> telegram_marked_pieces(std::string_view markdown);

}  // namespace server::bridges
