// Standing directives: who may add, see and remove which, and how they end.
#include "store/directives.h"

#include <gmock/gmock.h>

#include "on_database.h"

namespace {

using base::Code;
using std::chrono::days;
using store::Tx;
using testing::ElementsAre;
using testing::IsEmpty;

struct DirectivesTest : OnDatabase {
    void TearDown() override {
        if (world) world->sql("delete from directive");
    }
    base::Result<store::Directive> add(const store::Identity& who, const std::string& name, base::PersonId person, const std::string& text = "Whisper.", int lasts = 30) {
        return as(who, [&](Tx& tx) { return store::add_directive(tx, name, text, person, days(lasts)); });
    }
    bool remove(const store::Identity& who, const std::string& name, base::PersonId person) {
        return as(who, [&](Tx& tx) { return store::remove_directive(tx, name, person); }).value();
    }
    static std::vector<std::string> names(const std::vector<store::Directive>& directives) {
        std::vector<std::string> out;
        for (const auto& one : directives) out.push_back(one.name);
        return out;
    }
    std::vector<std::string> seen(const store::Identity& who) { return names(as(who, [](Tx& tx) { return store::list_directives(tx); })); }
    std::vector<std::string> in_force(const store::Identity& who) { return names(as(who, [](Tx& tx) { return store::directives_in_force(tx); })); }
};

TEST_F(DirectivesTest, TheOwnerSpeaksForTheHouseAndForAnybodyOthersForThemselves) {
    const auto owner = world->owner(), member = world->member();
    const auto added = add(owner, "of_house", {});
    ASSERT_TRUE(added) << added.error().text();
    EXPECT_EQ(added->by, owner.person);
    EXPECT_TRUE(added->person.is_nil());
    EXPECT_EQ(std::chrono::round<days>(added->expires - added->created), days(30));
    ASSERT_TRUE(add(owner, "for_her", member.person));
    ASSERT_TRUE(add(member, "her_own", member.person));
    ASSERT_TRUE(add(owner, "his_own", owner.person));
    EXPECT_EQ(add(member, "house", {}).error().code, Code::permission_denied);
    EXPECT_EQ(add(member, "for_him", owner.person).error().code, Code::permission_denied);
    EXPECT_EQ(add(owner, "of_nobody", base::PersonId::make(base::SystemClock().now())).error().code, Code::permission_denied);

    EXPECT_THAT(seen(member), ElementsAre("of_house", "for_her", "her_own"));
    EXPECT_THAT(in_force(member), ElementsAre("of_house", "for_her", "her_own"));
    EXPECT_THAT(seen(owner), testing::UnorderedElementsAre("of_house", "for_her", "his_own")) << "not what she said for herself";
    EXPECT_THAT(in_force(owner), ElementsAre("of_house", "his_own"));
    EXPECT_THAT(seen({}), IsEmpty());
    EXPECT_THAT(seen({base::TenantId::make(base::SystemClock().now()), owner.person}), IsEmpty()) << "of another house";

    EXPECT_FALSE(remove(member, "of_house", {}));
    EXPECT_FALSE(remove(member, "for_her", member.person));
    EXPECT_FALSE(remove(owner, "her_own", member.person));
    EXPECT_FALSE(remove(member, "his_own", owner.person));
    EXPECT_TRUE(remove(owner, "for_her", member.person));
    EXPECT_TRUE(remove(member, "her_own", member.person));
    EXPECT_TRUE(remove(owner, "of_house", {}));
    EXPECT_FALSE(remove(owner, "of_house", {})) << "it is gone";
}

TEST_F(DirectivesTest, AMistakeIsNamed) {
    const auto owner = world->owner();
    ASSERT_TRUE(add(owner, "one", {}));
    EXPECT_EQ(add(owner, "one", {}).error().code, Code::conflict);
    EXPECT_TRUE(add(owner, "one", owner.person)) << "the same name, for himself";
    for (const auto& [name, text] : std::initializer_list<std::pair<const char*, std::string>>{
             {"two words", "x"}, {"1st", "x"}, {"empty", ""}, {"lines", "One.\n- Two."}, {"control", "One\x1b[2J"}, {"long", std::string(store::kLongestDirective + 1, 'x')}})
        EXPECT_EQ(add(owner, name, {}, text).error().code, Code::invalid_argument) << name;
    for (const int lasts : {0, -1, 3651}) EXPECT_EQ(add(owner, "time", {}, "x", lasts).error().code, Code::invalid_argument) << lasts;
    EXPECT_EQ(add(owner, "prime_data", {}).error().code, Code::permission_denied);
    EXPECT_ANY_THROW(as(owner, [](Tx& tx) { return tx.exec("insert into directive (name, text, expires_at) values ('prime_data', 'x', now())"); })) << "nor by another way";
    EXPECT_ANY_THROW(as(owner, [](Tx& tx) { return tx.exec("update directive set text = 'y'"); }));
    EXPECT_THAT(in_force(owner), ElementsAre("one", "one"));
}

TEST_F(DirectivesTest, AllTogetherAreNoMoreThanAPromptCanHold) {
    const auto owner = world->owner(), member = world->member();
    for (const char* name : {"a", "b", "c", "d"}) ASSERT_TRUE(add(owner, name, {}, std::string(500, 'x')));
    EXPECT_EQ(add(owner, "e", {}, "x").error().code, Code::resource_exhausted);
    for (const char* name : {"a", "b", "c", "d"}) ASSERT_TRUE(add(member, name, member.person, std::string(500, 'x'))) << "of a person alone";
    EXPECT_EQ(add(owner, "e", member.person, "x").error().code, Code::resource_exhausted) << "with those that he does not see";
    ASSERT_TRUE(remove(owner, "a", {}));
    EXPECT_TRUE(add(owner, "e", {}, "x"));
}

TEST_F(DirectivesTest, WhatHasExpiredHoldsNoMoreAndIsPruned) {
    const auto owner = world->owner(), member = world->member();
    ASSERT_TRUE(add(owner, "old", {}));
    ASSERT_TRUE(add(member, "old", member.person));
    world->sql("update directive set expires_at = now() - interval '1 second'");
    ASSERT_TRUE(as(member, [](Tx& tx) { return tx.exec("insert into directive (name, text, person_id, expires_at) values ('new', 'x', hearth_person(), now() + interval '1 day') returning 1").size(); }));
    EXPECT_THAT(in_force(owner), IsEmpty());
    EXPECT_THAT(in_force(member), ElementsAre("new"));
    EXPECT_THAT(seen(owner), ElementsAre("old")) << "until it is pruned";
    EXPECT_EQ(as({}, [](Tx& tx) { return store::prune_directives(tx); }), 2);
    EXPECT_THAT(seen(owner), IsEmpty());
    EXPECT_THAT(seen(member), ElementsAre("new"));
    ASSERT_TRUE(add(owner, "old", {})) << "its name is free";
}

}  // namespace
