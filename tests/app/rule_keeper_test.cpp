// What is in force of the house's rules, whatever lies in the database.
#include "app/rule_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/database.h"

namespace app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct RuleKeeperTest : testing::Test {
    support::TestDatabase* world = support::TestDatabase::get();
    base::NullLog log;
    tools::RuleBook book;
    std::unique_ptr<RuleKeeper> keeper;

    void SetUp() override {
        if (!world) GTEST_SKIP() << support::TestDatabase::why_not();
        world->sql("delete from house_rule");
        keeper = std::make_unique<RuleKeeper>(book, world->db(), log);
    }
    void set(const std::string& name, const std::string& body) {
        world->sql("insert into house_rule (tenant_id, name, body, changed_by) values ('" + world->owner().tenant.text() + "', '" + name + "', '" + body + "', '" + world->owner().person.text() +
                   "') on conflict (tenant_id, name) do update set body = excluded.body");
    }
    std::vector<std::string> in_force() const {
        std::vector<std::string> out;
        for (const auto& rule : *book.rules()) out.push_back(rule.name + " " + std::string(policy::name(rule.verdict)));
        return out;
    }
};

TEST_F(RuleKeeperTest, WhatIsSetIsInForceAtTheNextLook) {
    ASSERT_TRUE(keeper->read());
    EXPECT_THAT(in_force(), ElementsAre());
    set("one", R"({"verdict": "ask"})");
    ASSERT_TRUE(keeper->read());
    EXPECT_THAT(in_force(), ElementsAre("one ask"));
    set("one", R"({"verdict": "deny"})");
    ASSERT_TRUE(keeper->read());
    EXPECT_THAT(in_force(), ElementsAre("one deny"));
    world->sql("delete from house_rule");
    ASSERT_TRUE(keeper->read());
    EXPECT_THAT(in_force(), ElementsAre());
    EXPECT_EQ(keeper->probe().health, base::Health::ok);
}

TEST_F(RuleKeeperTest, ABadOneLeavesAllAsTheyWere) {
    set("one", R"({"verdict": "deny", "tools": ["bash"]})");
    ASSERT_TRUE(keeper->read());
    set("one", R"({"verdict": "allow", "tools": ["bash"]})");
    set("two", R"({"verdict": "perhaps"})");
    const auto refused = keeper->read();
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().text(), HasSubstr("two"));
    EXPECT_THAT(in_force(), ElementsAre("one deny")) << "not even the good one of them";
    EXPECT_TRUE(keeper->read()) << "told once";
    EXPECT_EQ(keeper->probe().health, base::Health::failed);
    EXPECT_THAT(keeper->probe().found, HasSubstr("perhaps"));
    set("two", R"({"verdict": "ask"})");
    ASSERT_TRUE(keeper->read());
    EXPECT_THAT(in_force(), ElementsAre("one allow", "two ask"));
    EXPECT_EQ(keeper->probe().health, base::Health::ok);
}

}  // namespace
}  // namespace app
