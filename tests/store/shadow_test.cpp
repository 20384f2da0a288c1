#include "store/shadow.h"

#include <gtest/gtest.h>

#include "on_database.h"

namespace store {
namespace {

using StoredShadow = OnDatabase;

TEST_F(StoredShadow, SumsAreOfWhatWasAnswered) {
    const auto write = [&](const Identity& who, ShadowCall call) { as(who, [&](Tx& tx) { insert_shadow(tx, call); }); };
    ShadowCall call{{}, {}, "big", "small", "api", "", true, 1.0, {100, 10, 0.5, std::chrono::milliseconds(400)}, {90, 9, 0.1, std::chrono::milliseconds(100)}};
    write(world->owner(), call);
    call.same_calls = false;
    call.likeness = 0.5;
    write(world->owner(), call);
    call.error = "away";
    call.now = {};
    write(world->owner(), call);
    const auto sums = as(world->owner(), [](Tx& tx) { return sum_shadows(tx, {}); });
    ASSERT_EQ(sums.size(), 1u);
    EXPECT_EQ(sums[0].calls, 3);
    EXPECT_EQ(sums[0].failures, 1);
    EXPECT_EQ(sums[0].same_calls, 1);
    EXPECT_DOUBLE_EQ(sums[0].likeness, 0.75);
    EXPECT_DOUBLE_EQ(sums[0].cost, 1.0);
    EXPECT_DOUBLE_EQ(sums[0].shadow_cost, 0.2);
    EXPECT_DOUBLE_EQ(sums[0].ms, 400);
    EXPECT_DOUBLE_EQ(sums[0].shadow_ms, 100);
    EXPECT_TRUE(as(world->member(), [](Tx& tx) { return sum_shadows(tx, {}); }).empty()) << "another person's";
    EXPECT_TRUE(as(world->owner(), [](Tx& tx) { return sum_shadows(tx, base::SystemClock().now() + std::chrono::hours(1)); }).empty());
    world->sql("delete from shadow_call");
}

}  // namespace
}  // namespace store
