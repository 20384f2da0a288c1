// One node through its nights: which baseline holds, what the charts say, and what weight follows.
#pragma once

#include <optional>
#include <vector>

#include "router/math/limits.h"
#include "router/math/recommend.h"

namespace router::math {

struct TrackSettings {
    int baseline_days = 30;           // its full length, 14 or more
    std::optional<Date> accepted = {};  // the operator takes what is from this day on for normal
    std::optional<Date> frozen = {};  // from this night on the operator holds the weight where it is
};

// What one night decides of a node. All of it follows from the rows and the settings, so that a rerun gives the same.
struct NodeNight {
    Night night;
    Gate gate = Gate::insufficient;
    bool drifting = false;  // the alarm: on above 1, off after three nights below 0.7
    bool acting = false;    // the same, confirmed: what the weight needs
    double weight = 0;      // the drift's part of the weight: 0.4·min(score, 3)/3·authority, by at most 0.25 a night
};

struct Track {
    Baseline baseline;   // the last one; of no days: none yet
    Limits limits;
    std::vector<NodeNight> nights;  // from the first day that a baseline covers to the end
    double median_events = 0;
    int events = 0;
};

// Baselines of 7, 14 and then baseline_days days from the first row on. A longer one takes over only while the node does not drift. A
// node that was better for fourteen nights, and one whose state the operator has accepted, gets a new one from then on.
// rows: rising by date; until: the last complete day; autocorrelation: see day_autocorrelation; nodes: how many the tenant watches.
Track track(std::span<const DailyAggregate> rows, Date until, double autocorrelation, int nodes, const TrackSettings& settings, LimitTable& table);

}  // namespace router::math
