#include "memory/person_indexes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "store/groups.h"
#include "support/database.h"

namespace memory {
namespace {

using base::FactId;
using store::Tx;
using testing::ElementsAre;
using testing::IsEmpty;

// Words of their own in each test: the database is that of the whole binary.
class Facts : public testing::Test {
protected:
    void SetUp() override {
        if (!world) GTEST_SKIP() << support::TestDatabase::why_not();
        world->sql("delete from fact");
    }

    template <class F>
    auto as(const store::Identity& who, F work) {
        return world->db().run_blocking(who, work);
    }
    void keep(const store::Identity& who, const std::string& body, base::RunId source = {}) {
        as(who, [&](Tx& tx) { return store::remember(tx, body, source); });
    }
    std::vector<RecalledFact> ask(PersonIndexes& indexes, const store::Identity& who, std::string_view question) {
        auto work = [&](Tx& tx) { return indexes.recall(tx, question, base::SystemClock().now(), 8); };
        return world->db().run_blocking(who, work, store::Db::Access::read);
    }
    std::vector<std::string> bodies(const std::vector<RecalledFact>& facts) {
        std::vector<std::string> out;
        for (const RecalledFact& one : facts) out.push_back(one.fact.body);
        return out;
    }
    std::vector<std::string> found(const store::Identity& who, std::string_view question) { return bodies(ask(indexes, who, question)); }

    support::TestDatabase* world = support::TestDatabase::get();
    PersonIndexes indexes;
};

TEST_F(Facts, AreRecalledWithWhereFromAndWhy) {
    const auto run = base::RunId::make(base::SystemClock().now());
    keep(world->owner(), "the wifi password is on the fridge", run);
    keep(world->owner(), "Anna is allergic to nuts");
    const auto facts = ask(indexes, world->owner(), "What is the wifi password?");
    ASSERT_EQ(facts.size(), 1u);
    EXPECT_EQ(facts[0].fact.body, "the wifi password is on the fridge");
    EXPECT_EQ(facts[0].fact.source, run);
    EXPECT_EQ(facts[0].why, "has wifi, password");
    EXPECT_GT(facts[0].score, 0);
    EXPECT_THAT(found(world->owner(), "Good evening!"), IsEmpty());
    EXPECT_THAT(found(world->owner(), "What did I say today about Anna?"), testing::Contains("Anna is allergic to nuts"));
}

TEST_F(Facts, OfAGroupAloneNothingElseIsFoundAndNothingByWhoIsNotInIt) {
    const base::AudienceId group = as(world->owner(), [&](Tx& tx) { return store::set_group(tx, "choir", {store::find_person(tx, world->owner().person.text()).value()}).value().id; });
    keep(world->owner(), "the rehearsal hall costs nine euros");
    as(world->owner(), [&](Tx& tx) {
        store::Observation told;
        told.body = "the rehearsal begins at seven";
        told.audience = group;
        return store::remember(tx, told);
    });
    const auto of_group = [&](const store::Identity& who) {
        return bodies(as(who, [&](Tx& tx) { return indexes.recall(tx, "rehearsal", base::SystemClock().now(), 8, group); }));
    };
    EXPECT_THAT(of_group(world->owner()), ElementsAre("the rehearsal begins at seven"));
    EXPECT_THAT(of_group(world->member()), IsEmpty());
    EXPECT_THAT(of_group(world->owner()), ElementsAre("the rehearsal begins at seven"));
    EXPECT_EQ(found(world->owner(), "rehearsal").size(), 2u);
    world->sql("delete from fact; delete from membership; delete from person_group");
}

TEST_F(Facts, WhatIsWrittenIsFoundAtOnceWhateverWasAskedBefore) {
    for (int i = 0; i < 5; ++i) {
        const std::string body = "the locker number is " + std::to_string(i);
        EXPECT_THAT(found(world->owner(), "locker number " + std::to_string(i)), testing::Not(testing::Contains(body)));
        keep(world->owner(), body);
        EXPECT_EQ(found(world->owner(), "locker number " + std::to_string(i)).at(0), body);
    }
}

// It was begun before the last reading and committed after it.
TEST_F(Facts, OfATransactionThatWasUnderWayTheyAreFoundWhenItEnds) {
    std::promise<void> written, read;
    std::thread slow([&] {
        auto work = [&](Tx& tx) {
            store::remember(tx, "the sauna opens at six", {});
            tx.exec("select 1");
            written.set_value();
            read.get_future().wait();
        };
        world->db().run_blocking(world->owner(), work);
    });
    written.get_future().wait();
    keep(world->owner(), "the sauna costs four euros");
    EXPECT_THAT(found(world->owner(), "sauna"), ElementsAre("the sauna costs four euros"));
    read.set_value();
    slow.join();
    EXPECT_THAT(found(world->owner(), "sauna"), testing::UnorderedElementsAre("the sauna opens at six", "the sauna costs four euros"));
}

TEST_F(Facts, OnesThatWereErasedAreGone) {
    keep(world->owner(), "the tortoise is called Max");
    keep(world->owner(), "the tortoise eats lettuce");
    EXPECT_EQ(found(world->owner(), "tortoise").size(), 2u);
    world->sql("delete from fact where body like '%Max'");
    EXPECT_THAT(found(world->owner(), "tortoise"), ElementsAre("the tortoise eats lettuce"));
}

TEST_F(Facts, WhatWasReplacedIsFoundOnlyByWhoAsksForWhatWas) {
    const auto tell = [&](const std::string& body) {
        as(world->owner(), [&](Tx& tx) { return store::remember(tx, {.body = body, .trusted = true, .subject = "address of Anna"}); });
    };
    tell("Anna's address is Mill Lane 3");
    EXPECT_THAT(found(world->owner(), "What is Anna's address?"), ElementsAre("Anna's address is Mill Lane 3"));
    tell("Anna's address is Harbour Road 9");
    EXPECT_THAT(found(world->owner(), "What is Anna's address?"), ElementsAre("Anna's address is Harbour Road 9"));
    EXPECT_THAT(found(world->owner(), "Mill Lane"), IsEmpty());
    PersonIndexes fresh;
    EXPECT_THAT(bodies(ask(fresh, world->owner(), "What is Anna's address?")), ElementsAre("Anna's address is Harbour Road 9"));
    for (const char* question : {"What was Anna's previous address?", "What was Anna's old address?", "Where was Anna's address before?"})
        EXPECT_THAT(found(world->owner(), question), testing::UnorderedElementsAre("Anna's address is Mill Lane 3", "Anna's address is Harbour Road 9")) << question;
    EXPECT_THAT(found(world->owner(), "How old is Anna, and her address?"), ElementsAre("Anna's address is Harbour Road 9"));
}

TEST_F(Facts, OfWhatWasForgottenNoIndexKeepsAWord) {
    PersonIndexes here, elsewhere;  // two processes
    keep(world->owner(), "the hiding place is behind the stove");
    keep(world->owner(), "the stove was swept in March");
    EXPECT_EQ(ask(here, world->owner(), "stove").size(), 2u);
    EXPECT_EQ(ask(elsewhere, world->owner(), "stove").size(), 2u);
    const auto id = FactId::parse(world->sql("select id from fact where body like '%hiding%'")).value();
    as(world->owner(), [&](Tx& tx) { return store::forget_facts(tx, {id}, true); });
    here.forget(world->owner().tenant);
    EXPECT_EQ(here.bytes(), 0u);
    // A slip of "hiding" is repaired only where the word is known.
    EXPECT_THAT(ask(elsewhere, world->owner(), "hidding stove").at(0).why, "has stove");
    EXPECT_THAT(bodies(ask(here, world->owner(), "stove")), ElementsAre("the stove was swept in March"));
}

TEST_F(Facts, OfAnotherPersonAreNeverFound) {
    keep(world->owner(), "the diary lies under the third stair");
    EXPECT_THAT(found(world->member(), "Where is the diary, under which stair?"), IsEmpty());
    EXPECT_THAT(found(store::Identity{}, "diary"), IsEmpty());
    EXPECT_EQ(found(world->owner(), "diary").size(), 1u);
}

// Each of the two locks with the other one open.
TEST_F(Facts, AreBehindTwoLocks) {
    keep(world->owner(), "the diary lies under the third stair");
    const auto id = FactId::parse(world->sql("select id from fact")).value();
    const base::AudienceId owner{world->owner().person.value};
    as(world->member(), [&](Tx& tx) {
        EXPECT_THAT(store::facts_behind(tx, owner, {}, 10), IsEmpty()) << "another's audience is asked for, and row-level security holds";
        EXPECT_THAT(store::facts_by_id(tx, {id}), IsEmpty());
        return 0;
    });
    world->sql("alter table fact no force row level security, disable row level security");
    EXPECT_THAT(found(world->member(), "Where is the diary, under which stair?"), IsEmpty()) << "without it only one's own audiences are asked for";
    EXPECT_EQ(found(world->owner(), "diary").size(), 1u);
    world->sql("alter table fact enable row level security, force row level security");
    EXPECT_THAT(found(world->member(), "diary"), IsEmpty());
}

TEST_F(Facts, AnswersDoNotHangOnWhatOthersHave) {
    for (const char* body : {"the boat is painted green", "the boat house key is green too", "the oars are in the cellar"}) keep(world->owner(), body);
    PersonIndexes alone, beside;
    const auto before = ask(alone, world->owner(), "Is the boat green?");
    for (const char* body : {"the boat is green green green", "boat boat", "every boat here is green"}) keep(world->member(), body);
    const auto after = ask(beside, world->owner(), "Is the boat green?");
    ask(beside, world->member(), "Is the boat green?");
    const auto again = ask(beside, world->owner(), "Is the boat green?");
    ASSERT_EQ(before.size(), 2u);
    for (const auto* one : {&after, &again}) {
        ASSERT_EQ(one->size(), before.size());
        for (std::size_t i = 0; i < before.size(); ++i) {
            EXPECT_EQ((*one)[i].fact.id, before[i].fact.id);
            EXPECT_EQ((*one)[i].score, before[i].score);
            EXPECT_EQ((*one)[i].why, before[i].why);
        }
    }
}

TEST_F(Facts, OfAGroupAreFoundWhileOneBelongsToIt) {
    const std::string tenant = world->owner().tenant.text(), person = world->member().person.text(), group = "0190aaaa-0000-7000-8000-000000000001";
    world->sql("insert into person_group (id, tenant_id, name) values ('" + group + "', '" + tenant + "', 'choir') on conflict do nothing");
    world->sql("insert into fact (id, tenant_id, audience_id, body) values (gen_random_uuid(), '" + tenant + "', '" + group + "', 'the choir meets on Monday')");
    EXPECT_THAT(found(world->member(), "When does the choir meet?"), IsEmpty());
    world->sql("insert into membership (tenant_id, group_id, person_id) values ('" + tenant + "', '" + group + "', '" + person + "')");
    EXPECT_THAT(found(world->member(), "When does the choir meet?"), ElementsAre("the choir meets on Monday"));
    EXPECT_THAT(found(world->owner(), "When does the choir meet?"), IsEmpty());
    world->sql("delete from membership where group_id = '" + group + "'");
    EXPECT_THAT(found(world->member(), "When does the choir meet?"), IsEmpty());
}

TEST_F(Facts, AnIndexLongestUnusedIsGivenUpWhereMemoryIsShort) {
    keep(world->owner(), "the piano was tuned in spring");
    keep(world->member(), "the violin has a new string");
    PersonIndexes small(1);
    EXPECT_EQ(ask(small, world->owner(), "piano").size(), 1u);
    const std::size_t one = small.bytes();
    EXPECT_GT(one, 0u);
    EXPECT_EQ(ask(small, world->member(), "violin").size(), 1u);
    EXPECT_LT(small.bytes(), 2 * one);
    EXPECT_EQ(ask(small, world->owner(), "piano").size(), 1u) << "it is made anew";
}

}  // namespace
}  // namespace memory
