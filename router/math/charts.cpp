#include "router/math/charts.h"

#include <algorithm>
#include <cmath>

namespace router::math {
namespace {

struct Day {
    bool seen = false, failing = false;  // failing: its failures alone are three times as likely under the odds that are looked for
    double z_level = 0, z_spread = 0;
};

// Moves the charts on by a day that has events.
Day add(Limits& charts, const DailyAggregate& row, const Baseline& baseline) {
    Day day{.seen = true};
    if (row.level) charts.level = ewma_step(charts.level, day.z_level = baseline.level_z(row));
    if (row.spread) charts.spread = ewma_step(charts.spread, day.z_spread = baseline.spread.z(*row.spread, is_weekend(row.date)));
    const Cusum cusum(baseline.failure_rate);
    charts.errors = cusum.step(charts.errors, row.failures(), row.sample_count);
    day.failing = cusum.step(0, row.failures(), row.sample_count) > std::log(3);
    return day;
}

Night night_of(Date date, const Day& day, const Limits& charts, const Limits& limits) {
    Night night{.date = date, .seen = day.seen, .z_level = day.z_level, .z_spread = day.z_spread};
    night.level = charts.level / limits.level;
    night.spread = std::max(0.0, charts.spread) / limits.spread;
    night.errors = charts.errors / limits.errors;
    night.score = std::max({0.0, night.level, night.spread, night.errors});
    night.fresh = (night.level > 1 && day.z_level >= 1) || (night.spread > 1 && day.z_spread >= 1) || (night.errors > 1 && day.failing);
    return night;
}

}  // namespace

double ewma_step(double before, double z) {
    static const double deviation = std::sqrt(EWMA_WEIGHT / (2 - EWMA_WEIGHT));
    return (1 - EWMA_WEIGHT) * before + EWMA_WEIGHT * z / deviation;
}

Cusum::Cusum(double p0) {
    const double odds = ODDS_RATIO * p0 / (1 - p0), p1 = odds / (1 + odds);
    failure_ = std::log(p1 / p0);
    success_ = std::log((1 - p1) / (1 - p0));
}

double Cusum::step(double before, int failures, int n) const {
    return std::max(0.0, before + std::min(failures * failure_ + (n - failures) * success_, MOST_A_DAY));
}

Night Charts::advance(Date date, const DailyAggregate* row) {
    const bool seen = row && row->sample_count > 0;
    const Day day = seen ? add(values_, *row, *baseline_) : Day{};
    return night_of(date, day, values_, limits_);
}

std::vector<Night> run_charts(std::span<const DailyAggregate> rows, const Baseline& baseline, const Limits& limits, Date until) {
    std::vector<Night> out;
    Charts charts(baseline, limits);
    auto row = rows.begin();
    for (Date date = baseline.from + std::chrono::days(baseline.days); date <= until; date += std::chrono::days(1)) {
        while (row != rows.end() && row->date < date) ++row;
        out.push_back(charts.advance(date, row != rows.end() && row->date == date ? &*row : nullptr));
    }
    return out;
}

bool confirmed(std::span<const Night> nights) {
    int beyond = 0;
    for (const Night& night : nights.last(std::min<std::size_t>(3, nights.size()))) beyond += night.score > 1 && night.fresh;
    return beyond >= 2;
}

void Switch::update(double score, bool trigger) {
    if (trigger) on = true;
    nights_below = score < 0.7 ? nights_below + 1 : 0;
    if (nights_below >= 3) on = false;
}

}  // namespace router::math
