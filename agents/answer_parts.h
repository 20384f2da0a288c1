// A reply with several calls is a plan of several parts. A small model tells of the first result and
// ends; so the answer is bound to tell of each: a paragraph a call, headed by what was called.
#pragma once

#include <string>
#include <vector>

#include "router/types.h"

namespace agents {

// What heads the paragraph: the tool's name and its main argument, on one line.
std::string part_of(const router::ToolCall& call);

// What binds the answer (router::ModelRequest::answer_rules); fewer than two parts: words, whatever they are.
std::string rules_of_parts(const std::vector<std::string>& parts);

}  // namespace agents
