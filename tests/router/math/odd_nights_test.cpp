// Nights of histories that the simulator does not make: nodes that never vary, are hardly asked, never say how long they took, or come in crowds.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "router/math/nightly.h"
#include "router/math/robust.h"

namespace router::math {
namespace {

const Date FIRST = Date(std::chrono::year(2026) / 1 / 5);  // a Monday

Date odd_day(int day) { return FIRST + std::chrono::days(day); }

std::vector<DailyAggregate> same_days(int from, int until, int events, const Event& event) {
    std::vector<DailyAggregate> out;
    for (int d = from; d < until; ++d) out.push_back(aggregate(odd_day(d), std::vector<Event>(std::size_t(events), event), {}, 120'000));
    return out;
}

std::vector<DailyAggregate> joined(std::vector<DailyAggregate> one, const std::vector<DailyAggregate>& other) {
    one.insert(one.end(), other.begin(), other.end());
    return one;
}

// Days of 60 events that scatter about 100 ms, a factor slower.
std::vector<DailyAggregate> scattered_days(Rng& rng, int from, int until, int each = 1, double factor = 1) {
    std::vector<DailyAggregate> out;
    for (int d = from; d < until; d += each) {
        std::vector<Event> events;
        for (int e = 0; e < 60; ++e) events.push_back({factor * 100 * std::exp(0.4 * rng.normal())});
        out.push_back(aggregate(odd_day(d), events, {}, 120'000));
    }
    return out;
}

NightReport odd_night(const std::vector<NodeHistory>& nodes, int day) {
    LimitTable table({.bootstraps = 300});
    return analyse("odd", nodes, odd_day(day), table);
}

TEST(OddNights, ANodeThatNeverVariesDriftsByMoreThanTwoPercent) {
    const auto usual = same_days(0, 40, 60, {100});
    const NightReport calm = odd_night({{"one", usual, {}}}, 39);
    EXPECT_EQ(calm.nodes[0].gate, Gate::full);
    EXPECT_EQ(calm.nodes[0].drift_score, 0);
    EXPECT_EQ(calm.regime, Regime::nominal);
    EXPECT_EQ(odd_night({{"one", joined(usual, same_days(40, 50, 60, {101})), {}}}, 49).regime, Regime::nominal);
    const NightReport slower = odd_night({{"one", joined(usual, same_days(40, 45, 60, {115})), {}}}, 44);
    EXPECT_EQ(slower.regime, Regime::degraded);
    EXPECT_GT(slower.nodes[0].weight, 0.1);
}

TEST(OddNights, NodesThatNeverVaryHaveNothingInCommon) {
    std::vector<NodeHistory> nodes;
    for (int i = 0; i < 7; ++i) nodes.push_back({"n" + std::to_string(i), same_days(0, 90, 60, {100.0 * (i + 1)}), {}});
    const NightReport r = odd_night(nodes, 89);
    EXPECT_EQ(r.signal, "[MathCore | regime: nominal | λ_max: 1.00 | α: 1.00]");
    ASSERT_TRUE(r.coupling);
    EXPECT_FALSE(r.coupling->coupled);
    for (const NodeReport& n : r.nodes) {
        EXPECT_EQ(n.label, Label::normal) << n.node;
        EXPECT_TRUE(std::isfinite(n.distance.value_or(0)));
    }
    nodes[3].rows = joined(same_days(0, 85, 60, {400}), same_days(85, 90, 60, {600}));
    EXPECT_EQ(odd_night(nodes, 89).nodes[3].label, Label::degraded);
    EXPECT_EQ(odd_night(nodes, 89).nodes[2].label, Label::normal);
}

TEST(OddNights, OneEventTellsNothingAndOneADayActsOnNothing) {
    const NightReport one = odd_night({{"once", same_days(0, 1, 1, {100}), {}}}, 0);
    EXPECT_EQ(one.nodes[0].reason, "1 days and 1 events; 7 and 50 are needed");
    EXPECT_EQ(one.signal, "");
    const NightReport daily = odd_night({{"daily", joined(same_days(0, 60, 1, {100}), same_days(60, 90, 1, {10'000})), {}}}, 89);
    EXPECT_EQ(daily.nodes[0].gate, Gate::advisory);
    EXPECT_GT(daily.nodes[0].drift_score, 1);  // it is told
    EXPECT_EQ(daily.nodes[0].weight, 0);
    EXPECT_EQ(daily.alpha, 0);
    EXPECT_EQ(normal_of(Vector{3}, std::vector<char>{1}).weekday, 3);  // a kind of day that was never seen is as the other
    EXPECT_EQ(huber_mean(Vector{3}), 3);
    EXPECT_EQ(quantile({3}, 0.9), 3);
}

TEST(OddNights, WhatIsNoNumberChangesNoRow) {
    const double none = std::nan(""), endless = std::numeric_limits<double>::infinity();
    std::vector<Event> events;
    for (int e = 0; e < 9; ++e) events.push_back({100.0 + e});
    const DailyAggregate clean = aggregate(FIRST, events, {}, 120'000);
    for (const Event& odd : {Event{none}, Event{endless}, Event{-endless}, Event{100, none}, Event{100, -endless}}) events.push_back(odd);
    const DailyAggregate row = aggregate(FIRST, events, {}, 120'000);
    EXPECT_EQ(row.invalid, 5);
    EXPECT_EQ(row.sample_count, clean.sample_count);
    EXPECT_EQ(row.avg_latency_ms, clean.avg_latency_ms);
    EXPECT_EQ(row.level, clean.level);
    EXPECT_EQ(row.spread, clean.spread);
    EXPECT_EQ(token_model(std::vector<Event>(40, Event{.latency_ms = none, .prompt_tokens = 100})).prompt, 0);
}

// Nobody knows how long it takes; that it always fails is what is usual of it.
TEST(OddNights, ANodeThatHasOnlyEverFailedIsNoDrift) {
    const Event failed{.latency_ms = std::nan(""), .status = Status::error};
    const NightReport r = odd_night({{"failing", same_days(0, 60, 20, failed), {}}}, 59);
    EXPECT_LT(r.nodes[0].drift_score, 1);
    EXPECT_EQ(r.nodes[0].weight, 0);
    EXPECT_EQ(r.regime, Regime::nominal);
}

// Asked one day a week for a year: 53 days on which it was seen, each a week after the one before.
TEST(OddNights, AWeeklyNodeIsJudgedByTheDaysThatItHas) {
    Rng rng("weekly");
    const auto usual = scattered_days(rng, 0, 337, 7);
    const NightReport calm = odd_night({{"weekly", joined(usual, scattered_days(rng, 343, 365, 7)), {}}}, 364);
    EXPECT_EQ(calm.nodes[0].days, 365);
    EXPECT_EQ(calm.nodes[0].gate, Gate::full);
    EXPECT_EQ(calm.regime, Regime::nominal);
    const NightReport slow = odd_night({{"weekly", joined(usual, scattered_days(rng, 343, 365, 7, 2)), {}}}, 364);
    EXPECT_EQ(slow.regime, Regime::degraded);
    EXPECT_GT(slow.nodes[0].weight, 0.1);  // two bad days of the last three that it has
}

TEST(OddNights, AYearWithoutEventsLeavesTheBaseline) {
    Rng rng("year");
    const auto before = scattered_days(rng, 0, 40);
    EXPECT_EQ(odd_night({{"back", before, {}}}, 404).nodes[0].reason, "no events since 2026-02-13");
    const NightReport same = odd_night({{"back", joined(before, scattered_days(rng, 405, 410)), {}}}, 409);
    EXPECT_EQ(same.nodes[0].baseline.from, FIRST);
    EXPECT_EQ(same.regime, Regime::nominal);
    EXPECT_EQ(odd_night({{"back", joined(before, scattered_days(rng, 405, 410, 1, 2)), {}}}, 409).regime, Regime::degraded);
}

TEST(OddNights, OfTwentyNodesNineteenAreNew) {
    Rng rng("crowd");
    std::vector<NodeHistory> nodes = {{"old", scattered_days(rng, 0, 60), {}}};
    for (int i = 1; i < 20; ++i) nodes.push_back({"new" + std::to_string(i), joined(scattered_days(rng, 57, 59), scattered_days(rng, 59, 60, 1, i % 2 ? 8 : 1)), {}});
    const NightReport r = odd_night(nodes, 59);
    EXPECT_EQ(r.signal, "[MathCore | regime: nominal | λ_max: 1.00 | α: 1.00]");
    EXPECT_EQ(r.watched, std::vector<std::string>{"old"});
    EXPECT_EQ(r.nodes[0].gate, Gate::full);
    for (std::size_t i = 1; i < 20; ++i) {
        EXPECT_EQ(r.nodes[i].reason, "3 days and 180 events; 7 and 50 are needed");
        EXPECT_EQ(r.nodes[i].weight, 0);
    }
    nodes[0].rows = joined(scattered_days(rng, 0, 55), scattered_days(rng, 55, 60, 1, 2));
    EXPECT_EQ(odd_night(nodes, 59).nodes[0].label, Label::degraded);  // for all the others
}

}  // namespace
}  // namespace router::math
