// What runs tell: to listeners that come and go, here and at another process, while the run works, is taken over and after it.
#include "agents/events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "lives.h"
#include "store/run_queue.h"
#include "support/run_task.h"

namespace agents::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using store::EventId;

TEST(Stretches, ATextIsToldFromThePieceThatIsMissing) {
    const Stretch text{4, 6, "text", {{"text", "one two three"}}, {4, 8}};
    const auto all = told_after(text, 2, {2, 3});
    ASSERT_THAT(all, SizeIs(1));
    EXPECT_EQ(all[0].id.text(), "2.6");
    EXPECT_EQ(all[0].data["text"], "one two three");
    EXPECT_EQ(told_after(text, 2, {2, 4})[0].data["text"], "two three");
    EXPECT_EQ(told_after(text, 2, {2, 5})[0].data["text"], "three");
    EXPECT_TRUE(told_after(text, 2, {2, 6}).empty());
    EXPECT_TRUE(told_after(text, 2, {3, 1}).empty());
    EXPECT_EQ(told_after(text, 2, {1, 99})[0].data["text"], "one two three");
    EXPECT_EQ(to_json(stretch_from_json(to_json(text))), to_json(text));
}

TEST(Stretches, ATextThatWasChangedInTheStoreIsToldAnew) {
    const Stretch text{4, 6, "text", {{"text", "one [a secret]"}}, {}};
    const auto told = told_after(text, 2, {2, 5});
    ASSERT_THAT(told, SizeIs(2));
    EXPECT_EQ(told[0].name, "resumed");
    EXPECT_EQ(told[0].id.text(), "2.5");
    EXPECT_EQ(told[0].data["after"], "2.3");
    EXPECT_EQ(told[1].data["text"], "one [a secret]");
}

TEST(EventIds, AreReadAsTheyAreWritten) {
    EXPECT_EQ(EventId::parse("3.17").value(), (EventId{3, 17}));
    EXPECT_LT((EventId{1, 900}), (EventId{2, 1}));
    for (const char* wrong : {"", "3", "3.", ".17", "3.x", "-3.1", "3.1 ", "99999999999999999999.1"}) EXPECT_FALSE(EventId::parse(wrong)) << wrong;
}

// A client: what it has heard, in which `resumed` takes back what came after the event that it names.
struct Client {
    std::vector<ToldEvent> heard;
    EventId last;
    bool over = false;

    void hear(const ToldEvent& event) {
        EXPECT_GE(event.id, last);
        last = event.id;
        if (event.name == "resumed") {
            const EventId kept = EventId::parse(event.data["after"].get<std::string>()).value();
            std::erase_if(heard, [&](const ToldEvent& one) { return one.id > kept; });
        } else {
            heard.push_back(event);
        }
        over = event.name == "done";
    }
    // Pieces of one text as one.
    std::string said() const {
        std::string out, before;
        for (const auto& event : heard) {
            const bool piece = event.name == "text" || event.name == "reasoning";
            if (!piece || event.name != before) out += "\n" + event.name + " ";
            Json data = event.data;
            data.erase("ms");
            out += piece ? data["text"].get<std::string>() : data.dump();
            before = event.name;
        }
        return out;
    }
};

constexpr const char* kHeavy = "Compare a.txt with b.txt and explain step by step which one is better for us.";
constexpr const char* kDev = "Do all of it in the folder.";

class RunEvents : public LivesTest {
protected:
    Submission order(const char* alias, const std::string& text, base::ConversationId conversation = {}) const {
        Submission out;
        out.chat.principal = owner();
        out.chat.alias = alias;
        out.chat.messages = {user(text)};
        out.chat.conversation = conversation;
        return out;
    }
    base::RunId submit(Process& process, Submission order) {
        auto taken = support::run_task(process.agents->submit(std::move(order)));
        EXPECT_TRUE(taken) << taken.error().text();
        return taken ? taken->run : base::RunId{};
    }

    // Listens until the end, and goes away after a random number of answers; with `seed` 0 it stays.
    net::Task<void> listen(Agents& agents, base::RunId id, Client& client, unsigned seed) {
        std::mt19937 random(seed);
        const policy::Principal who = owner();
        const base::StopToken never;
        while (!client.over) {
            auto reader = co_await agents.listen(who, id, client.last, never);
            const int answers = seed ? int(random() % 4) : 1 << 20;
            for (int i = 0; i <= answers && !reader->over(); ++i) {
                const auto events = co_await reader->next(std::chrono::milliseconds(seed ? random() % 3 : 10000));
                for (const auto& event : events) client.hear(event);
            }
            if (reader->over() && !client.over) break;  // its process ends
            for (unsigned i = seed ? random() % 4 : 0; i > 0; --i) co_await moment();
        }
    }
    // Whether there is such a run, and nothing more to be told of it.
    net::Task<void> ask_for_more(Agents& agents, policy::Principal who, base::RunId id, EventId after, bool& there, bool& over) {
        const base::StopToken never;
        const auto reader = co_await agents.listen(who, id, after, never);
        there = reader != nullptr;
        if (!there) co_return;
        const auto events = co_await reader->next(std::chrono::milliseconds(1000));
        over = events.empty() && reader->over();
    }
    Client replayed(base::RunId id) {
        Process process(folder.path());
        Client client;
        support::run_task(listen(*process.agents, id, client, 0));
        return client;
    }

    support::TempDir folder;
};

TEST_F(RunEvents, ARunThatIsTakenInIsBegunByWhoeverComesFirstAndToldToTheEnd) {
    base::RunId id;
    {
        Process first(folder.path());
        id = submit(first, order("hearth/dev", kDev));
    }
    EXPECT_EQ(run(id).status, "queued");
    EXPECT_EQ(run(id).question, kDev);
    EXPECT_TRUE(said_in(run(id).conversation).empty()) << "its words wait with it";
    Process second(folder.path());
    ASSERT_TRUE(second.resume());
    EXPECT_EQ(run(id).status, "answered");
    EXPECT_THAT(said_in(run(id).conversation), ElementsAre(std::string("user: ") + kDev, "assistant: All of it is done."));
    const Client client = replayed(id);
    ASSERT_FALSE(client.heard.empty());
    EXPECT_EQ(client.heard.front().name, "run_started");
    EXPECT_EQ(client.heard.front().id.text(), "1.1");
    EXPECT_EQ(client.heard.back().name, "done");
    EXPECT_EQ(client.heard.back().data["final_state"], "answered");
    EXPECT_THAT(client.said(), HasSubstr("\ntext First I look.\ntool_call {\"arguments\":{\"path\":\"a.txt\"}"));
    EXPECT_THAT(client.said(), HasSubstr("\ntext All of it is done.\ndone "));
}

TEST_F(RunEvents, ListenersThatComeAndGoHearAllOfItOnce) {
    Options options;
    for (unsigned seed = 1; seed <= 40; ++seed) {
        SCOPED_TRACE(seed);
        Process holder(folder.path(), options);
        const auto id = submit(holder, order(seed % 2 ? "hearth/dev" : "hearth", seed % 2 ? kDev : kHeavy));
        Client stays, goes, goes_too, far;
        std::thread elsewhere([&] {
            Process other(folder.path());
            store::SignalListener signals(store::app_url(database->cluster()), other.log, [&](const store::Signal& signal) { other.agents->heard(signal); });
            support::run_task(listen(*other.agents, id, far, seed + 1000));
        });
        const auto broke = [](std::exception_ptr) { ADD_FAILURE() << "a listener threw"; };
        net::spawn(holder.io.get_executor(), listen(*holder.agents, id, stays, 0), broke);
        net::spawn(holder.io.get_executor(), listen(*holder.agents, id, goes, seed), broke);
        net::spawn(holder.io.get_executor(), listen(*holder.agents, id, goes_too, seed + 500), broke);
        EXPECT_TRUE(holder.resume());
        elsewhere.join();
        const std::string whole = replayed(id).said();
        EXPECT_THAT(whole, HasSubstr("\ndone "));
        EXPECT_EQ(stays.said(), whole);
        EXPECT_EQ(goes.said(), whole);
        EXPECT_EQ(goes_too.said(), whole);
        EXPECT_EQ(far.said(), whole);
        if (HasFailure()) return;
    }
}

TEST_F(RunEvents, AfterATakeoverItIsToldFromWhereTheTextIsToldAnew) {
    int retold = 0;
    for (const char* alias : {"hearth", "hearth/dev"})
        for (std::size_t things = 3; things < 90; things += 4) {
            SCOPED_TRACE(std::string(alias) + " killed after " + std::to_string(things));
            database->sql("delete from fact");
            Client client;
            base::RunId id;
            {
                Process first(folder.path());
                id = submit(first, order(alias, alias == std::string("hearth") ? kHeavy : kDev));
                first.io.restart();
                net::spawn(first.io.get_executor(), first.agents->resume_interrupted(), {});
                net::spawn(first.io.get_executor(), listen(*first.agents, id, client, 0), {});
                if (!first.live(things)) break;  // it ended before
            }
            const std::size_t before = client.heard.size();
            for (int i = 0; i < 200 && !run(id).ended(); ++i) {
                Process next(folder.path());
                next.resume();
                if (!run(id).ended()) std::this_thread::sleep_for(std::chrono::milliseconds(5));  // until PostgreSQL has noticed
            }
            ASSERT_TRUE(run(id).ended()) << run(id).status;
            Process last(folder.path());
            support::run_task(listen(*last.agents, id, client, 0));
            EXPECT_EQ(client.said(), replayed(id).said());
            retold += before > 2;
            if (HasFailure()) return;
        }
    EXPECT_GT(retold, 10) << "a client had heard something before the kill";
}

TEST_F(RunEvents, WhoHasHeardTheEndHearsNothingMore) {
    Process process(folder.path());
    const auto id = submit(process, order("hearth/dev", kDev));
    ASSERT_TRUE(process.resume());
    const EventId last = replayed(id).last;
    bool there = false, over = false;
    support::run_task(ask_for_more(*process.agents, owner(), id, last, there, over));
    EXPECT_TRUE(there && over);
    policy::Principal stranger = owner();
    stranger.person = database->member().person;
    support::run_task(ask_for_more(*process.agents, stranger, id, {}, there, over));
    EXPECT_FALSE(there);
}

TEST_F(RunEvents, ARunThatEndedWithoutAHolderIsSaidToHaveEnded) {
    Process process(folder.path());
    const auto id = submit(process, order("hearth/dev", kDev));
    database->sql("update run set started_at = now() - interval '2 days' where id = '" + id.text() + "'");
    EXPECT_THAT(store::settle_interrupted(*process.db), ::testing::Contains(id));
    const Client client = replayed(id);
    ASSERT_THAT(client.heard, SizeIs(1));
    EXPECT_EQ(client.heard[0].name, "done");
    EXPECT_EQ(client.heard[0].data["final_state"], "failed");
    bool there = false, over = false;
    support::run_task(ask_for_more(*process.agents, owner(), id, client.last, there, over));
    EXPECT_TRUE(there && over);
}

TEST_F(RunEvents, SecretsAreNotWrittenDownInEvents) {
    Process process(folder.path());
    const auto id = submit(process, order("hearth/dev", "Do all of it with sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789."));
    ASSERT_TRUE(process.resume());
    EXPECT_EQ(database->sql("select count(*) from run_event where run_id = '" + id.text() + "' and body::text like '%abcdefghijklmnop%'"), "0");
}

// --- the queue

TEST_F(RunEvents, RunsOfOneConversationComeOneAfterTheOther) {
    Process process(folder.path());
    const auto first = submit(process, order("hearth/dev", kDev));
    const auto conversation = run(first).conversation;
    const auto second = submit(process, order("hearth/dev", "And all of it again.", conversation));
    ASSERT_TRUE(process.resume());
    EXPECT_EQ(run(first).status, "answered");
    EXPECT_EQ(run(second).status, "answered");
    EXPECT_THAT(said_in(conversation), ElementsAre(std::string("user: ") + kDev, "assistant: All of it is done.", "user: And all of it again.", "assistant: All of it is done."));
}

TEST_F(RunEvents, TheSameKeyIsTheSameRun) {
    Process process(folder.path());
    Submission once = order("hearth/dev", kDev);
    once.key = "k" + base::RunId::make(base::SystemClock().now()).text();
    once.digest = "a";
    const auto first = support::run_task(process.agents->submit(once));
    ASSERT_TRUE(first);
    EXPECT_FALSE(first->known);
    Process later(folder.path());
    const auto again = support::run_task(later.agents->submit(once));
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->known);
    EXPECT_EQ(again->run, first->run);
    once.digest = "b";
    const auto other = support::run_task(later.agents->submit(once));
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, base::Code::conflict);
    EXPECT_THAT(other.error().message, HasSubstr(once.key));
    once.chat.principal.person = database->member().person;
    EXPECT_FALSE(support::run_task(later.agents->submit(once)).value().known) << "a key is one person's";
    once.chat.principal = owner();
    database->sql("update run_key set created_at = created_at - interval '25 hours'");
    EXPECT_FALSE(support::run_task(later.agents->submit(once)).value().known) << "it is forgotten after a day";
}

TEST_F(RunEvents, TheSameKeyAtTheSameTimeIsOneRun) {
    Process process(folder.path());
    Submission once = order("hearth/dev", kDev);
    once.key = "k" + base::RunId::make(base::SystemClock().now()).text();
    std::set<std::string> runs;
    std::mutex mutex;
    std::vector<std::thread> senders;
    for (int i = 0; i < 8; ++i)
        senders.emplace_back([&] {
            const auto taken = support::run_task(process.agents->submit(once));
            const std::lock_guard lock(mutex);
            runs.insert(taken ? taken->run.text() : taken.error().text());
        });
    for (auto& sender : senders) sender.join();
    EXPECT_THAT(runs, SizeIs(1));
    EXPECT_EQ(database->sql("select count(*) from run where id = '" + *runs.begin() + "'"), "1");
}

TEST_F(RunEvents, WhatIsRefusedLeavesNothing) {
    Process process(folder.path());
    const auto conversations = database->sql("select count(*) from conversation");
    Submission unknown = order("hearth/dev", kDev, base::ConversationId::make(base::SystemClock().now()));
    unknown.key = "refused";
    EXPECT_EQ(support::run_task(process.agents->submit(unknown)).error().code, base::Code::not_found);
    EXPECT_EQ(support::run_task(process.agents->submit(order("nobody", kDev))).error().code, base::Code::not_found);
    Submission client = order("hearth/dev", kDev);
    client.chat.client_tools = {{"bash", "mine", {{"type", "object"}}}};
    EXPECT_EQ(support::run_task(process.agents->submit(client)).error().code, base::Code::invalid_argument);
    EXPECT_EQ(database->sql("select count(*) from conversation"), conversations);
    EXPECT_EQ(database->sql("select count(*) from run_key where key = 'refused'"), "0");
}

TEST_F(RunEvents, AStoppedRunNeverBegins) {
    Process process(folder.path());
    const auto id = submit(process, order("hearth/dev", kDev));
    EXPECT_TRUE(support::run_task(process.agents->stop(owner(), id)));
    ASSERT_TRUE(process.resume());
    EXPECT_EQ(run(id).status, "cancelled");
    EXPECT_TRUE(effects.empty());
    EXPECT_EQ(replayed(id).heard.back().data["final_state"], "cancelled");
}

}  // namespace
}  // namespace agents::testing
