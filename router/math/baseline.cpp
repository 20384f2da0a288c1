#include "router/math/baseline.h"

#include <algorithm>
#include <cmath>

#include "router/math/robust.h"

namespace router::math {
namespace {

constexpr double LEAST_SCALE = 0.02;
constexpr double LEAST_FAILURE_RATE = 0.004;

Normal medians_of(std::span<const double> values, std::span<const char> weekend) {
    Vector on[2];
    for (std::size_t i = 0; i < values.size(); ++i) on[weekend[i] != 0].push_back(values[i]);
    Normal out;
    const double all = values.empty() ? 0 : median(Vector(values.begin(), values.end()));
    out.weekday = on[0].size() >= 2 ? median(on[0]) : all;
    out.weekend = on[1].size() >= 2 ? median(on[1]) : all;
    Vector residuals;
    for (std::size_t i = 0; i < values.size(); ++i) residuals.push_back(values[i] - out.centre(weekend[i]));
    out.scale = residuals.empty() ? LEAST_SCALE : std::max(LEAST_SCALE, median_deviation(residuals, 0));
    return out;
}

// The rows of the period that have events.
std::vector<const DailyAggregate*> rows_of(std::span<const DailyAggregate> rows, Date from, int days) {
    std::vector<const DailyAggregate*> out;
    for (const DailyAggregate& row : rows)
        if (row.date >= from && row.date < from + std::chrono::days(days) && row.sample_count > 0) out.push_back(&row);
    return out;
}

void count(Baseline& out, std::span<const DailyAggregate* const> rows) {
    int kind[2] = {0, 0}, counted[2] = {0, 0};
    for (const DailyAggregate* row : rows) {
        ++kind[is_weekend(row->date)];
        counted[is_weekend(row->date)] += row->sample_count;
        out.events += row->sample_count;
        out.failures += row->failures();
    }
    const double all = rows.empty() ? 0 : double(out.events) / double(rows.size());
    out.weekday_count = kind[0] ? double(counted[0]) / kind[0] : all;
    out.weekend_count = kind[1] ? double(counted[1]) / kind[1] : all;
    out.days_present = int(rows.size());
    out.present = out.days ? double(rows.size()) / out.days : 0;
    out.failure_rate = rate_against(out.failures, out.events);
}

void measure_level(Baseline& out, std::span<const DailyAggregate* const> rows) {
    Vector values, event_variances, fewer;  // variance of one event's share in the level; 1/n
    std::vector<char> weekend;
    std::vector<Date> dates;
    for (const DailyAggregate* row : rows) {
        if (!row->level) continue;
        values.push_back(*row->level);
        weekend.push_back(is_weekend(row->date));
        dates.push_back(row->date);
        fewer.push_back(1.0 / row->sample_count);
        if (row->sample_count >= 5) event_variances.push_back(*row->level_error * *row->level_error * row->sample_count);
    }
    out.level = normal_of(values, weekend);
    const double event_variance = event_variances.empty() ? 0 : mean_of(event_variances);
    out.level_error = std::sqrt(event_variance / std::max(1.0, out.weekday_count));
    Vector residuals, squares, products;
    for (std::size_t i = 0; i < values.size(); ++i) {
        residuals.push_back(winsorised(values[i] - out.level.centre(weekend[i]), 4 * out.level.scale));
        squares.push_back(residuals[i] * residuals[i]);
        if (i > 0 && dates[i] - dates[i - 1] == std::chrono::days(1)) products.push_back(residuals[i] * residuals[i - 1]);
    }
    if (squares.empty()) return;
    const double raw = mean_of(squares), product = products.empty() ? 0 : mean_of(products);
    // Two centres were fitted to days that follow each other: what they take of variance and autocovariance is given back.
    const double alike = raw > 0 ? std::clamp(product / raw, 0.0, 0.7) : 0, inflation = (1 + alike) / (1 - alike);
    const double taken = raw * std::min(0.5, 2 * inflation / double(values.size()));
    out.day_variance = std::max(0.0, raw + taken - event_variance * mean_of(fewer));
    out.autocovariance = product + taken;
}

void measure_spread(Baseline& out, std::span<const DailyAggregate* const> rows) {
    Vector values;
    std::vector<char> weekend;
    for (const DailyAggregate* row : rows) {
        if (!row->spread) continue;
        values.push_back(*row->spread);
        weekend.push_back(is_weekend(row->date));
    }
    out.spread = normal_of(values, weekend);
    for (std::size_t i = 0; i < values.size(); ++i) out.spread_residuals.push_back(values[i] - out.spread.centre(weekend[i]));
}

}  // namespace

double rate_against(double failures, double events) { return std::max(LEAST_FAILURE_RATE, (failures + 0.5) / (events + 1)); }

double Normal::z(double value, bool weekend_day) const { return winsorised((value - centre(weekend_day)) / scale, 6); }

double Baseline::level_z(const DailyAggregate& day) const {
    const bool weekend = is_weekend(day.date);
    const double fewer = std::max(1.0, weekday_count / std::max(1, day.sample_count)), within = level_error * level_error;
    const double total = day_variance + within, grown = total > 0 ? std::sqrt((day_variance + within * fewer) / total) : 1;
    return winsorised((*day.level - level.centre(weekend)) / (level.scale * grown), 6);
}

Normal normal_of(std::span<const double> values, std::span<const char> weekend) {
    const Normal first = medians_of(values, weekend);
    const std::size_t out = values.size() / 10;
    if (out == 0) return first;
    Vector away(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) away[i] = std::abs(values[i] - first.centre(weekend[i]));
    Vector sorted = away;
    std::nth_element(sorted.begin(), sorted.end() - std::ptrdiff_t(out), sorted.end());
    const double limit = *(sorted.end() - std::ptrdiff_t(out));
    // Of days that are equally far only as many go as make the tenth full.
    std::size_t ties = out - std::size_t(std::count_if(sorted.end() - std::ptrdiff_t(out), sorted.end(), [&](double a) { return a > limit; }));
    Vector kept;
    std::vector<char> kept_weekend;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (away[i] > limit || (away[i] == limit && ties > 0 && ties-- > 0)) continue;
        kept.push_back(values[i]);
        kept_weekend.push_back(weekend[i]);
    }
    return kept.size() < 3 ? first : medians_of(kept, kept_weekend);
}

int days_worth(int calendar, int seen) { return std::min(calendar, seen * 7 / 6); }

int span_worth(std::span<const DailyAggregate> rows, Date from, int worth, int most) {
    auto row = rows.begin();
    for (int days = 1, seen = 0; days <= most; ++days) {
        for (; row != rows.end() && row->date < from + std::chrono::days(days); ++row) seen += row->date >= from && row->sample_count > 0;
        if (days_worth(days, seen) >= worth) return days;
    }
    return 0;
}

int Baseline::worth() const { return days_worth(days, days_present); }

Baseline baseline_of(std::span<const DailyAggregate> rows, Date from, int days) {
    Baseline out{.from = from, .days = days};
    const auto inside = rows_of(rows, from, days);
    count(out, inside);
    measure_level(out, inside);
    measure_spread(out, inside);
    return out;
}

double day_autocorrelation(std::span<const Baseline> nodes) {
    Vector covariances, variances;
    for (const Baseline& node : nodes) {
        if (node.days_present < 7) continue;
        covariances.push_back(node.autocovariance);
        variances.push_back(node.day_variance);
    }
    const double variance = pairwise_sum(variances);
    if (!(variance > 0)) return 0;
    return std::clamp(pairwise_sum(covariances) / variance, 0.0, 0.8);
}

}  // namespace router::math
