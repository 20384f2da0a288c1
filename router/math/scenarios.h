// What may happen to a pipeline, day by day: the scenarios that the bench judges and that telemetry is simulated of.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "router/math/simtel.h"

namespace router::math {

struct Scenario {
    enum class Kind { harmful, silent, spike };

    std::string name;
    std::vector<std::string> nodes;  // that it happens to, and that are looked at; empty: all models
    Kind kind = Kind::harmful;
    Disturbance (*on)(int since, Date date) = nullptr;  // since: days from the change on
    std::optional<double> in_7 = {}, in_14 = {}, median_days = {};  // bars; of silent ones at most
    // Of what happens in a household rather than to a node:
    Disturbance (*before)(int since, Date date) = nullptr;  // on days before the change, which are below 0; none: nothing
    bool everywhere = false;  // to all nodes, whichever are looked at
    bool elsewhere = false;   // to all nodes but those that are looked at
    int from = 0;             // the day from which on it is waited for
    int watched = 31;         // days, from the change on
    std::optional<double> in_watched = {}, still = {};  // bars: found in that time; still drifting at its end
};

// A change of a node: of the bench's part detection.
const std::vector<Scenario>& changes();
// What else the days of a household bring: of its part happenings.
const std::vector<Scenario>& happenings();

// Of both, by name.
const Scenario* find_scenario(std::string_view name);

// What it does to each node of the tenant on a day.
std::vector<Disturbance> disturbances(const Scenario& scenario, const std::vector<SimNode>& nodes, int since, Date date);
// Whether the node is looked at.
bool looks_at(const Scenario& scenario, const SimNode& node);

}  // namespace router::math
