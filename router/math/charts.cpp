#include "router/math/charts.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace router::math {
namespace {

constexpr double RECOVERED = 8;  // of the evidence for a recovery, of which a day brings MOST_A_DAY at most: a weekend alone is none

double ewma_deviation() {
    static const double deviation = std::sqrt(EWMA_WEIGHT / (2 - EWMA_WEIGHT));
    return deviation;
}

}  // namespace

double ewma_step(double before, double z) {
    return (1 - EWMA_WEIGHT) * before + EWMA_WEIGHT * z / ewma_deviation();
}

Cusum::Cusum(double p0) {
    const double odds = ODDS_RATIO * p0 / (1 - p0), p1 = odds / (1 + odds);
    failure_ = std::log(p1 / p0);
    success_ = std::log((1 - p1) / (1 - p0));
}

double Cusum::step(double before, int failures, int n) const {
    return std::max(0.0, before + std::min(failures * failure_ + (n - failures) * success_, MOST_A_DAY));
}

bool Recovery::add(double day) {
    sum_ = std::max(0.0, sum_ + std::min(day, MOST_A_DAY));
    return sum_ > RECOVERED;
}

void EwmaChart::add(double z) {
    const double before = value_;
    value_ = ewma_step(value_, z);
    if (value_ <= 0) risen_ = false;
    if (risen_) recover(z, before);
    risen_ |= value_ > limit_;
}

void EwmaChart::recover(double z, double before) {
    if (!recovery_.running()) shift_ = before * ewma_deviation();
    if (recovery_.add(shift_ * shift_ / 2 - shift_ * z)) *this = EwmaChart(limit_);
}

void CusumChart::add(int failures, int n) {
    sum_ = std::min(cusum_.step(sum_, failures, n), MOST_SCORE * limit_);
    if (sum_ == 0) {
        *this = CusumChart(p0_, limit_);
    } else if (risen_) {
        recover(failures, n);
    } else {
        failures_ += failures;
        events_ += n;
    }
    risen_ |= sum_ > limit_;
}

void CusumChart::recover(int failures, int n) {
    const double rate = std::max(ODDS_RATIO * p0_, (failures_ + 0.5) / (events_ + 1));
    if (rate >= 1) return;
    if (recovery_.add(failures * std::log(p0_ / rate) + (n - failures) * std::log((1 - p0_) / (1 - rate)))) {
        *this = CusumChart(p0_, limit_);
        return;
    }
    well_failures_ += failures;
    well_events_ += n;
    if (recovery_.running()) return;
    failures_ += std::exchange(well_failures_, 0);
    events_ += std::exchange(well_events_, 0);
}

Night Charts::advance(Date date, const DailyAggregate* row) {
    Night night{.date = date, .seen = row && row->sample_count > 0};
    bool failing = false;  // that day's failures alone are three times as likely under the odds that are looked for
    if (night.seen) {
        if (row->level) level_.add(night.z_level = baseline_->level_z(*row));
        if (row->spread) spread_.add(night.z_spread = baseline_->spread.z(*row->spread, is_weekend(row->date)));
        errors_.add(row->failures(), row->sample_count);
        failing = errors_.cusum().step(0, row->failures(), row->sample_count) > std::log(3);
    }
    night.level = level_.value() / limits_.level;
    night.spread = std::max(0.0, spread_.value()) / limits_.spread;
    night.errors = errors_.value() / limits_.errors;
    night.score = std::max({0.0, night.level, night.spread, night.errors});
    night.fresh = (night.level > 1 && night.z_level >= 1) || (night.spread > 1 && night.z_spread >= 1) || (night.errors > 1 && failing);
    return night;
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
    int seen = 0, beyond = 0;
    for (auto night = nights.rbegin(); night != nights.rend() && seen < 3; ++night) {
        seen += night->seen;
        beyond += night->score > 1 && night->fresh;
    }
    return beyond >= 2;
}

void Switch::update(double score, bool trigger) {
    if (trigger) on = true;
    nights_below = score < 0.7 ? nights_below + 1 : 0;
    if (nights_below >= 3) on = false;
}

}  // namespace router::math
