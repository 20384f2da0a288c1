// What a node is like when all is well, and how far a day is from it.
#pragma once

#include <optional>
#include <span>

#include "router/math/aggregate.h"

namespace router::math {

// Centre by kind of day and scale of one quantity's days.
struct Normal {
    double weekday = 0, weekend = 0;  // medians
    double scale = 1;                 // max(1.4826·MAD about them, 0.02)

    double centre(bool weekend_day) const { return weekend_day ? weekend : weekday; }
    double z(double value, bool weekend_day) const;  // winsorised at ±6
};

// What the failures of a baseline say is usual: (failures + ½)/(events + 1) (Jeffreys), at least 0.4 %.
double rate_against(double failures, double events);

// Of values without missing ones, the tenth that lies farthest from the medians left out. A kind of day that was seen less than
// twice takes the median of all. Nothing seen: zero and the least scale.
Normal normal_of(std::span<const double> values, std::span<const char> weekend);

struct Baseline {
    Date from{};               // its first day
    int days = 0;              // its length in calendar days
    int days_present = 0, events = 0, failures = 0;
    Normal level = {}, spread = {};
    double failure_rate = 0;   // rate_against them
    // What the limits of the charts are simulated from:
    double day_variance = 0;   // of the day's effect on y1, beyond the sampling of its events
    double level_error = 0;    // standard error of y1 within a day of weekday_count events
    double autocovariance = 0; // of neighbouring days' y1, as the variance without what fitting the medians took
    double weekday_count = 0, weekend_count = 0;  // mean events of a day that has any
    double present = 0;        // share of its days that have events
    Vector spread_residuals = {};  // y2 less its centre, one a day that has it

    // How many days it is worth; see days_worth.
    int worth() const;

    // z of a day's level. On a day of fewer events than weekdays have, the scale grows by what its fewer events add to its error.
    double level_z(const DailyAggregate& day) const;  // which has one
};

// What so many calendar days are worth, of which `seen` had events: all of them, unless more than one in seven are missing. Days on which the machine was off
// tell nothing of a node.
int days_worth(int calendar, int seen);
// The fewest days from `from` on that are worth so much; 0 where `most` are not. rows: rising by date.
int span_worth(std::span<const DailyAggregate> rows, Date from, int worth, int most);

// The days of `rows` (rising by date) from `from` on, `days` of them.
Baseline baseline_of(std::span<const DailyAggregate> rows, Date from, int days);

// The lag-one autocorrelation of the day effects of a tenant, pooled over its nodes since one node's days tell too little; 0 … 0.8.
double day_autocorrelation(std::span<const Baseline> nodes);

}  // namespace router::math
