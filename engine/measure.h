// What a machine gives at this moment, and what a step of a loaded model takes of it: for benches.
#pragma once

#include <vector>

#include "engine/op_clock.h"

namespace engine {

// Of all CPU threads of a model's pool together.
struct Rates {
    double read = 0;                     // bytes a second of a plain read of the weights where they lie
    double int8 = 0, bf16 = 0, float32 = 0;  // operations a second on registers, by the target's instructions
    double operations(Arithmetic arithmetic) const;
};

// The least that a call can take: its bytes or its arithmetic, whichever is more.
double bound(const OpCost& cost, const Rates& rates);

// `sequences` that each compute `rows` tokens after `depth` that are known.
struct StepShape {
    int sequences = 1, rows = 1, depth = 0;
};

struct StepTimes {
    StepShape shape;
    double seconds = 0;                  // of a step, the median of several without a clock between its operations
    double least = 0, most = 0;          // of those steps
    int steps = 0;                       // of which `ops` tells, one by one
    std::vector<OpTime> ops{};
    Rates rates{};                       // before and after them, the mean
    double bound() const;                // seconds: the sum over the operations of one step
};

}  // namespace engine
