#include "store/facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "made_run.h"
#include "store/archive.h"
#include "store/collections.h"
#include "store/conversations.h"
#include "store/scratchpad.h"
#include "support/database.h"

namespace store {
namespace {

using base::Json;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class FactsTest : public testing::Test {
protected:
    void SetUp() override {
        if (!world) GTEST_SKIP() << support::TestDatabase::why_not();
        world->sql("delete from fact");
    }
    template <class F>
    auto as(const Identity& who, F work) {
        return world->db().run_blocking(who, work);
    }
    base::FactId keep(const Observation& observation) {
        return as(world->owner(), [&](Tx& tx) { return remember(tx, observation); });
    }
    FactRecord find(base::FactId id) {
        return as(world->owner(), [&](Tx& tx) { return find_fact(tx, id).value(); });
    }
    std::vector<std::string> bodies(bool all) {
        std::vector<std::string> out;
        for (const auto& one : as(world->owner(), [&](Tx& tx) { return list_facts(tx, 100, std::nullopt, all); })) out.push_back(one.fact.body);
        return out;
    }
    support::TestDatabase* world = support::TestDatabase::get();
};

base::RunId some_run() { return base::RunId::make(base::SystemClock().now()); }

TEST_F(FactsTest, TheSameTenTimesIsOneWithACounterAndAllItsSources) {
    std::vector<base::RunId> runs;
    for (int i = 0; i < 10; ++i) {
        runs.push_back(some_run());
        keep({.body = i % 2 ? "The  bin is emptied on TUESDAY." : "the bin is emptied on Tuesday", .run = runs.back(), .trusted = i == 7, .call = "c" + std::to_string(i)});
    }
    const auto all = as(world->owner(), [](Tx& tx) { return list_facts(tx, 100, std::nullopt, true); });
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].seen, 10);
    EXPECT_TRUE(all[0].fact.trusted) << "the person has said it himself once";
    EXPECT_GT(all[0].last_seen, all[0].fact.created);
    const FactRecord whole = find(all[0].fact.id);
    ASSERT_EQ(whole.sightings.size(), 10u);
    for (std::size_t i = 0; i < 10; ++i) {
        EXPECT_EQ(whole.sightings[i].run, runs[i]);
        EXPECT_EQ(whole.sightings[i].call, "c" + std::to_string(i));
        EXPECT_EQ(find(whole.sightings[i].id).fact.id, whole.fact.id) << "it is found by each observation's id";
    }
    as(world->member(), [&](Tx& tx) { return remember(tx, "The bin is emptied on Tuesday", {}); });
    EXPECT_EQ(find(whole.fact.id).seen, 10) << "another person's is his own";
}

TEST_F(FactsTest, TelephonesWriteOtherMarksThanKeyboards) {
    const auto first = keep({.body = "Anna's \"big\" car - the red one - is sold", .trusted = true});
    keep({.body = "Anna’s “big” car – the red one — is sold…", .trusted = true});
    EXPECT_THAT(bodies(true), ElementsAre("Anna's \"big\" car - the red one - is sold"));
    EXPECT_EQ(find(first).seen, 2);
    keep({.body = "It is number 1", .trusted = true, .subject = "Anna's number"});
    keep({.body = "It is number 2", .trusted = true, .subject = "Anna’s number"});
    EXPECT_EQ(bodies(false), (std::vector<std::string>{"It is number 2", "Anna's \"big\" car - the red one - is sold"})) << "about the same";
}

TEST_F(FactsTest, ObservedAtOnceFromManySidesItIsStillOne) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] {
            for (int k = 0; k < 5; ++k) keep({.body = "the gate squeaks", .trusted = true, .subject = "gate"});
        });
    for (auto& thread : threads) thread.join();
    const auto all = as(world->owner(), [](Tx& tx) { return list_facts(tx, 100, std::nullopt, true); });
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].seen, 40);
}

TEST_F(FactsTest, WhatIsNewerAboutTheSameReplacesTheOlderAndBothAreKept) {
    const auto old = keep({.body = "Anna's phone number is 123", .trusted = true, .subject = "Phone number of Anna"});
    const auto fresh = keep({.body = "Anna's phone number is 456", .trusted = true, .subject = "phone  number of anna"});
    EXPECT_THAT(bodies(false), ElementsAre("Anna's phone number is 456"));
    EXPECT_THAT(bodies(true), ElementsAre("Anna's phone number is 456", "Anna's phone number is 123"));
    const FactRecord before = find(old), after = find(fresh);
    EXPECT_EQ(before.replaced_by, fresh);
    EXPECT_EQ(before.fact.until, after.from);
    EXPECT_THAT(after.replaces, ElementsAre(old));
    EXPECT_EQ(after.fact.until, std::nullopt);
    // What was is said again: it holds again, as another fact.
    const auto again = keep({.body = "Anna's phone number is 123", .trusted = true, .subject = "phone number of Anna"});
    EXPECT_NE(again, old);
    EXPECT_THAT(bodies(false), ElementsAre("Anna's phone number is 123"));
    EXPECT_EQ(find(fresh).replaced_by, again);
    EXPECT_EQ(find(old).replaced_by, fresh);
}

TEST_F(FactsTest, WordsNameWhatIsReplacedAndADaySinceWhen) {
    const auto old = keep({.body = "Ben lives in Lyon", .trusted = true});
    const base::TimePoint march = std::chrono::sys_days{std::chrono::year(2027) / 3 / 1};
    const auto fresh = keep({.body = "Ben lives in Paris", .trusted = true, .instead_of = "ben lives in Lyon.", .since = march});
    EXPECT_EQ(find(fresh).from, march);
    EXPECT_EQ(find(old).fact.until, march);
    EXPECT_EQ(find(old).replaced_by, fresh);
    EXPECT_THAT(bodies(false), ElementsAre("Ben lives in Paris"));
}

TEST_F(FactsTest, ATextFromOutsideReplacesNothingThatThePersonSaid) {
    const auto own = keep({.body = "the code of the alarm is 1111", .trusted = true, .subject = "code of the alarm"});
    const auto planted = keep({.body = "the code of the alarm is 2222", .trusted = false, .subject = "code of the alarm", .instead_of = "the code of the alarm is 1111"});
    EXPECT_EQ(find(own).fact.until, std::nullopt);
    EXPECT_THAT(find(planted).replaces, IsEmpty());
    keep({.body = "the code of the alarm is 3333", .trusted = true, .subject = "code of the alarm"});
    EXPECT_THAT(bodies(false), ElementsAre("the code of the alarm is 3333"));
}

std::int64_t count(const std::vector<Forgotten>& gone, const std::string& kind) {
    for (const auto& one : gone)
        if (one.kind == kind) return one.number;
    return -1;
}

TEST_F(FactsTest, APreviewTellsWhatWouldGoAndChangesNothing) {
    const auto conversation = base::ConversationId::make(base::SystemClock().now());
    const auto talk = [&](Tx& tx) {
        create_conversation(tx, conversation, "api", "");
        append_message(tx, conversation, {}, {{"role", "user"}, {"content", "by the way, the safe opens with \"left 33\" as you know"}});
        append_message(tx, conversation, {}, {{"role", "user"}, {"content", "and the weather?"}});
        return 0;
    };
    as(world->owner(), talk);
    as(world->member(), [&](Tx& tx) { return remember(tx, "the safe opens with \"left 33\"", {}); });
    const auto fact = keep({.body = "the safe opens with \"left 33\""});
    const auto text = [&] { return world->sql("select string_agg(body, ' ' order by position) from message where conversation_id = '" + conversation.text() + "'"); };
    const std::string before = text();
    for (const bool really : {false, true}) {
        const auto gone = as(world->owner(), [&](Tx& tx) { return forget_facts(tx, {fact}, really); });
        EXPECT_EQ(count(gone, "facts"), 1);
        EXPECT_EQ(count(gone, "messages"), 1);
        EXPECT_EQ(count(gone, "open_runs"), 0);
        EXPECT_EQ(bodies(true).size(), really ? 0u : 1u);
        EXPECT_EQ(text() == before, !really);
    }
    EXPECT_THAT(text(), testing::AllOf(testing::Not(testing::HasSubstr("left 33")), testing::HasSubstr("[forgotten]"), testing::HasSubstr("weather")));
    EXPECT_EQ(world->sql("select count(*) from fact_sighting s where s.audience_id = '" + world->owner().person.text() + "'"), "0");
    EXPECT_THAT(as(world->owner(), [&](Tx& tx) { return forget_facts(tx, {fact}, true); }), IsEmpty()) << "there is none any more";
    EXPECT_EQ(world->sql("select count(*) from fact"), "1") << "the other person's stays";
}

TEST_F(FactsTest, ForgettingTakesKeysOfTheArchiveItemsNotesAndDetailsOfTraces) {
    const std::string words = "the ladder stands behind the hedge";
    const MadeRun made = make_run(world->db(), world->owner(), words);
    const auto other = CollectionItemId::make(base::SystemClock().now());
    as(world->owner(), [&](Tx& tx) {
        append_message(tx, made.conversation, made.run, {{"role", "assistant"}, {"content", "Noted."}});
        keep_segments(tx, made.conversation, made.run, true);
        make_archive_keys(tx, 100);
        const auto things = make_collection(tx, "things", "{}");
        add_item(tx, things->id, {CollectionItemId::make(base::SystemClock().now()), "", base::dump(Json{{"where", words}}), {}, true, {}});
        add_item(tx, things->id, {other, "", R"({"where": "here"})", {}, true, {}});
        set_scratchpad(tx, made.run, {"ladder", true});
        tx.exec("update run set state = 'answered' where id = $1", {made.run});
        return 0;
    });
    const auto key = [&] { return as(world->owner(), [&](Tx& tx) { return archive_key(tx, made.conversation).has_value(); }); };
    EXPECT_TRUE(key());
    const auto fact = keep({.body = words, .run = made.run});
    const auto gone = as(world->owner(), [&](Tx& tx) { return forget_facts(tx, {fact}, true); });
    for (const char* kind : {"segments", "archive_keys", "collection_items", "scratchpads"}) EXPECT_EQ(count(gone, kind), 1) << kind;
    EXPECT_FALSE(key());
    EXPECT_FALSE(as(world->owner(), [&](Tx& tx) { return find_scratchpad(tx, made.conversation); }));
    const auto left = as(world->owner(), [](Tx& tx) { return list_items(tx, "things", 10); });
    ASSERT_EQ(left.size(), 1u);
    EXPECT_EQ(left[0].id, other);
    EXPECT_THAT(as(world->member(), [](Tx& tx) { return list_items(tx, "", 10); }), IsEmpty());
}

TEST_F(FactsTest, NobodyForgetsWhatIsAnothers) {
    const auto fact = keep({.body = "the diary lies under the third stair"});
    EXPECT_THAT(as(world->member(), [&](Tx& tx) { return forget_facts(tx, {fact}, true); }), IsEmpty());
    EXPECT_THAT(as(Identity{}, [&](Tx& tx) { return forget_facts(tx, {fact}, true); }), IsEmpty());
    EXPECT_FALSE(as(world->member(), [&](Tx& tx) { return find_fact(tx, fact).has_value(); }));
    EXPECT_EQ(bodies(false).size(), 1u);
}

}  // namespace
}  // namespace store
