// What a run asked, asked again: the request out of the trace is the one that was sent.
#include "agents/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/journal.h"
#include "harness.h"
#include "support/run_task.h"

namespace agents::testing {
namespace {

using ::testing::HasSubstr;
using router::Message;
using router::MessageRole;

class ReplayTest : public TurnTest {
protected:
    ReplayRequest again(const Harness& h, base::RunId run, base::SpanId span) const {
        ReplayRequest out;
        out.principal = h.request("hearth", {}).principal;
        out.run = run;
        out.span = span;
        return out;
    }
    static base::Result<Replay> replayed(Harness& h, ReplayRequest request) { return support::run_task(replay(*h.gateway, h.db, *h.traces, h.clock, std::move(request))); }
    static std::vector<base::Span> calls_of(const std::vector<base::Span>& spans) {
        std::vector<base::Span> out;
        for (const auto& span : spans)
            if (span.kind == "model") out.push_back(span);
        return out;
    }
};

void expect_same(const router::ModelRequest& read, const router::ModelRequest& sent) {
    EXPECT_EQ(digest_of(read, base::Redactor()), digest_of(sent, base::Redactor()));
    ASSERT_EQ(read.messages.size(), sent.messages.size());
    for (std::size_t i = 0; i < sent.messages.size(); ++i) EXPECT_EQ(read.messages[i].trusted, sent.messages[i].trusted) << i;
    EXPECT_TRUE(read.tools == sent.tools);
    if (!sent.tools.empty()) {
        EXPECT_EQ(read.tool_choice.kind, sent.tool_choice.kind);
        EXPECT_EQ(read.tool_choice.most, sent.tool_choice.kind == router::ToolChoice::Kind::none ? 0 : sent.tool_choice.most);
    }
    EXPECT_EQ(read.response_schema.has_value(), sent.response_schema.has_value());
    EXPECT_EQ(read.answer_rules, sent.answer_rules);
    EXPECT_EQ(read.max_tokens, sent.max_tokens);
    EXPECT_EQ(read.sampling.temperature, sent.sampling.temperature);
    EXPECT_EQ(read.sampling.top_p, sent.sampling.top_p);
    EXPECT_EQ(read.sampling.logit_bias, sent.sampling.logit_bias);
    EXPECT_EQ(read.stop_texts, sent.stop_texts);
    EXPECT_EQ(read.enable_thinking, sent.enable_thinking);
    EXPECT_EQ(read.end_circles, sent.end_circles);
    EXPECT_EQ(read.alias, sent.alias);
}

TEST_F(ReplayTest, EachRequestIsReadAsItWasSent) {
    for (const auto discipline : {ToolDiscipline::free, ToolDiscipline::guided})
        for (const char* alias : {"hearth", "hearth/dev"}) {
            Options options;
            options.default_discipline = discipline;
            Harness h({}, options);
            h.model->set_grammars(true);
            h.model->push(calls("read_file", R"({"path":"a.txt"})"));
            h.model->push(calls("read_file", R"({"path":"b.txt"})"));
            auto asked = h.request(alias, {user("Compare a.txt with b.txt, please.")});
            asked.sampling.temperature = 0.5;
            asked.sampling.logit_bias = {{7, -3.5}};
            const auto done = h.chat(std::move(asked));
            ASSERT_TRUE(done);
            const auto spans = h.spans(done->run);
            const auto made = calls_of(spans);
            const auto sent = h.model->requests();
            ASSERT_GE(sent.size(), 3u);
            ASSERT_EQ(made.size(), sent.size());
            for (std::size_t i = 0; i < made.size(); ++i) {
                const auto read = recorded_request(spans, made[i].id);
                ASSERT_TRUE(read) << read.error().text();
                SCOPED_TRACE(std::string(alias) + " call " + std::to_string(i) + " " + made[i].name);
                expect_same(*read, sent[i]);
                EXPECT_EQ(read->purpose, sent[i].purpose);
            }
        }
}

TEST_F(ReplayTest, ACallIsAskedAgainAndTheRunStaysAsItIs) {
    Harness h({calls("read_file", R"({"path":"a.txt"})"), says("It says a.")});
    const auto done = h.ask("hearth/dev", "What does a.txt say?");
    const auto before = h.spans(done.run);
    const auto made = calls_of(before);
    ASSERT_EQ(made.size(), 2u);
    h.model->push(calls("read_file", R"({"path":"a.txt"})"));
    h.model->push(says("It says b."));
    const auto first = replayed(h, again(h, done.run, made[0].id)), second = replayed(h, again(h, done.run, made[1].id));
    ASSERT_TRUE(first && second);
    EXPECT_TRUE(first->same) << first->was.dump() << first->now.dump();
    EXPECT_FALSE(second->same);
    EXPECT_EQ(second->was["message"]["content"], "It says a.");
    EXPECT_EQ(second->now["message"]["content"], "It says b.");
    EXPECT_EQ(h.spans(done.run).size(), before.size());
    EXPECT_EQ(h.run(done.run).status, "answered");
    router::ScriptedReply broken;
    broken.error = base::error(base::Code::unavailable, "the model is away");
    h.model->push(broken);
    EXPECT_THAT(replayed(h, again(h, done.run, made[1].id))->now["error"].get<std::string>(), HasSubstr("away"));
}

TEST_F(ReplayTest, AnotherVersionOfAPromptTakesThePlaceOfTheOneOfThen) {
    Harness h({says("Hello.")});
    const auto done = h.ask("hearth", "Hi");
    const auto made = calls_of(h.spans(done.run));
    ASSERT_FALSE(made.empty());
    const std::string live = h.in_tx([](store::Tx& tx) { return store::live_prompts(tx, {"home_system"}).value().at("home_system").body; });
    const int version = h.in_tx([&](store::Tx& tx) { return store::save_prompt(tx, "home_system", live + "\nAlways answer in rhymes about {{date}}.").value(); });
    h.model->push(says("Hello, fellow."));
    auto request = again(h, done.run, made[0].id);
    request.prompt = "home_system";
    request.version = std::to_string(version);
    const auto out = replayed(h, request);
    ASSERT_TRUE(out) << out.error().text();
    EXPECT_EQ(out->places, 1);
    const std::string system = h.model->requests().back().messages[0].text();
    EXPECT_THAT(system, HasSubstr("rhymes about 20"));
    EXPECT_EQ(system.substr(0, 80), h.model->requests()[0].messages[0].text().substr(0, 80));

    request.prompt = "thinking";  // of a phase that this call is not of
    request.version = "live";
    const auto elsewhere = replayed(h, request);
    ASSERT_TRUE(elsewhere) << elsewhere.error().text();
    EXPECT_EQ(elsewhere->places, 0);
    EXPECT_TRUE(elsewhere->now.is_null());
    for (const auto& [name, wrong] : {std::pair{"home_system", "999"}, {"nothing", "live"}}) {
        request.prompt = name;
        request.version = wrong;
        EXPECT_EQ(replayed(h, request).error().code, base::Code::not_found);
    }
}

TEST_F(ReplayTest, WhatIsNotThereIsNamed) {
    Harness h({says("Hello.")});
    const auto done = h.ask("hearth/dev", "Hi");
    const auto spans = h.spans(done.run);
    const auto made = calls_of(spans);
    const auto tool_or_root = std::find_if(spans.begin(), spans.end(), [](const auto& s) { return s.kind != "model"; });
    EXPECT_EQ(replayed(h, again(h, done.run, tool_or_root->id)).error().code, base::Code::not_found);
    auto strangers = again(h, done.run, made[0].id);
    strangers.principal.person = base::PersonId::make(h.clock.now());
    EXPECT_EQ(replayed(h, strangers).error().code, base::Code::not_found);
    auto erased = spans;
    for (auto& span : erased) span.body = Json::object();
    EXPECT_EQ(recorded_request(erased, made[0].id).error().code, base::Code::unavailable);
    auto torn = spans;
    for (auto& span : torn)
        if (span.kind == "model") span.body["sent"]["messages_from"] = 5;
    EXPECT_EQ(recorded_request(torn, made[0].id).error().code, base::Code::corrupt);
    torn = spans;
    for (auto& span : torn)
        if (span.kind == "model") span.body["sent"].erase("max_tokens");
    EXPECT_EQ(recorded_request(torn, made[0].id).error().code, base::Code::corrupt);
}

std::string changed(const std::string& text, const std::string& before, const std::string& after, int places = 1) {
    std::vector<Message> messages = {Message::make(MessageRole::system, text)};
    const auto done = change_prompt(messages, {"p", 1, before}, {"p", 2, after});
    if (!done) return done.error().message;
    EXPECT_EQ(*done, places);
    return messages[0].text();
}

TEST(ChangedPrompt, KeepsWhatItsVariablesWereFilledWith) {
    EXPECT_EQ(changed("Be brief. Today is Monday.", "Be brief. Today is {{day}}.\n", "It is {{day}}: be long."), "It is Monday: be long.");
    EXPECT_EQ(changed("before. Be brief. after", "Be brief.", "Be long.\n\n"), "before. Be long. after");
    EXPECT_EQ(changed("a1b2c", "a{{x}}b{{y}}c", "{{y}}-{{x}}"), "2-1");
    EXPECT_EQ(changed("Now say: hello\nworld", "Now say: {{what}}", "{{what}}!"), "hello\nworld!");
    EXPECT_EQ(changed("x Be brief. y Be brief.", "Be brief.", "Go", 2), "x Go y Go");
    EXPECT_EQ(changed("nothing of it", "Be brief.", "Go", 0), "nothing of it");
    EXPECT_EQ(changed("Be brief.", "Be brief.", "", 1), "");
    EXPECT_THAT(changed("Be brief.", "Be brief.", "Be {{how}}."), HasSubstr("how"));
}

TEST(ChangedPrompt, WorkedExamplesAreChangedAsAWhole) {
    const std::string before = "## user\nHi\n## assistant\nHello\n", after = "## user\nHi\n## assistant\nGood day\n## user\nBye\n## assistant\nBye\n";
    const auto say = [](MessageRole role, const char* text) { return Message::make(role, text); };
    std::vector<Message> messages = {say(MessageRole::system, "s"), say(MessageRole::user, "Hi"), say(MessageRole::assistant, "Hello"), say(MessageRole::user, "What now?")};
    ASSERT_EQ(change_prompt(messages, {"p_examples", 1, before}, {"p_examples", 2, after}).value(), 1);
    ASSERT_EQ(messages.size(), 6u);
    EXPECT_EQ(messages[2].text(), "Good day");
    EXPECT_EQ(messages[5].text(), "What now?");
}

}  // namespace
}  // namespace agents::testing
