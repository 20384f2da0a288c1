#include "engine/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

using namespace engine;

namespace {

// How often each token comes in `n` draws from these logits.
std::map<TokenId, int> draws(const std::vector<float>& logits, Sampling sampling, int n = 20000) {
    sampling.seed = 42;
    Sampler sampler(sampling, 1);
    SamplerScratch scratch(int(logits.size()));
    std::map<TokenId, int> out;
    for (int i = 0; i < n; ++i) {
        auto copy = logits;
        ++out[sampler.sample(copy, {}, {}, scratch)];
    }
    return out;
}

TokenId greedy(std::vector<float> logits, Sampling sampling, const std::vector<TokenId>& history = {},
               const std::vector<std::uint64_t>& mask = {}) {
    SamplerScratch scratch(int(logits.size()));
    return Sampler(sampling, 1).sample(logits, history, mask, scratch);
}

std::vector<float> logs(std::vector<double> probabilities) {
    std::vector<float> out;
    for (const double p : probabilities) out.push_back(float(std::log(p)));
    return out;
}

}  // namespace

TEST(Sampler, GreedyTakesTheLargestAndTheLowestIdOnTies) {
    EXPECT_EQ(greedy({1, 5, 5, 2}, {}), 1);
    EXPECT_EQ(greedy({-INFINITY, -3, -INFINITY}, {}), 1);
    EXPECT_EQ(greedy({-INFINITY, NAN}, {}), -1);
}

TEST(Sampler, FrequenciesFollowTheDistribution) {
    const std::vector<double> p{0.5, 0.3, 0.15, 0.05};
    auto seen = draws(logs(p), {.temperature = 1});
    for (int id = 0; id < 4; ++id) EXPECT_NEAR(seen[id] / 20000.0, p[std::size_t(id)], 0.015);
    seen = draws(logs(p), {.temperature = 0.5});  // probabilities squared
    EXPECT_NEAR(seen[0] / 20000.0, 0.25 / 0.365, 0.015);
}

TEST(Sampler, CutsKeepExactlyWhatTheyShould) {
    const auto logits = logs({0.15, 0.5, 0.05, 0.3});
    const auto kept = [&](Sampling s) {
        std::vector<TokenId> ids;
        for (const auto& [id, n] : draws(logits, s)) ids.push_back(id);
        return ids;
    };
    EXPECT_EQ(kept({.temperature = 1, .top_k = 2}), (std::vector<TokenId>{1, 3}));
    EXPECT_EQ(kept({.temperature = 1, .top_p = 0.79f}), (std::vector<TokenId>{1, 3}));
    EXPECT_EQ(kept({.temperature = 1, .top_p = 0.85f}), (std::vector<TokenId>{0, 1, 3}));
    EXPECT_EQ(kept({.temperature = 1, .top_p = 0.01f}), (std::vector<TokenId>{1}));
    EXPECT_EQ(kept({.temperature = 1, .min_p = 0.2f}), (std::vector<TokenId>{0, 1, 3}));
    EXPECT_EQ(kept({.temperature = 1, .top_p = 0.99f, .min_p = 0.5f}), (std::vector<TokenId>{1, 3}));
    EXPECT_EQ(kept({.temperature = 1, .min_p = 1}), (std::vector<TokenId>{1}));
}

TEST(Sampler, OneSeedOneSeriesAnotherSeedAnother) {
    const auto logits = logs(std::vector<double>(50, 0.02));
    const auto series = [&](std::uint64_t seed) {
        Sampler sampler({.temperature = 1, .seed = seed}, 9);
        SamplerScratch scratch(50);
        std::vector<TokenId> out;
        for (int i = 0; i < 20; ++i) {
            auto copy = logits;
            out.push_back(sampler.sample(copy, {}, {}, scratch));
        }
        return out;
    };
    EXPECT_EQ(series(3), series(3));
    EXPECT_NE(series(3), series(4));
    EXPECT_EQ(series(0), series(9));  // seed 0: the one that was drawn
}

TEST(Sampler, PenaltiesBiasAndMaskMoveTheChoice) {
    EXPECT_EQ(greedy({2.0f, 1.5f}, {.repetition_penalty = 1.5f}, {0}), 1);
    EXPECT_EQ(greedy({-1.0f, -1.2f}, {.repetition_penalty = 1.5f}, {0}), 1);  // negative ones are multiplied
    EXPECT_EQ(greedy({2.0f, 1.5f}, {.presence_penalty = 0.6f}, {0, 0}), 1);
    EXPECT_EQ(greedy({2.0f, 1.5f}, {.presence_penalty = 0.4f}, {0, 0}), 0);
    EXPECT_EQ(greedy({2.0f, 1.5f}, {.frequency_penalty = 0.3f}, {0, 0}), 1);
    EXPECT_EQ(greedy({2.0f, 1.5f}, {.frequency_penalty = 0.3f, .penalty_window = 1}, {0, 0}), 0);
    EXPECT_EQ(greedy({2.0f, 1.5f}, {.logit_bias = {{1, 1.0f}}}), 1);
    EXPECT_EQ(greedy({2.0f, 1.5f, 9.0f}, {}, {}, {0b010}), 1);
    EXPECT_EQ(greedy({2.0f, 1.5f}, {}, {}, {0}), -1);
}

TEST(TopLogprobs, AreLogarithmsOfProbabilities) {
    SamplerScratch scratch(4);
    std::vector<TokenLogprob> top;
    top_logprobs(logs({0.15, 0.5, 0.05, 0.3}), 3, scratch, top);
    ASSERT_EQ(top.size(), 3u);
    EXPECT_EQ(top[0].id, 1);
    EXPECT_NEAR(top[0].logprob, std::log(0.5), 1e-6);
    EXPECT_EQ(top[1].id, 3);
    EXPECT_EQ(top[2].id, 0);
}
