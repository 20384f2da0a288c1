// A small model tells of the first result and ends, or of a worked example, or of what it would expect in place of what
// came back. So its answer after calls is bound to them: a paragraph a call, in words of ours that say what was called,
// around whole names, sentences and lines of the result. Where a result is long the model chooses what is quoted of it.
#pragma once

#include <string>
#include <vector>

#include "agents/passages.h"
#include "router/types.h"
#include "tools/invoke.h"

namespace agents {

struct Part {
    std::string said;             // the paragraph, or how it begins
    std::vector<Passage> choice;  // what can go on: some of these, one after the other; none: the paragraph is all said
    bool prose = false;           // quoted in the line; else set below it, line by line
    bool left_out = false;        // the result goes on behind the last passage
    bool operator==(const Part&) const = default;
};
Part part_of(const router::ToolCall& call, const tools::CallOutcome& outcome);

// The paragraph as it stands without a choice of the model's: as much as can be chosen, from the beginning.
std::string text_of(const Part& part);

// What binds the answer (router::ModelRequest::answer_rules); without a part: words, whatever they are.
std::string rules_of_parts(const std::vector<Part>& parts);

}  // namespace agents
