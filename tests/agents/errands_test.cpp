// What is asked for in plain words is done without a model, told in the person's language, and asked about where it is not clear.
#include <gmock/gmock.h>

#include "harness.h"
#include "store/ledger.h"
#include "store/schedules.h"
#include "tools/home.h"
#include "tools/schedule.h"

namespace agents::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct ErrandTest : TurnTest {
    void TearDown() override {
        if (auto* const database = support::TestDatabase::get()) database->sql("delete from schedule_fire; delete from schedule");
    }
};

struct ErrandHouse : Harness {
    explicit ErrandHouse(std::vector<router::ScriptedReply> replies = {}, ToolDiscipline discipline = ToolDiscipline::guided) : Harness(std::move(replies), with(discipline)) {
        for (tools::Tool& tool : tools::home_tools())
            if (tool.name == "remember") tools.add(std::move(tool));
        tools.add(tools::schedule_tool());
    }
    static Options with(ToolDiscipline discipline) {
        Options options;
        options.default_discipline = discipline;
        return options;
    }
    std::string kept(const std::string& fact) { return database->sql("select count(*) from fact where body = '" + fact + "'"); }
    std::vector<store::Schedule> schedules() {
        return in_tx([](store::Tx& tx) { return store::list_schedules(tx, false); });
    }
};

TEST_F(ErrandTest, AFactIsRememberedInThePersonsWords) {
    ErrandHouse h;
    const ChatResult done = h.ask("hearth", "Please remember that my cat is called Miso Zwei.");
    EXPECT_EQ(done.final_state, "answered") << done.error.message;
    EXPECT_EQ(done.response, "I will remember that: my cat is called Miso Zwei.");
    EXPECT_EQ(h.kept("my cat is called Miso Zwei"), "1");
    EXPECT_TRUE(h.model->requests().empty());
    EXPECT_THAT(h.nodes(done.run), ::testing::ElementsAre("arbiter", "copilot", "recompose", "write_memory"));
    EXPECT_EQ(done.tools_used, 1);
    const ChatResult french = h.ask("hearth", "Retiens que le code de la cave est 7788.", done.conversation);
    EXPECT_EQ(french.response, "C'est retenu : le code de la cave est 7788.");
}

TEST_F(ErrandTest, AReminderIsSetAndSaidWhenItComes) {
    ErrandHouse h;
    const ChatResult set = h.ask("hearth", "Rappelle-moi demain à 8h de sortir les poubelles.");
    EXPECT_THAT(set.response, AllOf(StartsWith("Je vous le rappellerai le 20"), HasSubstr(" 08:00 : sortir les poubelles.")));
    ASSERT_EQ(h.schedules().size(), 1u);
    EXPECT_EQ(h.schedules()[0].prompt, "Rappelle-moi : sortir les poubelles");
    EXPECT_TRUE(h.schedules()[0].cron.empty());
    ChatRequest due = h.request("hearth", {user(h.schedules()[0].prompt)});
    due.principal.via = "schedule:0190";
    EXPECT_EQ(h.chat(std::move(due)).value().response, "Rappel : sortir les poubelles.");
    const ChatResult german = h.ask("hearth", "Erinnere mich morgen um 8 Uhr daran, Anna anzurufen.");
    EXPECT_THAT(german.response, AllOf(StartsWith("Ich erinnere Sie am 20"), HasSubstr(" 08:00: Anna anzurufen.")));
    EXPECT_THAT(h.ask("hearth", "Ricordami ogni lunedì alle 9 di buttare la spazzatura").response, StartsWith("Glielo ricorderò (ogni lunedì alle 9; la prossima volta il 20"));
    const ChatResult open = h.ask("hearth", "Erinnere mich am Montag an den Müll");
    EXPECT_EQ(open.response, "Wann soll ich Sie erinnern?");
    EXPECT_THAT(h.ask("hearth", "Um 9 Uhr", open.conversation).response, AllOf(StartsWith("Ich erinnere Sie am 20"), HasSubstr(" 09:00: den Müll.")));
    EXPECT_THAT(h.ask("hearth", "Remind me every weekday at 7 am to pack lunch").response, StartsWith("I will remind you (every weekday at 7 am; next on 20"));
    EXPECT_TRUE(h.model->requests().empty());
}

TEST_F(ErrandTest, WhatIsMissingIsAskedForAndTheAnswerCompletesIt) {
    ErrandHouse h;
    const ChatResult when = h.ask("hearth", "Remind me to move the car");
    EXPECT_EQ(when.response, "When shall I remind you?");
    const ChatResult half = h.ask("hearth", "Tomorrow at 8", when.conversation);
    EXPECT_EQ(half.response, "Is that 08:00 or 20:00?");
    EXPECT_TRUE(h.schedules().empty());
    const ChatResult set = h.ask("hearth", "In the evening, please.", when.conversation);
    EXPECT_THAT(set.response, AllOf(StartsWith("I will remind you on 20"), HasSubstr(" 20:00: move the car.")));
    EXPECT_EQ(h.schedules().size(), 1u);
    const ChatResult asked = h.ask("hearth", "Rappelle-moi demain de sortir les poubelles.");
    EXPECT_EQ(asked.response, "À quelle heure ?");
    EXPECT_THAT(h.ask("hearth", "20h", asked.conversation).response, AllOf(StartsWith("Je vous le rappellerai le 20"), HasSubstr(" 20:00 : sortir les poubelles.")));
    const ChatResult late = h.ask("hearth", "Remind me on 2020-01-01 at 8am to sleep");
    EXPECT_THAT(late.response, AllOf(StartsWith("That was not done: "), HasSubstr("has passed")));
    EXPECT_EQ(h.schedules().size(), 2u);
}

TEST_F(ErrandTest, WhatOthersWroteBeforeTakesNothingFromThePersonsOwnWords) {
    ErrandHouse h({says("Well.")});
    Json beside = user("[This was forwarded, and is what Anna wrote:]\n> the door is blue");
    beside["trusted"] = false;
    const auto before = h.chat(h.request("hearth", {beside}));
    ASSERT_TRUE(before) << before.error().text();
    EXPECT_EQ(h.ask("hearth", "Remember that the gate opens at nine.", before->conversation).response, "I will remember that: the gate opens at nine.");
    EXPECT_EQ(h.database->sql("select trusted from fact where body = 'the gate opens at nine'"), "t");
}

TEST_F(ErrandTest, WhatWasRefusedStandsInNoLaterPrompt) {
    ErrandHouse h({says("Well.")});
    const ChatResult late = h.ask("hearth", "Remind me on 2020-01-01 at 8am to sleep");
    EXPECT_EQ(h.ask("hearth", "How are you?", late.conversation).response, "Well.");
    ASSERT_FALSE(h.model->requests().empty());
    for (const auto& message : h.model->requests().back().messages) EXPECT_NE(message.role, router::MessageRole::tool) << message.text();
}

TEST_F(ErrandTest, TheTimeIsTheClocks) {
    ErrandHouse h({says(R"({"goal": "the time", "tools": true, "class": "normal", "machine": "talk"})")});
    EXPECT_THAT(h.ask("hearth", "Wie spät ist es?").response, ::testing::MatchesRegex("Es ist [0-9]{2}:[0-9]{2} \\(20.*\\)\\."));
}

TEST_F(ErrandTest, ALargerModelAndWordsOfOthersAreLeftToTheModel) {
    const char* const asked = "Remember that my dog is called Rex Nine.";
    const auto intake = [] { return says(R"({"goal": "x", "tools": false, "class": "normal", "machine": "talk"})"); };
    ErrandHouse free({intake(), says("Hello.")}, ToolDiscipline::free);
    EXPECT_EQ(free.ask("hearth", asked).response, "Hello.");
    ErrandHouse other({intake(), says("Hello.")});
    Json message = user(asked);
    message["trusted"] = false;
    EXPECT_EQ(other.chat(other.request("hearth", {message})).value().response, "Hello.");
    EXPECT_EQ(other.kept("my dog is called Rex Nine"), "0");
}

}  // namespace
}  // namespace agents::testing
