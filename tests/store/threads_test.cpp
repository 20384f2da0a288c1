// Threads in the database: who is stopped with whom, and what is found.
#include "store/threads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "on_database.h"
#include "store/conversations.h"
#include "store/run_inputs.h"
#include "store/run_queue.h"
#include "store/runs.h"
#include "store/stops.h"

namespace {

using base::Json;
using store::Rule;
using store::Tx;
using testing::ElementsAre;

struct Threads : OnDatabase {
    struct Made {
        base::ConversationId id;
        base::RunId run;
        int parent = -1, depth = 0;
    };
    Made make(Tx& tx, const std::vector<Made>& all, int parent) {
        const auto now = base::SystemClock().now();
        Made out{base::ConversationId::make(now), base::RunId::make(now), parent, parent < 0 ? 0 : all[std::size_t(parent)].depth + 1};
        store::NewThread as;
        as.depth = out.depth;
        if (parent >= 0) as.parent_run = all[std::size_t(parent)].run, as.parent_call = "call" + std::to_string(all.size()), as.seconds = 60;
        store::create_conversation(tx, out.id, "api", "", as);
        store::queue_run(tx, {out.run, out.id, "hearth", Json::object(), false, "what"});
        return out;
    }
    std::string state(base::ConversationId id) { return as(world->owner(), [&](Tx& tx) { return store::find_thread(tx, id).value().state; }); }
    void TearDown() override {
        if (world) world->sql("update run set state = 'failed', finished_at = now() where state is null");
    }
};

TEST_F(Threads, AConversationIsAThreadAndItsRunsTellItsState) {
    const auto made = as(world->owner(), [&](Tx& tx) { return make(tx, {}, -1); });
    const auto thread = as(world->owner(), [&](Tx& tx) { return store::find_thread(tx, made.id).value(); });
    EXPECT_EQ(thread.as.rule, Rule::queue);
    EXPECT_EQ(thread.state, "running");
    EXPECT_EQ(thread.works, made.run);
    world->sql("update run set state = 'answered', finished_at = now() where id = '" + made.run.text() + "'");
    EXPECT_EQ(state(made.id), "idle");
    as(world->owner(), [&](Tx& tx) { store::change_thread(tx, made.id, Rule::steer, "my line"); });
    const auto changed = as(world->owner(), [&](Tx& tx) { return store::list_threads(tx, 1); });
    ASSERT_EQ(changed.size(), 1u);
    EXPECT_EQ(changed[0].id, made.id);
    EXPECT_EQ(changed[0].as.label, "my line");
    EXPECT_EQ(changed[0].as.rule, Rule::steer);
    const auto older = as(world->owner(), [&](Tx& tx) { return store::list_threads(tx, 500, made.id); });
    EXPECT_TRUE(std::none_of(older.begin(), older.end(), [&](const auto& one) { return one.id == made.id; }));
    as(world->owner(), [&](Tx& tx) { store::end_thread(tx, made.id, "ended"); });
    as(world->owner(), [&](Tx& tx) { store::end_thread(tx, made.id, "cancelled"); });
    EXPECT_EQ(state(made.id), "ended") << "the first stands";
}

TEST_F(Threads, ACallHasOneChild) {
    std::vector<Made> all;
    as(world->owner(), [&](Tx& tx) { all.push_back(make(tx, all, -1)); });
    as(world->owner(), [&](Tx& tx) { make(tx, all, 0); });
    try {
        as(world->owner(), [&](Tx& tx) { make(tx, all, 0); });
        FAIL() << "a second child of one call";
    } catch (const store::DbError& e) {
        EXPECT_EQ(e.kind, store::DbError::Kind::unique);
    }
}

// Whoever is stopped takes with it all below, and nobody else.
TEST_F(Threads, AStopReachesAllBelowAndNobodyBeside) {
    for (unsigned seed = 1; seed <= 150; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 random(seed);
        std::vector<Made> all;
        const bool whole = seed % 2;
        std::size_t at = 0;
        as(world->owner(), [&](Tx& tx) {
            for (int i = 0; i < 20; ++i) all.push_back(make(tx, all, i < 2 ? -1 : int(random() % unsigned(i))));
            at = random() % all.size();
            EXPECT_TRUE(whole ? store::stop_thread(tx, all[at].id) : store::ask_to_stop(tx, all[at].run));
        });
        for (std::size_t i = 0; i < all.size(); ++i) {
            int up = int(i);
            while (up >= 0 && up != int(at)) up = all[std::size_t(up)].parent;
            const bool below = up == int(at);
            EXPECT_EQ(as(world->owner(), [&](Tx& tx) { return store::stop_asked(tx, all[i].run); }), below) << i;
            EXPECT_EQ(state(all[i].id), below && (i != at || whole) ? "cancelled" : "running") << i;
        }
        if (HasFailure()) return;
    }
}

TEST_F(Threads, WhatARestingRunHasNotReadIsInItsConversationWhenItIsStopped) {
    const auto made = as(world->owner(), [&](Tx& tx) { return make(tx, {}, -1); });
    ASSERT_TRUE(as(world->owner(), [&](Tx& tx) { return store::add_input(tx, made.run, "one \"of\" them", "test"); }));
    ASSERT_TRUE(as(world->owner(), [&](Tx& tx) { return store::add_input(tx, made.run, "from a thread", "thread:x"); }));
    world->sql("update run set state = 'waiting_person' where id = '" + made.run.text() + "'");
    ASSERT_TRUE(as(world->owner(), [&](Tx& tx) { return store::ask_to_stop(tx, made.run); }));
    const auto said = as(world->owner(), [&](Tx& tx) { return store::list_messages(tx, made.id); });
    ASSERT_EQ(said.size(), 2u);
    EXPECT_EQ(said[0].body, (Json{{"role", "user"}, {"content", "one \"of\" them"}}));
    EXPECT_EQ(said[1].body, (Json{{"role", "user"}, {"content", "from a thread"}, {"trusted", false}}));
    for (const auto& input : as(world->owner(), [&](Tx& tx) { return store::list_inputs(tx, made.run); })) EXPECT_EQ(input.taken_by, store::kTakenByHistory);
}

TEST_F(Threads, WhatARunThatWaitsForItsClientHasNotReadIsForTheNextOne) {
    const auto made = as(world->owner(), [&](Tx& tx) { return make(tx, {}, -1); });
    ASSERT_TRUE(as(world->owner(), [&](Tx& tx) { return store::add_input(tx, made.run, "and tell Bob", "test"); }));
    world->sql("update run set state = 'waiting_client', finished_at = now() where id = '" + made.run.text() + "'");
    const auto next = base::RunId::make(base::SystemClock().now());
    as(world->owner(), [&](Tx& tx) {
        store::queue_run(tx, {next, made.id, "hearth", Json::object(), false, "what"});
        store::adopt_inputs(tx, made.id, next);
    });
    const auto untaken = [&](base::RunId run) { return as(world->owner(), [&](Tx& tx) { return store::untaken_inputs(tx, run); }); };
    EXPECT_TRUE(untaken(made.run).empty());
    ASSERT_EQ(untaken(next).size(), 1u);
    EXPECT_EQ(untaken(next)[0].text, "and tell Bob");
}

TEST_F(Threads, ASettledRunLosesNothingThatWasAddedToIt) {
    const auto made = as(world->owner(), [&](Tx& tx) { return make(tx, {}, -1); });
    ASSERT_TRUE(as(world->owner(), [&](Tx& tx) { return store::add_input(tx, made.run, "and tell Bob", "test"); }));
    world->sql("update run set attempts = 3 where id = '" + made.run.text() + "'");
    EXPECT_THAT(store::settle_interrupted(world->db()), testing::Contains(made.run));
    const auto said = as(world->owner(), [&](Tx& tx) { return store::list_messages(tx, made.id); });
    ASSERT_EQ(said.size(), 1u);
    EXPECT_EQ(said[0].body["content"], "and tell Bob");
}

}  // namespace
