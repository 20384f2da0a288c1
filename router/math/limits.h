// Limits of the charts, simulated: textbook limits take the baseline for known, and alarm three to five times too often.
#pragma once

#include <map>
#include <tuple>

#include "router/math/charts.h"

namespace router::math {

struct Calibration {
    double false_alarms = 0.28;  // of one channel over all nodes of the tenant, in 30 days: a third less what the estimates leave open
    int days = 60;                  // that are watched after the baseline
    int bootstraps = 2000;
};

// Each limit is the quantile of the greatest value of its chart over the days watched, in parametric bootstraps of the node's own
// baseline length, volumes, day effects and failures, the baseline estimated anew in each. The spread of a day, which has no simple
// distribution, is drawn from the baseline's own days, smoothed. What is asked again is remembered, with the parameters rounded to
// about a twentieth; what is drawn hangs on those alone.
class LimitTable {
public:
    explicit LimitTable(Calibration calibration = {}) : calibration_(calibration) {}

    // `autocorrelation`: of the tenant's day effects; `nodes`: how many of the tenant's are watched.
    Limits of(const Baseline& baseline, double autocorrelation, int nodes);

private:
    using Key = std::tuple<int, int, int, int, int, int>;

    double level(const Baseline& baseline, double autocorrelation, int nodes);
    double spread(const Baseline& baseline, int nodes);
    double errors(const Baseline& baseline, int nodes);
    double limit(Vector greatest, int nodes) const;

    Calibration calibration_;
    std::map<Key, double> levels_, errors_;
};

}  // namespace router::math
