// What one step of the engine computes: pure decisions over numbers.
#pragma once

#include <span>
#include <vector>

namespace engine {

struct SchedulerLimits {
    int sequences = 8;  // decoded together
    int rows = 512;     // tokens of one step
    int blocks = 0;     // of the KV cache
};

// A running sequence as the scheduler sees it.
struct Progress {
    int computed = 0;     // tokens whose keys and values are there
    int known = 0;        // tokens of prompt and output so far; known > computed
    bool paused = false;  // its reader is behind
    int until = 0;        // where this lies ahead, the next chunk goes no further
    bool decodes = false; // its prompt is computed; more than one token left is a forced text
};

struct StepPart {
    int sequence = 0;  // index into the progress that was given
    int rows = 0;      // tokens to compute, from `computed` on
};

// How many of `waiting` (blocks that each can need in all, in order of arrival) may join now.
// `running_blocks` is what the running ones may come to need: everybody admitted can finish, so
// nothing is ever evicted half-way. First come, first served: a large request is not overtaken.
int admit(const SchedulerLimits& limits, int running, int running_blocks, std::span<const int> waiting);

// Every sequence that decodes one token gets its row; what is left of the rows goes to forced texts, then to
// prompts, each in order, cut into chunks. Appends to `step`, which keeps its capacity.
void plan_step(const SchedulerLimits& limits, std::span<const Progress> running, std::vector<StepPart>& step);

}  // namespace engine
