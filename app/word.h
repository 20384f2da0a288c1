// A person at a terminal is asked for the word that a run waits for, and sees how the run goes on.
#pragma once

#include <string>

#include "app/chat_turn.h"
#include "app/lines.h"
#include "base/result.h"

namespace app {

enum class Word { grant, deny, none };
// Shows what the run wants to do and asks. None: the input ended, or there was an interruption.
Word ask_person(Lines& lines, const base::Json& approval);
// Hands it over, waiting for a server that is away. What was decided elsewhere meanwhile, or has expired, is told, and no error: the run goes on with that.
base::Result<void> hand_over(const std::string& socket, const base::Json& approval, Word word);

// For as long as the run of the turn comes to rest for a word: asks, hands the word over and shows what follows, whichever
// server goes on with the run. The turn's result is then as the server's last event would have told it. Without a word
// (end of input, an interruption) the run stays at rest; an interruption while it works stops it.
void see_through(const std::string& socket, Lines& lines, Turn& turn);

}  // namespace app
