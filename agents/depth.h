// Whether a heavy turn is thought over: what MathCore knows of the costs (router/node_metrics.h) against what thinking is worth.
#pragma once

#include "agents/frame.h"

namespace agents {

// What thinking is expected to add to the answer, in the units of docs/mathcore.md: by who wanted the class.
double gain_of(const Turn& turn);
// Once a turn, as soon as it is heavy: a path that is not worth it makes it normal, with the reason.
void choose_depth(Turn& turn, const Frame& frame);
// Hands on what a phase took. `queued`: that its calls of models waited.
void note_cost(const Frame& frame, const Turn& turn, Phase phase, std::chrono::microseconds took, std::chrono::microseconds queued, const std::string& status);

}  // namespace agents
