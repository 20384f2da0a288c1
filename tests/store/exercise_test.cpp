#include "store/exercise.h"

#include <gtest/gtest.h>

#include "on_database.h"

namespace store {
namespace {

using StoredExercise = OnDatabase;

base::TimePoint at(int hour) { return base::TimePoint(std::chrono::hours(400'000 + hour)); }

TEST_F(StoredExercise, TheLaterWordIsKept) {
    const auto save = [&](ExerciseRow row) { as(world->owner(), [&](Tx& tx) { save_exercises(tx, {row}); }); };
    const auto row = [&] {
        for (auto& one : as(world->owner(), [](Tx& tx) { return list_exercises(tx); }))
            if (one.backend == "box") return one;
        return ExerciseRow{};
    };
    save({"box", "tools", at(5), at(7), at(6), "slow"});
    save({"box", "tools", at(4), at(3), at(2), "older"});
    EXPECT_EQ(row().seen, at(4));
    EXPECT_EQ(row().worked, at(7));
    EXPECT_EQ(row().failed, at(6));
    EXPECT_EQ(row().failure, "slow");
    save({"box", "tools", at(9), {}, at(10), "refused"});
    EXPECT_EQ(row().worked, at(7));
    EXPECT_EQ(row().failure, "refused");
    EXPECT_TRUE(as(Identity{}, [](Tx& tx) { return list_exercises(tx); }).empty()) << "nobody sees none";
    world->sql("delete from exercise");
}

}  // namespace
}  // namespace store
