// What comes due is begun and told once, by as many processes as look.
#include "agents/scheduler.h"

#include <gmock/gmock.h>

#include <thread>

#include "harness.h"
#include "store/conversations.h"
#include "store/groups.h"
#include "store/run_queue.h"
#include "store/senders.h"
#include "support/manual_clock.h"
#include "support/run_task.h"

namespace {

using agents::Scheduler;
using agents::testing::Harness;
using agents::testing::says;
using store::Schedule;
using store::Tx;
using namespace std::chrono_literals;
using testing::ElementsAre;

struct SchedulerTest : agents::testing::TurnTest {
    void TearDown() override {
        if (auto* const database = support::TestDatabase::get()) database->sql("delete from schedule_fire; delete from schedule; delete from outbox; delete from channel_conversation");
    }
};

struct Keeping {
    explicit Keeping(std::vector<router::ScriptedReply> replies) : harness(std::move(replies)) {}

    std::unique_ptr<Scheduler> process() {
        const auto pieces = [this](const std::string& bridge, const std::string& text) { return has_channel && bridge == "telegram" ? std::optional(std::vector{text}) : std::nullopt; };
        const auto may_begin = [this] { return has_room; };
        return std::make_unique<Scheduler>(Scheduler::Parts{*harness.agents, harness.db, rules, clock, harness.log, {harness.database->owner().tenant, {}}, pieces, may_begin});
    }
    store::ScheduleId add(const std::string& prompt, bool told = true, bool silent = false) {
        Schedule schedule;
        schedule.said = "every hour";
        schedule.cron = "0 * * * *";
        schedule.zone = "UTC";
        schedule.prompt = prompt;
        schedule.agent = "hearth/dev";
        schedule.silent = silent;
        schedule.next = clock.now() + 1h;
        if (told) schedule.bridge = "telegram", schedule.chat = "42";
        return harness.in_tx([&](Tx& tx) { return store::add_schedule(tx, schedule); }).value().id;
    }
    // Until nothing is left to do; runs are worked on in between.
    void keep(Scheduler& scheduler, int rounds = 4) {
        const auto all = [&]() -> net::Task<void> {
            while (co_await scheduler.look()) continue;
            for (int round = 0; round < rounds; ++round) {
                if (round > 0)
                    while (co_await scheduler.look()) continue;
                co_await harness.agents->resume_interrupted();
                boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
                for (int i = 0; i < 500 && (i < 15 || harness.agents->active() > 0); ++i) {
                    timer.expires_after(10ms);
                    co_await timer.async_wait(boost::asio::use_awaitable);
                }
            }
        };
        support::run_task(all());
    }
    std::vector<std::string> fires(store::ScheduleId id) {
        std::vector<std::string> out;
        for (const auto& fire : harness.in_tx([&](Tx& tx) { return store::fires_of(tx, id, 100); })) out.push_back(fire.state + ": " + fire.outcome);
        return out;
    }
    std::string told() { return harness.database->sql("select string_agg(chat || ' ' || content, '; ' order by number) from outbox"); }

    tools::RuleBook rules;
    support::ManualClock clock;
    bool has_channel = true, has_room = true;
    Harness harness;
};

TEST_F(SchedulerTest, WhatComesDueIsDoneAndToldOnce) {
    Keeping keeping({says("Sure! Two trains are late. Let me know if you need more.")});
    const auto id = keeping.add("What is in the news?");
    const auto one = keeping.process(), other = keeping.process();
    keeping.keep(*one);
    EXPECT_THAT(keeping.fires(id), testing::IsEmpty());
    keeping.clock.move(1h);
    keeping.keep(*one);
    keeping.keep(*other);
    EXPECT_THAT(keeping.fires(id), ElementsAre("done: told"));
    EXPECT_EQ(keeping.told(), "42 Two trains are late.");
    const auto talk = keeping.harness.in_tx([](Tx& tx) { return store::list_messages(tx, store::conversation_in_chat(tx, "telegram", "42")); });
    ASSERT_EQ(talk.size(), 2u) << "a word about it is understood there";
    EXPECT_EQ(talk[0].body["content"], "[every hour] What is in the news?");
    EXPECT_EQ(talk[1].body["content"], "Two trains are late.");
}

TEST_F(SchedulerTest, WhereOthersReadNothingOfThePersonsOwnIsAtHandAndWhoHasLeftIsToldNothing) {
    Keeping keeping({says("The gate is open."), says("The gate is open."), says("The gate is open.")});
    const auto before_others = [&] { return keeping.harness.database->sql("select request->>'before_others' from run order by id desc limit 1"); };
    keeping.harness.in_tx([](Tx& tx) { return store::conversation_in_chat(tx, "telegram", "42"); });
    const auto alone = keeping.add("Is the gate open?");
    keeping.clock.move(1h);
    keeping.keep(*keeping.process());
    EXPECT_THAT(keeping.fires(alone), ElementsAre("done: told"));
    EXPECT_EQ(before_others(), "false");
    keeping.harness.database->sql("delete from schedule_fire; delete from schedule; update channel_conversation set in_company = true");
    EXPECT_EQ(keeping.harness.in_tx([](Tx& tx) { return store::chat_of(tx, "telegram"); }), std::nullopt) << "nobody is answered there alone";
    const auto among_others = keeping.add("Is the gate open now?");
    keeping.clock.move(1h);
    keeping.keep(*keeping.process());
    EXPECT_THAT(keeping.fires(among_others), ElementsAre("done: told"));
    EXPECT_EQ(before_others(), "true");
    keeping.harness.in_tx([](Tx& tx) { store::leave_chat(tx, "telegram", "42"); return 0; });
    keeping.clock.move(1h);
    keeping.keep(*keeping.process());
    EXPECT_THAT(keeping.fires(among_others), ElementsAre("done: kept: who wanted it has left the chat", "done: told"));
}

TEST_F(SchedulerTest, WhoeverTalksIsNotInterrupted) {
    Keeping keeping({says("Two trains are late.")});
    const auto id = keeping.add("What is in the news?");
    keeping.clock.set(base::SystemClock().now());
    keeping.harness.database->sql("update schedule set next_at = now() - interval '2 seconds'");
    const auto talk = keeping.harness.in_tx([](Tx& tx) { return store::conversation_in_chat(tx, "telegram", "42"); });
    const auto run = base::RunId::make(base::SystemClock().now());
    keeping.has_room = false;
    keeping.keep(*keeping.process());
    keeping.has_room = true;
    keeping.keep(*keeping.process(), 1);  // it is begun, and answers
    keeping.harness.in_tx([&](Tx& tx) { store::queue_run(tx, {run, talk, "hearth/dev", {{"messages", base::Json::array()}}, false, "hello"}); });
    keeping.keep(*keeping.process(), 0);
    EXPECT_THAT(keeping.fires(id), ElementsAre("working: "));
    keeping.harness.database->sql("update run set state = 'answered', finished_at = now() where id = '" + run.text() + "'");
    keeping.keep(*keeping.process(), 0);
    EXPECT_THAT(keeping.fires(id), ElementsAre("done: told"));
}

TEST_F(SchedulerTest, HoweverManyLookEachTimeIsBegunOnce) {
    Keeping keeping({});
    constexpr int kSchedules = 12;
    for (int i = 0; i < kSchedules; ++i) keeping.add("number " + std::to_string(i));
    const auto count = [&](const std::string& what) { return keeping.harness.database->sql("select count(" + what); };
    const int before = std::stoi(count("*) from run"));
    keeping.clock.move(1h);
    std::vector<std::thread> processes;
    for (int i = 0; i < 4; ++i)
        processes.emplace_back([&] {
            const auto scheduler = keeping.process();
            const auto all = [&]() -> net::Task<void> {
                for (int round = 0; round < 3; ++round)
                    while (co_await scheduler->look()) continue;
            };
            support::run_task(all());
        });
    for (auto& one : processes) one.join();
    EXPECT_EQ(count("*) from schedule_fire where state = 'working'"), std::to_string(kSchedules));
    EXPECT_EQ(count("distinct run_id) from schedule_fire"), std::to_string(kSchedules));
    EXPECT_EQ(std::stoi(count("*) from run")) - before, kSchedules);
    keeping.harness.database->sql("update run set state = 'failed', finished_at = now() where state is null");
}

TEST_F(SchedulerTest, NothingIsToldWhereThereIsNothing) {
    Keeping keeping({says("Nothing."), says("Two trains are late.")});
    const auto silent = keeping.add("What is in the news?", true, true);
    keeping.clock.move(1h);
    keeping.keep(*keeping.process());
    EXPECT_THAT(keeping.fires(silent), ElementsAre("done: nothing to say"));
    const auto kept = keeping.add("What is in the paper?", false);
    keeping.harness.in_tx([&](Tx& tx) { store::end_schedule(tx, silent); });
    keeping.clock.move(1h);
    keeping.keep(*keeping.process());
    EXPECT_THAT(keeping.fires(kept), ElementsAre("done: kept"));
    EXPECT_EQ(keeping.told(), "");
}

TEST_F(SchedulerTest, NothingBeginsWhereThereIsNoRoom) {
    Keeping keeping({says("Two trains are late.")});
    const auto id = keeping.add("What is in the news?");
    keeping.clock.move(1h);
    keeping.has_room = false;
    keeping.keep(*keeping.process());
    EXPECT_THAT(keeping.fires(id), ElementsAre("due: "));
    keeping.has_room = true;
    keeping.keep(*keeping.process());
    EXPECT_THAT(keeping.fires(id), ElementsAre("done: told"));
}

TEST_F(SchedulerTest, AProcessWithoutTheChannelLeavesTheTellingToAnother) {
    Keeping keeping({says("Two trains are late.")});
    const auto id = keeping.add("What is in the news?");
    keeping.clock.move(1h);
    keeping.has_channel = false;
    keeping.keep(*keeping.process());
    EXPECT_THAT(keeping.fires(id), ElementsAre("working: "));
    keeping.has_channel = true;
    keeping.keep(*keeping.process());
    EXPECT_THAT(keeping.fires(id), ElementsAre("done: told"));
}

}  // namespace
