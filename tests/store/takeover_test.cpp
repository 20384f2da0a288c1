// Runs whose process went away: who goes on with them, and what their writer knows.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

#include "on_database.h"
#include "store/conversations.h"
#include "store/run_writer.h"
#include "support/run_task.h"

namespace {

using base::Json;
using store::Tx;

struct Takeover : OnDatabase {
    // A run that nobody holds any more, in a conversation of its own unless one is given.
    std::pair<base::RunId, base::ConversationId> begin(const store::Identity& who, const store::Resumption& resumption, base::ConversationId conversation = {}) {
        const auto now = base::SystemClock().now();
        const auto id = base::RunId::make(now);
        const auto lease = store::lease_new_run(world->db(), id);
        as(who, [&](Tx& tx) {
            if (conversation.is_nil()) store::create_conversation(tx, conversation = base::ConversationId::make(now), "api", "");
            const auto input = store::append_message(tx, conversation, {}, {{"role", "user"}, {"content", "hello"}});
            store::create_run(tx, *lease, conversation, input, "hearth", resumption);
        });
        return {id, conversation};
    }
};

TEST_F(Takeover, AnInterruptedRunIsForWhoeverCanGoOnWithIt) {
    const auto now = base::SystemClock().now();
    const Json request = {{"a", std::string("b\0", 2)}};
    const auto first = begin(world->member(), {request, true}), second = begin(world->member(), {request, false});
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // ids are in order of time
    const base::RunId pinned = first.first, free = second.first, later = begin(world->member(), {request, false}, second.second).first;
    as(world->member(), [&](Tx& tx) { return store::write_intent(tx, {free, 1, "tool", "t", "pure", "call", Json::object()}); });
    auto elsewhere = store::Db::open({store::app_url(world->cluster()), 1, base::NodeId::make(now)});
    ASSERT_TRUE(elsewhere);
    const auto listed = [&](store::Db& db) {
        std::set<base::RunId> out;
        for (const auto& one : store::list_interrupted(db))
            if (one.who.person == world->member().person) out.insert(one.run);
        return out;
    };
    using Runs = std::set<base::RunId>;
    EXPECT_EQ(listed(world->db()), (Runs{pinned, free})) << "one of a conversation at a time";
    EXPECT_EQ(listed(**elsewhere), (Runs{free}));
    for (const auto& settled : store::settle_interrupted(**elsewhere)) EXPECT_FALSE((Runs{pinned, free, later}.contains(settled)));
    const auto busy = [&](base::ConversationId one) { return [one](Tx& tx) { return store::busy_run(tx, one); }; };
    EXPECT_EQ(as(world->member(), busy(first.second)), pinned) << "a turn that comes now waits";
    auto waits = busy(first.second);
    EXPECT_EQ((*elsewhere)->run_blocking(world->member(), waits), base::RunId{});

    auto lease = store::acquire_lease(**elsewhere, world->member(), free);
    ASSERT_TRUE(lease);
    EXPECT_EQ((*lease)->epoch(), 2);
    EXPECT_EQ(listed(world->db()), Runs{pinned});
    EXPECT_EQ(as(world->member(), [&](Tx& tx) { return store::run_request(tx, free); })["a"], std::string("b\0", 2));
    const auto steps = as(world->member(), [&](Tx& tx) { return store::list_steps(tx, free); });
    // Its open step is written at the new epoch, by nobody else.
    const auto end = [&](std::int64_t epoch) {
        return [&, epoch](Tx& tx) { store::write_outcome(tx, {free, epoch, "tool", "t", "pure", "call", Json::object()}, steps.at(0).id, "done", Json::object()); };
    };
    EXPECT_THROW(as(world->member(), end(1)), store::DbError);
    as(world->member(), end(2));
    as(world->member(), [&](Tx& tx) { store::finish_run(tx, free, 2, "answered", "", Json::object(), Json::object()); });
    EXPECT_EQ(listed(**elsewhere), Runs{later});
    world->sql("update run set started_at = now() - interval '2 days' where id in ('" + later.text() + "', '" + pinned.text() + "')");
    EXPECT_EQ(listed(**elsewhere), Runs{});
    const auto settled = store::settle_interrupted(world->db());
    EXPECT_EQ(std::count(settled.begin(), settled.end(), later) + std::count(settled.begin(), settled.end(), pinned), 2) << "a day is long enough";
}

TEST_F(Takeover, AWriterKnowsWhatWasRecordedAndWritesNothingOnceItIsLeft) {
    const base::RunId run = begin(world->owner(), {}).first;
    const auto steps = [&] { return as(world->owner(), [&](Tx& tx) { return store::list_steps(tx, run); }); };
    const store::StepIntent model{{}, 0, "model", "default", "pure", "model:0", {{"n", 1}}}, tool{{}, 0, "tool", "bash", "at_most_once", "call_1", {{"n", 2}}},
        edit{{}, 0, "tool", "edit_file", "idempotent", "call_2", {{"n", 3}}};
    {
        auto lease = store::acquire_lease(world->db(), world->owner(), run);
        ASSERT_TRUE(lease);
        store::RunWriter writer(world->db(), world->owner(), run, (*lease)->epoch());
        support::run_task(writer.end(model, support::run_task(writer.begin(model)), "done", {{"said", "call"}}));
        support::run_task(writer.begin(tool));
    }
    auto lease = store::acquire_lease(world->db(), world->owner(), run);
    ASSERT_TRUE(lease);
    base::StopSource left;
    store::RunWriter writer(world->db(), world->owner(), run, (*lease)->epoch(), steps(), left.token());
    ASSERT_TRUE(writer.recorded("model:0"));
    EXPECT_EQ(writer.recorded("model:0")->outcome["said"], "call");
    EXPECT_FALSE(writer.recorded("call_2"));
    EXPECT_TRUE(writer.agrees(*writer.recorded("call_1"), tool));
    store::StepIntent other = tool;
    other.input["n"] = 4;
    EXPECT_FALSE(writer.agrees(*writer.recorded("call_1"), other));
    EXPECT_EQ(writer.diverged(), std::vector<std::string>{"call_1"});
    ASSERT_EQ(writer.in_doubt().size(), 1u);
    const auto again = support::run_task(writer.begin(tool));
    EXPECT_EQ(again, steps().at(1).id) << "its intent stands";
    const auto attempts = [&] { return world->sql("select attempts from run where id = '" + run.text() + "'"); };
    EXPECT_EQ(attempts(), "1");
    const auto edited = support::run_task(writer.begin(edit));
    left.request_stop();
    EXPECT_THROW(support::run_task(writer.end(edit, edited, "done", Json::object())), store::RunLeft) << "it can be made again";
    support::run_task(writer.end(tool, again, "unknown", Json::object()));  // this one cannot
    EXPECT_TRUE(writer.in_doubt().empty());
    EXPECT_EQ(attempts(), "0") << "it got on";
    EXPECT_THROW(support::run_task(writer.begin(model)), store::RunLeft);
    EXPECT_THROW(support::run_task(writer.finish("answered", "", Json::object(), Json::object())), store::RunLeft);
    EXPECT_EQ(steps().at(1).state, "unknown");
    EXPECT_EQ(steps().at(2).state, "intent");
}

}  // namespace
