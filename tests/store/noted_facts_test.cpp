// Facts that are read out of what was said, beside those that were told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "made_run.h"
#include "store/segments.h"
#include "support/database.h"

namespace store {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
using namespace std::chrono_literals;

class NotedFactsTest : public testing::Test {
protected:
    void SetUp() override {
        if (!world) GTEST_SKIP() << support::TestDatabase::why_not();
        world->sql("delete from segment; delete from episode; delete from fact");
    }
    template <class F>
    auto as(F work) {
        return world->db().run_blocking(world->owner(), work);
    }
    // Said so many days ago.
    Segment said(const std::string& asked, int days) {
        const MadeRun made = make_run(world->db(), world->owner(), asked);
        as([&](Tx& tx) {
            append_message(tx, made.conversation, made.run, {{"role", "assistant"}, {"content", "Fine."}});
            keep_segments(tx, made.conversation, made.run, true);
            return 0;
        });
        world->sql("update segment set said_at = now() - interval '" + std::to_string(days) + " days' where conversation_id = '" + made.conversation.text() + "'");
        return as([&](Tx& tx) { return next_unread(tx, Reading::facts, 8, 0s, {}); }).at(0);
    }
    FactRecord note(const Segment& from, const std::string& body, const std::string& about) {
        return as([&](Tx& tx) {
            EXPECT_TRUE(mark_read(tx, {from.id}));
            return find_fact(tx, remember(tx, {.body = body, .run = from.run, .trusted = from.trusted, .quote = from.asked, .subject = about, .segment = from.id})).value();
        });
    }
    FactRecord find(const FactRecord& one) {
        return as([&](Tx& tx) { return find_fact(tx, one.fact.id).value(); });
    }
    support::TestDatabase* world = support::TestDatabase::get();
};

TEST_F(NotedFactsTest, ItHoldsSinceItWasSaidAndEndsWhatHeldBefore) {
    const FactRecord older = note(said("my number is 1", 9), "The number is 1", "number");
    const FactRecord newer = note(said("my number is 2", 3), "The number is 2", "number");
    EXPECT_EQ(find(older).replaced_by, newer.fact.id);
    EXPECT_EQ(find(older).fact.until, newer.from);
    EXPECT_LT(newer.from, base::SystemClock().now() - 48h);
    // Read last, said between the two: it is over, and changes nothing.
    const FactRecord between = note(said("my number is 3", 6), "The number is 3", "number");
    EXPECT_EQ(between.replaced_by, newer.fact.id);
    EXPECT_EQ(between.fact.until, newer.from);
    EXPECT_FALSE(find(newer).fact.until);
    EXPECT_EQ(find(older).replaced_by, newer.fact.id);
}

TEST_F(NotedFactsTest, ItEndsNothingThatWasToldSince) {
    const auto told = as([](Tx& tx) { return remember(tx, {.body = "The number is 7", .trusted = true, .subject = "number"}); });
    const FactRecord noted = note(said("my number is 1", 1), "The number is 1", "number");
    EXPECT_EQ(noted.replaced_by, told);
    EXPECT_TRUE(noted.fact.noted);
    EXPECT_FALSE(as([&](Tx& tx) { return find_fact(tx, told).value(); }).fact.until);
}

TEST_F(NotedFactsTest, ASegmentIsReadOnce) {
    const Segment one = said("my number is 1", 1);
    EXPECT_TRUE(as([&](Tx& tx) { return mark_read(tx, {one.id}); }));
    EXPECT_FALSE(as([&](Tx& tx) { return mark_read(tx, {one.id}); }));
    EXPECT_THAT(as([](Tx& tx) { return next_unread(tx, Reading::facts, 8, 0s, {}); }), IsEmpty());
    EXPECT_THAT(as([](Tx& tx) { return next_unread(tx, Reading::episode, 8, 0s, {}); }), SizeIs(1)) << "it is still to be summed up";
}

TEST_F(NotedFactsTest, ItIsForgottenWithWhatItWasReadOutOf) {
    const Segment one = said("my dog Rex has the number 42", 1);
    const FactRecord dog = note(one, "The dog is called Rex", "");
    const FactRecord number = as([&](Tx& tx) { return find_fact(tx, remember(tx, {.body = "The number of Rex is 42", .run = one.run, .trusted = true, .segment = one.id})).value(); });
    const Segment again = said("Rex is a dog", 0);
    const FactRecord both = note(again, "The dog is called Rex", "");
    ASSERT_EQ(both.fact.id, dog.fact.id);
    const auto gone = as([&](Tx& tx) { return forget_facts(tx, {dog.fact.id}, false); });
    EXPECT_EQ(gone.at(0).number, 2) << "the number was read out of the same words alone";
    as([&](Tx& tx) { return forget_facts(tx, {number.fact.id}, true); });
    EXPECT_THAT(find(dog).sightings, SizeIs(1)) << "it was said elsewhere, too";
    as([&](Tx& tx) { return forget_facts(tx, {dog.fact.id}, true); });
    EXPECT_EQ(world->sql("select count(*) from fact") + world->sql("select count(*) from fact_sighting"), "00");
}

}  // namespace
}  // namespace store
