// What an agent keeps in mind of a conversation while it lasts: one short text.
#pragma once

#include <optional>
#include <string>

#include "store/db.h"

namespace store {

struct Scratchpad {
    std::string text;
    bool trusted = false;            // no text from outside was in the conversation by then
};
inline constexpr std::size_t kScratchpadBytes = 2048;

std::optional<Scratchpad> find_scratchpad(Tx& tx, base::ConversationId conversation);
// In place of what was there; an empty text clears it.
void set_scratchpad(Tx& tx, base::RunId run, const Scratchpad& scratchpad);

}  // namespace store
