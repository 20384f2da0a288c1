// What the model claims and no step did: it is asked once more, does it, takes it back, or is corrected.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/pipeline.h"
#include "harness.h"

namespace agents::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Honesty : public TurnTest {};

ToolResult remember(Json arguments, ToolContext&) { co_return ToolOutput{"Remembered: " + arguments.value("text", "") + "."}; }

// A harness whose household can remember.
struct Household : Harness {
    explicit Household(std::vector<router::ScriptedReply> replies, Options options = {}) : Harness(std::move(replies), options) {
        tools.add({"remember", "Remember a fact.", one_string("text"), {{"type", "object"}}, {policy::Scope::home, policy::Scope::dev}, policy::Effect::transactional,
                   {policy::Permission::memory_write}, std::chrono::milliseconds(5000), remember});
    }
    Json claims(base::RunId of) { return run(of).turn.at("claims"); }
};

router::ScriptedReply intake(bool tools) { return says(Json({{"goal", "it"}, {"tools", tools}, {"class", "normal"}, {"machine", "act"}}).dump()); }
const char* kRequest = "Anna likes coffee, so remember it for next time.";

TEST_F(Honesty, WhatIsClaimedAndWasAskedForIsReallyDone) {
    Household h({intake(false), says("Sure! I have remembered that Anna likes coffee. Anything else?"), calls("remember", R"({"text": "Anna likes coffee"})"), calls("answer", "{}"),
                 says("I have remembered it.")});
    const ChatResult result = h.ask("hearth", kRequest);
    EXPECT_EQ(result.final_state, "answered") << result.error.message;
    EXPECT_EQ(result.response, "Sure!\n\nI have remembered it.");
    EXPECT_EQ(h.streamed(), result.response) << "nothing was read that was taken back";
    EXPECT_EQ(result.tools_used, 1);
    EXPECT_EQ(h.claims(result.run), Json::array({{{"sentence", "I have remembered that Anna likes coffee."}, {"action", "save"}, {"outcome", "done"}}}));
    EXPECT_THAT(h.nodes(result.run), ElementsAre("arbiter", "intake", "retrieve", "recompose", "copilot", "recompose", "write_memory"));
    const auto asked = h.model->requests().at(2).messages.back().text();
    EXPECT_THAT(asked, AllOf(HasSubstr("\"I have remembered that Anna likes coffee.\""), HasSubstr("none")));
}

TEST_F(Honesty, AModelThatTakesItBackIsHeard) {
    Household h({intake(false), says("I have remembered it."), calls("answer", "{}"), says("I did not remember it.")});
    const ChatResult result = h.ask("hearth", kRequest);
    EXPECT_EQ(result.response, "I did not remember it.");
    EXPECT_EQ(h.claims(result.run)[0]["outcome"], "withdrawn");
}

TEST_F(Honesty, AModelThatInsistsIsCorrected) {
    Household h({intake(false), says("I have remembered it."), calls("answer", "{}"), says("Yes. I have remembered it. Bye.")});
    const ChatResult result = h.ask("hearth", kRequest);
    EXPECT_EQ(result.response, "Yes. I have not saved anything. Bye.");
    EXPECT_EQ(h.streamed(), result.response);
    EXPECT_EQ(h.claims(result.run)[0]["outcome"], "corrected");
    bool recorded = false;
    for (const auto& span : h.spans(result.run)) recorded |= span.name == "recompose" && span.body.contains("claims");
    EXPECT_TRUE(recorded);
}

TEST_F(Honesty, WhatWasNeverAskedForIsNotTriedEither) {
    Household h({says("Paris. I have also notified your boss."), says("Paris.")});
    const ChatResult result = h.ask("hearth", "What is the capital of France?");
    EXPECT_EQ(result.response, "Paris.\n\nParis.");
    EXPECT_EQ(result.tools_used, 0);
    EXPECT_THAT(h.nodes(result.run), ElementsAre("arbiter", "retrieve", "recompose", "recompose", "write_memory"));
    EXPECT_EQ(h.claims(result.run)[0]["outcome"], "withdrawn");
    const auto changes = h.run(result.run).turn.at("changes");
    EXPECT_EQ(changes.back()["who"], "escalation");
}

TEST_F(Honesty, WhatAStepDidMayBeSaid) {
    Household h({intake(true), calls("remember", R"({"text": "x"})"), calls("answer", "{}"), says("I have remembered it.")});
    const ChatResult result = h.ask("hearth", "Please remember what is in my note about the coffee machine.");
    EXPECT_EQ(result.response, "I have remembered it.");
    EXPECT_TRUE(h.claims(result.run).empty());
    EXPECT_EQ(h.model->requests().size(), 4u);
}

TEST_F(Honesty, AFailedStepHoldsNothingUp) {
    Household h({intake(true), calls("remember", R"({"txt": "x"})"), calls("answer", "{}"), says("I have remembered it."), calls("answer", "{}"), says("I could not remember it.")});
    const ChatResult result = h.ask("hearth", "Please remember what is in my note about the coffee machine.");
    EXPECT_EQ(result.response, "I could not remember it.");
    EXPECT_EQ(h.claims(result.run)[0]["outcome"], "withdrawn");
}

TEST_F(Honesty, AnEmptyReplyAfterAToolIsMadeFromItsResult) {
    Household h({intake(true), calls("remember", R"({"text": "Anna likes coffee"})"), calls("answer", "{}"), says("")});
    const ChatResult result = h.ask("hearth", "Please remember what is in my note about the coffee machine.");
    EXPECT_EQ(result.final_state, "answered") << result.error.message;
    EXPECT_EQ(result.response, "Remembered: Anna likes coffee.");
    EXPECT_EQ(h.streamed(), result.response);
}

TEST_F(Honesty, ThoughtsAreCorrectedBeforeTheAnswerIsMadeFromThem) {
    Household h({intake(false), says("1. I have notified Anna.\n2. Go on."), says("Fine.")});
    h.ask("hearth", "Compare tea with coffee and explain step by step which one is better for us.");
    const auto last = h.model->requests().back().messages;
    const std::string thoughts = last.at(last.size() - 2).text();
    EXPECT_THAT(thoughts, AllOf(HasSubstr("I have not sent anything."), Not(HasSubstr("notified")), HasSubstr("2. Go on.")));
}

Options free_hand() {
    Options options;
    options.default_discipline = ToolDiscipline::free;
    return options;
}

TEST_F(Honesty, TheCoderIsHeldToItsStepsToo) {
    Household h({says("Yes. I have run the tests."), calls("bash", R"({"command": "make test"})"), says("I have run the tests: fine.")}, free_hand());
    const ChatResult result = h.ask("hearth/dev", "Run the tests");
    EXPECT_EQ(result.response, "Yes.\n\nI have run the tests: fine.");
    EXPECT_EQ(h.streamed(), result.response);
    EXPECT_EQ(result.tools_used, 1);
    EXPECT_EQ(h.claims(result.run)[0]["outcome"], "done");
    EXPECT_THAT(h.model->requests().at(1).messages.back().text(), HasSubstr("I have run the tests."));
    EXPECT_EQ(h.model->requests().at(2).messages.back().role, router::MessageRole::tool) << "what was said of the claim is over";
}

TEST_F(Honesty, ACoderThatInsistsIsCorrected) {
    Household h({says("I have run the tests."), says("I have run the tests. Trust me.")}, free_hand());
    const ChatResult result = h.ask("hearth/dev", "Run the tests");
    EXPECT_EQ(result.response, "I have not run anything. Trust me.");
    EXPECT_EQ(h.streamed(), result.response);
    EXPECT_EQ(h.claims(result.run)[0]["outcome"], "corrected");
}

TEST_F(Honesty, WhatAnEarlierRunDidCountsWhereThePastIsAskedAbout) {
    Household h({calls("bash", R"({"command": "make test"})"), says("They pass."), says("Yes, I have run the tests."), says("I have run the tests."), says("No.")}, free_hand());
    const ChatResult first = h.ask("hearth/dev", "Run the tests");
    EXPECT_EQ(h.ask("hearth/dev", "Did you run the tests?", first.conversation).response, "Yes, I have run the tests.");
    EXPECT_EQ(h.ask("hearth/dev", "Run the tests again", first.conversation).response, "No.");
}

ToolResult shell(Json, ToolContext&) { co_return ToolOutput{"Error: 0 found\n[exit code 0]"}; }

TEST_F(Honesty, WhatAProgramWroteIsNoFailureOfTheCall) {
    Household h({calls("shell", R"({"command": "echo 'Error: 0 found'; echo hello > a.txt"})"), says("It is written."), says("Yes, I wrote a.txt.")}, free_hand());
    h.tools.add({"shell", "Run a command.", one_string("command"), {{"type", "object"}}, {policy::Scope::dev}, policy::Effect::at_most_once, {policy::Permission::execute},
                 std::chrono::milliseconds(5000), shell});
    const ChatResult first = h.ask("hearth/dev", "Write hello into a.txt");
    EXPECT_EQ(h.ask("hearth/dev", "Did you write a.txt?", first.conversation).response, "Yes, I wrote a.txt.");
}

TEST_F(Honesty, AnEmptyReplyOfTheCoderIsMadeFromTheResultsToo) {
    Household h({calls("read_file", R"({"path": "a"})"), says(" ")}, free_hand());
    EXPECT_EQ(h.ask("hearth/dev", "Read the file a").response, "a says: “text of a”");
    EXPECT_EQ(h.streamed(), " a says: “text of a”");
}

TEST_F(Honesty, AnAnswerThatNobodyCanSeeIsNone) {
    for (const char* nothing : {"", " \n", "\u200B"})
        for (const char* agent : {"hearth/dev", "hearth"}) {
            Household h({says(nothing)}, free_hand());
            const ChatResult result = h.ask(agent, "Good evening!");
            EXPECT_EQ(result.final_state, "failed") << agent << " '" << nothing << "'";
            EXPECT_THAT(result.error.message, HasSubstr("the model gave an empty answer"));
        }
}

}  // namespace
}  // namespace agents::testing
