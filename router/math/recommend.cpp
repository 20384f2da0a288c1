#include "router/math/recommend.h"

#include <algorithm>
#include <cmath>

#include "router/math/robust.h"

namespace router::math {

Gate gate_of(int days, int events, double median_events) {
    if (days < 7 || events < 50) return Gate::insufficient;
    if (days < 14 || median_events < 5) return Gate::advisory;
    return days < 30 ? Gate::half : Gate::full;
}

double authority_of(Gate gate) { return gate == Gate::full ? 1 : gate == Gate::half ? 0.5 : 0; }

double live_penalty(const LiveWindow& live, const LiveBaseline& baseline) {
    if (live.events == 0) return 0;
    const double usual = std::max(baseline.p95 - baseline.median, 0.02);
    return std::clamp(std::max((live.level - baseline.median) / usual, (live.failure_rate - baseline.failure_rate) / 0.05), 0.0, 1.0);
}

double weight_adjustment(double live, double drift, double authority) {
    return std::clamp(0.6 * live + 0.4 * std::min(std::max(drift, 0.0), MOST_SCORE) / MOST_SCORE * authority, 0.0, 1.0);
}

double raw_weight_adjustment(double live, double drift) { return 0.6 * live + 0.4 * drift; }

double limited(double before, double wanted, double most) { return std::clamp(wanted, before - most, before + most); }

// Half a typical shift of interest is given up at each event; one event counts for at most 2.5, so that a single cold start is no
// shift. ln 2 is about one and a half standard deviations of single events.
bool FastPath::add(double log_latency) {
    constexpr double GIVEN_UP = 0.8, MOST = 2.5, ALARM = 6, REST = 4;
    const double z = winsorised((log_latency - centre_) / std::max(scale_, 0.02), MOST);
    up_ = std::max(0.0, up_ + z - GIVEN_UP);
    down_ = on_ ? std::max(0.0, down_ - z + GIVEN_UP) : 0;
    if (up_ > ALARM) on_ = true, up_ = ALARM;
    if (on_ && down_ > REST) on_ = false, up_ = 0, down_ = 0;
    return on_;
}

}  // namespace router::math
