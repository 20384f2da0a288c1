// How people are answered is set by themselves and by the owner.
#include "store/people.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "on_database.h"

using base::Code;
using store::Tx;

namespace {

struct People : OnDatabase {
    ~People() override {
        if (world) world->sql("update person set replies = 'full', effort = 'auto', tone = '', language = 'auto'; delete from person where name in ('Clara', 'Gus')");
    }
    base::Result<store::Person> change(const store::Identity& as_whom, const std::string& who, const store::PersonChange& what) {
        return as(as_whom, [&](Tx& tx) { return store::change_person(tx, who, what); });
    }
    store::Person see(const store::Identity& who) {
        return as(who, [](Tx& tx) { return store::this_person(tx); });
    }
};

}  // namespace

TEST_F(People, TheOwnerSetsEverybodysAndOthersTheirOwn) {
    const auto owner = world->owner(), member = world->member();
    EXPECT_FALSE(see(member).plain);
    EXPECT_EQ(see(member).effort, "auto");
    ASSERT_TRUE(change(owner, member.person.text(), {true, std::nullopt}));
    EXPECT_TRUE(see(member).plain);
    EXPECT_FALSE(see(owner).plain) << "of that one alone";
    const auto own = change(member, see(member).name, {std::nullopt, "heavy"});
    ASSERT_TRUE(own) << own.error().text();
    EXPECT_TRUE(own->plain) << "what is not named stays";
    EXPECT_EQ(see(member).effort, "heavy");
    EXPECT_EQ(see(member).tone, "");
    ASSERT_TRUE(change(member, member.person.text(), {std::nullopt, std::nullopt, "in rhymes"}));
    EXPECT_EQ(see(member).tone, "in rhymes");
    EXPECT_EQ(see(owner).tone, "");
    EXPECT_EQ(see(member).effort, "heavy");
    ASSERT_TRUE(change(member, member.person.text(), {std::nullopt, std::nullopt, std::nullopt, "fr"}));
    EXPECT_EQ(see(member).language, "fr");
    EXPECT_EQ(see(member).tone, "in rhymes");
    EXPECT_EQ(change(member, owner.person.text(), {true, std::nullopt}).error().code, Code::permission_denied);
    EXPECT_FALSE(see(owner).plain);
}

TEST_F(People, TheOwnerTakesThemInAndNobodyElseDoes) {
    const auto add = [&](const store::Identity& as_whom, const std::string& name, const std::string& role) { return as(as_whom, [&](Tx& tx) { return store::add_person(tx, name, role); }); };
    const auto clara = add(world->owner(), "Clara", "member");
    ASSERT_TRUE(clara) << clara.error().text();
    EXPECT_EQ(see({world->owner().tenant, clara->id}).name, "Clara");
    EXPECT_EQ(add(world->owner(), "Gus", "guest").value().role, "guest");
    EXPECT_EQ(as(world->member(), [](Tx& tx) { return store::find_person(tx, "Gus"); }).value().role, "guest");
    EXPECT_EQ(add(world->owner(), "Clara", "guest").error().code, Code::conflict);
    EXPECT_EQ(add(world->member(), "Mallory", "member").error().code, Code::permission_denied);
    for (const char* role : {"owner", "peer"}) EXPECT_EQ(add(world->owner(), "Mallory", role).error().code, Code::permission_denied) << role;
    for (const std::string& name : {std::string(), std::string("  "), std::string("a\nb"), std::string(101, 'x')}) EXPECT_EQ(add(world->owner(), name, "member").error().code, Code::invalid_argument) << name;
    EXPECT_EQ(as(world->owner(), [](Tx& tx) { return store::find_person(tx, "Mallory"); }).error().code, Code::not_found);
}

TEST_F(People, AMistakeIsNamed) {
    EXPECT_EQ(change(world->owner(), "nobody", {true, std::nullopt}).error().code, Code::not_found);
    EXPECT_ANY_THROW(change(world->owner(), world->owner().person.text(), {std::nullopt, "lazy"}));
    EXPECT_EQ(change(world->owner(), world->owner().person.text(), {std::nullopt, std::nullopt, std::nullopt, "klingon"}).error().code, Code::invalid_argument);
    EXPECT_ANY_THROW(as(world->member(), [](Tx& tx) { return tx.exec("update person set role = 'owner'"); })) << "a role is not among what may be set";
    for (const std::string& tone : {std::string(301, 'x'), std::string("Two\nlines"), std::string("\x1b[2J")})
        EXPECT_EQ(change(world->owner(), world->owner().person.text(), {std::nullopt, std::nullopt, tone}).error().code, Code::invalid_argument);
    EXPECT_EQ(change(world->member(), world->owner().person.text(), {std::nullopt, std::nullopt, "rudely"}).error().code, Code::permission_denied);
    EXPECT_TRUE(as({}, [](Tx& tx) { return store::list_people(tx); }).empty());
}
