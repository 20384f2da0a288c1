// What of a run is worth another try.
#pragma once

#include <string_view>

#include "router/types.h"

namespace agents {

// Whether the request speaks of what the call is about: a word, its plural or the name of a file is in both. A call that failed and that
// nobody asked for is told of, and not tried again.
bool in_scope(const router::ToolCall& call, std::string_view request);

// How many files the request names.
int files_named(std::string_view request);

}  // namespace agents
