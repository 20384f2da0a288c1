// Verdicts on replies that were delivered: they delay nobody, and nothing but them is lost with the process.
#include "agents/critic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <mutex>

#include "harness.h"

namespace agents::testing {
namespace {

using ::testing::HasSubstr;

class CriticTest : public TurnTest {
protected:
    static Options on() {
        Options options;
        options.phase_alias["critic"] = "default";
        return options;
    }
};

const char* kPass = R"({"why": "It greets back.", "verdict": "pass"})";

std::optional<base::Span> verdict_of(Harness& h, base::RunId run) {
    for (const auto& span : h.spans(run))
        if (span.name == "critic") return span;
    return std::nullopt;
}
base::SpanId root_of(Harness& h, base::RunId run) {
    for (const auto& span : h.spans(run))
        if (span.parent.is_nil()) return span.id;
    return {};
}

// Chats on one executor.
struct Chats {
    explicit Chats(Harness& harness) : h(harness) {}
    void begin(const std::string& text) {
        const auto task = [this, text]() -> net::Task<void> {
            ChatRequest asked = h.request("hearth", {user(text)});
            const EventSink nobody = [](const ChatEvent&) {};
            auto got = co_await h.agents->chat(std::move(asked), nobody);
            results.push_back(std::move(got).value());
        };
        tasks.push_back(task);
        // Later: a backend's script, from which this may be called, holds what the chat asks for first.
        boost::asio::post(io, [this, begins = &tasks.back()] { net::spawn(io.get_executor(), (*begins)(), {}); });
    }
    Harness& h;
    boost::asio::io_context io;
    std::deque<std::function<net::Task<void>()>> tasks;  // a coroutine lives in its closure
    std::vector<ChatResult> results;
};

TEST_F(CriticTest, TheVerdictComesAfterTheRunHasEndedAndIsInItsTrace) {
    Harness h({says("Hello to you."), says(kPass)}, on());
    const ChatResult result = h.ask("hearth", "Good evening!");
    EXPECT_EQ(result.response, "Hello to you.");
    const auto requests = h.model->requests();
    ASSERT_EQ(requests.size(), 2u);
    EXPECT_EQ(requests[1].purpose, "critic");
    EXPECT_THAT(requests[1].messages.back().text(), AllOf(HasSubstr("Good evening!"), HasSubstr("Hello to you."), HasSubstr("none")));
    EXPECT_TRUE(requests[1].response_schema.has_value());
    const auto span = verdict_of(h, result.run);
    ASSERT_TRUE(span);
    EXPECT_EQ(span->parent, root_of(h, result.run));
    EXPECT_EQ(span->attributes["verdict"], "pass");
    EXPECT_EQ(span->attributes["why"], "It greets back.");
    EXPECT_EQ(span->attributes["backend"], "scripted");
    const auto trace = h.in_tx([&](store::Tx& tx) { return store::read_trace(tx, result.run); });
    EXPECT_TRUE(trace.chain);
    EXPECT_EQ(trace.spans.back().name, "critic");
    EXPECT_EQ(h.run(result.run).status, "answered");
    EXPECT_EQ(h.nodes(result.run).back(), "critic");
}

TEST_F(CriticTest, WhatAModelIsAskedThenFindsTheRunEnded) {
    Harness h({}, on());
    router::Gateway::Roster roster;
    std::vector<std::string> at_critic;
    base::RunId run;
    h.on_event = [&](const ChatEvent& event) { if (event.kind == ChatEvent::Kind::run_started) run = event.run; };
    roster.backends.push_back(std::make_unique<router::ScriptedBackend>("other", std::vector<router::ScriptedReply>{}, [&](const router::ModelRequest& request) {
        if (request.purpose == "critic") at_critic.push_back(h.run(run).status);
        return says(request.purpose == "critic" ? R"({"why": "Wrong.", "verdict": "fail"})" : "Hello.");
    }));
    roster.aliases = {{"default", {"other"}}};
    h.gateway->change(std::move(roster));
    const ChatResult result = h.ask("hearth", "Good evening!");
    EXPECT_EQ(at_critic, std::vector<std::string>{"answered"});
    EXPECT_EQ(verdict_of(h, result.run)->attributes["verdict"], "fail");
    EXPECT_EQ(h.run(result.run).status, "answered") << "a verdict changes nothing";
}

TEST_F(CriticTest, NobodyIsJudgedUnlessItIsSet) {
    Harness h({says("Hello to you."), says(kPass)});
    const ChatResult result = h.ask("hearth", "Good evening!");
    EXPECT_EQ(h.model->requests().size(), 1u);
    EXPECT_FALSE(verdict_of(h, result.run));
}

TEST_F(CriticTest, WhatIsNoAnswerIsNotJudged) {
    Harness h({says("")}, on());
    EXPECT_EQ(h.ask("hearth", "Good evening!").final_state, "failed");
    EXPECT_EQ(h.model->requests().size(), 1u);
}

TEST_F(CriticTest, AReplyThatIsNoVerdictIsToldOfAsTheSpansError) {
    Harness h({says("Hello to you."), says("I think it is fine.")}, on());
    const ChatResult result = h.ask("hearth", "Good evening!");
    const auto span = verdict_of(h, result.run);
    ASSERT_TRUE(span);
    EXPECT_FALSE(span->error.empty());
    EXPECT_FALSE(span->attributes.contains("verdict"));
    EXPECT_EQ(result.final_state, "answered");
}

TEST_F(CriticTest, SomebodyWhoComesMeanwhileGoesFirst) {
    Harness h({}, on());
    router::Gateway::Roster roster;
    std::vector<std::string> asked;
    Chats chats(h);
    roster.backends.push_back(std::make_unique<router::ScriptedBackend>("other", std::vector<router::ScriptedReply>{}, [&](const router::ModelRequest& request) {
        asked.push_back(request.purpose);
        router::ScriptedReply reply = says(request.purpose == "critic" ? kPass : "Hello.");
        if (request.purpose == "critic" && asked.size() == 2) {
            reply.delay = std::chrono::milliseconds(60000);
            chats.begin("Good morning!");
        }
        return reply;
    }));
    roster.aliases = {{"default", {"other"}}};
    h.gateway->change(std::move(roster));
    const auto start = std::chrono::steady_clock::now();
    chats.begin("Good evening!");
    chats.io.run();
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
    EXPECT_EQ(asked, (std::vector<std::string>{"recompose", "critic", "recompose", "critic", "critic"}));
    ASSERT_EQ(chats.results.size(), 2u);
    for (const ChatResult& result : chats.results) {
        EXPECT_EQ(result.response, "Hello.");
        EXPECT_TRUE(verdict_of(h, result.run)) << "it is asked for again when nobody is answered";
    }
}

struct Heard final : base::Log {
    void write(base::Level, std::string_view event, const base::Json& fields) override {
        const std::lock_guard lock(mutex);
        told.push_back(std::string(event) + " " + fields.value("run", "") + ": " + fields.value("reason", ""));
    }
    std::mutex mutex;
    std::vector<std::string> told;
};

TEST_F(CriticTest, OneThatMakesRoomForNewerOnesIsSaidNotToBeJudged) {
    constexpr std::size_t kChats = 106;  // 100 wait at most, and on a slow machine some are given up for another reason
    Harness h({}, on());
    Heard log;
    Options options = on();
    options.workspace_root = h.folder.path();
    h.agents = std::make_unique<Agents>(Parts{*h.gateway, h.db, *h.traces, h.tools, nullptr, h.blocking, h.clock, log, h.metrics}, options);
    Chats chats(h);
    router::Gateway::Roster roster;
    roster.backends.push_back(std::make_unique<router::ScriptedBackend>("other", std::vector<router::ScriptedReply>{}, [&](const router::ModelRequest& request) {
        router::ScriptedReply reply = says("Hello.");
        if (request.purpose != "critic") return reply;
        reply.error = base::error(base::Code::cancelled, "somebody came first");
        if (chats.results.size() == kChats) h.agents->leave_all();
        return reply;
    }));
    roster.aliases = {{"default", {"other"}}};
    h.gateway->change(std::move(roster));
    for (std::size_t i = 0; i < kChats; ++i) chats.begin("Good evening!");
    chats.io.run();
    std::vector<std::string> dropped;
    for (const auto& line : log.told)
        if (line.starts_with("a reply is not judged ") && line.ends_with(": 100 newer ones wait")) dropped.push_back(line);
    ASSERT_FALSE(dropped.empty());
    EXPECT_LE(dropped.size(), kChats - 100);
    for (const auto& line : dropped) {
        const auto named = [&](const ChatResult& result) { return line == "a reply is not judged " + result.run.text() + ": 100 newer ones wait"; };
        EXPECT_TRUE(std::any_of(chats.results.begin(), chats.results.end(), named)) << line;
    }
    h.agents.reset();  // before its log
}

TEST_F(CriticTest, AnEndInTheMiddleLosesTheVerdictAlone) {
    Harness h({}, on());
    router::Gateway::Roster roster;
    Chats chats(h);
    roster.backends.push_back(std::make_unique<router::ScriptedBackend>("other", std::vector<router::ScriptedReply>{}, [&](const router::ModelRequest& request) {
        router::ScriptedReply reply = says(request.purpose == "critic" ? kPass : "Hello.");
        if (request.purpose == "critic") {
            reply.delay = std::chrono::milliseconds(60000);
            EXPECT_EQ(h.agents->active(), 1) << "the process waits for it to let go";
            h.agents->leave_all();
        }
        return reply;
    }));
    roster.aliases = {{"default", {"other"}}};
    h.gateway->change(std::move(roster));
    chats.begin("Good evening!");
    chats.io.run();
    EXPECT_EQ(h.agents->active(), 0);
    ASSERT_EQ(chats.results.size(), 1u);
    const auto run = chats.results[0].run;
    EXPECT_EQ(h.run(run).status, "answered");
    EXPECT_FALSE(verdict_of(h, run));
    EXPECT_TRUE(h.in_tx([&](store::Tx& tx) { return store::read_trace(tx, run); }).chain);
}

TEST(Verdict, IsReadFromTheReply) {
    const auto fine = parse_verdict(R"({"why": "All of it.", "verdict": "pass"})");
    ASSERT_TRUE(fine);
    EXPECT_TRUE(fine->pass);
    EXPECT_EQ(fine->why, "All of it.");
    EXPECT_FALSE(parse_verdict(R"({"why": "x", "verdict": "fail"})").value().pass);
    for (const char* text : {"", "pass", "[]", R"({"verdict": "pass"})", R"({"why": "x", "verdict": "maybe"})", R"({"why": 1, "verdict": "pass"})"}) EXPECT_FALSE(parse_verdict(text)) << text;
}

}  // namespace
}  // namespace agents::testing
