// What a chain of backends does when one of them fails: before, within and after an answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/metrics_registry.h"
#include "router/gateway.h"
#include "router/scripted_backend.h"
#include "support/manual_clock.h"
#include "support/run_task.h"

namespace router {
namespace {

using base::Code;
using namespace std::chrono_literals;
using testing::HasSubstr;

ScriptedReply says(std::string text, std::string reasoning = {}) {
    ScriptedReply reply;
    reply.text = std::move(text);
    reply.reasoning = std::move(reasoning);
    return reply;
}

ScriptedReply breaks(Code code, std::string text = {}, std::string reasoning = {}) {
    ScriptedReply reply = says(std::move(text), std::move(reasoning));
    reply.error = base::error(code, "it broke");
    return reply;
}

struct Fallbacks : testing::Test {
    base::NullLog log;
    net::MetricsRegistry metrics;
    support::ManualClock clock;
    ScriptedBackend *first = nullptr, *second = nullptr, *third = nullptr;
    std::unique_ptr<Gateway> gateway;
    std::string heard, thoughts;

    Fallbacks() {
        std::vector<std::unique_ptr<Backend>> backends;
        for (auto [id, to] : {std::pair{"one", &first}, {"two", &second}, {"three", &third}}) {
            auto made = std::make_unique<ScriptedBackend>(id);
            *to = made.get();
            made->set_local(false);
            backends.push_back(std::move(made));
        }
        gateway = std::make_unique<Gateway>(std::move(backends), std::vector<Alias>{{"home", {"one", "two", "three"}}}, clock, log, metrics);
    }

    static ModelRequest hello() {
        ModelRequest request;
        request.alias = "home";
        request.messages = {Message::make(MessageRole::user, "hello")};
        request.max_tokens = 100;
        return request;
    }
    base::Result<ModelReply> streamed(ModelRequest request = hello()) {
        heard.clear();
        thoughts.clear();
        DeltaSink sink = [this](const ModelDelta& delta) {
            if (delta.kind == ModelDelta::Kind::content) heard += delta.text;
            if (delta.kind == ModelDelta::Kind::reasoning) thoughts += delta.text;
        };
        return support::run_task(gateway->generate(std::move(request), sink));
    }
    base::Result<ModelReply> plain() { return support::run_task(gateway->generate(hello())); }
};

TEST_F(Fallbacks, EveryTroubleOfABackendLeadsToTheNext) {
    for (Code code : {Code::unavailable, Code::permission_denied, Code::not_found, Code::corrupt, Code::io, Code::internal}) {
        first->push(breaks(code));
        second->push(says("from two"));
        const auto reply = plain();
        ASSERT_TRUE(reply) << base::name(code);
        EXPECT_EQ(reply->backend, "two");
        ASSERT_EQ(reply->fallbacks.size(), 1u);
        EXPECT_EQ(reply->fallbacks[0].reason, "it broke");
        first->push(says("well again"));
        ASSERT_TRUE(plain());
    }
}

TEST_F(Fallbacks, TheOnlyBackendSpeaksForItself) {
    gateway->change({{}, {{"home", {"one"}}}});
    // As if it were the caller's key or model, a refusal of this server's would be told as 403 or 404.
    for (Code code : {Code::permission_denied, Code::not_found, Code::corrupt, Code::io, Code::internal}) {
        first->push(breaks(code));
        const auto reply = plain();
        EXPECT_EQ(reply.error().code, Code::unavailable) << base::name(code);
        EXPECT_EQ(reply.error().message, "it broke");
        EXPECT_TRUE(gateway->backends().at("one").failure);
        first->push(says("well again"));
        ASSERT_TRUE(plain());
    }
}

TEST_F(Fallbacks, AFaultOfTheEmbeddedModelIsThisServersOwn) {
    gateway->change({{}, {{"home", {"one"}}}});
    first->set_local(true);
    first->push(breaks(Code::internal));
    EXPECT_EQ(plain().error().code, Code::internal);
}

TEST_F(Fallbacks, ARequestsOwnFaultDoesNot) {
    for (Code code : {Code::invalid_argument, Code::context_length_exceeded, Code::resource_exhausted}) {
        first->push(breaks(code));
        EXPECT_EQ(plain().error().code, code);
    }
    EXPECT_TRUE(second->requests().empty());
}

TEST_F(Fallbacks, WhatOneDialectCannotAskForAnotherCan) {
    first->push(breaks(Code::unsupported));
    second->push(says("done"));
    EXPECT_EQ(plain()->backend, "two");
    for (auto* backend : {first, second, third}) backend->push(breaks(Code::unsupported));
    EXPECT_EQ(plain().error().code, Code::unsupported) << "no backend is away: trying again does not help";
    first->push(breaks(Code::unsupported));
    second->push(breaks(Code::unavailable));
    third->push(breaks(Code::unsupported));
    EXPECT_EQ(plain().error().code, Code::unavailable);
}

TEST_F(Fallbacks, NobodyWhoGotNothingNoticesAnything) {
    first->push(breaks(Code::unavailable, "Half an ans"));
    second->push(says("A whole answer"));
    const auto reply = plain();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->message.text(), "A whole answer");
    EXPECT_TRUE(second->requests().at(0).begun.empty());
}

TEST_F(Fallbacks, AnAnswerThatBrokeOffIsGoneOnWith) {
    first->push(breaks(Code::unavailable, "one two ", "hm"));
    second->push(says("never asked"));
    third->set_continues(true);
    third->push(says("three four"));
    const auto reply = streamed();
    ASSERT_TRUE(reply) << reply.error().text();
    EXPECT_EQ(heard, "one two three four");
    EXPECT_EQ(thoughts, "hm");
    EXPECT_EQ(reply->message.text(), heard) << "the reply is what was heard";
    EXPECT_EQ(reply->message.reasoning, thoughts);
    EXPECT_EQ(third->requests().at(0).begun, "one two ");
    EXPECT_LT(third->requests().at(0).max_tokens, 100);
    EXPECT_TRUE(second->requests().empty()) << "it cannot go on from there";
    ASSERT_EQ(reply->fallbacks.size(), 2u);
    EXPECT_THAT(reply->fallbacks[1].reason, HasSubstr("has begun"));
}

TEST_F(Fallbacks, AnAnswerMayBreakOffTwice) {
    second->set_continues(true);
    third->set_continues(true);
    first->push(breaks(Code::unavailable, "one "));
    second->push(breaks(Code::corrupt, "two "));
    third->push(says("three"));
    const auto reply = streamed();
    ASSERT_TRUE(reply);
    EXPECT_EQ(heard, "one two three");
    EXPECT_EQ(reply->message.text(), heard);
    EXPECT_EQ(third->requests().at(0).begun, "one two ");
}

TEST_F(Fallbacks, ThoughtsAloneAreNoAnswer) {
    first->push(breaks(Code::unavailable, "", "let me see"));
    second->push(says("The answer", " anew"));
    const auto reply = streamed();
    ASSERT_TRUE(reply);
    EXPECT_TRUE(second->requests().at(0).begun.empty());
    EXPECT_EQ(heard, "The answer");
    EXPECT_EQ(reply->message.reasoning, thoughts);
    EXPECT_EQ(thoughts, "let me see anew");
}

TEST_F(Fallbacks, WhatNobodyCanGoOnWithIsSaidToHaveBrokenOff) {
    first->push(breaks(Code::unavailable, "one two "));
    const auto reply = streamed();
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Code::unavailable);
    EXPECT_THAT(reply.error().message, HasSubstr("the answer broke off after 8 bytes"));
    EXPECT_THAT(reply.error().message, HasSubstr("one: it broke"));
    EXPECT_TRUE(second->requests().empty());
    EXPECT_EQ(heard, "one two ");
}

TEST_F(Fallbacks, ABegunCallIsNotGoneOnWith) {
    second->set_continues(true);
    ScriptedReply calling = breaks(Code::unavailable, "I look. ");
    calling.tool_calls = {{"c1", "read_file", "{\"pa"}};
    first->push(calling);
    const auto reply = streamed();
    ASSERT_FALSE(reply);
    EXPECT_THAT(reply.error().message, HasSubstr("broke off"));
    EXPECT_TRUE(second->requests().empty());
}

// An agent makes its calls itself: nobody has heard of one that broke off.
TEST_F(Fallbacks, AnAgentsBegunCallIsSilentlyMadeAnew) {
    ModelRequest request = hello();
    request.on_behalf.agent = "hearth/dev";
    ScriptedReply calling = breaks(Code::unavailable);
    calling.tool_calls = {{"c1", "read_file", "{\"pa"}};
    first->push(calling);
    ScriptedReply whole;
    whole.tool_calls = {{"c2", "read_file", "{\"path\":\"a\"}"}};
    second->push(whole);
    const auto reply = streamed(request);
    ASSERT_TRUE(reply) << reply.error().text();
    EXPECT_EQ(reply->backend, "two");
    ASSERT_EQ(reply->message.tool_calls.size(), 1u);
    EXPECT_EQ(reply->message.tool_calls[0].id, "c2");

    calling.text = "I look. ";
    first->push(calling);
    EXPECT_FALSE(streamed(request)) << "what was said is not said again";
    first->push(calling);
    second->set_continues(true);
    second->push(whole);
    const auto gone_on = streamed(request);
    ASSERT_TRUE(gone_on) << gone_on.error().text();
    EXPECT_EQ(gone_on->message.text(), "I look. ");
    EXPECT_EQ(gone_on->message.tool_calls.size(), 1u);
}

TEST_F(Fallbacks, WhoRefusesToGoOnIsPassedOver) {
    second->set_continues(true);
    third->set_continues(true);
    first->push(breaks(Code::unavailable, "one "));
    second->push(breaks(Code::invalid_argument));  // as providers answer that take no begun answers
    third->push(says("two"));
    const auto reply = streamed();
    ASSERT_TRUE(reply) << reply.error().text();
    EXPECT_EQ(heard, "one two");
}

TEST_F(Fallbacks, ABackendThatKeepsFailingIsLeftAloneForAWhile) {
    for (int i = 0; i < 5; ++i) {
        first->push(breaks(Code::unavailable));
        second->push(says("two"));
        ASSERT_TRUE(plain());
    }
    EXPECT_EQ(first->requests().size(), 5u);
    second->push(says("two"));
    const auto reply = plain();
    EXPECT_EQ(first->requests().size(), 5u) << "its circuit is open";
    EXPECT_THAT(reply->fallbacks.at(0).reason, HasSubstr("left alone for 10 s: it broke"));
    EXPECT_EQ(gateway->backends().at("one").circuit, Breaker::State::open);
    EXPECT_THAT(gateway->probes().at(0).found, HasSubstr("left alone for 10 s"));
    EXPECT_THAT(metrics.text(), HasSubstr("hearth_backend_circuit_open{backend=\"one\"} 1"));
    clock.move(10s);
    first->push(says("well again"));
    EXPECT_EQ(plain()->backend, "one") << "a real request tries it";
    EXPECT_EQ(gateway->backends().at("one").circuit, Breaker::State::closed);
    EXPECT_THAT(metrics.text(), HasSubstr("hearth_backend_circuit_open{backend=\"one\"} 0"));
}

TEST_F(Fallbacks, ABackendIsNotCalledBeforeTheTimeItNamed) {
    first->set_not_before(clock.steady() + 30s);
    first->push(breaks(Code::unavailable));
    second->push(says("two"));
    ASSERT_TRUE(plain());
    clock.move(29s);
    second->push(says("two"));
    EXPECT_EQ(plain()->backend, "two");
    EXPECT_EQ(first->requests().size(), 1u);
    clock.move(1s);
    first->push(says("one"));
    EXPECT_EQ(plain()->backend, "one");
}

TEST_F(Fallbacks, WhatRunsHereIsAlwaysCalled) {
    first->set_local(true);
    for (int i = 0; i < 20; ++i) {
        first->push(breaks(Code::internal));
        second->push(says("two"));
        ASSERT_TRUE(plain());
    }
    EXPECT_EQ(first->requests().size(), 20u);
}

TEST_F(Fallbacks, LooksCallNoModelAndFindWhoIsAway) {
    first->set_unreachable(base::error(Code::unavailable, "no route to it"));
    support::run_task(gateway->look());
    EXPECT_TRUE(first->requests().empty() && second->requests().empty() && third->requests().empty());
    EXPECT_EQ(gateway->backends().at("one").failure->message, "no route to it");
    EXPECT_FALSE(gateway->backends().at("two").failure);
    first->set_unreachable({});
    support::run_task(gateway->look());
    EXPECT_FALSE(gateway->backends().at("one").failure) << "it can be reached again";
    first->push(breaks(Code::unavailable));
    second->push(says("two"));
    ASSERT_TRUE(plain());
    support::run_task(gateway->look());
    EXPECT_TRUE(gateway->backends().at("one").failure) << "that it can be reached does not mean that it answers";
}

TEST_F(Fallbacks, AChainWithoutAModelHereIsToldOf) {
    const auto told = [&] {
        for (const auto& probe : gateway->probes())
            if (probe.name == "model home") return probe.found;
        return std::string();
    };
    EXPECT_THAT(told(), HasSubstr("three is the last resort"));
    second->set_local(true);
    EXPECT_EQ(told(), "");
}

TEST_F(Fallbacks, ARosterChangesWhileACallGoesOn) {
    ScriptedReply slow = says("from the old roster");
    slow.delay = 50ms;
    first->push(slow);
    boost::asio::io_context io;
    base::Result<ModelReply> reply = base::error(Code::internal, "did not run");
    auto ask = [&]() -> net::Task<void> { reply = co_await gateway->generate(hello()); };
    net::spawn(io.get_executor(), ask(), [](std::exception_ptr e) { std::rethrow_exception(e); });
    io.run_for(10ms);
    Gateway::Roster roster;
    roster.backends.push_back(std::make_unique<ScriptedBackend>("four", std::vector{says("from the new roster")}));
    roster.aliases = {{"away", {"four"}}};
    gateway->change(std::move(roster));
    EXPECT_FALSE(gateway->has("home"));
    io.run();
    ASSERT_TRUE(reply) << reply.error().text();
    EXPECT_EQ(reply->message.text(), "from the old roster");
    ModelRequest request = hello();
    request.alias = "away";
    EXPECT_EQ(support::run_task(gateway->generate(request))->message.text(), "from the new roster");
    gateway->change({{}, {{"home", {"four", "one"}}}});
    first->push(says("one stayed"));
    const auto after = plain();
    ASSERT_TRUE(after);
    EXPECT_EQ(after->fallbacks.at(0).reason, "not configured") << "what a roster brought goes with it";
}

TEST_F(Fallbacks, ARowFillsInWhatARequestLeavesOpen) {
    Alias row{"home", {"one"}};
    row.prompt = "You are Oscar.";
    row.max_tokens = 50;
    row.sampling.temperature = 0.2;
    row.sampling.top_p = 0.9;
    gateway->change({{}, {row}});
    ModelRequest request = hello();
    request.sampling.top_p = 0.5;
    first->push(says("hi"));
    ASSERT_TRUE(streamed(request));
    const ModelRequest sent = first->requests().at(0);
    EXPECT_EQ(sent.max_tokens, 50);
    EXPECT_EQ(sent.sampling.temperature, 0.2);
    EXPECT_EQ(sent.sampling.top_p, 0.5) << "the request's own word counts";
    ASSERT_EQ(sent.messages.size(), 2u);
    EXPECT_EQ(sent.messages[0].text(), "You are Oscar.");
    request.messages.insert(request.messages.begin(), Message::make(MessageRole::system, "Be brief."));
    first->push(says("hi"));
    ASSERT_TRUE(streamed(request));
    EXPECT_EQ(first->requests().at(1).messages.at(0).text(), "You are Oscar.\n\nBe brief.");
    request.on_behalf.agent = "hearth";
    first->push(says("hi"));
    ASSERT_TRUE(streamed(request));
    EXPECT_EQ(first->requests().at(2).messages.at(0).text(), "Be brief.") << "agents have prompts of their own";
}

}  // namespace
}  // namespace router
