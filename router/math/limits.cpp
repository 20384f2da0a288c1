#include "router/math/limits.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "router/math/random.h"
#include "router/math/robust.h"

namespace router::math {
namespace {

constexpr double LEAST = 0.5;  // of any limit
constexpr double UNCHARTED = std::numeric_limits<double>::infinity();

// Days of a simulated history begin on a Monday.
bool weekend_of(int day) { return day % 7 >= 5; }

std::vector<char> weekends(int days) {
    std::vector<char> out(static_cast<std::size_t>(days));
    for (int d = 0; d < days; ++d) out[std::size_t(d)] = weekend_of(d);
    return out;
}

// The greatest value of the EWMA after the baseline of a series that `draw(day)` gives, in units of scale(normal, weekend).
template <class Scale, class Draw>
double greatest_ewma(int baseline_days, int days, const std::vector<char>& weekend, Vector& before, Scale scale, Draw draw) {
    for (int d = 0; d < baseline_days; ++d) before[std::size_t(d)] = draw(d);
    const Normal normal = normal_of(before, weekend);
    double chart = 0, greatest = 0;
    for (int d = baseline_days; d < baseline_days + days; ++d) {
        const bool kind = weekend_of(d);
        chart = ewma_step(chart, winsorised((draw(d) - normal.centre(kind)) / scale(normal, kind), 6));
        greatest = std::max(greatest, chart);
    }
    return greatest;
}

int steps_of(double value, double step) { return int(std::lround(value / step)); }
// Steps of a twentieth of the value.
int log_steps(double value) { return steps_of(std::log(std::max(value, 0.01)), 0.05); }

template <class Key>
std::string name_of(const char* channel, const Key& key) {
    std::string name = channel;
    std::apply([&](auto... part) { ((name += '|' + std::to_string(part)), ...); }, key);
    return name;
}

}  // namespace

double LimitTable::limit(Vector greatest, int nodes) const {
    const double above = calibration_.false_alarms * calibration_.days / 30 / std::max(nodes, 1);
    return std::max(LEAST, quantile(std::move(greatest), 1 - std::min(above, 0.5)));
}

double LimitTable::level(const Baseline& b, double autocorrelation, int nodes) {
    const double total = b.day_variance + b.level_error * b.level_error;
    const double share = total > 0 ? b.day_variance / total : 0;
    // The scale of z is the baseline's own and known. The variance that the days truly have is known less well, yet better than by
    // that scale, a median of few days: the limit is in units of its estimate, whose error is drawn.
    const double in_scales = std::max(std::sqrt(total), 0.02) / b.level.scale;
    const double ratio = b.weekend_count > 0 ? b.weekday_count / b.weekend_count : 1;
    const int days = b.worth();
    const Key key{days, nodes, steps_of(autocorrelation, 0.05), steps_of(share, 0.05), std::clamp(log_steps(ratio) / 4, -10, 10), 0};
    if (const auto known = levels_.find(key); known != levels_.end()) return std::max(LEAST, known->second * in_scales);
    // From the rounded values on, so that the limit hangs on the key alone.
    const double phi = std::get<2>(key) * 0.05, day = std::sqrt(std::get<3>(key) * 0.05), within = std::sqrt(1 - std::get<3>(key) * 0.05);
    const double fewer = std::exp(std::get<4>(key) * 0.2), weekend_within = within * std::sqrt(fewer);
    const double weekend_scale = std::max(1.0, std::sqrt(day * day + weekend_within * weekend_within));
    const double alike = phi * day * day, degrees = std::max(4.0, days * (1 - alike * alike) / (1 + alike * alike) - 2);
    Rng rng(name_of("level", key));
    const auto weekend = weekends(days);
    Vector before(weekend.size()), greatest;
    for (int i = 0; i < calibration_.bootstraps; ++i) {
        double effect = rng.normal();
        const double truth = std::sqrt(degrees / (2 * rng.gamma(degrees / 2)));
        greatest.push_back(greatest_ewma(days, calibration_.days, weekend, before, [&](const Normal&, bool kind) { return kind ? weekend_scale : 1; }, [&](int d) {
            effect = phi * effect + std::sqrt(1 - phi * phi) * rng.normal();
            return truth * (day * effect + (weekend_of(d) ? weekend_within : within) * rng.normal());
        }));
    }
    return std::max(LEAST, in_scales * (levels_[key] = limit(std::move(greatest), nodes)));
}

double LimitTable::spread(const Baseline& b, int nodes) {
    const Vector& pool = b.spread_residuals;
    if (pool.size() < 5) return UNCHARTED;
    const int days = b.worth();
    // Silverman's bandwidth, over the scale without the far days, which stay as they are.
    const double smooth = 0.9 * b.spread.scale * std::pow(double(pool.size()), -0.2);
    Rng rng(name_of("spread", std::tuple(days, nodes, b.from.time_since_epoch().count(), b.events)));
    const auto weekend = weekends(days);
    // A day as far as any that counts, that these days have not shown and might have: one in twice as many.
    const double unseen = 0.5 / double(pool.size() + 1), far = 6 * b.spread.scale;
    // Residuals about two medians that were fitted to them are too small by that much.
    const double widen = std::sqrt(double(pool.size()) / double(pool.size() - 2));
    Vector before(weekend.size()), greatest;
    for (int i = 0; i < calibration_.bootstraps / 2; ++i)
        greatest.push_back(greatest_ewma(days, calibration_.days, weekend, before, [](const Normal& n, bool) { return n.scale; }, [&](int) {
            return rng.uniform() < unseen ? far : widen * pool[rng.below(pool.size())] + smooth * rng.normal();
        }));
    return limit(std::move(greatest), nodes);
}

double LimitTable::errors(const Baseline& b, int nodes) {
    if (b.events == 0) return UNCHARTED;
    const Key key{nodes, std::min(b.failures, 2000), log_steps(b.events) / 2, log_steps(b.weekday_count) / 2, log_steps(b.weekend_count) / 2, 0};
    if (const auto known = errors_.find(key); known != errors_.end()) return known->second;
    const auto count = [](int step) { return std::exp(step * 0.1); };
    const double failures = std::get<1>(key), events = std::max(failures + 1, count(std::get<2>(key))), p0 = rate_against(failures, events);
    const int on[2] = {std::max(1, int(std::lround(count(std::get<3>(key))))), std::max(1, int(std::lround(count(std::get<4>(key)))))};
    const Cusum cusum(p0);
    Rng rng(name_of("errors", key));
    Vector greatest;
    for (int i = 0; i < calibration_.bootstraps; ++i) {
        const double truth = rng.beta(failures + 1, events - failures);  // what the baseline leaves open of it, on the side of more
        double chart = 0, most = 0;
        for (int d = 0; d < calibration_.days; ++d) {
            const int n = on[weekend_of(d)];
            chart = cusum.step(chart, rng.binomial(n, truth), n);
            most = std::max(most, chart);
        }
        greatest.push_back(most);
    }
    return errors_[key] = limit(std::move(greatest), nodes);
}

Limits LimitTable::of(const Baseline& baseline, double autocorrelation, int nodes) {
    return {level(baseline, autocorrelation, nodes), spread(baseline, nodes), errors(baseline, nodes)};
}

}  // namespace router::math
