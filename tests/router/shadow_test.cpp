// Calls that are made again to another model: nobody notices.
#include "router/shadow.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "router/gateway.h"
#include "router/scripted_backend.h"

namespace router {
namespace {

TEST(ShadowChoice, TakesItsShareOfAnyNumber) {
    for (const double share : {0.0, 0.05, 0.3, 1.0}) {
        ShadowChoice choice;
        int taken = 0;
        for (int n = 1; n <= 1000; ++n) {
            taken += choice.next(share);
            EXPECT_NEAR(taken, share * n, 1.0 + 1e-6) << share << " of " << n;
        }
    }
}

TEST(Likeness, IsTheShareOfCommonWords) {
    EXPECT_EQ(likeness("a b c", "c b a"), 1);
    EXPECT_EQ(likeness("", " \n"), 1);
    EXPECT_EQ(likeness("a", ""), 0);
    EXPECT_EQ(likeness("a b", "c d"), 0);
    EXPECT_DOUBLE_EQ(likeness("a a b", "a b b"), 2.0 * 2 / 6);
}

struct Shadowed {
    base::SystemClock clock;
    base::NullLog log;
    base::NullMetrics metrics;
    ScriptedBackend* asked = nullptr;
    ScriptedBackend* cheap = nullptr;
    std::unique_ptr<Gateway> gateway;
    std::vector<ShadowDelta> heard;
    boost::asio::io_context io;

    explicit Shadowed(double share = 1) {
        std::vector<std::unique_ptr<Backend>> backends;
        backends.push_back(std::make_unique<ScriptedBackend>("asked"));
        backends.push_back(std::make_unique<ScriptedBackend>("cheap"));
        asked = static_cast<ScriptedBackend*>(backends[0].get());
        cheap = static_cast<ScriptedBackend*>(backends[1].get());
        Alias shadowed{"default", {"asked"}};
        shadowed.shadow = {"small", share};
        gateway = std::make_unique<Gateway>(std::move(backends), std::vector<Alias>{shadowed, {"small", {"cheap"}}}, clock, log, metrics);
        gateway->on_shadow([this](const ShadowDelta& delta) { heard.push_back(delta); });
    }

    net::Task<void> ask(base::Result<ModelReply>& out, std::string text = "hello") {
        ModelRequest request;
        request.alias = "default";
        request.purpose = "api";
        request.on_behalf.person = base::PersonId::make(clock.now());
        request.messages.push_back(Message::make(MessageRole::user, std::move(text)));
        out = co_await gateway->generate(std::move(request));
    }
    void run(net::Task<void> task) {
        net::spawn(io.get_executor(), std::move(task), [](std::exception_ptr e) { std::rethrow_exception(e); });
        io.restart();
        io.run();
    }
    base::Result<ModelReply> answer() {
        base::Result<ModelReply> out = base::error(base::Code::internal, "did not run");
        run(ask(out));
        return out;
    }
};

ScriptedReply says(const std::string& text, std::vector<ToolCall> calls = {}) {
    ScriptedReply reply;
    reply.text = text;
    reply.tool_calls = std::move(calls);
    return reply;
}

TEST(Shadow, WhatDiffersIsTold) {
    Shadowed s;
    s.asked->push(says("one two", {{"", "look", R"({"a": 1, "b": 2})"}}));
    s.cheap->push(says("one three", {{"", "look", R"({"b":2,"a":1})"}}));
    const auto reply = s.answer();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->message.text(), "one two");
    EXPECT_EQ(reply->backend, "asked");
    ASSERT_EQ(s.heard.size(), 1u);
    EXPECT_TRUE(s.heard[0].same_calls) << "the order of keys and blanks is no difference";
    EXPECT_DOUBLE_EQ(s.heard[0].likeness, 0.5);
    EXPECT_EQ(s.heard[0].alias, "default");
    EXPECT_EQ(s.heard[0].shadow, "small");
    EXPECT_EQ(s.heard[0].purpose, "api");
    const ModelRequest sent = s.cheap->requests().at(0);
    EXPECT_TRUE(sent.on_behalf.person.is_nil()) << "no person's budget pays";
    EXPECT_FALSE(s.heard[0].who.person.is_nil());
    EXPECT_EQ(sent.messages.at(0).text(), "hello");
}

TEST(Shadow, AShadowThatFailsIsToldAndNobodyElseNotices) {
    Shadowed s;
    ScriptedReply broken;
    broken.error = base::error(base::Code::unavailable, "away");
    s.asked->push(says("one"));
    s.cheap->push(broken);
    EXPECT_TRUE(s.answer());
    ASSERT_EQ(s.heard.size(), 1u);
    EXPECT_NE(s.heard[0].error.find("away"), std::string::npos);
    s.asked->push(broken);
    EXPECT_FALSE(s.answer());
    EXPECT_EQ(s.heard.size(), 1u) << "a call that failed has no shadow";
}

TEST(Shadow, OnlyItsShareOfCallsHasOne) {
    Shadowed s(0.25);
    for (int i = 0; i < 8; ++i) {
        s.asked->push(says("one"));
        s.cheap->push(says("one"));
        EXPECT_TRUE(s.answer());
    }
    EXPECT_EQ(s.cheap->requests().size(), 2u);
}

net::Task<void> wait(std::chrono::milliseconds time) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    timer.expires_after(time);
    co_await timer.async_wait(boost::asio::use_awaitable);
}

TEST(Shadow, OneThatRunsHereEndsForTheNextCall) {
    Shadowed s;
    ScriptedReply slow = says("a b c d e f g h i j k l m n o p");
    slow.delta_delay = std::chrono::milliseconds(200);
    s.asked->push(says("one"));
    s.cheap->push(slow);
    s.asked->push(says("two"));
    base::Result<ModelReply> first = base::error(base::Code::internal, ""), second = first;
    const auto began = std::chrono::steady_clock::now();
    const auto both = [&]() -> net::Task<void> {
        co_await s.ask(first);
        co_await wait(std::chrono::milliseconds(50));  // the shadow is under way
        EXPECT_EQ(s.cheap->requests().size(), 1u);
        co_await s.ask(second);
    };
    s.run(both());
    EXPECT_TRUE(second);
    EXPECT_EQ(s.cheap->cancelled(), 1);
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(2)) << "the shadow would take three";
    EXPECT_TRUE(s.heard.empty()) << "what was broken off tells nothing";
}

TEST(Shadow, WhileOthersAreUnderWayNoneBegins) {
    Shadowed s;
    ScriptedReply slow = says("one");
    slow.delay = std::chrono::milliseconds(200);
    s.asked->push(slow);
    s.asked->push(says("two"));
    base::Result<ModelReply> first = base::error(base::Code::internal, ""), second = first;
    net::spawn(s.io.get_executor(), s.ask(first), {});
    s.run(s.ask(second));
    EXPECT_TRUE(first && second);
    EXPECT_LE(s.cheap->requests().size(), 1u) << "only the last one has a shadow";
}

}  // namespace
}  // namespace router
