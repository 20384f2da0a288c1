#include "store/groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/arrivals.h"
#include "store/facts.h"
#include "store/senders.h"
#include "support/database.h"

namespace store {
namespace {

using base::Code;
using testing::ElementsAre;
using testing::IsEmpty;

class GroupsTest : public testing::Test {
protected:
    void SetUp() override {
        if (!world) GTEST_SKIP() << support::TestDatabase::why_not();
        world->sql("delete from membership; delete from person_group; delete from fact");
    }
    template <class F>
    auto as(const Identity& who, F work) {
        return world->db().run_blocking(who, work);
    }
    base::Result<Group> set(const Identity& by, const std::string& name, std::vector<Identity> members) {
        return as(by, [&](Tx& tx) {
            std::vector<Person> people;
            for (const Identity& one : members) people.push_back(find_person(tx, one.person.text()).value());
            return set_group(tx, name, people);
        });
    }
    std::vector<std::string> facts(const Identity& who) {
        std::vector<std::string> out;
        for (const auto& one : as(who, [](Tx& tx) { return list_facts(tx, 10, std::nullopt, true); })) out.push_back(one.fact.teller + ": " + one.fact.body);
        return out;
    }
    support::TestDatabase* world = support::TestDatabase::get();
};

TEST_F(GroupsTest, OnlyTheOwnerSaysWhoIsInOne) {
    EXPECT_EQ(set(world->member(), "family", {world->member()}).error().code, Code::permission_denied);
    const auto forge = [&](Tx& tx) { return tx.exec("insert into person_group (id, name) values (gen_random_uuid(), 'mine')"); };
    EXPECT_THROW(as(world->member(), forge), DbError);
    ASSERT_TRUE(set(world->owner(), "family", {world->owner()}));
    const std::string id = world->sql("select id from person_group");
    const auto enter = [&](Tx& tx) { return tx.exec("insert into membership (group_id, person_id) values ($1::uuid, hearth_person())", {id}); };
    EXPECT_THROW(as(world->member(), enter), DbError);
    const auto empty = [&](Tx& tx) { return tx.exec("delete from membership returning 1").size(); };
    EXPECT_EQ(as(world->member(), empty), 0u);
    for (const char* name : {"", " x", "a\nb"}) EXPECT_EQ(set(world->owner(), name, {}).error().code, Code::invalid_argument) << name;
}

TEST_F(GroupsTest, WhatIsToldForOneIsItsMembersWithWhoToldIt) {
    const auto group = set(world->owner(), "family", {world->owner(), world->member()});
    ASSERT_TRUE(group);
    EXPECT_EQ(set(world->owner(), "FAMILY", {world->owner(), world->member()})->id, group->id) << "one name, one group";
    EXPECT_EQ(as(world->member(), [](Tx& tx) { return own_group(tx, "Family"); }), group->id);
    as(world->member(), [&](Tx& tx) { return remember(tx, {.body = "the cabin is booked for June", .trusted = true, .audience = group->id}); });
    EXPECT_THAT(facts(world->member()), ElementsAre(": the cabin is booked for June"));
    EXPECT_THAT(facts(world->owner()), ElementsAre("member: the cabin is booked for June"));
    as(world->owner(), [&](Tx& tx) { return remember(tx, {.body = "The cabin is booked for June.", .trusted = true, .audience = group->id}); });
    EXPECT_EQ(facts(world->owner()).size(), 1u) << "told by both it is one";
    ASSERT_TRUE(set(world->owner(), "family", {world->member()}));
    EXPECT_THAT(facts(world->owner()), IsEmpty());
    EXPECT_EQ(as(world->owner(), [](Tx& tx) { return own_group(tx, "family"); }), std::nullopt);
    const auto intrude = [&](Tx& tx) { return remember(tx, {.body = "x", .audience = group->id}); };
    EXPECT_THROW(as(world->owner(), intrude), DbError);
    const auto members = as(world->owner(), [](Tx& tx) { return list_groups(tx); });
    ASSERT_EQ(members.size(), 1u);
    ASSERT_EQ(members[0].members.size(), 1u);
    EXPECT_EQ(members[0].members[0].name, "member");
}

TEST_F(GroupsTest, WhoWritesInAChatOfSeveralIsInItsGroup) {
    const auto enter = [&](const Identity& who, const std::string& chat) { return as(who, [&](Tx& tx) { return enter_chat_group(tx, conversation_in_chat(tx, "telegram", chat)); }); };
    ASSERT_TRUE(set(world->owner(), "telegram -77", {world->owner()}));
    const auto group = enter(world->owner(), "-77");
    ASSERT_TRUE(group);
    EXPECT_NE(as(world->owner(), [](Tx& tx) { return own_group(tx, "telegram -77"); }), group) << "a group that somebody has named so is another one";
    const auto tell = [&](Tx& tx) { return remember(tx, {.body = "the boat is at the lake", .trusted = true, .audience = *group}); };
    as(world->owner(), tell);
    EXPECT_THROW(as(world->member(), tell), DbError) << "he has not written there";
    EXPECT_EQ(enter(world->member(), "-77"), group);
    EXPECT_THAT(facts(world->member()), ElementsAre("owner: the boat is at the lake"));
    EXPECT_NE(enter(world->member(), "-78"), group);
    EXPECT_EQ(as(world->owner(), [](Tx& tx) { return enter_chat_group(tx, base::ConversationId::make(base::SystemClock().now())); }), std::nullopt) << "it is in no chat";
    as(world->owner(), [](Tx& tx) { move_chat(tx, "telegram", "-77", "-10077"); });
    EXPECT_EQ(enter(world->owner(), "-10077"), group);
}

TEST_F(GroupsTest, WhoLeavesAChatLeavesItsGroupUntilHeWritesThereAgain) {
    const auto in = [&](const std::string& chat) { return as(world->member(), [&](Tx& tx) { return conversation_in_chat(tx, "telegram", chat); }); };
    const auto enter = [&](base::ConversationId conversation) { return as(world->member(), [&](Tx& tx) { return enter_chat_group(tx, conversation); }); };
    const auto here = in("-87"), elsewhere = in("-88");
    const auto group = enter(here), other = enter(elsewhere);
    ASSERT_TRUE(group && other);
    for (const auto& one : {*group, *other}) as(world->member(), [&](Tx& tx) { return remember(tx, {.body = "said in " + one.text(), .trusted = true, .audience = one}); });
    EXPECT_EQ(facts(world->member()).size(), 2u);
    as(world->member(), [](Tx& tx) { leave_chat(tx, "telegram", "-87"); });
    EXPECT_THAT(facts(world->member()), ElementsAre(": said in " + other->text())) << "of that chat alone";
    EXPECT_EQ(enter(here), std::nullopt) << "what still works or waits for him there lets him in no more";
    as(world->member(), [](Tx& tx) { move_chat(tx, "telegram", "-87", "-10087"); });
    EXPECT_EQ(enter(here), std::nullopt) << "nor where it moves";
    as(world->member(), [](Tx& tx) { return_to_chat(tx, "telegram", "-10087"); });
    EXPECT_EQ(enter(here), group);
    as(world->member(), [](Tx& tx) { leave_chat(tx, "telegram", "-999"); });
    EXPECT_EQ(facts(world->member()).size(), 2u) << "he was never there";
}

}  // namespace
}  // namespace store
