// What a cache of experts is worth, against caches that are tried out token by token; and which sizes are refused.
#include "engine/expert_forecast.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <list>
#include <random>
#include <set>

using namespace engine;

namespace {

constexpr int kZipfLayers = 12, kZipfExperts = 32, kZipfUsed = 4;

// Of each layer's experts the weight of the one at rank r is (r + 1)^-skew, in an order of the layer's own.
std::vector<double> zipf(double skew) {
    std::vector<double> out;
    for (int layer = 0; layer < kZipfLayers; ++layer)
        for (int e = 0; e < kZipfExperts; ++e) out.push_back(std::pow((e * 7 + layer * 5) % kZipfExperts + 1, -skew));
    return out;
}

// Used experts of a layer, drawn_experts by weight without putting back.
std::vector<int> drawn_experts(const std::vector<double>& weights, int layer, std::mt19937& random) {
    std::vector<double> of_layer(weights.begin() + layer * kZipfExperts, weights.begin() + (layer + 1) * kZipfExperts);
    std::vector<int> out;
    for (int k = 0; k < kZipfUsed; ++k) {
        out.push_back(std::discrete_distribution<int>(of_layer.begin(), of_layer.end())(random));
        of_layer[std::size_t(out.back())] = 0;
    }
    return out;
}

struct Tried {
    double hits;
    std::vector<double> chances;
};

// A cache of `slots` over a trace of tokens; the `pinned` that are chosen most never leave.
Tried tried(double skew, std::size_t slots, std::size_t pinned) {
    std::mt19937 random(7);
    const auto weights = zipf(skew);
    std::vector<double> counts(weights.size(), 0.0);
    constexpr int kTold = 4000, kTokens = 3000;
    for (int t = 0; t < kTold; ++t)
        for (int layer = 0; layer < kZipfLayers; ++layer)
            for (const int e : drawn_experts(weights, layer, random)) counts[std::size_t(layer * kZipfExperts + e)] += 1.0 / kTold;
    std::vector<int> order;
    for (int i = 0; i < int(counts.size()); ++i) order.push_back(i);
    std::ranges::sort(order, std::greater<>(), [&](int i) { return counts[std::size_t(i)]; });
    const std::set<int> fixed(order.begin(), order.begin() + std::ptrdiff_t(pinned));
    std::list<int> recent;
    double found = 0, wanted = 0;
    for (int t = 0; t < kTokens; ++t)
        for (int layer = 0; layer < kZipfLayers; ++layer)
            for (const int e : drawn_experts(weights, layer, random)) {
                const int id = layer * kZipfExperts + e;
                const auto at = std::ranges::find(recent, id);
                const bool there = fixed.contains(id) || at != recent.end();
                if (t >= kTokens / 3) ++wanted, found += there;
                if (fixed.contains(id)) continue;
                if (at != recent.end()) recent.erase(at);
                recent.push_front(id);
                if (recent.size() > slots - pinned) recent.pop_back();
            }
    return {found / wanted, counts};
}

ExpertPlan large_mixture() { return {.layers = 48, .experts = 128, .used = 8, .slot_bytes = 1000}; }

}  // namespace

TEST(PredictHits, AgreesWithATraceOfChoices) {
    for (const double skew : {0.0, 0.8, 1.2})
        for (const std::size_t slots : {60u, 120u, 240u, 360u})
            for (const std::size_t pinned : {std::size_t(0), slots / 2}) {
                SCOPED_TRACE(std::to_string(skew) + " " + std::to_string(slots) + " " + std::to_string(pinned));
                const Tried cache = tried(skew, slots, pinned);
                EXPECT_NEAR(predict_hits(cache.chances, slots, pinned), cache.hits, 0.03);
            }
}

TEST(PredictHits, IsOneWhereAllFitAndTheShareWhereNothingIsKnown) {
    const std::vector<double> alike(100, 0.25), unknown(100, 0.0);
    EXPECT_EQ(predict_hits(alike, 100, 0), 1);
    EXPECT_NEAR(predict_hits(alike, 40, 0), 0.4, 0.01);
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
