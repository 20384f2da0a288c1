#include "tools/home.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <utility>

#include "memory/person_indexes.h"
#include "store/collections.h"
#include "store/groups.h"
#include "store/run_writer.h"
#include "support/database.h"
#include "support/run_task.h"
#include "tools/ports.h"
#include "tools/registry.h"

namespace tools {
namespace {

using base::Code;
using base::Json;
using policy::Integrity;
using testing::HasSubstr;

// The tools of memory on a database, as a run calls them: what one writes is committed with its outcome.
class Home : public testing::Test {
protected:
    void SetUp() override {
        if (!world) GTEST_SKIP() << support::TestDatabase::why_not();
        world->sql("delete from fact; delete from membership; delete from person_group");
    }
    base::Result<ToolOutput> call(const std::string& name, Json arguments, Integrity label = Integrity::trusted) {
        const Tool* const tool = Builtins().find(name);
        Ports ports{world->db(), world->owner(), run, clock};
        if (!before_others) ports.memory = &memory;
        ports.company = company;
        ToolContext context{principal, nullptr, nullptr, pool, &ports};
        context.label = label;
        base::Result<ToolOutput> out = support::run_task(tool->run(std::move(arguments), context));
        auto write = [&](store::Tx& tx) {
            for (const auto& one : ports.writes) one(tx);
        };
        if (out && meanwhile) std::exchange(meanwhile, {})();
        if (out) world->db().run_blocking(world->owner(), write);
        return out;
    }
    std::vector<store::FactRecord> facts(const store::Identity& who) {
        auto list = [](store::Tx& tx) { return store::list_facts(tx, 10, std::nullopt, true); };
        return world->db().run_blocking(who, list);
    }

    support::TestDatabase* world = support::TestDatabase::get();
    base::SystemClock clock;
    boost::asio::thread_pool pool{1};
    policy::Principal principal;
    memory::PersonIndexes memory;
    bool before_others = false;  // who read the answer
    base::AudienceId company{};
    std::function<void()> meanwhile;  // between what a call reads and what it writes
    const base::RunId run = base::RunId::make(clock.now());
};

TEST_F(Home, RemembersWithItsRunAndRecallsIt) {
    const auto kept = call("remember", {{"text", "the wifi password is on the fridge"}});
    ASSERT_TRUE(kept) << kept.error().text();
    const auto found = call("recall", {{"query", "wifi password"}});
    ASSERT_TRUE(found);
    EXPECT_THAT(found->text, HasSubstr("the wifi password is on the fridge (told on "));
    EXPECT_EQ(found->integrity, Integrity::trusted);
    EXPECT_EQ(found->facts["sources"][0]["fact"], kept->facts["fact"]);
    EXPECT_EQ(found->facts["sources"][0]["run"], run.text());
}

TEST_F(Home, WhatIsNewerTakesThePlaceOfWhatItNames) {
    const auto day = [](int year, unsigned month, unsigned date) { return base::TimePoint(std::chrono::sys_days{std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(date)}); };
    ASSERT_TRUE(call("remember", {{"text", "Anna's phone number is 123"}, {"about", "phone number of Anna"}, {"since", "2020-02-29"}}));
    ASSERT_TRUE(call("remember", {{"text", "Anna's phone number is 456"}, {"about", "Phone number of Anna"}, {"since", "2021-03-01"}}));
    ASSERT_TRUE(call("remember", {{"text", "Ben lives in Lyon"}}));
    const std::string told = call("recall", {{"query", "Where does Ben live? Lyon?"}})->text;
    ASSERT_TRUE(call("remember", {{"text", "Ben lives in Paris"}, {"replaces", told.substr(2, told.size() - 3)}})) << "as recall tells it";
    const auto all = facts(world->owner());
    ASSERT_EQ(all.size(), 4u);
    EXPECT_EQ(all[3].from, day(2020, 2, 29));
    EXPECT_EQ(all[3].fact.until, day(2021, 3, 1));
    EXPECT_EQ(all[2].fact.until, std::nullopt);
    EXPECT_EQ(all[1].replaced_by, all[0].fact.id);
}

TEST_F(Home, NothingOfAPersonIsBroughtBackWhereOthersReadTheAnswer) {
    before_others = true;
    for (const auto& [tool, arguments] : {std::pair<const char*, Json>{"recall", {{"query", "medicines"}}},
                                          {"collection_search", {{"query", "medicines"}}},
                                          {"collection_add", {{"collection", "medicines"}, {"item", {{"name", "x"}}}}},
                                          {"collection_update", {{"id", "0199f3c2-7a51-7c3e-9d21-5b8f6a0c4e17"}, {"fields", Json::object()}}}}) {
        const auto refused = call(tool, arguments);
        ASSERT_FALSE(refused) << tool;
        EXPECT_EQ(refused.error().code, Code::unavailable) << tool;
    }
}

TEST_F(Home, RefusesWhatItCannotKeepByName) {
    const std::pair<Json, const char*> calls[] = {{{{"text", ""}}, "text has 0 bytes"},
                                                  {{{"text", std::string(2001, 'x')}}, "text has 2001 bytes"},
                                                  {{{"text", "x"}, {"about", std::string(300, 'y')}}, "about has 300 bytes"},
                                                  {{{"text", "x"}, {"since", "2023-02-29"}}, "since is '2023-02-29'"},
                                                  {{{"text", "x"}, {"since", "yesterday"}}, "since is 'yesterday'"},
                                                  {{{"text", "x"}, {"since", "2023-02-01T00:00"}}, "since is"},
                                                  {{{"text", "x"}, {"group", "family"}}, "in no group 'family'"}};
    for (const auto& [arguments, says] : calls) {
        const auto refused = call("remember", arguments);
        ASSERT_FALSE(refused) << arguments;
        EXPECT_THAT(refused.error().text(), HasSubstr(says));
    }
    EXPECT_TRUE(facts(world->owner()).empty());
}

TEST_F(Home, OfTwoThatChangeAnItemAtOnceTheLaterIsShownWhatItIsNow) {
    world->sql("delete from collection");
    auto make = [](store::Tx& tx) { return store::make_collection(tx, "books", R"({"type": "object", "properties": {"title": {"type": "string"}, "place": {"type": "string"}, "read": {"type": "boolean"}}})"); };
    ASSERT_TRUE(world->db().run_blocking(world->owner(), make));
    const auto added = call("collection_add", {{"collection", "books"}, {"item", {{"title", "Emma"}}}});
    ASSERT_TRUE(added);
    const std::string id = added->facts["item"];
    const auto change = [&](const Json& fields) { return call("collection_update", {{"id", id}, {"fields", fields}}); };
    meanwhile = [&] { ASSERT_TRUE(change({{"place", "shelf 3"}})); };
    try {
        (void)change({{"read", true}});
        FAIL() << "the other one is lost";
    } catch (const store::Overtaken& overtaken) {
        EXPECT_THAT(overtaken.what(), HasSubstr("shelf 3"));
    }
    ASSERT_TRUE(change({{"read", true}}));
    EXPECT_EQ(Json::parse(world->sql("select body from collection_item")), Json({{"title", "Emma"}, {"place", "shelf 3"}, {"read", true}}));
    meanwhile = [&] { world->sql("delete from collection_item"); };
    EXPECT_THROW((void)change({{"read", false}}), store::Overtaken);
}

TEST_F(Home, ForAGroupOnlyThePersonsOwnWordIsRemembered) {
    auto make = [&](store::Tx& tx) {
        return store::set_group(tx, "family", {store::find_person(tx, world->owner().person.text()).value(), store::find_person(tx, world->member().person.text()).value()});
    };
    auto own = [](store::Tx& tx) { return store::own_group(tx, "family"); };
    ASSERT_TRUE(world->db().run_blocking(world->owner(), make));
    const auto refused = call("remember", {{"text", "the alarm code is 2222"}, {"group", "family"}}, Integrity::untrusted);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::permission_denied);
    EXPECT_TRUE(facts(world->member()).empty());
    ASSERT_TRUE(call("remember", {{"text", "the cabin is booked for June"}, {"group", "Family"}}));
    ASSERT_EQ(facts(world->member()).size(), 1u);
    EXPECT_FALSE(facts(world->member())[0].fact.teller.empty());
    EXPECT_THAT(call("recall", {{"query", "cabin"}})->text, HasSubstr("the cabin is booked for June (told on ")) << "he told it himself";
    company = world->db().run_blocking(world->owner(), own).value();
    before_others = true;
    EXPECT_EQ(call("remember", {{"text", "the alarm code is 3333"}}, Integrity::untrusted).error().code, Code::permission_denied);
    ASSERT_TRUE(call("remember", {{"text", "the boat is at the lake"}})) << "what is told before others is theirs";
    EXPECT_EQ(facts(world->member()).size(), 2u);
}

}  // namespace
}  // namespace tools
