// One node through its nights: which baseline holds, what the charts say, and what weight follows.
#pragma once

#include <optional>
#include <vector>

#include "router/math/limits.h"
#include "router/math/recommend.h"

namespace router::math {

constexpr int GONE = 14;  // nights without events after which a node is not judged

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
    std::optional<Date> seen = {};  // the last day with events
    int days = 0;                   // from the first day on, and what they are worth (days_worth)
    int worth = 0;

    // What may be done by so much history; nothing by that of a node that is there no more.
    Gate gate(Date until) const;
    bool gone(Date until) const { return seen && until - *seen >= std::chrono::days(GONE); }
};

// Baselines worth 7, 14 and then baseline_days days from the first row on. A longer one takes over only while the node does not drift. A
// node that was better for fourteen nights, and one whose state the operator has accepted, gets a new one from then on. What charts remember
// of a node before it was away for GONE nights is forgotten.
// rows: rising by date; until: the last complete day; autocorrelation: see day_autocorrelation; nodes: how many the tenant watches.
Track track(std::span<const DailyAggregate> rows, Date until, double autocorrelation, int nodes, const TrackSettings& settings, LimitTable& table);

}  // namespace router::math
