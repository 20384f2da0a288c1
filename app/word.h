// A person at a terminal is asked for the word that a run waits for, and sees how the run goes on.
#pragma once

#include <string>

#include "app/chat_turn.h"
#include "app/lines.h"
#include "base/result.h"

namespace app {

enum class Word { grant, deny, none, given };
// Shows what the run wants to do and asks. None: the input ended, or there was an interruption. Given: it was settled elsewhere
// meanwhile, which is told.
Word ask_person(const std::string& socket, Lines& lines, const base::Json& approval);
// Hands the person's word over, waiting for a server that is away: the approval as it is then. Error{conflict}: it was settled elsewhere, or has expired.
base::Result<base::Json> hand_over(const std::string& socket, const base::Json& approval, Word word);
// Both, for a run that is shown on: what was settled elsewhere is told, and no error, since the run goes on with that. False: there is no word.
base::Result<bool> have_word(const std::string& socket, Lines& lines, const base::Json& approval);

// For as long as the run of the turn comes to rest for a word: asks, hands the word over and shows what follows, whichever
// server goes on with the run. The turn's result is then as the server's last event would have told it. Without a word
// (end of input, an interruption) the run stays at rest; an interruption while it works stops it.
void see_through(const std::string& socket, Lines& lines, Turn& turn);

}  // namespace app
