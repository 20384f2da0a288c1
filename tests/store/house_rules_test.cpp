// The rules of a house: the owner's to set, everybody's to see, and those of others nobody's.
#include "store/house_rules.h"
#include "store/people.h"

#include <gmock/gmock.h>

#include <future>
#include <thread>

#include "made_run.h"
#include "on_database.h"
#include "store/run_writer.h"
#include "support/run_task.h"

namespace {

using base::Json;
using store::Tx;

struct HouseRulesTest : OnDatabase {
    void TearDown() override {
        if (world) world->sql("delete from house_rule");
    }
    std::vector<std::string> names(const store::Identity& who) {
        std::vector<std::string> out;
        for (const auto& row : as(who, [](Tx& tx) { return store::list_rules(tx); })) out.push_back(row.name);
        return out;
    }
    base::Result<void> set(const store::Identity& who, const std::string& name, const Json& body) {
        return as(who, [&](Tx& tx) { return store::set_rule(tx, name, body); });
    }
};

TEST_F(HouseRulesTest, TheOwnerSetsThemAndEverybodySeesThem) {
    ASSERT_TRUE(set(world->owner(), "one", {{"verdict", "ask"}}));
    ASSERT_TRUE(set(world->owner(), "one", {{"verdict", "deny"}})) << "set anew";
    EXPECT_EQ(set(world->member(), "two", {{"verdict", "deny"}}).error().code, base::Code::permission_denied);
    EXPECT_FALSE(set(world->member(), "one", {{"verdict", "allow"}}));
    EXPECT_FALSE(as(world->member(), [](Tx& tx) { return store::remove_rule(tx, "one"); }));
    EXPECT_THAT(names(world->member()), testing::ElementsAre("one"));
    EXPECT_THAT(names(store::Identity{}), testing::IsEmpty());
    EXPECT_THAT(names(store::Identity{base::TenantId::make(base::SystemClock().now()), world->owner().person}), testing::IsEmpty());
    const auto all = as(store::Identity{}, [](Tx& tx) { return store::all_rules(tx); });
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].tenant, world->owner().tenant);
    EXPECT_EQ(all[0].body, Json({{"verdict", "deny"}}));
    EXPECT_TRUE(as(world->owner(), [](Tx& tx) { return store::remove_rule(tx, "one"); }));
    EXPECT_FALSE(as(world->owner(), [](Tx& tx) { return store::remove_rule(tx, "one"); }));
}

// The first has counted and not yet begun when the second counts.
TEST_F(HouseRulesTest, TwoCallsAtOnceAreNotBothBegunByTheSameCount) {
    const std::string tool = "counted_tool";
    const auto since = base::SystemClock().now() - std::chrono::hours(1);
    const MadeRun made[] = {make_run(world->db(), world->owner()), make_run(world->db(), world->owner())};
    const auto begin = [&](const MadeRun& one, std::function<void()> between) {
        store::RunWriter writer(world->db(), world->owner(), one.run, one.lease->epoch());
        std::function<bool(Tx&)> still = [&](Tx& tx) {
            const bool none = store::count_calls_alone(tx, tool, since) == 0;
            between();
            return none;
        };
        return support::run_task(writer.begin_if({{}, 0, "tool", tool, "pure", "c1", Json::object()}, std::move(still))).has_value();
    };
    std::promise<void> counted;
    auto first = std::async(std::launch::async, [&] {
        return begin(made[0], [&] {
            counted.set_value();
            std::this_thread::sleep_for(std::chrono::milliseconds(300));
        });
    });
    counted.get_future().wait();
    EXPECT_FALSE(begin(made[1], [] {}));
    EXPECT_TRUE(first.get());
    EXPECT_EQ(as(world->owner(), [&](Tx& tx) { return store::count_calls(tx, tool, since); }), 1);
}

TEST_F(HouseRulesTest, PeopleAreNamed) {
    const auto people = as(world->owner(), [](Tx& tx) { return store::list_people(tx); });
    EXPECT_EQ(people.size(), 2u);
    EXPECT_EQ(std::count_if(people.begin(), people.end(), [&](const auto& one) { return one.id == world->owner().person && one.role == "owner"; }), 1);
}

}  // namespace
