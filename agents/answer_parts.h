// A reply with several calls is a plan of several parts. A small model tells of the first result and
// ends, or, where a result is long or a call failed, of a worked example in place of it; so the
// answer is bound to tell of each: a paragraph a call, headed by what was called; of a listing it names what is there
// and nothing else, of another result it begins with words of it.
#pragma once

#include <string>
#include <vector>

#include "router/types.h"
#include "tools/invoke.h"

namespace agents {

struct Part {
    std::string heading;                // the tool's name and its main argument, on one line
    std::vector<std::string> names;     // of a listing, the first ones
    bool more = false;                  // than these; the paragraph says so
    std::vector<std::string> openings;  // of another result: its lines' first words; none: words as the model likes
    bool alone = false;                 // binds the answer even as its only part
    bool operator==(const Part&) const = default;
};
Part part_of(const router::ToolCall& call, const tools::CallOutcome& outcome);

// What binds the answer (router::ModelRequest::answer_rules); no part, or a single one that is not `alone`: words,
// whatever they are.
std::string rules_of_parts(const std::vector<Part>& parts);

}  // namespace agents
