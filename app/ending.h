// How a run ended, said to who waits for it at a terminal.
#pragma once

#include "app/chat_turn.h"

namespace app {

// Says how a turn ended that gave no whole answer, and what to do. The process's exit status for it: 0 answered, 3 partial, 4 refused,
// 5 no model could answer, 6 it waits for somebody, 130 cancelled, 1 else.
int tell_end(const Turn& turn);

}  // namespace app
