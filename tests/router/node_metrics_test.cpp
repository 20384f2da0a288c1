#include "router/node_metrics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace router {
namespace {

using namespace std::chrono_literals;

constexpr base::TimePoint kNow{std::chrono::hours(500'000)};

NodeHistory known(double seconds, math::Gate gate = math::Gate::full, double weight = 0) {
    NodeHistory out;
    out.known = {.gate = gate, .weight = weight, .drift = 0, .per_day = 20, .usual = math::LatencyPrior{.log_mean = std::log(1000 * seconds), .log_deviation = 0.3}, .failure_rate = 0.005};
    return out;
}

NodeMetrics metrics(DepthSettings settings = {}) { return NodeMetrics({{"thinking", 30'000}, {"recompose", 42'000}}, settings); }

DepthSettings of_rule(math::Rule rule) {
    DepthSettings out;
    out.route.rule = rule;
    out.route.probe_floor = 0;
    return out;
}

int avoided(NodeMetrics& nodes, double gain = 0.375) {
    int n = 0;
    for (int i = 0; i < 100; ++i) n += !nodes.choose(gain, std::to_string(i), kNow).heavy;
    return n;
}

TEST(NodeMetrics, NothingIsKnownAtFirst) {
    NodeMetrics nodes(metrics());
    const DepthChoice choice = nodes.choose(0, "x", kNow);
    EXPECT_TRUE(choice.heavy);
    EXPECT_EQ(choice.why, "insufficient_data");
    for (int i = 0; i < 50; ++i) nodes.done("thinking", {110'000, false, false}, kNow);
    EXPECT_TRUE(nodes.choose(0, "x", kNow).heavy);  // static routing, whatever is seen
    nodes.done("no such node", {1, false, false}, kNow);
}

// More than twice, and not twice.
TEST(NodeMetrics, TheAbsoluteRuleIsTwiceTheOther) {
    for (const auto& [times, plain] : {std::pair{1.999, false}, {2.01, true}}) {
        NodeMetrics nodes(metrics(of_rule(math::Rule::absolute)));
        NodeHistory thinking = known(1), recompose = known(1);
        thinking.known.usual = math::LatencyPrior{.log_mean = std::log(1000 * times), .log_deviation = 1e-3, .limit_ms = 1e9};
        recompose.known.usual = math::LatencyPrior{.log_mean = std::log(1000), .log_deviation = 1e-3, .limit_ms = 1e9};
        nodes.load({{"thinking", thinking}, {"recompose", recompose}});
        const int around = avoided(nodes, 1);
        EXPECT_TRUE(plain ? around > 50 : around == 0) << times << ": " << around;
        EXPECT_EQ(nodes.choose(1, "x", kNow).why == "worth_it", !plain);
    }
}

// 0.6 × live_penalty + 0.4 × drift_score, once a node has authority.
TEST(NodeMetrics, TheAbsoluteRuleHasThePlainWeight) {
    for (const auto& [gate, weight] : {std::pair{math::Gate::full, 1.0}, {math::Gate::half, 1.0}, {math::Gate::advisory, 0.0}}) {
        NodeMetrics nodes(metrics(of_rule(math::Rule::absolute)));
        NodeHistory thinking = known(20, gate, 0.25);
        thinking.known.drift = 2.5;
        nodes.load({{"thinking", thinking}, {"recompose", known(20)}});
        EXPECT_DOUBLE_EQ(nodes.choose(1, "x", kNow).thinking.weight, weight);
    }
}

// Nobody is sent to a node because it fails quickly.
TEST(NodeMetrics, WhatFailsAtOnceIsNotQuick) {
    NodeMetrics nodes(metrics());
    nodes.load({{"thinking", known(20)}, {"recompose", known(10)}});
    const double before = nodes.choose(1, "x", kNow).thinking.seconds;
    for (int i = 0; i < 20; ++i) nodes.done("thinking", {0, true, false}, kNow);
    const DepthChoice after = nodes.choose(1, "x", kNow);
    EXPECT_DOUBLE_EQ(after.thinking.seconds, before);
    EXPECT_GT(after.thinking.weight, 0.5);  // it fails all the same
    for (int i = 0; i < 20; ++i) nodes.done("thinking", {60'000, true, false}, kNow);
    EXPECT_GT(nodes.choose(1, "x", kNow).thinking.seconds, 1.5 * before);
}

TEST(NodeMetrics, AWeightOfTheNightMakesThinkingDearer) {
    NodeMetrics nodes(metrics());
    nodes.load({{"thinking", known(60)}, {"recompose", known(10)}});
    EXPECT_EQ(avoided(nodes), 0);
    nodes.load({{"thinking", known(60, math::Gate::full, 0.4)}, {"recompose", known(10)}});
    EXPECT_GT(avoided(nodes), 60);
    nodes.load({{"thinking", known(60, math::Gate::insufficient, 0.4)}, {"recompose", known(10)}});
    EXPECT_EQ(avoided(nodes), 0);
    DepthSettings off;
    off.on = false;
    NodeMetrics left_alone(metrics(off));
    left_alone.load({{"thinking", known(100, math::Gate::full, 0.4)}, {"recompose", known(1)}});
    EXPECT_EQ(left_alone.choose(0, "x", kNow).why, "off");
}

TEST(NodeMetrics, WarmsUpWithDaysAndWhatCameSince) {
    NodeMetrics nodes(metrics());
    NodeHistory slow = known(10);
    for (int i = 0; i < 7; ++i) slow.week.push_back({20, 0, std::log(110'000.0)});
    const auto loaded = nodes.load({{"thinking", slow}, {"recompose", known(10)}});
    EXPECT_EQ(loaded.samples, 140);
    EXPECT_EQ(loaded.nodes, 1);
    EXPECT_GT(avoided(nodes), 60);
    for (int i = 0; i < 30; ++i) slow.today.push_back({10'000, false, false});
    nodes.load({{"thinking", slow}, {"recompose", known(10)}});
    EXPECT_EQ(avoided(nodes), 0);
}

// Between nights: a shift is seen within a dozen events, one slow answer is none, and it fades.
TEST(NodeMetrics, TheLivePenaltyFollowsAShiftAndFades) {
    NodeMetrics nodes(metrics());
    nodes.load({{"thinking", known(20)}, {"recompose", known(10)}});
    const auto penalty = [&](base::TimePoint now) {
        for (const auto& state : nodes.states(now))
            if (state.node == "thinking") return state.live_penalty;
        return -1.0;
    };
    EXPECT_EQ(penalty(kNow), 0);
    nodes.done("thinking", {80'000, false, false}, kNow);
    EXPECT_EQ(penalty(kNow), 0);
    for (int i = 0; i < 12; ++i) nodes.done("thinking", {60'000, false, false}, kNow + std::chrono::seconds(i));
    EXPECT_EQ(penalty(kNow + 12s), 1);
    EXPECT_EQ(penalty(kNow + 3h), 0);
    const auto cost = nodes.choose(0.375, "x", kNow + 12s).thinking;
    EXPECT_DOUBLE_EQ(cost.weight, 0.6);
}

TEST(NodeMetrics, ProbesBringANodeBack) {
    NodeMetrics nodes(metrics());
    NodeHistory slow = known(20);
    for (int i = 0; i < 7; ++i) slow.week.push_back({20, 0, std::log(100'000.0)});
    nodes.load({{"thinking", slow}, {"recompose", known(10)}});
    int probes = 0, asked = 0;
    for (; asked < 500; ++asked) {
        const DepthChoice choice = nodes.choose(0.375, "p" + std::to_string(asked), kNow);
        EXPECT_GT(choice.propensity, 0);
        EXPECT_LE(choice.propensity, 1);
        if (choice.why == "worth_it") break;
        if (choice.why != "probe") continue;
        ++probes;
        nodes.done("thinking", {20'000, false, false}, kNow, true);
    }
    EXPECT_GT(probes, 0);
    EXPECT_LT(probes, 12);
    EXPECT_LT(asked, 200);
    EXPECT_EQ(avoided(nodes), 0);
}

}  // namespace
}  // namespace router
