#include "router/scripted_backend.h"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using router::Message;
using router::MessageRole;
using router::ModelRequest;

ModelRequest asked(const std::string& question, int answers = 0) {
    ModelRequest request;
    request.messages.push_back(Message::make(MessageRole::user, question));
    for (int i = 0; i < answers; ++i) request.messages.push_back(Message::make(MessageRole::assistant, "…"));
    return request;
}

router::Script script(const std::string& text) {
    auto made = router::script_from_json_lines(text);
    EXPECT_TRUE(made) << made.error().text();
    return *made;
}

std::string complaint(const std::string& text) {
    const auto made = router::script_from_json_lines(text);
    return made ? "" : made.error().message;
}

TEST(ScriptFromJsonLines, TheNthLineThatFitsAnswersAfterNAssistantMessages) {
    const auto answer = script(R"({"when": "tea", "tool_calls": [{"name": "kettle", "arguments": {"litres": 1}}]}
{"when": "coffee", "text": "coming"}

{"when": "tea", "text": "ready"})");
    EXPECT_EQ(answer(asked("make tea")).tool_calls.at(0).arguments, R"({"litres":1})");
    EXPECT_EQ(answer(asked("make tea", 1)).text, "ready");
    EXPECT_EQ(answer(asked("make coffee")).text, "coming");
    EXPECT_EQ(answer(asked("make soup")).text, "The script has no answer to this.");
}

TEST(ScriptFromJsonLines, DelaysAndReasoningAreRead) {
    const auto reply = script(R"({"when": "", "text": "a b", "reasoning": "hm", "delay_ms": 20, "word_delay_ms": 3})")(asked("x"));
    EXPECT_EQ(reply.delay, 20ms);
    EXPECT_EQ(reply.delta_delay, 3ms);
    EXPECT_EQ(reply.reasoning, "hm");
}

TEST(ScriptFromJsonLines, WhatIsWrongIsNamedWithItsLine) {
    EXPECT_EQ(complaint("{}\n{\"when\": 5}").rfind("script line 2: field 'when'", 0), 0u) << complaint("{}\n{\"when\": 5}");
    EXPECT_NE(complaint(R"({"delay_ms": -1})").find("delay_ms is -1"), std::string::npos);
    EXPECT_NE(complaint(R"({"tool_calls": [{}]})").find("name"), std::string::npos);
    EXPECT_NE(complaint(R"({"tool_calls": ["x"]})").find("no object"), std::string::npos);
    EXPECT_NE(complaint("[]").find("expected an object"), std::string::npos);
    EXPECT_NE(complaint("{\"when\""), "");
}

}  // namespace
