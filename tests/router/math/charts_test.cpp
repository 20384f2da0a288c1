#include "router/math/charts.h"

#include <gtest/gtest.h>

#include <cmath>

#include "router/math/limits.h"
#include "router/math/random.h"
#include "router/math/robust.h"

namespace router::math {
namespace {

const Date START = Date(std::chrono::year(2026) / 3 / 2);  // a Monday

DailyAggregate row(int day, double level, int n = 60, int failures = 0) {
    DailyAggregate out{.date = START + std::chrono::days(day), .sample_count = n};
    out.errors = failures;
    out.level = level;
    out.level_error = 0.05;
    out.spread = 0.5;
    out.failure_logit = std::log((failures + 0.5) / (n - failures + 0.5));
    return out;
}

// A month of days that alternate a little, and then days of `after`.
std::vector<DailyAggregate> history(const std::vector<DailyAggregate>& after = {}) {
    std::vector<DailyAggregate> out;
    for (int d = 0; d < 30; ++d) out.push_back(row(d, 8 + (d % 4 - 1.5) * 0.08));
    out.insert(out.end(), after.begin(), after.end());
    return out;
}

// Roberts' EWMA with λ = 0.2 and L = 2.962, two-sided: 500 days between false alarms, as is tabled (Lucas and Saccucci 1990).
TEST(Charts, EwmaHasItsPublishedRunLength) {
    Rng rng("ewma");
    double days = 0;
    constexpr int RUNS = 4000;
    for (int i = 0; i < RUNS; ++i)
        for (double chart = 0; std::abs(chart) < 2.962; ++days) chart = ewma_step(chart, rng.normal());
    EXPECT_NEAR(days / RUNS, 500, 25);
}

TEST(Charts, CusumByHand) {
    const double p0 = 0.01, odds = 4 * p0 / 0.99, p1 = odds / (1 + odds);
    EXPECT_DOUBLE_EQ(Cusum(p0).step(0, 0, 50), 0);  // no failure: it falls, and never below 0
    EXPECT_DOUBLE_EQ(Cusum(p0).step(1, 1, 10), 1 + std::log(p1 / p0) + 9 * std::log((1 - p1) / (1 - p0)));
    EXPECT_DOUBLE_EQ(Cusum(p0).step(1, 30, 60), 1 + MOST_A_DAY);  // one bad day is worth no more
}

TEST(Baseline, MediansByKindOfDayAndScale) {
    Vector values;
    std::vector<char> weekend;
    for (int d = 0; d < 28; ++d) {
        weekend.push_back(d % 7 >= 5);
        values.push_back((weekend.back() ? 7 : 8) + 0.1 * (d % 3 - 1));
    }
    values[3] = 50;  // among the tenth that is left out
    const Normal n = normal_of(values, weekend);
    EXPECT_NEAR(n.weekday, 8, 0.05);
    EXPECT_NEAR(n.weekend, 7, 0.05);
    EXPECT_NEAR(n.scale, 0.14826, 0.02);
    EXPECT_NEAR(n.z(n.weekday + 2 * n.scale, false), 2, 1e-9);
    EXPECT_DOUBLE_EQ(n.z(1e9, false), 6);
    EXPECT_DOUBLE_EQ(normal_of({}, {}).scale, 0.02);
    EXPECT_DOUBLE_EQ(normal_of(Vector(5, 3.0), std::vector<char>(5, 0)).scale, 0.02);
}

TEST(Baseline, FailureRateIsJeffreysWithAFloor) {
    EXPECT_DOUBLE_EQ(baseline_of(history(), START, 30).failure_rate, 0.004);
    auto rows = history();
    for (auto& r : rows) r.errors = 3;
    EXPECT_DOUBLE_EQ(baseline_of(rows, START, 30).failure_rate, 90.5 / 1801);
}

TEST(Baseline, ADayOfFewEventsCountsForLess) {
    const Baseline b = baseline_of(history(), START, 30);
    EXPECT_GT(b.level_z(row(31, 8.3, 60)), b.level_z(row(31, 8.3, 5)));
    EXPECT_DOUBLE_EQ(b.level_z(row(31, 8.3, 60)), b.level_z(row(31, 8.3, 500)));
}

TEST(Charts, TheScoreIsTheGreatestOverItsLimit) {
    const auto rows = history({row(30, 8.3), row(31, 8.3), row(32, 8.3)});
    const Baseline b = baseline_of(rows, START, 30);
    const auto nights = run_charts(rows, b, {5, 5, 5}, START + std::chrono::days(33));
    ASSERT_EQ(nights.size(), 4U);
    double chart = 0;
    for (int i = 0; i < 3; ++i) chart = ewma_step(chart, b.level_z(rows[std::size_t(30 + i)]));
    EXPECT_DOUBLE_EQ(nights[2].level, chart / 5);
    EXPECT_DOUBLE_EQ(nights[2].score, chart / 5);
    EXPECT_FALSE(nights[3].seen);  // a day without events leaves the charts as they are
    EXPECT_EQ(nights[3].score, nights[2].score);
}

TEST(Charts, ImprovementsGiveNoScore) {
    std::vector<DailyAggregate> better;
    for (int d = 30; d < 45; ++d) better.push_back(row(d, 7));
    const auto rows = history(better);
    const auto nights = run_charts(rows, baseline_of(rows, START, 30), {5, 5, 5}, START + std::chrono::days(44));
    EXPECT_EQ(nights.back().score, 0);
    EXPECT_LT(nights.back().level, -1);
}

TEST(Charts, OneBadDayIsNotActedOn) {
    std::vector<DailyAggregate> days = {row(30, 10)};
    for (int d = 31; d < 40; ++d) days.push_back(row(d, 8.05));
    const auto rows = history(days);
    const auto nights = run_charts(rows, baseline_of(rows, START, 30), {3, 3, 3}, START + std::chrono::days(39));
    EXPECT_GT(nights[0].score, 1);
    EXPECT_GT(nights[1].score, 1);   // remembered
    EXPECT_FALSE(nights[1].fresh);   // and that day's own is well
    for (std::size_t i = 0; i < nights.size(); ++i) EXPECT_FALSE(confirmed(std::span(nights).first(i + 1))) << i;
}

// Nights from the first well day on until each chart is below 0.7 for good.
int nights_to_forget(const std::vector<DailyAggregate>& bad, const DailyAggregate& well) {
    std::vector<DailyAggregate> days = bad;
    for (int d = 0; d < 40; ++d) days.push_back(well), days.back().date = START + std::chrono::days(30 + int(bad.size()) + d);
    const auto rows = history(days);
    const auto nights = run_charts(rows, baseline_of(rows, START, 30), {5, 5, 5}, rows.back().date);
    EXPECT_GT(nights[bad.size() - 1].score, 1);
    int out = 0;
    for (std::size_t i = bad.size(); i < nights.size(); ++i)
        if (nights[i].score >= 0.7) out = int(i - bad.size()) + 1;
    return out;
}

TEST(Charts, AfterWeeksOfFailuresAFewGoodDaysAreEnough) {
    for (const int n : {8, 60})
        for (const int bad_days : {3, 7, 21}) {
            SCOPED_TRACE(std::to_string(n) + " events, " + std::to_string(bad_days) + " days");
            std::vector<DailyAggregate> bad;
            for (int d = 0; d < bad_days; ++d) bad.push_back(row(30 + d, 8, n, n));
            const int nights = nights_to_forget(bad, row(0, 8, n));
            EXPECT_GE(nights, 2);  // not after a day or two
            EXPECT_LE(nights, 3);
        }
}

TEST(Charts, ARareNodeThatFailedAtTimesIsWellAfterMoreDays) {
    std::vector<DailyAggregate> bad;
    for (int d = 0; d < 21; ++d) bad.push_back(row(30 + d, 8, 8, d % 2));  // one in sixteen
    const int nights = nights_to_forget(bad, row(0, 8, 8));
    EXPECT_GT(nights, 7);   // eight good events say little against that
    EXPECT_LT(nights, 40);
}

TEST(Charts, AfterWeeksOfSlownessAFewGoodDaysAreEnough) {
    std::vector<DailyAggregate> bad;
    for (int d = 0; d < 21; ++d) bad.push_back(row(30 + d, 10));
    EXPECT_LE(nights_to_forget(bad, row(0, 8)), 3);
}

TEST(Charts, TheSumKnowsNoMoreThanAScoreTells) {
    std::vector<DailyAggregate> bad;
    for (int d = 0; d < 60; ++d) bad.push_back(row(30 + d, 8, 60, 60));
    const auto rows = history(bad);
    const auto nights = run_charts(rows, baseline_of(rows, START, 30), {5, 5, 5}, rows.back().date);
    EXPECT_EQ(nights.back().errors, MOST_SCORE);
}

TEST(Charts, AWeekendIsNoRecovery) {
    std::vector<DailyAggregate> days;
    for (int d = 30; d < 72; ++d) days.push_back(row(d, d % 7 >= 5 ? 8 : 9));
    const auto rows = history(days);
    const auto nights = run_charts(rows, baseline_of(rows, START, 30), {3, 3, 3}, rows.back().date);
    for (std::size_t i = 7; i < nights.size(); ++i) EXPECT_GT(nights[i].score, 0.7) << i;
}

TEST(Charts, TwoBadNightsOfThreeAreActedOn) {
    const auto rows = history({row(30, 9), row(31, 8), row(32, 9)});
    const auto nights = run_charts(rows, baseline_of(rows, START, 30), {3, 3, 3}, START + std::chrono::days(32));
    EXPECT_FALSE(confirmed(std::span(nights).first(2)));
    EXPECT_TRUE(confirmed(nights));
}

TEST(Switch, TurnsOffAfterThreeQuietNights) {
    Switch s;
    s.update(1.2, true);
    for (const double score : {0.8, 0.6, 0.6, 0.75, 0.6, 0.6}) {
        s.update(score, false);
        EXPECT_TRUE(s.on) << score;
    }
    s.update(0.6, false);
    EXPECT_FALSE(s.on);
}

Baseline usual(int days, double day_variance = 0.005, double level_error = 0.06) {
    Baseline b{.from = START, .days = days, .days_present = days, .events = days * 50, .failures = days / 4};
    b.day_variance = day_variance;
    b.level_error = level_error;
    b.weekday_count = 60;
    b.weekend_count = 25;
    b.level.scale = std::sqrt(day_variance + level_error * level_error);
    b.spread.scale = 0.1;
    Rng rng("usual");
    for (int i = 0; i < days; ++i) b.spread_residuals.push_back(0.1 * rng.normal());
    return b;
}

// Textbooks have 2.6 for a known baseline and independent days. Limits that do not know the days' variance better than by the scale of
// z were 7.0, 5.0 and 4.2 in a pilot with 14, 30 and 60 days.
TEST(Limits, ShorterBaselinesNeedWiderLimits) {
    LimitTable table;
    const Limits a = table.of(usual(14), 0.4, 7), b = table.of(usual(30), 0.4, 7), c = table.of(usual(60), 0.4, 7);
    EXPECT_GT(a.level, b.level + 0.3);
    EXPECT_LT(a.level, 7);
    EXPECT_NEAR(b.level, 4.2, 0.5);
    EXPECT_GT(b.level, c.level);
    EXPECT_GT(c.level, 3);
    EXPECT_GT(a.spread, b.spread);
    EXPECT_GT(a.errors, c.errors);
    EXPECT_GT(table.of(usual(30), 0.4, 20).level, b.level);  // more nodes share the same false alarms
    EXPECT_GT(table.of(usual(30), 0.7, 7).level, b.level);   // days that follow each other look like drift
}

TEST(Limits, HangOnNothingElse) {
    LimitTable one, other;
    other.of(usual(14), 0.2, 5);  // asked before
    EXPECT_EQ(one.of(usual(30), 0.4, 7).level, other.of(usual(30), 0.4, 7).level);
    EXPECT_EQ(one.of(usual(30), 0.4, 7).errors, other.of(usual(30), 0.4, 7).errors);
}

TEST(Limits, WhatCannotBeChartedNeverAlarms) {
    Baseline b = usual(30);
    b.spread_residuals.clear();
    b.events = 0;
    LimitTable table;
    const Limits limits = table.of(b, 0.4, 7);
    EXPECT_TRUE(std::isinf(limits.spread) && std::isinf(limits.errors));
}

TEST(Limits, TheDayEffectsOfAllNodesTellTheirAutocorrelation) {
    Rng rng("phi");
    std::vector<Baseline> nodes;
    for (int i = 0; i < 40; ++i) {
        std::vector<DailyAggregate> rows;
        double effect = rng.normal();
        for (int d = 0; d < 30; ++d) {
            effect = 0.5 * effect + std::sqrt(0.75) * rng.normal();
            rows.push_back(row(d, 8 + 0.07 * effect + 0.05 * rng.normal()));
        }
        nodes.push_back(baseline_of(rows, START, 30));
    }
    EXPECT_NEAR(day_autocorrelation(nodes), 0.5, 0.12);
    EXPECT_EQ(day_autocorrelation({}), 0);
}

}  // namespace
}  // namespace router::math
