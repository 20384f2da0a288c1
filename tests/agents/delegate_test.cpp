// One agent asks another.
#include "agents/delegate.h"

#include <gmock/gmock.h>

#include "harness.h"
#include "store/ledger.h"

namespace agents::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Options free_model(std::shared_ptr<const Cast> cast = shipped_cast()) {
    Options options;
    options.default_discipline = ToolDiscipline::free;
    options.cast = std::move(cast);
    return options;
}

class Delegate : public TurnTest {};

std::vector<std::string> names_of(const router::ModelRequest& request) {
    std::vector<std::string> out;
    for (const auto& tool : request.tools) out.push_back(tool.name);
    return out;
}

const char* const kQuestion = R"({"question": "Where is the key?"})";

TEST_F(Delegate, GetsItsTaskAndNothingElseAndIsNotHeardByThePerson) {
    Harness h({calls("ask_knowledge", kQuestion), calls("read_file", R"({"path": "notes"})"), says("In notes: under the mat."), says("It is under the mat.")}, free_model());
    const ChatResult result = h.ask("hearth/dev", "I cannot get in, the code is 4711. Where is the key?");
    EXPECT_EQ(result.response, "It is under the mat.");
    EXPECT_EQ(h.streamed(), "It is under the mat.");
    const auto requests = h.model->requests();
    ASSERT_EQ(requests.size(), 4u);
    EXPECT_THAT(names_of(requests[0]), ::testing::Contains("ask_knowledge"));
    for (int i : {1, 2}) {
        EXPECT_EQ(requests[i].purpose, "hearth/knowledge");
        EXPECT_EQ(names_of(requests[i]), std::vector<std::string>{"read_file"}) << "of its menu what there is, and nobody to ask";
        EXPECT_THAT(requests[i].messages[0].text(), HasSubstr("You find things out"));
        EXPECT_EQ(requests[i].messages[1].text(), "Where is the key?");
        for (const auto& message : requests[i].messages) EXPECT_THAT(message.text(), Not(HasSubstr("4711"))) << "what the person told another agent";
    }
    const auto& told = requests[3].messages.back();
    EXPECT_EQ(told.text(), "In notes: under the mat.");
    EXPECT_FALSE(told.trusted) << "it comes from a file";
    EXPECT_EQ(result.tools_used, 2);
    EXPECT_GT(result.usage.output_tokens, 0);
}

TEST_F(Delegate, ItsStepsAndSpansAreTheRuns) {
    Harness h({calls("ask_knowledge", kQuestion), calls("read_file", R"({"path": "notes"})"), says("Under the mat."), says("Done.")}, free_model());
    const ChatResult result = h.ask("hearth/dev", "Where is the key?");
    std::vector<std::string> keys;
    const std::string run = result.run.text().substr(24);
    for (const auto& step : h.in_tx([&](store::Tx& tx) { return store::list_steps(tx, result.run); })) keys.push_back(step.effect_key);
    EXPECT_THAT(keys, ElementsAre("model:0", "call_" + run + "_1", "call_" + run + "_1/model:0", "call_" + run + "_1_1", "call_" + run + "_1/model:1", "model:1"));
    std::map<std::string, base::Span> spans;
    for (const auto& span : h.spans(result.run)) spans[span.name] = span;
    EXPECT_EQ(spans["hearth/knowledge"].parent, spans["ask_knowledge"].id);
    EXPECT_EQ(spans["read_file"].parent, spans["ask_knowledge"].id);
    EXPECT_EQ(spans["ask_knowledge"].attributes["facts"]["agent"], "hearth/knowledge");
}

TEST_F(Delegate, ATaskOfTheWrongTypeIsRefusedBeforeAnybodyIsAsked) {
    Harness h({calls("ask_knowledge", R"({"task": "find the key"})"), says("I cannot.")}, free_model());
    h.ask("hearth/dev", "Where is the key?");
    const auto requests = h.model->requests();
    ASSERT_EQ(requests.size(), 2u);
    EXPECT_THAT(requests[1].messages.back().text(), HasSubstr("the arguments of ask_knowledge do not fit"));
}

TEST_F(Delegate, WhoStoppedHalfwayIsHeardAsThat) {
    router::ScriptedReply cut = says("The key is under");
    cut.finish = router::FinishReason::length;
    Harness h({calls("ask_knowledge", kQuestion), cut, says("I know only part of it.")}, free_model());
    const ChatResult result = h.ask("hearth/dev", "Where is the key?");
    const std::string heard = h.model->requests().at(2).messages.back().text();
    EXPECT_THAT(heard, HasSubstr("hearth/knowledge stopped halfway"));
    EXPECT_THAT(heard, HasSubstr("The key is under"));
    EXPECT_THAT(heard, HasSubstr("Ask it for what is missing"));
    EXPECT_EQ(result.response, "I know only part of it.");
}

TEST_F(Delegate, WritesNoMoreThanItsRowAllowsAndTheRunHas) {
    const auto cast = Cast::parse("agents:\n  - {name: hearth/knowledge, purpose: p, scope: home, prompt: knowledge_system, tools: [read_file], input: {question: q}, tokens: 77}\n", "mine.yaml", *shipped_cast());
    Harness h({calls("ask_knowledge", kQuestion), says("Yes."), says("Yes.")}, free_model(std::make_shared<const Cast>(cast.value())));
    h.ask("hearth/dev", "Is it there?");
    EXPECT_EQ(h.model->requests().at(1).max_tokens, 77);
    Options narrow = free_model();
    narrow.max_output_tokens = 100;
    Harness small({calls("ask_knowledge", kQuestion), says("Yes."), says("Yes.")}, narrow);
    small.ask("hearth/dev", "Is it there?");
    EXPECT_LE(small.model->requests().at(1).max_tokens, 50);
}

TEST_F(Delegate, MayNothingThatIsNotOnItsMenu) {
    Harness h({calls("ask_knowledge", kQuestion), calls("bash", R"({"command": "rm -rf ."})"), says("I could not."), says("It could not.")}, free_model());
    const ChatResult result = h.ask("hearth/dev", "Where is the key?");
    EXPECT_THAT(h.model->requests().at(2).messages.back().text(), HasSubstr("bash is refused"));
    for (const auto& span : h.spans(result.run))
        if (span.name == "bash") {
            EXPECT_EQ(span.attributes["rule"], "not_in_scope");
        }
    Harness two({calls("ask_quality", R"({"run": "x", "question": "y"})"), says("No.")}, free_model());
    two.ask("hearth/dev", "Judge it.");
    EXPECT_THAT(two.model->requests().at(1).messages.back().text(), HasSubstr("there is no tool \"ask_quality\""));
}

void add_character(Harness& h) {
    router::Alias gandalf{"gandalf", {"scripted"}};
    gandalf.character = "an old wizard";
    gandalf.strengths = "riddles and long thought";
    gandalf.prompt = "You answer slowly and well.";
    gandalf.max_tokens = 55;
    gandalf.sampling.temperature = 0.6;
    h.gateway->change({{}, {{"default", {"scripted"}}, gandalf}, {}});
}

TEST_F(Delegate, ACharacterOfTheRosterIsAskedByItsName) {
    Harness h({calls("ask_gandalf", R"({"task": "What has roots as nobody sees?"})"), says("Mountain."), says("He says: a mountain.")}, free_model());
    add_character(h);
    const ChatResult result = h.ask("hearth/dev", "My code is 4711. Ask the wizard for the riddle.");
    EXPECT_EQ(result.response, "He says: a mountain.");
    const auto requests = h.model->requests();
    ASSERT_EQ(requests.size(), 3u);
    EXPECT_THAT(names_of(requests[0]), ::testing::Contains("ask_gandalf"));
    const router::ModelRequest& asked = requests[1];
    EXPECT_EQ(asked.alias, "gandalf");
    EXPECT_EQ(asked.purpose, "gandalf");
    EXPECT_EQ(asked.max_tokens, 55);
    EXPECT_EQ(asked.sampling.temperature, 0.6);
    EXPECT_TRUE(asked.tools.empty());
    ASSERT_EQ(asked.messages.size(), 2u);
    for (const char* part : {"You are gandalf, an old wizard.", "riddles and long thought", "You answer slowly and well."}) EXPECT_THAT(asked.messages[0].text(), HasSubstr(part));
    EXPECT_EQ(asked.messages[1].text(), "What has roots as nobody sees?");
    const auto spans = h.spans(result.run);
    EXPECT_THAT(spans, ::testing::Contains(::testing::Field(&base::Span::name, "gandalf")));
}

TEST_F(Delegate, WhoLeftTheRosterIsNobodyToAsk) {
    Harness h({calls("ask_gandalf", R"({"task": "Still there?"})"), says("He is not there.")}, free_model());
    h.ask("hearth/dev", "Ask the wizard.");
    EXPECT_THAT(names_of(h.model->requests().at(0)), Not(::testing::Contains("ask_gandalf")));
    EXPECT_THAT(h.model->requests().at(1).messages.back().text(), HasSubstr("there is no tool \"ask_gandalf\""));
}

TEST_F(Delegate, ASmallModelIsOfferedNobodyToAsk) {
    Options options = free_model();
    options.default_discipline = ToolDiscipline::guided;
    Harness h({says("Hello.")}, options);
    add_character(h);
    h.ask("hearth/dev", "Hello, who are you?");
    for (const auto& name : names_of(h.model->requests().at(0))) EXPECT_THAT(name, Not(HasSubstr("ask_")));
}

TEST_F(Delegate, AToolOfItsScopeThatItsRowLeavesOutIsRefusedByItsMenu) {
    const auto cast = Cast::parse("agents:\n  - {name: hearth/reader, purpose: p, scope: dev, prompt: knowledge_system, tools: [read_file]}\n", "mine.yaml", *shipped_cast());
    Harness h({calls("bash", R"({"command": "ls"})"), says("I only read.")}, free_model(std::make_shared<const Cast>(cast.value())));
    const ChatResult result = h.ask("hearth/reader", "Run ls.");
    EXPECT_EQ(names_of(h.model->requests().at(0)), std::vector<std::string>{"read_file"});
    for (const auto& span : h.spans(result.run))
        if (span.name == "bash") {
            EXPECT_EQ(span.attributes["rule"], "not_on_menu");
        }
    EXPECT_EQ(result.final_state, "refused");
}

}  // namespace
}  // namespace agents::testing
