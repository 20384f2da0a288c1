#include "router/math/nightly.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "router/math/simtel.h"

namespace router::math {
namespace {

const Date START = Date(std::chrono::year(2026) / 3 / 2);

struct Tenant {
    SimHistory history;
    std::vector<Disturbance> today;

    explicit Tenant(std::string_view seed, int nodes = 7) : history(default_tenant(nodes), seed, START, 7), today(std::size_t(nodes)) {}

    void days(int n) {
        for (int i = 0; i < n; ++i) history.day(today);
    }
    std::vector<NodeHistory> rows() const {
        std::vector<NodeHistory> out;
        for (std::size_t i = 0; i < today.size(); ++i) out.push_back({history.tenant().nodes[i].name, history.rows()[i], {}});
        return out;
    }
    NightReport night() const {
        LimitTable table;
        return analyse("home", rows(), history.last(), table);
    }
};

constexpr std::size_t THINKING = 3, RECOMPOSE = 4;

TEST(Signal, HasItsFormat) {
    EXPECT_EQ(signal_line(Regime::nominal, 1.838, 0.5), "[MathCore | regime: nominal | λ_max: 1.84 | α: 0.50]");
    EXPECT_EQ(signal_line(Regime::coupled, 2, 1), "[MathCore | regime: coupled | λ_max: 2.00 | α: 1.00]");
    for (const Regime r : {Regime::insufficient_data, Regime::degraded}) EXPECT_LE(signal_line(r, 1e9, 7).size(), 80U);
}

TEST(Nightly, SixDaysAreInsufficient) {
    Tenant t("few");
    t.days(7);
    auto rows = t.rows();
    LimitTable table;
    const NightReport six = analyse("home", rows, t.history.last() - std::chrono::days(1), table);
    EXPECT_EQ(six.regime, Regime::insufficient_data);
    EXPECT_EQ(six.signal, "");
    ASSERT_EQ(six.nodes.size(), 7U);
    for (const NodeReport& n : six.nodes) {
        EXPECT_EQ(n.weight, 0);
        EXPECT_EQ(n.drift_score, 0);
        EXPECT_EQ(n.label, Label::unknown);
        EXPECT_NE(n.reason.find("7 and 50 are needed"), std::string::npos) << n.reason;
    }
}

TEST(Nightly, AuthorityFollowsTheGates) {
    Tenant t("gates");
    double last = -1;
    const std::vector<std::pair<int, double>> expected = {{8, 0}, {13, 0}, {14, 0.5}, {29, 0.5}, {30, 1}, {31, 1}};
    t.days(31);
    for (const auto& [days, alpha] : expected) {
        LimitTable table;
        const NightReport r = analyse("home", t.rows(), START + std::chrono::days(days - 1), table);
        EXPECT_EQ(r.alpha, alpha) << days;
        EXPECT_GE(r.alpha, last);
        last = r.alpha;
        EXPECT_EQ(r.signal.find("[MathCore | regime: "), 0U);
    }
}

TEST(Nightly, ASlowNodeIsDegradedAndWeighs) {
    Tenant t("slow");
    t.days(40);
    const NightReport before = t.night();
    EXPECT_EQ(before.nodes[RECOMPOSE].weight, 0);
    t.today[RECOMPOSE].factor = 2;
    t.days(5);
    const NightReport r = t.night();
    EXPECT_GT(r.nodes[RECOMPOSE].drift_score, 1);
    EXPECT_LE(r.nodes[RECOMPOSE].drift_score, 3);
    EXPECT_EQ(r.nodes[RECOMPOSE].label, Label::degraded);
    EXPECT_EQ(r.regime, Regime::degraded);
    EXPECT_GT(r.nodes[RECOMPOSE].weight, 0.2);
    EXPECT_LE(r.nodes[RECOMPOSE].weight, 0.4);
    EXPECT_EQ(r.nodes[0].weight, 0);
    t.today[RECOMPOSE].factor = 1;
    t.days(20);
    EXPECT_EQ(t.night().nodes[RECOMPOSE].weight, 0);  // it recovers
}

// Whatever weekday it begins on: the label and the regime say of a node that is gone around that it is worse, and not that it had a bad day.
TEST(Nightly, WhatIsGoneAroundIsDegraded) {
    int around = 0;
    LimitTable table;
    for (const Disturbance& change : {Disturbance{.factor = 4}, Disturbance{.timeout_rate = 0.15}})
        for (int calm = 40; calm < 47; ++calm) {
            Tenant t("around" + std::to_string(calm));
            t.days(calm);
            t.today[THINKING] = t.today[RECOMPOSE] = change;
            for (int night = 1; night <= 4; ++night) {
                t.days(1);
                const NightReport r = analyse("home", t.rows(), t.history.last(), table);
                for (const NodeReport& n : r.nodes) {
                    if (!n.night.acting) continue;
                    ++around;
                    EXPECT_EQ(n.label, Label::degraded) << n.node << " on night " << night << " behind " << calm << " days";
                    EXPECT_EQ(r.regime, Regime::degraded);
                }
            }
        }
    EXPECT_GT(around, 20);
}

TEST(Nightly, TheWeightMovesByAQuarterANight) {
    Tenant t("quarter");
    t.days(40);
    t.today[RECOMPOSE].factor = 4;
    t.days(10);
    LimitTable table;
    double before = 0;
    for (int d = 40; d < 50; ++d) {
        const double now = analyse("home", t.rows(), START + std::chrono::days(d), table).nodes[RECOMPOSE].weight;
        EXPECT_LE(std::abs(now - before), 0.25 + 1e-12);
        before = now;
    }
    EXPECT_NEAR(before, 0.4, 1e-12);
}

TEST(Nightly, AnImprovementIsNoDriftAndBecomesTheBaseline) {
    Tenant t("better");
    t.days(35);
    t.today[RECOMPOSE].factor = 0.6;
    t.days(10);
    const NightReport early = t.night();
    EXPECT_EQ(early.nodes[RECOMPOSE].label, Label::improved);
    EXPECT_EQ(early.nodes[RECOMPOSE].weight, 0);
    t.days(25);
    const NightReport late = t.night();
    EXPECT_NE(late.nodes[RECOMPOSE].label, Label::improved);  // a plateau of fourteen nights is the new usual
    t.today[RECOMPOSE].factor = 1;
    t.days(10);
    EXPECT_EQ(t.night().nodes[RECOMPOSE].label, Label::degraded);  // against which the old one is slow
}

TEST(Nightly, TheOperatorAcceptsAndFreezes) {
    Tenant t("accepted");
    t.days(40);
    t.today[RECOMPOSE].factor = 2;
    t.days(25);
    LimitTable table;
    auto rows = t.rows();
    EXPECT_GT(analyse("home", rows, t.history.last(), table).nodes[RECOMPOSE].weight, 0);
    rows[RECOMPOSE].settings.accepted = START + std::chrono::days(41);
    EXPECT_EQ(analyse("home", rows, t.history.last(), table).nodes[RECOMPOSE].weight, 0);
    rows = t.rows();
    rows[RECOMPOSE].settings.frozen = START + std::chrono::days(40);
    EXPECT_EQ(analyse("home", rows, t.history.last(), table).nodes[RECOMPOSE].weight, 0);
    rows[RECOMPOSE].settings.frozen = START + std::chrono::days(45);  // its weight is what it was the night before
    EXPECT_EQ(analyse("home", rows, t.history.last(), table).nodes[RECOMPOSE].weight, analyse("home", rows, START + std::chrono::days(44), table).nodes[RECOMPOSE].weight);
}

TEST(Nightly, ARerunIsTheSame) {
    Tenant t("rerun");
    t.days(60);
    const NightReport one = t.night(), other = t.night();
    EXPECT_EQ(one.signal, other.signal);
    EXPECT_EQ(one.coupling->gamma.values, other.coupling->gamma.values);
    EXPECT_EQ(one.coupling->threshold, other.coupling->threshold);
    for (std::size_t i = 0; i < one.nodes.size(); ++i) {
        EXPECT_EQ(one.nodes[i].night.night.score, other.nodes[i].night.night.score);
        EXPECT_EQ(one.nodes[i].distance, other.nodes[i].distance);
    }
    EXPECT_GT(one.curves, 10U);
}

TEST(Nightly, AQueueThatAllShareIsCoupled) {
    Tenant t("coupled");
    for (Disturbance& d : t.today) d.shared = 0.3;
    t.days(60);
    const NightReport r = t.night();
    ASSERT_TRUE(r.coupling);
    EXPECT_TRUE(r.coupling->coupled);
    EXPECT_GT(r.lambda_max, 2);
}

// A node that was taken out is told of as such, whatever it was like, and others are judged as before; back again it begins without a memory of that.
TEST(Nightly, ANodeThatIsThereNoMoreIsNotJudged) {
    Tenant t("gone");
    t.days(40);
    t.today[RECOMPOSE].factor = 3;
    t.days(6);
    EXPECT_EQ(t.night().regime, Regime::degraded);
    t.today[RECOMPOSE] = {.silent = true};
    t.days(13);
    EXPECT_EQ(t.night().nodes[RECOMPOSE].label, Label::degraded);  // it may be the weekend of somebody who asks little
    t.days(2);
    const NightReport away = t.night();
    EXPECT_EQ(away.nodes[RECOMPOSE].reason, "no events since 2026-04-16");
    EXPECT_EQ(away.nodes[RECOMPOSE].weight, 0);
    EXPECT_EQ(away.nodes[RECOMPOSE].gate, Gate::insufficient);
    EXPECT_EQ(away.nodes[RECOMPOSE].label, Label::unknown);
    const bool others = std::any_of(away.nodes.begin(), away.nodes.end(), [](const NodeReport& n) { return n.label == Label::degraded; });
    EXPECT_EQ(away.regime == Regime::degraded, others);
    EXPECT_EQ(away.watched.size(), 6U);
    EXPECT_EQ(away.alpha, 1);
    t.today[RECOMPOSE] = {};
    t.days(2);
    const NightReport back = t.night();
    EXPECT_LT(back.nodes[RECOMPOSE].drift_score, 1);
    EXPECT_EQ(back.nodes[RECOMPOSE].gate, Gate::full);
}

// Of a machine that was off, or whose clock began years ago, the days that it was on make the baseline.
TEST(Nightly, DaysOffAreNoDaysOfABaseline) {
    Tenant t("off");
    t.days(1);
    for (Disturbance& d : t.today) d.silent = true;
    t.days(40);
    for (Disturbance& d : t.today) d.silent = false;
    t.days(4);
    EXPECT_EQ(t.night().regime, Regime::insufficient_data);  // five days, and 45 on the calendar
    t.days(4);
    EXPECT_EQ(t.night().alpha, 0);
    t.days(8);
    const NightReport half = t.night();
    EXPECT_EQ(half.alpha, 0.5);
    for (const NodeReport& n : half.nodes) EXPECT_LT(n.drift_score, 1) << n.node;
    t.days(20);
    EXPECT_EQ(t.night().alpha, 1);
}

TEST(Nightly, ANodeThatJoinsLeavesTheOthersCoupled) {
    Tenant t("joins");
    for (Disturbance& d : t.today) d.shared = 0.3;
    t.today[RECOMPOSE].silent = true;
    t.days(60);
    const double before = t.night().lambda_max;
    t.today[RECOMPOSE].silent = false;
    t.days(16);
    const NightReport r = t.night();
    EXPECT_TRUE(r.coupling && r.coupling->coupled);
    EXPECT_NEAR(r.lambda_max, before, 0.5);
    EXPECT_EQ(std::count(r.watched.begin(), r.watched.end(), "recompose"), 0);
    t.days(20);
    EXPECT_EQ(t.night().watched.size(), 7U);
}

// What fails at once is not quick, and never becomes the usual.
TEST(Nightly, ANodeThatRefusesIsDegradedForAsLongAsItDoes) {
    Tenant t("refuses");
    t.days(40);
    t.today[RECOMPOSE].refused = 0.4;
    for (int week = 0; week < 6; ++week) {
        t.days(7);
        const NightReport r = t.night();
        EXPECT_EQ(r.nodes[RECOMPOSE].label, Label::degraded) << week;
        EXPECT_GT(r.nodes[RECOMPOSE].weight, 0.2) << week;
        EXPECT_LT(r.nodes[RECOMPOSE].baseline.failure_rate, 0.02) << week;
    }
}

// Whatever rows come in: a report of every node, and no number that is none.
TEST(Nightly, TakesAnything) {
    Rng rng("rows");
    for (int i = 0; i < 25; ++i) {
        std::vector<NodeHistory> histories(rng.below(5));
        for (std::size_t n = 0; n < histories.size(); ++n) {
            histories[n].node = "n" + std::to_string(n);
            const int kind = int(rng.below(5)), days = int(rng.below(80));
            for (int d = 0; d < days; ++d) {
                std::vector<Event> events;
                if (kind == 0 || (kind == 1 && rng.uniform() < 0.7)) {
                } else {
                    for (std::size_t e = 0; e < 12; ++e) events.push_back({.latency_ms = kind == 2 ? 100.0 : kind == 3 ? 1e6 : std::exp(5 * rng.normal()), .status = Status(rng.below(4))});
                }
                histories[n].rows.push_back(aggregate(START + std::chrono::days(d), events, {}, 120'000));
            }
        }
        LimitTable table({.bootstraps = 100});
        const NightReport r = analyse("odd", histories, START + std::chrono::days(70), table);
        ASSERT_EQ(r.nodes.size(), histories.size());
        for (const NodeReport& n : r.nodes) {
            EXPECT_TRUE(std::isfinite(n.drift_score) && std::isfinite(n.weight) && n.weight >= 0 && n.weight <= 1);
            EXPECT_TRUE(n.gate != Gate::insufficient || !n.reason.empty());
        }
        EXPECT_TRUE(std::isfinite(r.lambda_max));
    }
}

TEST(Simulator, IsTheSameFromTheSameSeedAndOtherwiseNot) {
    Tenant one("seed"), same("seed"), other("other");
    one.days(8), same.days(8), other.days(8);
    EXPECT_EQ(one.history.rows()[RECOMPOSE][7].avg_latency_ms, same.history.rows()[RECOMPOSE][7].avg_latency_ms);
    EXPECT_NE(one.history.rows()[RECOMPOSE][7].avg_latency_ms, other.history.rows()[RECOMPOSE][7].avg_latency_ms);
}

}  // namespace
}  // namespace router::math
