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
        if (world) world->sql("update person set replies = 'full', effort = 'auto', tone = ''");
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
    EXPECT_EQ(change(member, owner.person.text(), {true, std::nullopt}).error().code, Code::permission_denied);
    EXPECT_FALSE(see(owner).plain);
}

TEST_F(People, AMistakeIsNamed) {
    EXPECT_EQ(change(world->owner(), "nobody", {true, std::nullopt}).error().code, Code::not_found);
    EXPECT_ANY_THROW(change(world->owner(), world->owner().person.text(), {std::nullopt, "lazy"}));
    EXPECT_ANY_THROW(as(world->member(), [](Tx& tx) { return tx.exec("update person set role = 'owner'"); })) << "a role is not among what may be set";
    for (const std::string& tone : {std::string(301, 'x'), std::string("Two\nlines"), std::string("\x1b[2J")})
        EXPECT_EQ(change(world->owner(), world->owner().person.text(), {std::nullopt, std::nullopt, tone}).error().code, Code::invalid_argument);
    EXPECT_EQ(change(world->member(), world->owner().person.text(), {std::nullopt, std::nullopt, "rudely"}).error().code, Code::permission_denied);
    EXPECT_TRUE(as({}, [](Tx& tx) { return store::list_people(tx); }).empty());
}
