#include "engine/scheduler.h"

#include <gtest/gtest.h>

#include <random>

using namespace engine;

TEST(Scheduler, AdmitsInOrderWhatCanFinish) {
    const SchedulerLimits limits{.sequences = 3, .rows = 8, .blocks = 10};
    EXPECT_EQ(admit(limits, 0, 0, std::vector{4, 4, 4}), 2);    // 12 blocks do not fit
    EXPECT_EQ(admit(limits, 0, 0, std::vector{9, 4, 1}), 1);    // the small one does not overtake
    EXPECT_EQ(admit(limits, 2, 2, std::vector{1, 1}), 1);       // three sequences at most
    EXPECT_EQ(admit(limits, 0, 0, std::vector{11}), 0);
    EXPECT_EQ(admit(limits, 3, 0, std::vector{1}), 0);
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
