#include "engine/scheduler.h"

#include <gtest/gtest.h>

#include <random>

using namespace engine;

TEST(Scheduler, AdmitsInOrderWhatCanFinish) {
    const SchedulerLimits limits{.sequences = 3, .rows = 8, .blocks = 10};
    const auto joining = [&](int running, int running_blocks, std::vector<Waiting> waiting) {
        std::vector<int> out;
        admit(limits, std::vector<std::uint64_t>(std::size_t(running)), running_blocks, waiting, out);
        return out;
    };
    EXPECT_EQ(joining(0, 0, {{4}, {4}, {4}}), (std::vector{0, 1}));  // 12 blocks do not fit
    EXPECT_EQ(joining(0, 0, {{9}, {4}, {1}}), std::vector{0});       // the small one does not overtake
    EXPECT_EQ(joining(2, 2, {{1}, {1}}), std::vector{0});            // three sequences at most
    EXPECT_EQ(joining(0, 0, {{11}}), std::vector<int>{});
    EXPECT_EQ(joining(3, 0, {{1}}), std::vector<int>{});
}

TEST(Scheduler, WhoeverHasFewestRunningIsNext) {
    const SchedulerLimits limits{.sequences = 6, .rows = 8, .blocks = 100};
    const auto joining = [&](std::vector<std::uint64_t> running, std::vector<Waiting> waiting) {
        std::vector<int> out;
        admit(limits, running, 0, waiting, out);
        return out;
    };
    EXPECT_EQ(joining({1, 1, 1}, {{1, 1}, {1, 1}, {1, 2}, {1, 2}}), (std::vector{2, 3, 0})) << "the newcomer first, until both have as many";
    EXPECT_EQ(joining({1, 2, 1, 2, 3}, {{1, 1}, {1, 2}, {1, 3}}), std::vector{2});
    EXPECT_EQ(joining({9, 9, 9, 9, 9}, {{1, 1, 7}, {1, 1, 7}, {1, 2, 5}}), std::vector{2}) << "of equals whose last turn is longest ago";
    EXPECT_EQ(joining({9, 9, 9, 9}, {{1, 1, 7}, {1, 1, 7}, {1, 2, 5}}), (std::vector{2, 0}));
    EXPECT_EQ(joining({1}, {{100, 2}, {101, 2}, {1, 1}}), std::vector{0}) << "it is not overtaken when nothing is left for it";
}

constexpr Urgency kSchedule = Urgency::schedule, kNight = Urgency::night;

TEST(Scheduler, TheMostUrgentJoinFirstAndTheLastPlaceIsPeoples) {
    const auto joining = [&](int sequences, std::vector<std::uint64_t> running, int running_blocks, std::vector<Waiting> waiting) {
        std::vector<int> out;
        admit({.sequences = sequences, .rows = 8, .blocks = 100}, running, running_blocks, waiting, out);
        return out;
    };
    EXPECT_EQ(joining(4, {1, 1}, 0, {{1, 2, 0, kNight}, {1, 3, 0, kSchedule}, {1, 1}}), (std::vector{2})) << "and then the last place is left, to which neither comes";
    EXPECT_EQ(joining(8, {1, 1}, 0, {{1, 2, 0, kNight}, {1, 3, 0, kSchedule}, {1, 1}}), (std::vector{2, 1, 0})) << "however many that person has running";
    EXPECT_EQ(joining(4, {1, 1, 1}, 0, {{1, 2, 0, kSchedule}, {1, 1}}), (std::vector{1}));
    EXPECT_EQ(joining(1, {}, 0, {{1, 2, 0, kNight}}), std::vector{0}) << "where there is but one place, it is anybody's";
    EXPECT_EQ(joining(8, {1}, 10, {{41, 2, 0, kNight}}), std::vector<int>{}) << "half of the blocks are not the night's";
    EXPECT_EQ(joining(8, {1}, 10, {{40, 2, 0, kNight}}), std::vector{0});
    EXPECT_EQ(joining(8, {}, 0, {{90, 2, 0, kNight}}), std::vector{0}) << "alone it may have them";
    EXPECT_EQ(joining(8, {1}, 10, {{90, 2, 0, kSchedule}}), std::vector{0});
}

TEST(Scheduler, TheNightRestsWhileAnybodyElseHasSomethingToCompute) {
    const SchedulerLimits limits{.sequences = 8, .rows = 16, .blocks = 100};
    const Progress night_prompt{.known = 90, .person = 1, .urgency = kNight}, night_answer{.computed = 9, .known = 10, .decodes = true, .person = 1, .urgency = kNight};
    const auto planned = [&](std::vector<Progress> running) {
        std::vector<StepPart> step;
        plan_step(limits, running, step);
        std::vector<std::pair<int, int>> out;
        for (const StepPart& part : step) out.emplace_back(part.sequence, part.rows);
        return out;
    };
    using Parts = std::vector<std::pair<int, int>>;
    EXPECT_EQ(planned({night_answer, night_prompt}), (Parts{{0, 1}, {1, 15}}));
    EXPECT_EQ(planned({night_answer, night_prompt, {.computed = 4, .known = 5, .decodes = true, .person = 2}}), (Parts{{2, 1}}));
    EXPECT_EQ(planned({night_prompt, {.known = 3, .person = 2, .urgency = kSchedule}}), (Parts{{1, 3}}));
    EXPECT_EQ(planned({night_answer, {.computed = 4, .known = 5, .paused = true, .decodes = true, .person = 2}}), (Parts{{0, 1}})) << "whose reader is behind waits for nothing";
    EXPECT_EQ(planned({{.known = 90, .person = 3, .urgency = kSchedule}, {.known = 10, .person = 2}, {.computed = 4, .known = 5, .decodes = true, .person = 3, .urgency = kSchedule}}), (Parts{{2, 1}, {1, 10}, {0, 5}}))
        << "a schedule's answer goes on, its prompt gets what people's leave";
}

TEST(Scheduler, ThePromptsOfEachPersonGetTheSameShare) {
    const SchedulerLimits limits{.sequences = 8, .rows = 31, .blocks = 100};
    std::vector<StepPart> step;
    plan_step(limits, std::vector<Progress>{{.known = 90, .person = 1}, {.known = 90, .person = 1}, {.computed = 9, .known = 10, .decodes = true, .person = 1}, {.known = 90, .person = 2}, {.known = 5, .person = 3}}, step);
    ASSERT_EQ(step.size(), 4u);
    EXPECT_EQ(step[0].sequence, 2);
    EXPECT_EQ(step[1].sequence, 0);
    EXPECT_EQ(step[1].rows, 15) << "a third, and what the third person leaves";
    EXPECT_EQ(step[2].sequence, 3);
    EXPECT_EQ(step[2].rows, 10);
    EXPECT_EQ(step[3].sequence, 4);
    EXPECT_EQ(step[3].rows, 5);
}

TEST(Scheduler, DecodingComesFirstAndPromptsFillTheRest) {
    const SchedulerLimits limits{.sequences = 4, .rows = 8, .blocks = 10};
    std::vector<StepPart> step;
    plan_step(limits, std::vector<Progress>{{0, 20, false}, {9, 10, false}, {3, 4, true}, {0, 5, false}}, step);
    ASSERT_EQ(step.size(), 2u);
    EXPECT_EQ(step[0].sequence, 1);
    EXPECT_EQ(step[0].rows, 1);
    EXPECT_EQ(step[1].sequence, 0);
    EXPECT_EQ(step[1].rows, 7);
    plan_step(limits, std::vector<Progress>{{3, 3, false}, {5, 9, true}}, step);
    EXPECT_TRUE(step.empty());
}

TEST(Scheduler, ForcedTextsComeBeforePrompts) {
    const SchedulerLimits limits{.sequences = 4, .rows = 16, .blocks = 100};
    std::vector<StepPart> step;
    plan_step(limits, std::vector<Progress>{{.computed = 0, .known = 20}, {.computed = 9, .known = 18, .decodes = true}, {.computed = 3, .known = 4, .decodes = true}, {.computed = 6, .known = 14, .decodes = true}}, step);
    ASSERT_EQ(step.size(), 3u);
    EXPECT_EQ(step[0].sequence, 2) << "one token";
    EXPECT_EQ(step[1].sequence, 1);
    EXPECT_EQ(step[1].rows, 9);
    EXPECT_EQ(step[2].sequence, 3);
    EXPECT_EQ(step[2].rows, 6) << "what is left of the step";
}

TEST(Scheduler, ChunksEndWhereTheyAreToldTo) {
    const SchedulerLimits limits{.sequences = 4, .rows = 16, .blocks = 100};
    std::vector<StepPart> step;
    plan_step(limits, std::vector<Progress>{{.computed = 0, .known = 20, .until = 1}, {.computed = 5, .known = 9, .until = 5}, {.computed = 2, .known = 30, .until = 8}, {.computed = 4, .known = 50}}, step);
    ASSERT_EQ(step.size(), 4u);
    EXPECT_EQ(step[0].rows, 1);
    EXPECT_EQ(step[1].rows, 4) << "what is behind ends nothing";
    EXPECT_EQ(step[2].rows, 6);
    EXPECT_EQ(step[3].rows, 5) << "what is left of the step";
}

TEST(Scheduler, EveryoneFinishesAndNoStepIsTooLarge) {
    std::mt19937 random(1);
    for (int trial = 0; trial < 200; ++trial) {
        const SchedulerLimits limits{.sequences = 1 + int(random() % 6), .rows = 6 + int(random() % 30), .blocks = 100};
        std::vector<Progress> running;
        std::vector<int> left;  // tokens yet to be said
        for (int i = 0; i < limits.sequences; ++i) {
            running.push_back({0, 1 + int(random() % 80), false});
            left.push_back(1 + int(random() % 20));
        }
        std::vector<StepPart> step;
        int steps = 0;
        for (;; ++steps) {
            ASSERT_LT(steps, 2000);
            for (auto& p : running) p.paused = random() % 4 == 0;
            plan_step(limits, running, step);
            int rows = 0;
            for (const auto& part : step) {
                auto& p = running[std::size_t(part.sequence)];
                ASSERT_FALSE(p.paused);
                ASSERT_GE(part.rows, 1);
                ASSERT_LE(p.computed + part.rows, p.known);
                rows += part.rows;
                p.computed += part.rows;
                if (p.computed == p.known && left[std::size_t(part.sequence)]-- > 0) ++p.known;
            }
            ASSERT_LE(rows, limits.rows);
            bool done = true;
            for (const auto& p : running) done = done && p.computed == p.known;
            if (done) break;
        }
    }
}
