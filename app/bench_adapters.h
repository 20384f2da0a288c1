// What it takes to go over from one adapter to another, or to the model as it is.
#pragma once

#include <vector>

#include "app/bench.h"

namespace app {

struct SwitchTimes {
    std::vector<double> stayed, switched;  // seconds to the first token of a known prompt: asked again, and after another adapter's
};
// Nothing where the engine has no adapter.
base::Result<SwitchTimes> measure_switches(engine::Engine& engine, int rounds);

void print_switches(const SwitchTimes& times);
base::Json to_json(const SwitchTimes& times);

}  // namespace app
