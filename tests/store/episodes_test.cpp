#include "store/episodes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/conversations.h"
#include "support/database.h"

namespace store {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;

class EpisodesTest : public testing::Test {
protected:
    void SetUp() override {
        if (!world) GTEST_SKIP() << support::TestDatabase::why_not();
        world->sql("delete from segment; delete from episode; delete from fact");
    }
    template <class F>
    auto as(const Identity& who, F work) {
        return world->db().run_blocking(who, work);
    }
    base::ConversationId talk(int turns) {
        const auto id = base::ConversationId::make(base::SystemClock().now());
        as(world->owner(), [&](Tx& tx) {
            create_conversation(tx, id, "api", "");
            for (int i = 0; i < turns; ++i) {
                append_message(tx, id, {}, {{"role", "user"}, {"content", "question " + std::to_string(i)}});
                append_message(tx, id, {}, {{"role", "assistant"}, {"content", "answer " + std::to_string(i)}});
            }
            keep_segments(tx, id, {}, true);
            return 0;
        });
        return id;
    }
    std::vector<Segment> next(const Identity& who, std::chrono::seconds rest = 1h, std::vector<base::ConversationId> passed_over = {}) {
        return as(who, [&](Tx& tx) { return next_unread(tx, Reading::episode, 4, rest, passed_over); });
    }
    bool keep(const std::vector<Segment>& segments, const std::string& text) {
        std::vector<SegmentId> ids;
        for (const Segment& one : segments) ids.push_back(one.id);
        return as(world->owner(), [&](Tx& tx) { return keep_episode(tx, ids, {text, "boat, paint", "m"}); });
    }
    std::vector<Episode> episodes(const Identity& who) {
        return as(who, [&](Tx& tx) { return episodes_behind(tx, base::AudienceId{world->owner().person.value}, {}, 100); });
    }
    support::TestDatabase* world = support::TestDatabase::get();
};

TEST_F(EpisodesTest, SegmentsInARowAreSummedUpOnceEach) {
    const auto conversation = talk(6);
    const auto first = next(world->owner());
    ASSERT_THAT(first, SizeIs(4));
    EXPECT_EQ(first[0].asked, "question 0");
    EXPECT_THAT(next(world->member()), IsEmpty()) << "they are another person's";
    EXPECT_THAT(next(world->owner(), 1h, {conversation}), IsEmpty());
    EXPECT_TRUE(keep(first, "of the boat"));
    EXPECT_FALSE(keep(first, "again"));
    EXPECT_THAT(next(world->owner()), IsEmpty()) << "two are left, and the talk may go on";
    const auto rest = next(world->owner(), 0s);
    ASSERT_THAT(rest, SizeIs(2));
    EXPECT_TRUE(keep(rest, "of the paint"));
    EXPECT_THAT(next(world->owner(), 0s), IsEmpty());
    ASSERT_THAT(episodes(world->owner()), SizeIs(2));
    EXPECT_EQ(episodes(world->owner())[0].summary, "of the boat");
    EXPECT_EQ(episodes(world->owner())[0].conversation, conversation);
    EXPECT_THAT(episodes(world->member()), IsEmpty());
}

TEST_F(EpisodesTest, WhatIsForgottenTakesItsEpisodeAndTheOthersAreSummedUpAnew) {
    talk(4);
    EXPECT_TRUE(keep(next(world->owner()), "question 2 was asked in a way"));
    const auto fact = as(world->owner(), [&](Tx& tx) { return remember(tx, {.body = "question 2"}); });
    as(world->owner(), [&](Tx& tx) { return forget_facts(tx, {fact}, true); });
    EXPECT_THAT(episodes(world->owner()), IsEmpty());
    EXPECT_THAT(next(world->owner(), 0s), SizeIs(3));
}

}  // namespace
}  // namespace store
