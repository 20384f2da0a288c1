// What a cache of experts is worth, against caches that are tried out token by token; and which sizes are refused.
#include "engine/expert_forecast.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <list>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace engine;

namespace {

constexpr int kZipfLayers = 12, kZipfExperts = 32, kZipfUsed = 4, kZipfTokens = 1200;

using Trace = std::vector<std::vector<int>>;  // of each token the experts that it uses

// Of each layer the weight of the expert at rank r is (r + 1)^-skew, in an order of the layer's own; drawn without putting back,
// by exponential keys.
Trace zipf_trace(double skew) {
    std::mt19937 random(7);
    std::exponential_distribution<double> key;
    Trace out(kZipfTokens);
    for (std::vector<int>& token : out)
        for (int layer = 0; layer < kZipfLayers; ++layer) {
            std::vector<std::pair<double, int>> keys;
            for (int e = 0; e < kZipfExperts; ++e) keys.emplace_back(key(random) * std::pow((e * 7 + layer * 5) % kZipfExperts + 1, skew), layer * kZipfExperts + e);
            std::ranges::partial_sort(keys, keys.begin() + kZipfUsed);
            for (int k = 0; k < kZipfUsed; ++k) token.push_back(keys[std::size_t(k)].second);
        }
    return out;
}

std::vector<double> chances_in(const Trace& trace) {
    std::vector<double> out(kZipfLayers * kZipfExperts, 0.0);
    for (const auto& token : trace)
        for (const int e : token) out[std::size_t(e)] += 1.0 / double(trace.size());
    return out;
}

// What a cache of `slots` finds over the last two thirds of the trace; the `pinned` that are chosen most never leave.
double tried(const Trace& trace, const std::vector<double>& chances, std::size_t slots, std::size_t pinned) {
    std::vector<int> order(chances.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, std::greater<>(), [&](int e) { return chances[std::size_t(e)]; });
    const std::set<int> fixed(order.begin(), order.begin() + std::ptrdiff_t(pinned));
    std::list<int> recent;
    std::map<int, std::list<int>::iterator> places;
    double found = 0, wanted = 0;
    for (std::size_t t = 0; t < trace.size(); ++t)
        for (const int e : trace[t]) {
            const auto at = places.find(e);
            if (t >= trace.size() / 3) ++wanted, found += fixed.contains(e) || at != places.end();
            if (fixed.contains(e)) continue;
            if (at != places.end()) recent.erase(at->second);
            recent.push_front(e);
            places[e] = recent.begin();
            if (recent.size() <= slots - pinned) continue;
            places.erase(recent.back());
            recent.pop_back();
        }
    return found / wanted;
}

ExpertPlan large_mixture() { return {.layers = 48, .experts = 128, .used = 8, .slot_bytes = 1000}; }

}  // namespace

TEST(PredictHits, AgreesWithATraceOfChoices) {
    for (const double skew : {0.0, 0.8, 1.2}) {
        const Trace trace = zipf_trace(skew);
        const auto chances = chances_in(trace);
        for (const std::size_t slots : {60u, 120u, 240u, 360u})
            for (const std::size_t pinned : {std::size_t(0), slots / 2}) {
                SCOPED_TRACE(std::to_string(skew) + " " + std::to_string(slots) + " " + std::to_string(pinned));
                EXPECT_NEAR(predict_hits(chances, slots, pinned), tried(trace, chances, slots, pinned), 0.025);
            }
    }
}

TEST(PredictHits, IsOneWhereAllFitAndTheShareWhereNothingIsKnown) {
    const std::vector<double> alike(100, 0.05), unknown(100, 0.0);
    EXPECT_EQ(predict_hits(alike, 100, 0), 1);
    EXPECT_NEAR(predict_hits(alike, 40, 0), 0.4, 0.03) << "one token uses few of those that stay";
    EXPECT_EQ(predict_hits(unknown, 40, 0), 0.4);
}

TEST(PredictSeconds, AddsWhatIsReadBesideWhatIsComputed) {
    const ExpertPlan plan{.layers = 10, .experts = 8, .used = 2};
    ExpertCosts costs{.computing = 0.010, .layer = 0.0005, .read = {0, 0.002, 0.003}};
    EXPECT_DOUBLE_EQ(predict_seconds(plan, 1, costs), 0.010);
    // All are read: nothing is there to compute meanwhile.
    EXPECT_NEAR(predict_seconds(plan, 0, costs), 0.010 + 10 * 0.003, 1e-12);
    // One of two: a quarter of the layers has both, half has one (the other's half of the computing goes on meanwhile).
    EXPECT_NEAR(predict_seconds(plan, 0.5, costs), 0.010 + 10 * (0.5 * (0.002 - 0.00025) + 0.25 * 0.003), 1e-12);
}

TEST(PlanExperts, RefusesACacheThatOneTokenEmpties) {
    const auto refused = plan_experts(large_mixture(), 64 * 1000, 0);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, testing::AllOf(testing::HasSubstr("a cache of 64 experts"), testing::HasSubstr("48 layers of 8 are 384 experts of 1000 bytes")));
    EXPECT_EQ(plan_experts(large_mixture(), 384 * 1000, 0)->slots, 384u);
    EXPECT_FALSE(plan_experts(large_mixture(), 384 * 1000 - 1, 0));
}

TEST(PlanExperts, TakesWhatIsAskedForAndNoMoreThanThereIs) {
    EXPECT_EQ(plan_experts(large_mixture(), 5'000'000, 500'999)->slots, 500u);
    EXPECT_EQ(plan_experts(large_mixture(), 450'000, 500'000)->slots, 450u);
    EXPECT_EQ(plan_experts(large_mixture(), 1'000'000'000, 0)->slots, 48u * 128) << "no more than the model has";
    const auto refused = plan_experts(large_mixture(), 5'000'000, 100'000);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().remedy, testing::HasSubstr("model.expert_memory to at least 384000"));
}
