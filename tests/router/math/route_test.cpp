#include "router/math/route.h"

#include <gtest/gtest.h>

#include <cmath>

#include "router/math/belief.h"
#include "router/math/recommend.h"

namespace router::math {
namespace {

NodeCost seconds(double s, double baseline = 0) { return {.seconds = s, .baseline_seconds = baseline}; }

bool goes_deep(double thinking, double recompose, Rule rule, double gain = 0) {
    Prober prober;
    Rng rng("no probe");
    const RouteSettings settings{.rule = rule, .probe_floor = 0};
    return decide(gain, seconds(thinking, 20), seconds(recompose, 26), 1e9, prober, rng, settings).why == Why::worth_it;
}

TEST(Route, TheAbsoluteRuleIsTwiceTheCostOfRecompose) {
    EXPECT_TRUE(goes_deep(2.0, 1, Rule::absolute));
    EXPECT_FALSE(goes_deep(2.01, 1, Rule::absolute));
}

TEST(Route, TheRelativeRuleDoesNotBanWhatIsLongByNature) {
    EXPECT_TRUE(goes_deep(39, 26, Rule::relative));   // 1.95 of its baseline
    EXPECT_FALSE(goes_deep(41, 26, Rule::relative));  // 2.05
    EXPECT_TRUE(goes_deep(80, 52, Rule::relative));   // all are slower
}

TEST(Route, UtilityWeighsGainAgainstSecondsAndTimeouts) {
    const RouteSettings settings;
    EXPECT_DOUBLE_EQ(price({.seconds = 20, .weight = 0.5, .timeout = 0.1}, settings), 0.005 * 30 + 0.2 * 0.1);
    EXPECT_TRUE(goes_deep(20, 26, Rule::utility, 0.11));
    EXPECT_FALSE(goes_deep(20, 26, Rule::utility, 0.09));
}

TEST(Route, AvoidedNodesAreProbedAtLeastAboutOnceADay) {
    Prober prober;
    Rng rng("probes"), gains("gains");
    const RouteSettings settings;
    int probes = 0;
    double lost = 0, might = 0;
    constexpr int DAYS = 500, PER_DAY = 8;
    for (int i = 0; i < DAYS * PER_DAY; ++i) {
        const Decision d = decide(0.16 + 0.06 * gains.normal(), seconds(60), seconds(26), PER_DAY, prober, rng, settings);
        if (d.why == Why::probe) ++probes, lost += d.loss;
        might += d.loss;
        EXPECT_GT(d.propensity, 0);
        EXPECT_EQ(d.heavy, d.why != Why::too_costly);
    }
    EXPECT_NEAR(probes / double(DAYS), 1.5, 0.4);
    EXPECT_LT(lost / probes, 0.8 * might / (DAYS * PER_DAY));  // on questions where less is lost than usual
}

TEST(Route, WhereNothingIsToBeProbedNothingIs) {
    Prober prober;
    Rng rng("none");
    for (int i = 0; i < 100; ++i) {
        const Decision d = decide(0.1, seconds(60), seconds(26), 1, prober, rng, {.probes = false});
        EXPECT_EQ(d.why, Why::too_costly);
        EXPECT_EQ(d.propensity, 1);
    }
}

TEST(Route, AProbeThatIsOverdueIsMadeWhateverIsLost) {
    Prober prober;
    const RouteSettings settings;
    constexpr double PER_DAY = 7.5;  // five questions to a probe
    for (int i = 0; i < 14; ++i) prober.skipped(0.01);
    EXPECT_EQ(prober.probability(0.5, PER_DAY, settings), 0);
    prober.skipped(0.01);
    EXPECT_EQ(prober.probability(0.5, PER_DAY, settings), 0.9);
    prober.probed();
    EXPECT_EQ(prober.probability(0.5, PER_DAY, settings), 0);
}

TEST(Route, AProbeThatWentWellIsFollowedUp) {
    Prober prober;
    const RouteSettings settings;
    prober.skipped(0.01);
    EXPECT_EQ(prober.probability(0.5, 100, settings), 0);
    prober.learnt(-2);
    EXPECT_EQ(prober.probability(0.5, 100, settings), 0.6);
    for (int i = 0; i < 4; ++i) prober.learnt(0);
    EXPECT_EQ(prober.probability(0.5, 100, settings), 0);
}

TEST(Belief, LimitedMeanIsTheIntegral) {
    double sum = 0;
    constexpr int N = 200'000;
    for (int i = 0; i < N; ++i) {  // midpoints of ±8 deviations
        const double z = -8 + 16 * (i + 0.5) / N, density = std::exp(-z * z / 2) / std::sqrt(2 * M_PI) * 16 / N;
        sum += std::min(std::exp(9 + 0.6 * z), 12'000.0) * density;
    }
    EXPECT_NEAR(limited_mean(9, 0.6, 12'000), sum, 1e-4 * sum);
    EXPECT_NEAR(beyond(9, 0.6, std::exp(9.0)), 0.5, 1e-12);
}

const LatencyPrior PRIOR{.log_mean = std::log(20'000), .log_deviation = 0.45};

TEST(Belief, BeginsAsItsPrior) {
    const LatencyBelief b(PRIOR);
    EXPECT_DOUBLE_EQ(b.log_mean(), PRIOR.log_mean);
    EXPECT_NEAR(b.mean_ms(), 20'000 * std::exp(0.45 * 0.45 / 2), 40);
}

TEST(Belief, FollowsAChangeAndComesBack) {
    LatencyBelief b(PRIOR);
    Rng rng("belief");
    const auto feed = [&](double factor, int n) {
        for (int i = 0; i < n; ++i) b.add(20'000 * factor * std::exp(0.45 * rng.normal()), false);
    };
    feed(1, 200);
    EXPECT_NEAR(b.log_mean(), PRIOR.log_mean, 0.35);
    feed(3, 8);
    EXPECT_GT(b.log_mean(), PRIOR.log_mean + 0.6);
    feed(3, 60);
    EXPECT_NEAR(b.log_mean(), PRIOR.log_mean + std::log(3), 0.35);
    feed(1, 5);
    EXPECT_LT(b.log_mean(), PRIOR.log_mean + 0.45);
}

// A steady machine scatters little: what doubles there is many deviations away, and believed all the same.
TEST(Belief, ReachesAShiftOfManyDeviations) {
    for (const double deviation : {0.05, 0.1, 0.3}) {
        LatencyBelief b({.log_mean = std::log(20'000), .log_deviation = deviation});
        Rng rng("steady");
        for (int i = 0; i < 60; ++i) b.add(40'000 * std::exp(deviation * rng.normal()), false);
        EXPECT_GT(b.mean_ms(), 35'000) << deviation;
        for (int i = 0; i < 40; ++i) b.add(20'000 * std::exp(deviation * rng.normal()), false);
        EXPECT_NEAR(b.mean_ms(), 20'000, 2'500) << deviation;
    }
}

TEST(Belief, OneAnswerFarBelowAFaultEndsItAndNoneBeginsOne) {
    LatencyBelief slowed(PRIOR), empty(PRIOR), usual(PRIOR), cold(PRIOR);
    for (int i = 0; i < 10; ++i) slowed.add(119'000, false), empty.add(119'000, false), usual.add(20'000, false), cold.add(20'000, false);
    EXPECT_GT(slowed.mean_ms(), 60'000);
    slowed.add(8'000, false);
    EXPECT_LT(slowed.mean_ms(), 35'000);
    empty.add(1, false);  // which is no answer as usual
    EXPECT_GT(empty.mean_ms(), 50'000);
    usual.add(3'000, false);  // from a cache
    EXPECT_GT(usual.mean_ms(), 18'000);
    cold.add(119'000, false);
    EXPECT_LT(cold.mean_ms(), 30'000);
}

TEST(Belief, OneAnswerAsUsualEndsHanging) {
    LatencyBelief b(PRIOR);
    for (int i = 0; i < 20; ++i) b.add(120'000, true);
    EXPECT_GT(b.timeout_probability(), 0.5);
    b.add(100'000, false);  // still slow
    EXPECT_GT(b.mean_ms(), 60'000);
    b.add(20'000, false);
    EXPECT_LT(b.mean_ms(), 30'000);
    EXPECT_LT(b.timeout_probability(), 0.1);
}

TEST(Belief, TimeoutsCount) {
    LatencyBelief b(PRIOR);
    const double before = b.timeout_probability();
    for (int i = 0; i < 10; ++i) b.add(120'000, true);
    EXPECT_GT(b.timeout_probability(), before + 0.3);
    EXPECT_LE(b.timeout_probability(), 1);
}

// The one table of days: docs/mathcore.md.
TEST(Recommend, AuthorityGrowsWithTheDays) {
    EXPECT_EQ(gate_of(6, 1000, 60), Gate::insufficient);
    EXPECT_EQ(gate_of(7, 49, 7), Gate::insufficient);
    EXPECT_EQ(gate_of(7, 50, 7), Gate::advisory);
    EXPECT_EQ(gate_of(13, 1000, 60), Gate::advisory);
    EXPECT_EQ(gate_of(14, 1000, 60), Gate::half);
    EXPECT_EQ(gate_of(29, 1000, 60), Gate::half);
    EXPECT_EQ(gate_of(30, 1000, 60), Gate::full);
    EXPECT_EQ(gate_of(300, 1000, 4.5), Gate::advisory);
    EXPECT_EQ(authority_of(Gate::advisory), 0);
    EXPECT_EQ(authority_of(Gate::half), 0.5);
    EXPECT_EQ(authority_of(Gate::full), 1);
}

TEST(Recommend, WeightIsBounded) {
    EXPECT_DOUBLE_EQ(weight_adjustment(0.5, 1.5, 1), 0.6 * 0.5 + 0.4 * 0.5);
    EXPECT_DOUBLE_EQ(weight_adjustment(0.5, 1.5, 0.5), 0.4);
    EXPECT_DOUBLE_EQ(weight_adjustment(1, 99, 1), 1);
    EXPECT_DOUBLE_EQ(weight_adjustment(0, 3, 0), 0);  // days 7 to 13: the live penalty alone
    EXPECT_DOUBLE_EQ(raw_weight_adjustment(0.5, 2), 1.1);
    EXPECT_DOUBLE_EQ(limited(0.1, 0.9), 0.35);
    EXPECT_DOUBLE_EQ(limited(0.4, 0), 0.15);
}

TEST(Recommend, LivePenaltyFromUsualToSaturation) {
    const LiveBaseline usual{.median = 9, .p95 = 9.8, .failure_rate = 0.01};
    EXPECT_EQ(live_penalty({.level = 9, .failure_rate = 0.01, .events = 5}, usual), 0);
    EXPECT_EQ(live_penalty({.level = 8, .failure_rate = 0, .events = 5}, usual), 0);
    EXPECT_DOUBLE_EQ(live_penalty({.level = 9.4, .failure_rate = 0, .events = 5}, usual), 0.5);
    EXPECT_DOUBLE_EQ(live_penalty({.level = 9, .failure_rate = 0.035, .events = 5}, usual), 0.5);
    EXPECT_EQ(live_penalty({.level = 11, .failure_rate = 0, .events = 5}, usual), 1);
    EXPECT_EQ(live_penalty({.level = 11, .failure_rate = 1, .events = 0}, usual), 0);
}

TEST(Recommend, TheFastPathSeesADoublingAndItsEnd) {
    FastPath path(9, 0.45);
    Rng rng("fast");
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(path.add(9 + 0.45 * rng.normal())) << i;
    int events = 0;
    while (!path.add(9 + std::log(2) + 0.45 * rng.normal())) ++events;
    EXPECT_LT(events, 15);
    for (int i = 0; i < 20; ++i) path.add(9 + 0.45 * rng.normal());
    EXPECT_FALSE(path.on());
    EXPECT_FALSE(path.add(20));  // one cold start is no shift
}

}  // namespace
}  // namespace router::math
