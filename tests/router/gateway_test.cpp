#include "router/gateway.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <map>

#include "router/scripted_backend.h"
#include "support/run_task.h"

namespace {

using base::Code;
using router::ModelReply;
using router::ModelRequest;
using router::ScriptedBackend;
using router::ScriptedReply;

struct World {
    struct Warnings final : base::Log {
        void write(base::Level level, std::string_view event, const base::Json&) override { long_prompts += level == base::Level::warn && event == "a long prompt was new to the model"; }
        int long_prompts = 0;
    };
    struct Counts final : base::Metrics {
        void set(const std::string&, double, const base::Labels&) override {}
        void observe(const std::string&, double, const base::Labels&) override {}
        void add(const std::string& counter, double amount, const base::Labels&) override { of[counter] += amount; }
        std::map<std::string, double> of;
    };
    Warnings log;
    Counts metrics;
    base::SystemClock clock;
    ScriptedBackend* first = nullptr;
    ScriptedBackend* second = nullptr;
    std::unique_ptr<router::Gateway> gateway;

    World() {
        std::vector<std::unique_ptr<router::Backend>> backends;
        auto one = std::make_unique<ScriptedBackend>("one");
        auto two = std::make_unique<ScriptedBackend>("two");
        first = one.get();
        second = two.get();
        backends.push_back(std::move(one));
        backends.push_back(std::move(two));
        gateway = std::make_unique<router::Gateway>(std::move(backends),
                                                    std::vector<router::Alias>{{"home", {"one", "two"}}}, clock, log, metrics);
    }

    std::optional<router::Failure> failure() const { return gateway->backends().at("one").failure; }

    base::Result<router::EmbeddingReply> embed(std::string alias) {
        router::EmbeddingRequest request;
        request.alias = std::move(alias);
        request.inputs = {"hello", std::vector<std::int32_t>{1, 2, 3}};
        return support::run_task(gateway->embed(request));
    }

    base::Result<ModelReply> ask(std::string alias, router::DeltaSink sink = {}, base::StopToken stop = {}, const std::string& text = "hello") {
        boost::asio::io_context io;
        base::Result<ModelReply> out = base::error(Code::internal, "did not run");
        auto task = [&]() -> net::Task<void> {
            ModelRequest request;
            request.alias = alias;
            request.stop = stop;
            request.messages.push_back(router::Message::make(router::MessageRole::user, text));
            out = co_await gateway->generate(request, sink);
        };
        net::spawn(io.get_executor(), task(), [](std::exception_ptr e) { std::rethrow_exception(e); });
        io.run();
        return out;
    }
};

ScriptedReply says(std::string text) {
    ScriptedReply reply;
    reply.text = std::move(text);
    return reply;
}

ScriptedReply fails(Code code) {
    ScriptedReply reply;
    reply.error = base::error(code, "upstream said no");
    return reply;
}

}  // namespace

TEST(Gateway, TellsOfALongPromptThatIsNew) {
    World w;
    for (int i = 0; i < 2; ++i) w.first->push(says("good evening"));
    ASSERT_TRUE(w.ask("home"));
    EXPECT_EQ(w.metrics.of["hearth_model_calls_total"], 1);
    EXPECT_EQ(w.log.long_prompts, 0);
    ASSERT_TRUE(w.ask("home", {}, {}, std::string(8192 * 5, 'a')));
    EXPECT_EQ(w.log.long_prompts, 1);
    EXPECT_EQ(w.metrics.of["hearth_long_new_prompts_total"], 1);
}

TEST(Gateway, TheFirstReadyBackendAnswers) {
    World world;
    world.first->push(says("good evening"));
    auto reply = world.ask("home");
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->message.text(), "good evening");
    EXPECT_EQ(reply->backend, "one");
    EXPECT_TRUE(reply->fallbacks.empty());
}

TEST(Gateway, AnUnavailableBackendIsPassedOverWithItsReason) {
    World world;
    world.first->push(fails(Code::unavailable));
    world.second->push(says("from two"));
    auto reply = world.ask("home");
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->backend, "two");
    ASSERT_EQ(reply->fallbacks.size(), 1u);
    EXPECT_EQ(reply->fallbacks[0].backend, "one");
    EXPECT_EQ(reply->fallbacks[0].reason, "upstream said no");
}

TEST(Gateway, ALoadingBackendIsNotAsked) {
    World world;
    router::BackendStatus loading;
    loading.state = router::BackendStatus::State::loading;
    loading.stage = "weights";
    loading.fraction = 0.25;
    world.first->set_status(loading);
    world.second->push(says("from two"));
    auto reply = world.ask("home");
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->fallbacks[0].reason, "loading (weights, 25 %)");
    EXPECT_TRUE(world.first->requests().empty());
}

TEST(Gateway, OtherErrorsAreNotRetriedElsewhere) {
    World world;
    world.first->push(fails(Code::invalid_argument));
    auto reply = world.ask("home");
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Code::invalid_argument);
    EXPECT_TRUE(world.second->requests().empty());
}

TEST(Gateway, NobodyLeftNamesEveryReason) {
    World world;
    world.first->push(fails(Code::unavailable));
    world.second->push(fails(Code::unavailable));
    auto reply = world.ask("home");
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Code::unavailable);
    EXPECT_EQ(reply.error().message,
              "no backend can serve 'home': one: upstream said no; two: upstream said no");
    EXPECT_EQ(world.ask("other").error().code, Code::not_found);
}

TEST(Gateway, StreamedDeltasJoinToTheReply) {
    World world;
    world.first->push(says("one two  three"));
    std::string joined;
    router::DeltaSink sink = [&](const router::ModelDelta& delta) { joined += delta.text; };
    auto reply = world.ask("home", sink);
    EXPECT_EQ(joined, "one two  three");
    EXPECT_EQ(reply->message.text(), joined);
}

TEST(Gateway, KnowsWhichBackendsFailedWhenLastCalled) {
    World world;
    EXPECT_FALSE(world.failure());
    for (Code code : {Code::unavailable, Code::permission_denied, Code::not_found, Code::corrupt, Code::io, Code::internal}) {
        world.first->push(fails(code));
        world.second->push(says("from two"));
        world.ask("home");
        ASSERT_TRUE(world.failure()) << base::name(code);
        EXPECT_EQ(world.failure()->message, "upstream said no");
        EXPECT_EQ(world.gateway->probes().at(0).health, base::Health::warning);
        EXPECT_NE(world.gateway->probes().at(0).found.find("upstream said no"), std::string::npos);
        world.first->push(says("from one"));
        world.ask("home");
        EXPECT_FALSE(world.failure()) << "an answer ends it";
        EXPECT_EQ(world.gateway->probes().at(0).health, base::Health::ok);
    }
}

TEST(Gateway, WhatARequestIsRefusedForTellsNothingOfTheBackend) {
    World world;
    for (Code code : {Code::invalid_argument, Code::context_length_exceeded, Code::unsupported, Code::resource_exhausted}) {
        world.first->push(fails(code));
        world.ask("home");
        EXPECT_FALSE(world.failure()) << base::name(code);
    }
    world.first->push(fails(Code::corrupt));
    world.ask("home");
    world.first->push(fails(Code::invalid_argument));
    world.ask("home");
    EXPECT_TRUE(world.failure()) << "a refusal is no answer";
    base::StopSource stopped;
    stopped.request_stop();
    ScriptedReply hanging = says("never said");
    hanging.delay = std::chrono::hours(1);
    world.first->push(hanging);
    world.ask("home", {}, stopped.token());
    EXPECT_EQ(world.first->cancelled(), 1);
    EXPECT_TRUE(world.failure()) << "nor is a stopped call";
}

TEST(Gateway, EmbeddingsTakeTheSameWay) {
    World world;
    const auto first = world.embed("home");
    ASSERT_TRUE(first) << first.error().text();
    EXPECT_EQ(first->backend, "one");
    EXPECT_EQ(first->values.size(), 2 * std::size_t(first->width));
    EXPECT_EQ(first->usage.prompt_tokens, 2 + 3);
    world.first->set_status({router::BackendStatus::State::down, "", 0, "no memory"});
    const auto second = world.embed("home");
    ASSERT_TRUE(second) << second.error().text();
    EXPECT_EQ(second->backend, "two");
    ASSERT_EQ(second->fallbacks.size(), 1u);
    EXPECT_EQ(second->fallbacks[0].reason, "down: no memory");
    EXPECT_EQ(world.embed("nowhere").error().code, Code::not_found);
}
