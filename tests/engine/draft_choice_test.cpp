#include "engine/draft_choice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

using namespace engine;

namespace {

// Seconds of steps by a function of their rows.
template <class F>
StepCost measured(F seconds) {
    StepCost cost;
    for (int round = 0; round < 3; ++round)
        for (int rows = StepCost::kRows; rows > 0; --rows) cost.took(rows, seconds(rows));
    return cost;
}

Acceptance seen(double chance, int guesses = 400) {
    Acceptance out;
    double due = 0;
    for (int i = 0; i < guesses; ++i) {
        due += chance;
        for (const int length : {2, 3, 4, 6, 9, 16}) out.saw(length, due >= 1);
        if (due >= 1) --due;
    }
    return out;
}

std::vector<int> chosen(std::vector<Draftable> sequences, int rows, const StepCost& cost) {
    const Acceptance all;
    for (Draftable& s : sequences) s.all = &all;
    choose_drafts(sequences, rows, rows, cost);
    std::vector<int> out;
    for (const auto& s : sequences) out.push_back(s.chosen);
    return out;
}

}  // namespace

TEST(Acceptance, LearnsTheShareThatWasRightAndForgetsWhatIsLongAgo) {
    const Acceptance nobody;
    for (const double share : {0.1, 0.5, 0.9}) EXPECT_NEAR(seen(share).chance(4, nobody), share, 0.08);
    Acceptance changed = seen(0.95);
    for (int i = 0; i < 100; ++i) changed.saw(4, false);
    EXPECT_LT(changed.chance(4, nobody), 0.1);
    EXPECT_GT(changed.chance(9, nobody), 0.8) << "of another length";
}

TEST(Acceptance, WhatWasNotSeenIsAsInAllSequences) {
    const Acceptance fresh;
    EXPECT_GT(fresh.chance(6, seen(0.95)), fresh.chance(6, seen(0.2)) + 0.5);
    EXPECT_LT(fresh.chance(2, fresh), fresh.chance(20, fresh)) << "longer ends say more";
}

TEST(StepCost, LiesBetweenWhatWasMeasured) {
    StepCost cost;
    EXPECT_FALSE(cost.knows(1));
    cost.took(1, 0.010);
    EXPECT_TRUE(cost.knows(1));
    EXPECT_GT(cost.of(4), 0.010);
    cost.took(9, 0.018);
    EXPECT_DOUBLE_EQ(cost.of(5), 0.014);
    EXPECT_GT(cost.of(20), 0.018);
    for (int i = 0; i < 60; ++i) cost.took(5, 0.030);
    EXPECT_NEAR(cost.of(5), 0.030, 1e-3);
    cost.took(9, 18.0);
    EXPECT_LT(cost.of(9), 0.020) << "one disturbed step";
}

TEST(StepCost, WhatHasToBeBeatenIsMeasuredNowAndThen) {
    StepCost cost;
    cost.took(1, 0.010);
    for (int i = 0; i < 63; ++i) cost.took(8, 0.02);
    EXPECT_TRUE(cost.knows(1));
    cost.took(8, 0.02);
    EXPECT_FALSE(cost.knows(1));
    const Acceptance sure = seen(1);
    EXPECT_EQ(chosen({{.length = 20, .most = 15, .own = &sure}}, 1, cost), std::vector{0});
    cost.took(1, 0.010);
    EXPECT_GT(chosen({{.length = 20, .most = 15, .own = &sure}}, 1, cost)[0], 0);
}

TEST(ChooseDrafts, NothingIsGuessedWhereRowsCostAsMuchAsSteps) {
    const Acceptance sure = seen(1);
    EXPECT_EQ(chosen({{.length = 20, .most = 15, .own = &sure}}, 1, measured([](int rows) { return 0.01 * rows; })), std::vector{0});
    EXPECT_EQ(chosen({{.length = 20, .most = 15, .own = &sure}}, 1, measured([](int) { return 0.01; })), std::vector{kMostDraft});
    const Acceptance never = seen(0);
    EXPECT_EQ(chosen({{.length = 20, .most = 15, .own = &never}}, 1, measured([](int rows) { return 0.01 + 0.001 * rows; })), std::vector{0});
}

TEST(ChooseDrafts, StaysWithinWhatMayBeGuessed) {
    const Acceptance sure = seen(1);
    const auto cost = measured([](int) { return 0.01; });
    EXPECT_EQ(chosen({{.length = 20, .most = 3, .own = &sure}, {.length = 20, .most = 0, .own = &sure}, {.length = 20, .most = -1, .own = &sure}}, 3, cost), (std::vector{3, 0, 0}));
    const auto many = chosen(std::vector<Draftable>(8, {.length = 20, .most = 15, .own = &sure}), 8, cost);
    int sum = 0;
    for (const int n : many) sum += n;
    EXPECT_EQ(sum, kMostDraftRows);
}

// Against every choice of two sequences.
TEST(ChooseDrafts, NoOtherLengthsGiveMoreTokensForTheTime) {
    std::mt19937 random(5);
    const Acceptance all;
    for (int trial = 0; trial < 60; ++trial) {
        const Acceptance own[] = {seen(double(random() % 100) / 100), seen(double(random() % 100) / 100)};
        const double base = 1 + double(random() % 100) / 10, each = double(random() % 100) / 100, jump = double(random() % 30) / 10;
        const auto cost = measured([&](int rows) { return 1e-3 * (base + each * rows + (rows > 2 ? jump : 0)); });
        std::vector<Draftable> sequences;
        for (const Acceptance& a : own) sequences.push_back({.length = 2 + int(random() % 20), .most = int(random() % 10), .own = &a});
        const auto rate = [&](int a, int b) {
            double tokens = 2;
            const int n[] = {a, b};
            for (int s = 0; s < 2; ++s) {
                double chance = 1;
                for (int i = 0; i < n[s]; ++i) tokens += chance *= own[s].chance(sequences[std::size_t(s)].length + i, all);
            }
            return tokens / cost.of(2 + a + b);
        };
        double best = 0;
        for (int a = 0; a <= std::max(0, sequences[0].most); ++a)
            for (int b = 0; b <= std::max(0, sequences[1].most); ++b) best = std::max(best, rate(a, b));
        const auto n = chosen(sequences, 2, cost);
        EXPECT_GE(rate(n[0], n[1]) * 1.031, best) << "trial " << trial;
    }
}

TEST(ChooseDrafts, TheTimeOfTheSourceIsCounted) {
    const Acceptance sure = seen(1), fair = seen(0.6);
    const auto cost = measured([](int rows) { return 0.010 + 0.0005 * rows; });
    EXPECT_EQ(chosen({{.length = kComputed, .most = 15, .own = &sure, .each = 0.0105}}, 1, cost), std::vector{0}) << "as dear as the model itself";
    const int cheap = chosen({{.length = kComputed, .most = 15, .own = &fair, .each = 0.0005}}, 1, cost)[0];
    const int dear = chosen({{.length = kComputed, .most = 15, .own = &fair, .each = 0.003}}, 1, cost)[0];
    EXPECT_GT(dear, 0);
    EXPECT_LT(dear, cheap);
    EXPECT_EQ(chosen({{.length = kComputed, .most = 15, .own = &fair, .once = 0.05, .each = 0.0005}}, 1, cost), std::vector{0}) << "a long prompt to read first";
    EXPECT_EQ(chosen({{.length = 20, .most = 4, .own = &sure}, {.length = kComputed, .most = 4, .own = &sure, .each = 0.02}}, 2, cost), (std::vector{4, 0})) << "each for itself";
}

TEST(ChooseDrafts, WhatIsTriedIsGuessedWhateverItGives) {
    const Acceptance never = seen(0);
    const auto cost = measured([](int rows) { return 0.01 * rows; });
    EXPECT_EQ(chosen({{.length = kComputed, .most = 15, .own = &never, .each = 0.1, .least = 1}}, 1, cost), std::vector{1});
    EXPECT_EQ(chosen({{.length = kComputed, .most = 0, .own = &never, .each = 0.1, .least = 1}}, 1, cost), std::vector{0});
    EXPECT_NEAR(Acceptance::certain().chance(kComputed, never), 1, 1e-3);
}

TEST(ChooseDrafts, WhatIsComputedAgainIsCounted) {
    const Acceptance fair = seen(0.7);
    const auto cost = measured([](int rows) { return 0.01 + 0.002 * rows; });
    const int free = chosen({{.length = 6, .most = 15, .own = &fair}}, 1, cost)[0];
    const int dear = chosen({{.length = 6, .most = 15, .own = &fair, .replays = true}}, 1, cost)[0];
    EXPECT_GT(free, 0);
    EXPECT_LT(dear, free);
}
