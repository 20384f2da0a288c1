#include "router/math/aggregate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "router/math/random.h"

namespace router::math {
namespace {

using namespace std::chrono_literals;

const Date TUESDAY = Date(std::chrono::year(2026) / 3 / 10);

TEST(Aggregate, CountsByHand) {
    const std::vector<Event> events = {{100, 0, Status::ok},      {200, 100, Status::ok},     {100, 0, Status::error},
                                       {50, 0, Status::timeout},  {7, 0, Status::cancelled},  {std::nan(""), 0, Status::ok},
                                       {100, 0, Status::ok},      {-5, 0, Status::ok}};
    const DailyAggregate day = aggregate(TUESDAY, events, {}, 1000);
    EXPECT_EQ(day.sample_count, 5);
    EXPECT_EQ(day.errors, 1);
    EXPECT_EQ(day.timeouts, 1);
    EXPECT_EQ(day.cancelled, 1);
    EXPECT_EQ(day.invalid, 2);
    EXPECT_DOUBLE_EQ(day.avg_latency_ms, 110);  // as it was, without the limit
    EXPECT_DOUBLE_EQ(day.error_rate, 0.4);
    EXPECT_DOUBLE_EQ(*day.failure_logit, std::log(2.5 / 3.5));
    EXPECT_DOUBLE_EQ(*day.level, std::log(100));  // waiting is no service, and a timeout, at the limit, is one of five
    EXPECT_TRUE(day.spread.has_value());
    EXPECT_FALSE(day.spread_censored);
}

// What failed without a time is a failure all the same, and what failed at once makes no node quick.
TEST(Aggregate, FailuresCountWithoutATime) {
    std::vector<Event> events(6, Event{100});
    const DailyAggregate calm = aggregate(TUESDAY, events, {}, 1000);
    for (const double unknown : {std::nan(""), 0.0, -1.0}) {
        events.resize(6);
        events.push_back({unknown, 0, Status::error});
        events.push_back({unknown, std::nan(""), Status::timeout});
        const DailyAggregate day = aggregate(TUESDAY, events, {}, 1000);
        EXPECT_EQ(day.sample_count, 8);
        EXPECT_EQ(day.failures(), 2);
        EXPECT_EQ(day.invalid, 0);
        EXPECT_DOUBLE_EQ(day.avg_latency_ms, 100);
        EXPECT_NEAR(*day.spread, std::log(10) * 0.4, 1e-12);  // the timeout took the limit: the last of seven
    }
    events.resize(6);
    for (int i = 0; i < 4; ++i) events.push_back({3, 0, Status::error});
    EXPECT_DOUBLE_EQ(*aggregate(TUESDAY, events, {}, 1000).level, *calm.level);
    for (int i = 0; i < 4; ++i) events.push_back({900, 0, Status::error});
    EXPECT_GT(*aggregate(TUESDAY, events, {}, 1000).spread, 2);  // what failed after a long time was slow
    EXPECT_FALSE(aggregate(TUESDAY, std::vector<Event>(9, Event{3, 0, Status::error}), {}, 1000).level);
}

TEST(Aggregate, NothingIsMissingAndNeverZero) {
    const std::vector<Event> events = {{7, 0, Status::cancelled}};
    const DailyAggregate day = aggregate(TUESDAY, events, {}, 1000);
    EXPECT_EQ(day.sample_count, 0);
    EXPECT_FALSE(day.level || day.spread || day.failure_logit);
    EXPECT_FALSE(aggregate(TUESDAY, std::vector<Event>(4, Event{100}), {}, 1000).spread);  // of four no 90th percentile
}

TEST(Aggregate, TimeoutsCensorTheSpread) {
    std::vector<Event> events(8, Event{100});
    events.push_back({3000, 0, Status::timeout});
    events.push_back({3000, 0, Status::timeout});
    const DailyAggregate day = aggregate(TUESDAY, events, {}, 1000);
    EXPECT_TRUE(day.spread_censored);
    EXPECT_NEAR(*day.spread, std::log(10), 1e-12);
}

TEST(Aggregate, LongerPromptsAreNotASlowerNode) {
    Rng rng("tokens");
    const auto draw = [&](double tokens) {
        const int count = int(1000 * tokens * std::exp(0.5 * rng.normal()));
        return Event{.latency_ms = 50 * std::sqrt(double(count)) * std::exp(0.1 * rng.normal()), .prompt_tokens = count, .output_tokens = 100};
    };
    std::vector<Event> usual, longer;
    for (int i = 0; i < 400; ++i) usual.push_back(draw(1)), longer.push_back(draw(3));
    const TokenModel model = token_model(usual);
    EXPECT_NEAR(model.prompt, 0.5, 0.03);
    EXPECT_NEAR(model.output, 0, 1e-9);  // all the same: nothing to learn
    EXPECT_NEAR(*aggregate(TUESDAY, longer, model, 1e6).level, *aggregate(TUESDAY, usual, model, 1e6).level, 0.05);
    EXPECT_GT(*aggregate(TUESDAY, longer, {}, 1e6).level, *aggregate(TUESDAY, usual, {}, 1e6).level + 0.4);
    EXPECT_EQ(token_model(std::span(usual).first(29)).prompt, 0);
}

TEST(Aggregate, TimeoutsOfMuchLongerPromptsAreNotTheNodes) {
    TokenModel model{.prompt = 0.5};
    model.mean_prompt = std::log(1000);
    std::vector<Event> events(10, Event{.latency_ms = 100, .prompt_tokens = 1000});
    events.push_back({.latency_ms = 1000, .status = Status::timeout, .prompt_tokens = 3000});
    events.push_back({.latency_ms = 1000, .status = Status::timeout, .prompt_tokens = 1000});
    const DailyAggregate day = aggregate(TUESDAY, events, model, 1000);
    EXPECT_EQ(day.timeouts, 2);
    EXPECT_EQ(day.excused, 1);
    EXPECT_EQ(day.failures(), 1);
    EXPECT_DOUBLE_EQ(day.error_rate, 2.0 / 12);
}

TEST(Aggregate, WeeksWeighDaysByTheirEvents) {
    std::vector<DailyAggregate> days;
    days.push_back(aggregate(TUESDAY, std::vector<Event>(10, Event{100}), {}, 1e6));
    days.push_back(aggregate(TUESDAY + std::chrono::days(1), std::vector<Event>(30, Event{200}), {}, 1e6));
    days.push_back(aggregate(TUESDAY + std::chrono::days(2), {}, {}, 1e6));
    days.push_back(aggregate(TUESDAY + std::chrono::days(6), std::vector<Event>(5, Event{100, 0, Status::error}), {}, 1e6));  // the next Monday
    const auto weeks = weekly(days);
    ASSERT_EQ(weeks.size(), 2U);
    EXPECT_EQ(weeks[0].iso_week, 11);
    EXPECT_EQ(weeks[0].days_present, 2);
    EXPECT_TRUE(weeks[0].partial);
    EXPECT_DOUBLE_EQ(weeks[0].avg_latency_ms, 175);  // not 150, the mean of means
    EXPECT_NEAR(*weeks[0].level, (std::log(100) + 3 * std::log(200)) / 4, 1e-12);
    EXPECT_EQ(weeks[1].errors, 5);
    EXPECT_DOUBLE_EQ(weeks[1].error_rate, 1);
}

TEST(Aggregate, WeeksAreIsos) {
    const auto week_of = [](Date date) {
        const auto weeks = weekly(std::vector{aggregate(date, std::vector<Event>(1, Event{1}), {}, 10)});
        return std::pair(weeks[0].iso_year, weeks[0].iso_week);
    };
    using std::chrono::year;
    EXPECT_EQ(week_of(year(2021) / 1 / 3), std::pair(2020, 53));
    EXPECT_EQ(week_of(year(2024) / 12 / 30), std::pair(2025, 1));
    EXPECT_EQ(week_of(year(2026) / 1 / 1), std::pair(2026, 1));
}

// Whatever comes in, nothing throws and nothing that is told is not a number.
TEST(Aggregate, TakesAnything) {
    Rng rng("anything");
    const double odd[] = {0, -1, 1e-300, 1e6, 1e300, std::numeric_limits<double>::infinity(), std::nan(""), 1};
    for (int i = 0; i < 500; ++i) {
        std::vector<Event> events;
        for (std::size_t e = rng.below(12); e > 0; --e)
            events.push_back({odd[rng.below(8)], odd[rng.below(8)], Status(rng.below(4)), int(rng.below(3)) - 1, int(rng.below(1000))});
        const DailyAggregate day = aggregate(TUESDAY, events, token_model(events), 120'000);
        EXPECT_TRUE(std::isfinite(day.level.value_or(0)) && std::isfinite(day.level_error.value_or(0)) && std::isfinite(day.spread.value_or(0)));
        EXPECT_TRUE(!day.level || day.sample_count > 0);
        EXPECT_EQ(day.failure_logit.has_value(), day.sample_count > 0);
    }
}

}  // namespace
}  // namespace router::math
