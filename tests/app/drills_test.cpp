// Backends that were long not used are tried.
#include "app/drills.h"

#include <gtest/gtest.h>

#include "router/scripted_backend.h"
#include "store/usage.h"
#include "support/database.h"
#include "support/manual_clock.h"
#include "support/run_task.h"

namespace app {
namespace {

using std::chrono::hours;

TEST(DrillKeeper, TriesWhatWasNotUsedForHalfOfItsDays) {
    auto* world = support::TestDatabase::get();
    if (!world) GTEST_SKIP() << support::TestDatabase::why_not();
    support::ManualClock clock;
    base::NullLog log;
    base::NullMetrics metrics;
    std::vector<std::unique_ptr<router::Backend>> backends;
    backends.push_back(std::make_unique<router::ScriptedBackend>("drilled", std::vector<router::ScriptedReply>{}, [](const router::ModelRequest&) {
        router::ScriptedReply reply;
        reply.text = "ready";
        return reply;
    }));
    auto* model = static_cast<router::ScriptedBackend*>(backends[0].get());
    router::Gateway gateway(std::move(backends), {{"default", {"drilled"}}}, clock, log, metrics);
    store::TraceSink traces(world->db(), log);
    DrillKeeper keeper(gateway, world->db(), traces, world->owner(), clock, log, {7, true});
    keeper.read();
    const auto drilled = [&] {
        const std::size_t before = model->requests().size();
        const auto task = [&]() -> net::Task<int> {
            co_await keeper.drill_overdue();
            co_return 0;
        };
        support::run_task(task());
        return model->requests().size() - before;
    };
    EXPECT_EQ(drilled(), 0u) << "seen just now";
    clock.move(hours(24 * 7 / 2 + 1));
    EXPECT_EQ(drilled(), 3u) << "plain, streamed, tools";
    EXPECT_EQ(drilled(), 0u) << "two work, the one that failed rests for a day";
    clock.move(hours(25));
    EXPECT_EQ(drilled(), 1u) << "the one that failed";
    traces.flush();
    const auto calls = [](store::Tx& tx) { return store::list_calls(tx, {}, 100); };
    int recorded = 0;
    for (const auto& call : world->db().run_blocking(world->owner(), calls)) recorded += call.purpose == "drill" && call.alias == "drilled";
    EXPECT_EQ(recorded, 4);
}

}  // namespace
}  // namespace app
