// What calls took, by whom and for what; and what budgets have spent, shared by all who share the database.
#include "store/usage.h"

#include <gtest/gtest.h>

#include "on_database.h"

namespace {

using store::Spending;

struct StoredUsage : OnDatabase {
    const int day = 30'000;
    std::string subject(const char* name) const { return std::string("alias ") + name; }
    std::vector<Spending> add(std::vector<Spending> more) {
        return as(world->owner(), [&](store::Tx& tx) { return store::add_spending(tx, more); });
    }
};

TEST_F(StoredUsage, SpendingAddsUp) {
    const auto first = add({{subject("a"), day, 100, 0.5}, {subject("b"), day, 7, 0}});
    ASSERT_EQ(first.size(), 2u);
    const auto second = add({{subject("a"), day, 50, 0.25}});
    ASSERT_EQ(second.size(), 1u);
    EXPECT_EQ(second[0].subject, "alias a");
    EXPECT_EQ(second[0].tokens, first[0].tokens + 50);
    EXPECT_NEAR(second[0].cost, first[0].cost + 0.25, 1e-9);
    EXPECT_EQ(add({{subject("a"), day + 1, 1, 0}})[0].tokens, 1) << "each day is its own";
    const auto listed = as(world->owner(), [&](store::Tx& tx) { return store::list_spending(tx, day); });
    EXPECT_EQ(listed.size(), 2u);
}

TEST_F(StoredUsage, AnotherTenantsSpendingIsNotThere) {
    add({{subject("a"), day, 100, 0}});
    const store::Identity stranger{base::TenantId::make({}), base::PersonId::make({})};
    EXPECT_TRUE(as(stranger, [&](store::Tx& tx) { return store::list_spending(tx, day); }).empty());
    EXPECT_TRUE(as({world->owner().tenant, {}}, [&](store::Tx& tx) { return store::list_spending(tx, day); }).empty()) << "nor anything for nobody";
    EXPECT_THROW(as(stranger, [&](store::Tx& tx) { return store::add_spending(tx, {{subject("a"), day, 1, 0}}); }), store::DbError);
}

TEST_F(StoredUsage, CallsAreSummedByWhatTheyWereFor) {
    const base::TimePoint since = std::chrono::sys_days(std::chrono::year(2031) / 1 / 1);
    const auto conversation = base::ConversationId::make(since);
    const auto insert = [&](const store::Identity& who, const char* agent, base::ConversationId in, double cost) {
        store::ModelCall call;
        call.id = base::SpanId::make(since + std::chrono::seconds(1));
        call.alias = "default";
        call.purpose = "api";
        call.backend = "box";
        call.agent = agent;
        call.conversation = in;
        call.started = since + std::chrono::seconds(1);
        call.prompt_tokens = 10;
        call.output_tokens = 5;
        call.forced_tokens = 3;
        call.cost = cost;
        as(who, [&](store::Tx& tx) { store::insert_call(tx, call); });
    };
    insert(world->owner(), "hearth", conversation, 0.5);
    insert(world->owner(), "hearth", conversation, 0.25);
    insert(world->owner(), "", {}, 2);
    insert(world->member(), "hearth", {}, 8);
    const auto by = [&](store::UsageBy what) { return as(world->owner(), [&](store::Tx& tx) { return store::usage_by(tx, what, since, 10); }); };
    const auto agents = by(store::UsageBy::agent);
    ASSERT_EQ(agents.size(), 2u) << "the other person's call is not seen";
    EXPECT_EQ(agents[0].key, "") << "the most expensive first";
    EXPECT_EQ(agents[1].key, "hearth");
    EXPECT_EQ(agents[1].calls, 2);
    EXPECT_EQ(agents[1].prompt_tokens, 20);
    EXPECT_NEAR(agents[1].cost, 0.75, 1e-9);
    EXPECT_EQ(by(store::UsageBy::conversation)[1].key, conversation.text());
    EXPECT_EQ(by(store::UsageBy::backend)[0].calls, 3);
    const auto people = as(world->owner(), [&](store::Tx& tx) { return store::usage_by_person(tx, since); });
    ASSERT_EQ(people.size(), 2u) << "sums are for the operator";
    for (const auto& person : people) EXPECT_NEAR(person.cost, person.key == world->member().person.text() ? 8 : 2.75, 1e-9);
    const auto calls = as(world->owner(), [&](store::Tx& tx) { return store::list_calls(tx, since, 10); });
    ASSERT_EQ(calls.size(), 3u);
    EXPECT_NEAR(calls[0].cost + calls[1].cost + calls[2].cost, 2.75, 1e-9);
    for (const auto& call : calls) EXPECT_EQ(call.forced_tokens, 3);
}

TEST_F(StoredUsage, DaysTellHowLongCallsTook) {
    const base::TimePoint since = std::chrono::sys_days(std::chrono::year(2032) / 1 / 1);
    const auto insert = [&](const store::Identity& who, int day, int ms, const char* error) {
        store::ModelCall call;
        call.started = since + std::chrono::hours(24 * day + 1);
        call.id = base::SpanId::make(call.started);
        call.alias = "default";
        call.purpose = "api";
        call.error = error;
        call.duration = std::chrono::milliseconds(ms);
        call.decode = std::chrono::milliseconds(ms / 2);
        call.output_tokens = 10;
        as(who, [&](store::Tx& tx) { store::insert_call(tx, call); });
    };
    for (const int ms : {100, 200, 300, 400, 1000}) insert(world->owner(), 0, ms, "");
    insert(world->owner(), 0, 60000, "timeout");
    insert(world->owner(), 2, 60000, "timeout");
    insert(world->member(), 0, 500, "");
    const auto days = as(world->owner(), [&](store::Tx& tx) { return store::usage_days(tx, since, false); });
    ASSERT_EQ(days.size(), 2u) << "a day without calls has no row";
    EXPECT_EQ(days[0].day, "2032-01-01");
    EXPECT_EQ(days[0].calls, 6) << "the other person's call is not seen";
    EXPECT_EQ(days[0].failures, 1);
    EXPECT_NEAR(days[0].p50_us.value(), 300e3, 1) << "of those that did not fail";
    EXPECT_NEAR(days[0].p95_us.value(), 880e3, 1) << "between the fourth and the fifth, by rank";
    EXPECT_NEAR(days[0].output_per_second.value(), 60 / (1.0 + 30), 1e-6);
    EXPECT_EQ(days[1].day, "2032-01-03");
    EXPECT_FALSE(days[1].p50_us) << "nothing but failures";
    EXPECT_EQ(as(world->owner(), [&](store::Tx& tx) { return store::usage_days(tx, since, true); })[0].calls, 7);
    const store::Identity stranger{base::TenantId::make({}), base::PersonId::make({})};
    EXPECT_TRUE(as(stranger, [&](store::Tx& tx) { return store::usage_days(tx, since, true); }).empty()) << "another house";
}

}  // namespace
