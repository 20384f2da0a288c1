// hearth mathcore simulate and import: days of telemetry that this household did not live through.
#pragma once

#include <string>
#include <vector>

#include "agents/zone.h"
#include "app/settings.h"
#include "store/node_days.h"

namespace app {

// The day that it is there.
store::Day day_at(const agents::Zone& zone, base::TimePoint t);

struct SimulatedDays {
    int days = 45, ago = 1;             // how many, and how many days ago the last of them is
    int requests = 60;                  // on a weekday
    std::string seed = "1";
    std::string scenario;               // of router/math/scenarios.h; empty: none
    int calm = 0;                       // days before it begins
    std::vector<std::string> slow, timeouts;  // NODE=FACTOR of its latencies, NODE=SHARE of its events
};

// As lines of JSON on standard output, as mathcore_import reads them.
int mathcore_simulate(const LoadedSettings& loaded, const SimulatedDays& wanted);
// `mixed`: also into days of which there is telemetry of the pipeline's own.
int mathcore_import(const LoadedSettings& loaded, const std::string& file, bool mixed);

}  // namespace app
