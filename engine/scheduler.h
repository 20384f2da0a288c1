// What one step of the engine computes: pure decisions over numbers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/urgency.h"

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
    std::uint64_t person = 0;  // whose it is
    Urgency urgency = Urgency::person;
};

struct StepPart {
    int sequence = 0;  // index into the progress that was given
    int rows = 0;      // tokens to compute, from `computed` on
};

// One that waits.
struct Waiting {
    int blocks = 0;               // that it can need in all
    std::uint64_t person = 0;     // whose it is
    std::uint64_t last_turn = 0;  // when that person's last one joined: the larger the later, 0 never
    Urgency urgency = Urgency::person;
};

// Which of `waiting`, in order of arrival, may join now, one after another, into `joining`; `running`: whose the running ones are.
// `running_blocks` is what the running ones may come to need: everybody admitted can finish, so
// nothing is ever evicted half-way. The next one is of the most urgent, of these of whoever has fewest running, of these of whoever's last turn is
// longest ago, and of one person first come, first served. It is not overtaken, however large, but by what is more urgent. Of several places the
// last is left to people, and half of the blocks, to whatever is not the night's; one of the night that needs more of them runs while it is alone.
void admit(const SchedulerLimits& limits, std::span<const std::uint64_t> running, int running_blocks, std::span<const Waiting> waiting, std::vector<int>& joining);

// Every sequence that decodes one token gets its row; what is left of the rows goes to forced texts, then to
// prompts, each in order, cut into chunks; the prompts of each person get the same share, and of what is left by those who need
// less the first ones more. Prompts of people come before those of schedules; the night's sequences get nothing while any other has something to
// compute, so that nobody waits for them longer than the step that runs. Appends to `step`, which keeps its capacity.
void plan_step(const SchedulerLimits& limits, std::span<const Progress> running, std::vector<StepPart>& step);

}  // namespace engine
