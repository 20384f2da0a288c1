// Calls of tools and their results belong together, by id.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "router/types.h"
#include "store/conversations.h"

namespace agents {

// Whether every result among `messages`, from index `from` on, answers a call of the assistant's message
// that it follows, and calls can be told apart. `stored` is what the conversation holds before them.
// Error{invalid_argument} naming the message. Messages are OpenAI's and valid each by itself.
base::Result<void> check_pairing(const std::vector<store::StoredMessage>& stored, const std::vector<base::Json>& messages, std::size_t from);

// Gives every call without a result one that says so: a model's template wants both.
void complete_calls(std::vector<router::Message>& messages);

}  // namespace agents
