// Turns of one conversation that come at once: one after the other, in the order of their coming.
#include "agents/turnstile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness.h"
#include "store/conversations.h"
#include "support/run_task.h"

namespace agents::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using base::Code;
using Entered = base::Result<std::unique_ptr<Turnstile::Pass>>;

const base::ConversationId kRoom = base::ConversationId::make(base::SystemClock().now());

// Coroutines on one executor, begun in order.
struct Crowd {
    boost::asio::io_context io;
    Turnstile turnstile;
    std::vector<std::string> order;

    void enter(const std::string& who, base::ConversationId room, std::chrono::milliseconds stay, base::StopToken stop = {},
               std::chrono::milliseconds patience = 10s) {
        net::spawn(io.get_executor(), visit(who, room, stay, stop, patience), [](std::exception_ptr e) { std::rethrow_exception(e); });
    }
    net::Task<void> visit(std::string who, base::ConversationId room, std::chrono::milliseconds stay, base::StopToken stop,
                          std::chrono::milliseconds patience) {
        Entered pass = co_await turnstile.enter(room, stop, std::chrono::steady_clock::now() + patience);
        if (!pass) {
            order.push_back(who + ": " + std::string(base::name(pass.error().code)));
            co_return;
        }
        order.push_back(who + " in");
        boost::asio::steady_timer timer(io, stay);
        co_await timer.async_wait(boost::asio::use_awaitable);
        order.push_back(who + " out");
    }
    void after(std::chrono::milliseconds wait, std::function<void()> act) {
        auto timer = std::make_shared<boost::asio::steady_timer>(io, wait);
        timer->async_wait([timer, act](const boost::system::error_code&) { act(); });
    }
};

TEST(Turnstile, LetsInOneAfterTheOtherInTheirOrder) {
    Crowd crowd;
    for (const char* who : {"a", "b", "c"}) crowd.enter(who, kRoom, 20ms);
    crowd.io.run();
    EXPECT_THAT(crowd.order, ElementsAre("a in", "a out", "b in", "b out", "c in", "c out"));
}

TEST(Turnstile, OtherConversationsDoNotWait) {
    Crowd crowd;
    crowd.enter("a", kRoom, 50ms);
    crowd.enter("b", base::ConversationId::make(base::SystemClock().now()), 1ms);
    crowd.io.run();
    EXPECT_THAT(crowd.order, ElementsAre("a in", "b in", "b out", "a out"));
}

TEST(Turnstile, WhoGivesUpLeavesThePlaceToTheNext) {
    Crowd crowd;
    base::StopSource stop;
    crowd.enter("a", kRoom, 600ms);
    crowd.enter("b", kRoom, 1ms, stop.token());
    crowd.enter("c", kRoom, 1ms, {}, 300ms);
    crowd.enter("d", kRoom, 1ms);
    crowd.after(20ms, [&] { stop.request_stop(); });
    crowd.io.run();
    EXPECT_THAT(crowd.order, ElementsAre("a in", "b: cancelled", "c: conflict", "a out", "d in", "d out"));
}

TEST(Turnstile, TooManyAreRefusedAtOnceAndAllAreTurnedAwayAtTheEnd) {
    Crowd crowd;
    crowd.enter("a", kRoom, 200ms);
    for (int i = 0; i <= Turnstile::kMostWaiting; ++i) crowd.enter("b", kRoom, 1ms);
    crowd.after(20ms, [&] { crowd.turnstile.turn_away(); });
    crowd.io.run();
    EXPECT_EQ(std::count(crowd.order.begin(), crowd.order.end(), "b: resource_exhausted"), 1);
    EXPECT_EQ(std::count(crowd.order.begin(), crowd.order.end(), "b: unavailable"), Turnstile::kMostWaiting);
    EXPECT_EQ(crowd.order.back(), "a out");
    crowd.order.clear();
    crowd.io.restart();
    crowd.enter("c", kRoom, 1ms);  // nothing is left behind
    crowd.io.run();
    EXPECT_THAT(crowd.order, ElementsAre("c in", "c out"));
}

class Turns : public TurnTest {
protected:
    // What was said in the conversation, in order.
    static std::string said(Harness& h, base::ConversationId id) {
        std::string out;
        for (const auto& message : h.in_tx([&](store::Tx& tx) { return store::list_messages(tx, id); }))
            out += message.body["content"].get<std::string>() + "|";
        return out;
    }
    static router::ScriptedReply slowly(const std::string& text) {
        router::ScriptedReply reply = says(text);
        reply.delay = 200ms;
        return reply;
    }
    // Asks `first` of one and, while that works, `second` of the other.
    static std::vector<ChatResult> both(Harness& one, Harness& other, base::ConversationId id, std::vector<Json> second) {
        boost::asio::io_context io;
        std::vector<ChatResult> out(2);
        const auto ask = [&](Harness& h, std::vector<Json> messages, int at) -> net::Task<void> {
            ChatRequest request = h.request("hearth/dev", std::move(messages));
            request.conversation = id;
            const EventSink nobody;
            out[std::size_t(at)] = (co_await h.agents->chat(std::move(request), nobody)).value();
        };
        std::exception_ptr failed;
        const auto fail = [&](std::exception_ptr e) { failed = e; };
        net::spawn(io.get_executor(), ask(one, {user("first")}, 0), fail);
        boost::asio::steady_timer timer(io, 60ms);
        timer.async_wait([&](const boost::system::error_code&) { net::spawn(io.get_executor(), ask(other, std::move(second), 1), fail); });
        io.run();
        if (failed) std::rethrow_exception(failed);
        return out;
    }
};

TEST_F(Turns, TheSecondWaitsAndSeesWhatTheFirstAnswered) {
    Harness h({says("hello"), slowly("one"), says("two")});
    const auto id = h.ask("hearth/dev", "hi").conversation;
    const auto results = both(h, h, id, {user("second")});
    EXPECT_EQ(results[0].response, "one");
    EXPECT_EQ(results[1].response, "two");
    EXPECT_EQ(said(h, id), "hi|hello|first|one|second|two|");
    const auto sent = h.model->requests().at(2).messages;
    EXPECT_EQ(sent[sent.size() - 2].text(), "one");
}

TEST_F(Turns, AnotherProcessWaitsToo) {
    auto db = store::Db::open({store::app_url(support::TestDatabase::get()->cluster()), 2, support::TestDatabase::get()->foundation().node});
    ASSERT_TRUE(db) << db.error().text();
    Harness one({says("hello"), slowly("one")}), other({says("two")}, {}, db->get());
    const auto id = one.ask("hearth/dev", "hi").conversation;
    const auto results = both(one, other, id, {user("second")});
    EXPECT_EQ(results[1].response, "two");
    EXPECT_EQ(said(one, id), "hi|hello|first|one|second|two|");
}

TEST_F(Turns, WhoRetellsAHistoryThatHasGoneOnMeanwhileIsTold) {
    Harness h({says("hello"), slowly("one"), says("two")});
    const auto id = h.ask("hearth/dev", "hi").conversation;
    EXPECT_THROW(both(h, h, id, {user("hi"), assistant("hello"), user("second")}), base::BadResult);
    EXPECT_EQ(said(h, id), "hi|hello|first|one|");
}

}  // namespace
}  // namespace agents::testing
