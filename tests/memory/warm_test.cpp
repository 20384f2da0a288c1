#include "memory/warm.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "../store/made_run.h"
#include "store/people.h"
#include "support/database.h"

namespace memory {
namespace {

class WarmTest : public testing::Test {
protected:
    void SetUp() override {
        if (!world) GTEST_SKIP() << support::TestDatabase::why_not();
        world->sql("delete from fact");
        for (const store::Identity& who : {world->member(), world->owner()}) {
            make_run(world->db(), who);
            const auto keep = [](store::Tx& tx) { store::remember(tx, "the sauna opens at six", {}); };
            world->db().run_blocking(who, keep);
        }
    }
    int warmed(PersonIndexes& indexes, base::StopToken stop = {}) {
        boost::asio::io_context io;
        int out = -1;
        const auto task = [&]() -> net::Task<void> { out = co_await warm(world->db(), indexes, world->owner(), stop); };
        net::spawn(io.get_executor(), task(), [](std::exception_ptr) {});
        io.run();
        return out;
    }
    support::TestDatabase* world = support::TestDatabase::get();
};

TEST_F(WarmTest, WhoeverHasAskedIsIndexedBeforeHisNextQuestion) {
    PersonIndexes indexes;
    EXPECT_EQ(warmed(indexes), 2);
    const std::size_t bytes = indexes.bytes();
    EXPECT_GT(bytes, 0u);
    for (const store::Identity& who : {world->owner(), world->member()}) {
        const auto recall = [&](store::Tx& tx) { return indexes.recall(tx, "When does the sauna open?", base::SystemClock().now(), 3).size(); };
        EXPECT_EQ(world->db().run_blocking(who, recall), 1u);
    }
    EXPECT_EQ(indexes.bytes(), bytes) << "their questions have read nothing more";
}

TEST_F(WarmTest, WhoAskedLastComesFirstWhereThereIsRoomForOne) {
    PersonIndexes small(1);
    EXPECT_EQ(warmed(small), 1);
    const auto order = [](store::Tx& tx) { return store::people_by_use(tx); };
    const auto people = world->db().run_blocking(world->member(), order);
    ASSERT_GE(people.size(), 2u);
    EXPECT_EQ(people[0], world->owner().person);
    EXPECT_EQ(people[1], world->member().person);
}

TEST_F(WarmTest, ItBreaksOffAndTheFirstQuestionReadsAll) {
    PersonIndexes indexes;
    base::StopSource stop;
    stop.request_stop();
    EXPECT_EQ(warmed(indexes, stop.token()), 0);
    const auto recall = [&](store::Tx& tx) { return indexes.recall(tx, "When does the sauna open?", base::SystemClock().now(), 3).size(); };
    EXPECT_EQ(world->db().run_blocking(world->owner(), recall), 1u);
}

}  // namespace
}  // namespace memory
