// The driver of the phases: their deadlines, who changes the class of a turn, their models.
#include "agents/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness.h"

namespace agents::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using std::chrono::milliseconds;

class PhaseDriver : public TurnTest {};

router::ScriptedReply slowly(std::string text) {
    router::ScriptedReply reply = says(std::move(text));
    reply.delta_delay = milliseconds(60);
    return reply;
}

// Whatever the phase, its deadline lies 250 ms ahead when it begins.
void cut(Harness& h, const std::string& before, Phase phase) {
    for (const PhaseRow& row : phase_table())
        if (row.phase == phase)
            h.on_event = [&h, before, back = row.deadline - milliseconds(250)](const ChatEvent& event) {
                if (event.kind == ChatEvent::Kind::phase) h.clock.set_back(event.name == before ? back : milliseconds(0));
            };
}

const char* kNormal = "Tell me something about the history of the drum kit and of its sticks, please, if you can.";
const char* kHeavy = "Compare tea with coffee and explain step by step which one is better for us.";

TEST_F(PhaseDriver, RecomposeOutOfTimeGivesWhatThereIsAndSaysSo) {
    Harness h({slowly("One two. Three four. Five six seven eight nine ten eleven twelve.")});
    cut(h, "retrieve", Phase::recompose);
    const ChatResult result = h.ask("hearth", "Good evening!");
    EXPECT_EQ(result.final_state, "partial");
    EXPECT_THAT(result.response, AllOf(StartsWith("One two."), HasSubstr("\n\n(There was not enough time for the rest.)")));
    EXPECT_EQ(h.streamed(), result.response);
    EXPECT_EQ(h.run(result.run).status, "partial");
}

TEST_F(PhaseDriver, RecomposeThatNeverBeginsEndsInAnApologyInTheirLanguage) {
    router::ScriptedReply late = says("Zu spät.");
    late.delay = milliseconds(5000);
    Harness h({late});
    cut(h, "retrieve", Phase::recompose);
    const ChatResult result = h.ask("hearth", "Guten Abend, wie geht es dir?");
    EXPECT_EQ(result.final_state, "partial");
    EXPECT_EQ(result.response, "Die Zeit hat für eine Antwort nicht gereicht.");
}

TEST_F(PhaseDriver, IntakeOutOfTimeTakesItsDefaultAndTheTurnGoesOn) {
    Harness h({slowly(R"({"goal": "a b c d e f g h", "tools": true, "class": "heavy", "machine": "act"})"), says("Fine.")});
    cut(h, "arbiter", Phase::intake);
    const ChatResult result = h.ask("hearth", kNormal);
    EXPECT_EQ(result.final_state, "answered") << result.error.message;
    EXPECT_THAT(h.nodes(result.run), ElementsAre("arbiter", "intake", "retrieve", "recompose", "write_memory"));
    EXPECT_THAT(h.run(result.run).turn.at("reasons").dump(), HasSubstr("intake by default"));
}

TEST_F(PhaseDriver, ThinkingOutOfTimeAnswersFromWhatWasThought) {
    Harness h({says(R"({"goal": "x", "tools": false, "class": "normal", "machine": "talk"})"), slowly("1. tea is hot and so is coffee in the long run of things"), says("Tea.")});
    cut(h, "retrieve", Phase::thinking);
    const ChatResult result = h.ask("hearth", kHeavy);
    EXPECT_EQ(result.response, "Tea.");
    const auto sent = h.model->requests().back().messages;
    EXPECT_THAT(sent.at(sent.size() - 2).text(), StartsWith("1. tea"));
}

TEST_F(PhaseDriver, TheCopilotOutOfTimeAnswersFromWhatCameBack) {
    router::ScriptedReply late = calls("read_file", R"({"path": "b.txt"})");
    late.delay = milliseconds(5000);
    Harness h({says(R"({"goal": "x", "tools": true, "class": "normal", "machine": "act"})"), calls("read_file", R"({"path": "a.txt"})"), late, says("a is there.")});
    cut(h, "retrieve", Phase::copilot);
    const ChatResult result = h.ask("hearth", "What do a.txt and b.txt say?");
    EXPECT_EQ(result.response, "a is there.");
    EXPECT_THAT(h.run(result.run).turn.at("reasons").dump(), HasSubstr("copilot ended early"));
}

TEST_F(PhaseDriver, IntakesChangeIsRecordedToo) {
    Harness h({says(R"({"goal": "x", "tools": false, "class": "heavy", "machine": "talk"})"), says("1. Think."), says("Fine.")});
    const ChatResult result = h.ask("hearth", "Tell me something about the history of the drum kit and of its sticks, please, if you can.");
    const auto changes = h.run(result.run).turn.at("changes");
    ASSERT_EQ(changes.size(), 2u);
    EXPECT_EQ(changes[1]["who"], "intake");
}

TEST_F(PhaseDriver, TheSameRequestIsThoughtOverWithTheSameSeed) {
    const auto seed_of = [](const char* text) {
        Harness h({says(R"({"goal": "x", "tools": false, "class": "normal", "machine": "talk"})"), says("1. Think."), says("Tea.")});
        h.ask("hearth", text);
        return h.model->requests().at(1).sampling.seed;
    };
    ASSERT_TRUE(seed_of(kHeavy));
    EXPECT_EQ(seed_of(kHeavy), seed_of(kHeavy));
    EXPECT_NE(seed_of(kHeavy), seed_of("Compare tea with milk and explain step by step which one is better for us."));
}

// Two models on one gateway: phases move by their alias alone, and the traces are the same but for who answered.
TEST_F(PhaseDriver, PhasesMoveToOtherBackendsWithNoOtherChange) {
    const auto trace = [](bool moved) {
        Options options;
        if (moved) options.phase_alias = {{"recompose", "large"}, {"thinking", "large"}};
        const auto scripted = [](const router::ModelRequest& request) {
            return says(request.purpose == "intake" ? R"({"goal": "x", "tools": false, "class": "normal", "machine": "talk"})" : request.purpose == "thinking" ? "1. Think." : "Tea.");
        };
        Harness h({}, options);
        router::Gateway::Roster roster;
        roster.backends.push_back(std::make_unique<router::ScriptedBackend>("first", std::vector<router::ScriptedReply>{}, scripted));
        roster.backends.push_back(std::make_unique<router::ScriptedBackend>("second", std::vector<router::ScriptedReply>{}, scripted));
        roster.aliases = {{"default", {"first"}}, {"large", {"second"}}};
        h.gateway->change(std::move(roster));
        const ChatResult result = h.ask("hearth", kHeavy);
        EXPECT_EQ(result.response, "Tea.");
        std::string out, backends;
        for (const auto& span : h.spans(result.run)) {
            Json attributes = span.attributes, body = span.body;
            backends += attributes.value("backend", "") + " ";
            for (const char* key : {"alias", "backend", "model", "usage", "final_state", "workspace"}) attributes.erase(key);
            if (body.contains("sent")) body["sent"].erase("model");
            out += span.kind + " " + span.name + " " + attributes.dump() + body.dump() + "\n";
        }
        return std::pair(out, backends);
    };
    const auto one = trace(false), two = trace(true);
    EXPECT_EQ(one.first, two.first);
    EXPECT_THAT(one.second, Not(HasSubstr("second")));
    EXPECT_THAT(two.second, AllOf(HasSubstr("first"), HasSubstr("second")));
}

}  // namespace
}  // namespace agents::testing
