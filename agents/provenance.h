// "Why do you know this?": what the last answer of a conversation was given to remember, and where each of it is from. It is read from
// what that answer's run has written down; no model takes part, so that nobody is told of a source that there is not.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agents/frame.h"
#include "agents/reply/words.h"
#include "agents/turn.h"

namespace agents {

// The language in which a request asks for nothing but that (English, French, German); nothing: it asks something else.
std::optional<reply::Language> asks_where_from(std::string_view request);

// Answers in that language for the last answer before the frame's run. What that was given, this turn has been given then, too: so that it is
// asked again with the same result, and forgotten with it.
void tell_where_from(store::Tx& tx, const Frame& frame, Turn& turn, reply::Language language);

}  // namespace agents
