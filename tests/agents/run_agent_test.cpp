// The loop through the coder's agent, hearth/dev.
#include "agents/run_agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/answer_parts.h"
#include "harness.h"
#include "support/run_task.h"
#include "store/ledger.h"
#include "text/grammar.h"

namespace agents::testing {
namespace {

using ::testing::HasSubstr;
using router::MessageRole;

class RunAgent : public TurnTest {};

// A guided model is forced at the first round only where the request hints at tools.
const char* kRequest = "Read the file a.txt";

TEST_F(RunAgent, ExecutesACallAndAnswersFromItsResult) {
    Harness h({calls("read_file", R"({"path": "a.txt"})"), says("It says: text of a.txt")});
    const ChatResult result = h.ask("hearth/dev", kRequest);
    EXPECT_EQ(result.final_state, "answered") << result.error.message;
    EXPECT_EQ(result.response, "It says: text of a.txt");
    EXPECT_EQ(result.tools_used, 1);
    EXPECT_EQ(h.kinds(), "run_started tool_call tool_result text done");
    const auto sent = h.model->requests();
    ASSERT_EQ(sent.size(), 2u);
    const auto& messages = sent[1].messages;
    ASSERT_GE(messages.size(), 2u);
    EXPECT_EQ(messages.back().role, MessageRole::tool);
    EXPECT_EQ(messages.back().text(), "text of a.txt");
    EXPECT_FALSE(messages.back().trusted);
    EXPECT_EQ(messages.back().tool_call_id, messages[messages.size() - 2].tool_calls.at(0).id);
}

TEST_F(RunAgent, ExecutesAllCallsInOrderWithTheirIds) {
    router::ScriptedReply both = calls("read_file", R"({"path": "a"})");
    both.tool_calls.push_back({"", "bash", R"({"command": "ls"})"});
    Harness h({both, says("done")});
    const ChatResult result = h.ask("hearth/dev", kRequest);
    EXPECT_EQ(result.tools_used, 2);
    const auto messages = h.model->requests().at(1).messages;
    const std::size_t n = messages.size();
    ASSERT_GE(n, 3u);
    const auto& made = messages[n - 3].tool_calls;
    ASSERT_EQ(made.size(), 2u);
    EXPECT_NE(made[0].id, made[1].id);
    EXPECT_EQ(messages[n - 2].tool_call_id, made[0].id);
    EXPECT_EQ(messages[n - 2].text(), "text of a");
    EXPECT_EQ(messages[n - 1].tool_call_id, made[1].id);
    EXPECT_EQ(messages[n - 1].text(), "ran ls");
}

TEST_F(RunAgent, EveryCallOfModelAndToolIsALedgeredStep) {
    Harness h({calls("bash", R"({"command": "ls"})"), says("done")});
    const ChatResult result = h.ask("hearth/dev", kRequest);
    const auto steps = h.in_tx([&](store::Tx& tx) { return store::list_steps(tx, result.run); });
    ASSERT_EQ(steps.size(), 3u);
    EXPECT_EQ(steps[0].kind + steps[1].kind + steps[2].kind, "modeltoolmodel");
    for (const auto& step : steps) EXPECT_EQ(step.state, "done") << step.name;
    EXPECT_EQ(steps[1].effect, "at_most_once");
    EXPECT_EQ(steps[1].input["command"], "ls");
    EXPECT_LE(steps[0].finished, steps[1].started) << "the model's outcome commits before its call is dispatched";
}

TEST_F(RunAgent, WrongArgumentsComeBackAsAnErrorTheModelCanActOn) {
    Harness h({calls("read_file", "{\"path\": "), calls("read_file", R"({"file": "a"})"), calls("fly", "{}"),
               calls("read_file", R"({"path": "a"})"), says("ok")});
    const ChatResult result = h.ask("hearth/dev", kRequest);
    EXPECT_EQ(result.response, "ok");
    EXPECT_EQ(result.tools_used, 1);
    const auto sent = h.model->requests();
    EXPECT_THAT(sent.at(1).messages.back().text(), HasSubstr("not valid JSON"));
    EXPECT_THAT(sent.at(2).messages.back().text(), HasSubstr("path"));
    EXPECT_THAT(sent.at(3).messages.back().text(), HasSubstr("no tool \"fly\""));
    EXPECT_THAT(sent.at(3).messages.back().text(), HasSubstr("read_file"));
}

TEST_F(RunAgent, NothingIsDoneWithTheMarkOfASecretThatWasTakenOut) {
    Harness h({calls("bash", R"({"command": "curl -H 'Key: [redacted: secret]' x"})"), calls("read_file", R"({"path": "[redacted: secret]"})"), says("ok")});
    const ChatResult result = h.ask("hearth/dev", kRequest);
    EXPECT_EQ(result.tools_used, 1);  // reading does no harm
    EXPECT_THAT(h.model->requests().at(1).messages.back().text(), HasSubstr("was taken out"));
    for (const auto& step : h.in_tx([&](store::Tx& tx) { return store::list_steps(tx, result.run); })) EXPECT_NE(step.name, "bash");
}

TEST_F(RunAgent, RunningOutOfRoundsIsAStatusAndNoAnswer) {
    Options options;
    options.max_rounds = 3;
    Harness h({}, options);
    for (int i = 0; i < 5; ++i) h.model->push(calls("read_file", R"({"path": ")" + std::to_string(i) + "\"}"));
    const ChatResult result = h.ask("hearth/dev", kRequest);
    EXPECT_EQ(result.final_state, "partial");
    EXPECT_EQ(result.response, "");
    EXPECT_THAT(result.error.message, HasSubstr("3 rounds"));
    EXPECT_EQ(h.model->requests().size(), 3u);
    EXPECT_EQ(h.run(result.run).status, "partial");
}

TEST_F(RunAgent, TheTokenBudgetIsAStatusToo) {
    Harness h({calls("read_file", R"({"path": "a"})"), calls("read_file", R"({"path": "b"})"), says("never")});
    ChatRequest request = h.request("hearth/dev", {user(kRequest)});
    request.max_tokens = 16;  // the scripted model counts eight a call
    const auto result = h.chat(std::move(request));
    ASSERT_TRUE(result);
    EXPECT_EQ(result->final_state, "partial");
    EXPECT_THAT(result->error.message, HasSubstr("16"));
}

TEST_F(RunAgent, TurningInCirclesIsNoticedAndEndsInAnAnswer) {
    const auto same = calls("read_file", R"({"path": "a"})");
    for (const ToolDiscipline discipline : {ToolDiscipline::guided, ToolDiscipline::free}) {
        Options options;
        options.default_discipline = discipline;
        const std::size_t last = discipline == ToolDiscipline::guided ? 2 : 3;
        std::vector<router::ScriptedReply> script(last, same);
        script.push_back(says("enough"));
        Harness h(std::move(script), options);
        const ChatResult result = h.ask("hearth/dev", kRequest);
        EXPECT_EQ(result.tools_used, 1) << "the same call is run once";
        EXPECT_EQ(result.response, "enough");
        const auto sent = h.model->requests();
        ASSERT_EQ(sent.size(), last + 1);
        EXPECT_THAT(sent[2].messages.back().text(), HasSubstr("Not run again"));
        EXPECT_EQ(sent[last].tool_choice.kind, router::ToolChoice::Kind::none);
    }
}

TEST_F(RunAgent, AfterAnEffectTheSameReadRunsAgain) {
    const auto read = calls("read_file", R"({"path": "a"})");
    Harness h({read, calls("bash", R"({"command": "touch a"})"), read, says("ok")});
    EXPECT_EQ(h.ask("hearth/dev", kRequest).tools_used, 3);
}

TEST_F(RunAgent, AToolThatSucceededIsNotFollowedBySilence) {
    Harness h({calls("bash", R"({"command": "ls"})"), says("")});
    EXPECT_THAT(h.ask("hearth/dev", kRequest).response, HasSubstr("ran ls"));
}

TEST_F(RunAgent, ACallThatWasCutOffIsNotExecuted) {
    auto cut = calls("bash", R"({"command": "rm -r bui)");
    cut.finish = router::FinishReason::length;
    auto second_cut = calls("read_file", R"({"path": "a"})");
    second_cut.tool_calls.push_back(cut.tool_calls[0]);
    second_cut.finish = router::FinishReason::length;
    Harness h({cut, second_cut, says("ok")});
    const ChatResult alone = h.ask("hearth/dev", kRequest);
    EXPECT_EQ(alone.tools_used, 0);
    EXPECT_EQ(alone.final_state, "partial");
    const ChatResult after_another = h.ask("hearth/dev", kRequest);
    EXPECT_EQ(after_another.tools_used, 1);
    EXPECT_EQ(after_another.response, "ok");
}

TEST_F(RunAgent, ALongResultIsCutVisibly) {
    Options options;
    options.max_tool_result_chars = 1000;
    Harness h({calls("read_file", R"({"path": "huge"})"), says("long")}, options);
    h.ask("hearth/dev", kRequest);
    const std::string seen = h.model->requests().at(1).messages.back().text();
    EXPECT_LT(seen.size(), 1200u);
    EXPECT_THAT(seen, HasSubstr("of 100000 bytes cut here"));
}

router::ScriptedReply too_long() {
    router::ScriptedReply reply;
    reply.error = base::error(base::Code::context_length_exceeded, "the prompt has 9000 tokens, the context holds 4096");
    return reply;
}

TEST_F(RunAgent, ResultsThatDoNotFitIntoTheContextAreCutUntilTheyDo) {
    Harness h({calls("read_file", R"({"path": "huge"})"), too_long(), too_long(), says("long")});
    const ChatResult result = h.ask("hearth/dev", kRequest);
    EXPECT_EQ(result.final_state, "answered");
    EXPECT_EQ(result.response, "long");
    const auto sent = h.model->requests();
    ASSERT_EQ(sent.size(), 4u);
    EXPECT_LT(sent[3].messages.back().text().size(), sent[1].messages.back().text().size() / 3);
    EXPECT_EQ(sent[3].messages.front().text(), sent[1].messages.front().text());
    int steps = 0;
    for (const auto& span : h.spans(result.run)) steps += span.kind == "model";
    EXPECT_EQ(steps, 2) << "one step, however often it was tried";
}

TEST_F(RunAgent, ARequestThatDoesNotFitIsSaid) {
    Harness h({too_long()});
    const ChatResult result = h.ask("hearth/dev", kRequest);
    EXPECT_EQ(result.final_state, "partial");
    EXPECT_EQ(result.error.code, base::Code::context_length_exceeded);
    EXPECT_THAT(result.error.message, HasSubstr("4096"));
}

TEST_F(RunAgent, WhatTheClientAllowsIsWhatOneReplyMayHave) {
    Harness h({says("one"), says("two")});
    h.ask("hearth/dev", kRequest);
    ChatRequest more = h.request("hearth/dev", {user(kRequest)});
    more.max_tokens = 5000;
    ASSERT_TRUE(h.chat(std::move(more)));
    EXPECT_EQ(h.model->requests().at(0).max_tokens, 2048);
    EXPECT_EQ(h.model->requests().at(1).max_tokens, 5000);
}

TEST_F(RunAgent, AFolderThatCannotBeOpenedEndsTheRun) {
    Harness h({says("none")});
    ChatRequest asked = h.request("hearth/dev", {user(kRequest)});
    asked.workspace_path = "/nowhere/at/all";
    const auto result = h.chat(std::move(asked));
    ASSERT_TRUE(result);
    EXPECT_EQ(result->final_state, "failed");
    EXPECT_EQ(result->error.code, base::Code::not_found);
    EXPECT_THAT(result->error.message, HasSubstr("/nowhere/at/all"));
    EXPECT_TRUE(h.model->requests().empty());
}

// The first reply is what decided; the second is the answer.
void expect_answer_from_a_plain_prompt(const std::vector<router::ModelRequest>& sent, const std::string& request) {
    ASSERT_EQ(sent.size(), 2u);
    EXPECT_GT(sent[0].messages.size(), 2u) << "with worked examples";
    EXPECT_FALSE(sent[0].tools.empty());
    EXPECT_EQ(sent[1].tool_choice.kind, router::ToolChoice::Kind::none);
    EXPECT_TRUE(sent[1].tools.empty());
    ASSERT_GT(sent[1].messages.size(), 2u);
    EXPECT_NE(sent[1].messages[0].text(), sent[0].messages[0].text());
    EXPECT_EQ(sent[1].messages.back().text(), request);
    for (const router::Message& message : sent[1].messages) EXPECT_TRUE(message.tool_calls.empty() && message.role != router::MessageRole::tool) << message.text();
    EXPECT_EQ(sent[1].answer_rules, rules_of_parts({}));
}

TEST_F(RunAgent, AGuidedModelThatChoosesToAnswerDoesSoFromAPromptWithoutCallsAndTools) {
    Harness h({calls(kAnswerTool, "{}"), says("Hello!")});
    const ChatResult chosen = h.ask("hearth/dev", kRequest);
    EXPECT_EQ(chosen.response, "Hello!");
    EXPECT_EQ(chosen.tools_used, 0) << "the answer tool is none";
    const auto sent = h.model->requests();
    expect_answer_from_a_plain_prompt(sent, kRequest);
    EXPECT_EQ(sent[0].tool_choice.kind, router::ToolChoice::Kind::required);
    EXPECT_EQ(sent[0].tool_choice.most, 2);
}

TEST_F(RunAgent, AGuidedModelMayReadAsManyFilesAtOnceAsThePersonNames) {
    for (const auto& [request, most] : {std::pair{"Read a.txt and b.txt", 2}, {"Read a.txt, b.txt and c.txt", 4}, {"Read a.txt, b.txt, c.txt, d.txt and e.txt", 6},
                                        {"Read a.py, b.py, c.py, d.py, e.py, f.py, g.py, h.py and i.py", router::kMostCalls}}) {
        Harness h({calls(kAnswerTool, "{}"), says("Hello!")});
        h.ask("hearth/dev", request);
        EXPECT_EQ(h.model->requests().at(0).tool_choice.most, most) << request;
    }
}

TEST_F(RunAgent, WhereNothingHintsAtToolsAGuidedModelsFirstWordsOnlyDecide) {
    Harness h({says("Johann Wolfg\t"), says("Goethe.")});
    h.model->set_grammars(true);
    EXPECT_EQ(h.ask("hearth/dev", "Who wrote Faust?").response, "Goethe.");
    EXPECT_EQ(h.kinds(), "run_started text done") << "and are not shown";
    const auto sent = h.model->requests();
    expect_answer_from_a_plain_prompt(sent, "Who wrote Faust?");
    EXPECT_EQ(sent[0].tool_choice.kind, router::ToolChoice::Kind::automatic);
    const auto grammar = text::Grammar::from_ebnf("root ::= answer\n" + sent[0].answer_rules);
    ASSERT_TRUE(grammar) << grammar.error().text();
    EXPECT_TRUE((*grammar)->accepts("Johann Wolfg\t"));
    EXPECT_FALSE((*grammar)->accepts("Johann Wolfgang\t"));
    EXPECT_FALSE((*grammar)->accepts("Johann"));
}

TEST_F(RunAgent, AnAnswerThatNoGrammarBoundIsTakenAsItIs) {
    Harness h({says("Hi!"), says("This answer has more bytes than a decision ever has, many more.")});
    for (const char* answer : {"Hi!", "This answer has more bytes than a decision ever has, many more."}) {
        std::string shown;
        h.on_event = [&](const ChatEvent& event) {
            if (event.kind == ChatEvent::Kind::text) shown += event.text;
        };
        EXPECT_EQ(h.ask("hearth/dev", "Who wrote Faust?").response, answer);
        EXPECT_EQ(shown, answer) << "all of it, once";
    }
    EXPECT_EQ(h.model->requests().size(), 2u);
}

TEST_F(RunAgent, AGuidedModelThatCalledAnswersFromWhatCameBack) {
    router::ScriptedReply both = calls("read_file", R"({"path": "a"})");
    both.tool_calls.push_back({"", kAnswerTool, "{}"});
    Harness h({both, says("done")});
    h.ask("hearth/dev", kRequest);
    const auto sent = h.model->requests();
    ASSERT_EQ(sent.size(), 2u);
    EXPECT_EQ(sent[1].tools.size(), sent[0].tools.size());
    EXPECT_EQ(sent[1].messages.size(), sent[0].messages.size() + 3);
    EXPECT_EQ(sent[1].answer_rules, rules_of_parts({{"a says: “text of a”", {}, false, false}}));
}

// The three requests of a run whose first reply holds two calls and whose second reads the file b.
std::vector<router::ModelRequest> sent_after(router::ScriptedReply first, router::ToolCall second_call, ToolDiscipline discipline, const char* request = kRequest) {
    first.tool_calls.push_back(std::move(second_call));
    Options options;
    options.default_discipline = discipline;
    Harness h({std::move(first), calls("read_file", R"({"path": "b"})"), says("done")}, options);
    h.ask("hearth/dev", request);
    return h.model->requests();
}

const Part kReadA{"a says: “text of a”", {}, false, false}, kReadB{"b says: “text of b”", {}, false, false}, kRanLs{"The command `ls` printed: “ran ls”", {}, false, false};

TEST_F(RunAgent, AGuidedModelTellsOfEachOfSeveralCalls) {
    for (const ToolDiscipline discipline : {ToolDiscipline::guided, ToolDiscipline::free}) {
        const auto sent = sent_after(calls("read_file", R"({"path": "a"})"), {"", "bash", R"({"command": "ls"})"}, discipline);
        ASSERT_EQ(sent.size(), 3u);
        const bool free = discipline == ToolDiscipline::free;
        EXPECT_EQ(sent[0].answer_rules, free ? "" : rules_of_parts({}));
        EXPECT_EQ(sent[1].answer_rules, free ? "" : rules_of_parts({kReadA, kRanLs}));
        EXPECT_EQ(sent[2].answer_rules, free ? "" : rules_of_parts({kReadB})) << "of the last reply's call";
    }
}

TEST_F(RunAgent, AGuidedModelWhoHearsWhatWouldWorkMustChooseAgainAndTellsOfWhatWorked) {
    for (const ToolDiscipline discipline : {ToolDiscipline::guided, ToolDiscipline::free}) {
        const auto sent = sent_after(calls("bash", R"({"command": "ls"})"), {"", "read_file", R"({"path": "slip"})"}, discipline, "Run ls and read the file slip");
        ASSERT_EQ(sent.size(), 3u);
        const bool free = discipline == ToolDiscipline::free;
        EXPECT_EQ(sent[1].tool_choice.kind, free ? router::ToolChoice::Kind::automatic : router::ToolChoice::Kind::required);
        EXPECT_EQ(sent[2].tool_choice.kind, router::ToolChoice::Kind::automatic) << "nothing failed in the second reply";
        EXPECT_EQ(sent[2].answer_rules, free ? "" : rules_of_parts({kRanLs, kReadB}));
    }
}

TEST_F(RunAgent, AFailureThatNobodyAskedAboutIsNotTriedAgain) {
    router::ScriptedReply both = calls("read_file", R"({"path": "a.txt"})");
    both.tool_calls.push_back({"", "read_file", R"({"path": "slip"})"});
    Harness h({both, says("Both.")});
    EXPECT_EQ(h.ask("hearth/dev", "Read the file a.txt").final_state, "answered");
    ASSERT_EQ(h.model->requests().size(), 2u);
    EXPECT_EQ(h.model->requests().at(1).tool_choice.kind, router::ToolChoice::Kind::automatic);
    Harness asked({both, calls("read_file", R"({"path": "b"})"), says("Both.")});
    asked.ask("hearth/dev", "Read the files a.txt and slip");
    EXPECT_EQ(asked.model->requests().at(1).tool_choice.kind, router::ToolChoice::Kind::required);
    EXPECT_EQ(asked.model->requests().size(), 3u);
}

TEST_F(RunAgent, AGuidedModelIsHeldToTheOnlyCallThatWorkedAfterOneThatFailed) {
    const auto sent = sent_after(calls("read_file", R"({"path": "slip"})"), {"", "read_file", R"({"path": "slip"})"}, ToolDiscipline::guided);
    ASSERT_EQ(sent.size(), 3u);
    EXPECT_EQ(sent[2].answer_rules, rules_of_parts({kReadB}));
}

TEST_F(RunAgent, AGuidedModelTellsOfACallThatCouldNotBeMended) {
    const auto sent = sent_after(calls("bash", R"({"command": "ls"})"), {"", "read_file", R"({"path": "missing"})"}, ToolDiscipline::guided);
    ASSERT_EQ(sent.size(), 3u);
    EXPECT_EQ(sent[1].tool_choice.kind, router::ToolChoice::Kind::automatic);
    const Part missing{"I could not read missing: there is no file missing.", {}, false, false};
    EXPECT_EQ(sent[1].answer_rules, rules_of_parts({kRanLs, missing}));
}

TEST_F(RunAgent, AGuidedModelStillTellsOfWhatWorkedWhenALaterCallFails) {
    Harness h({calls("read_file", R"({"path": "a"})"), calls("read_file", R"({"path": "missing"})"), says("done")});
    h.ask("hearth/dev", kRequest);
    EXPECT_EQ(h.model->requests().at(2).answer_rules, rules_of_parts({kReadA, {"I could not read missing: there is no file missing.", {}, false, false}}));
}

TEST_F(RunAgent, AGuidedModelThatMendsNothingTellsWhatFailed) {
    const auto slip = calls("read_file", R"({"path": "slip"})");
    Harness h({slip, slip, says("done")});
    h.ask("hearth/dev", kRequest);
    const auto sent = h.model->requests();
    ASSERT_EQ(sent.size(), 3u);
    EXPECT_EQ(sent[2].tool_choice.kind, router::ToolChoice::Kind::none);
    EXPECT_EQ(sent[2].answer_rules, rules_of_parts({{"I could not read slip: there is no file slip (near that name: b).", {}, false, false}}));
}

TEST_F(RunAgent, WhatWasOnlyAskedForAgainDoesNotPutTheAnswersPartsAside) {
    const auto sent = sent_after(calls("read_file", R"({"path": "b"})"), {"", "read_file", R"({"path": "a"})"}, ToolDiscipline::guided);
    ASSERT_EQ(sent.size(), 3u);
    EXPECT_EQ(sent[2].tool_choice.kind, router::ToolChoice::Kind::none) << "it turns in circles";
    EXPECT_EQ(sent[2].answer_rules, rules_of_parts({kReadB, kReadA}));
}

TEST_F(RunAgent, AGuidedModelSeesLessOfALongResult) {
    for (const ToolDiscipline discipline : {ToolDiscipline::guided, ToolDiscipline::free}) {
        const auto sent = sent_after(calls("read_file", R"({"path": "huge"})"), {"", "bash", R"({"command": "ls"})"}, discipline);
        ASSERT_EQ(sent.size(), 3u);
        const auto huge = std::find_if(sent[1].messages.begin(), sent[1].messages.end(), [](const auto& m) { return m.name == "read_file" && m.text().starts_with("xxx"); });
        ASSERT_NE(huge, sent[1].messages.end());
        EXPECT_EQ(huge->text().size() < 3000, discipline == ToolDiscipline::guided) << huge->text().size();
    }
}

TEST_F(RunAgent, AFreeModelSeesNeitherExamplesNorTheAnswerTool) {
    Options options;
    options.default_discipline = ToolDiscipline::free;
    Harness h({says("ok")}, options);
    h.ask("hearth/dev", kRequest);
    const auto sent = h.model->requests().at(0);
    EXPECT_EQ(sent.messages.size(), 2u);
    for (const auto& tool : sent.tools) EXPECT_NE(tool.name, kAnswerTool);
    EXPECT_EQ(sent.tool_choice.kind, router::ToolChoice::Kind::automatic);
}

TEST_F(RunAgent, AStopReachesTheToolThatRuns) {
    Harness h({calls("slow", "{}"), says("never")});
    ChatRequest request = h.request("hearth/dev", {user(kRequest)});
    const policy::Principal who = request.principal;
    policy::Principal stranger = who;
    stranger.person = base::PersonId::make(h.clock.now());
    bool strangers_stop = true, stopped = false;
    h.on_event = [&](const ChatEvent& event) {
        if (event.kind != ChatEvent::Kind::tool_call) return;
        strangers_stop = support::run_task(h.agents->stop(stranger, event.run));
        stopped = support::run_task(h.agents->stop(who, event.run));
    };
    const auto start = std::chrono::steady_clock::now();
    const auto result = h.chat(std::move(request));
    ASSERT_TRUE(result);
    EXPECT_FALSE(strangers_stop);
    EXPECT_TRUE(stopped);
    EXPECT_EQ(result->final_state, "cancelled");
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
    EXPECT_EQ(h.run(result->run).status, "cancelled");
    EXPECT_EQ(h.agents->active(), 0);
    EXPECT_FALSE(support::run_task(h.agents->stop(who, result->run)));
}

TEST_F(RunAgent, AStopInTheMiddleOfTheAnswerKeepsWhatWasSaid) {
    router::ScriptedReply slowly = says("one. two. three. four. five. six. seven. eight. nine. ten.");
    slowly.delta_delay = std::chrono::milliseconds(20);
    Harness h({slowly});
    ChatRequest request = h.request("hearth/dev", {user("Count.")});
    const policy::Principal who = request.principal;
    h.on_event = [&](const ChatEvent& event) {
        if (event.kind == ChatEvent::Kind::text && event.text.find("three") != std::string::npos) support::run_task(h.agents->stop(who, event.run));
    };
    const auto result = h.chat(std::move(request));
    ASSERT_TRUE(result);
    EXPECT_EQ(result->final_state, "cancelled");
    EXPECT_THAT(result->response, ::testing::StartsWith("one. two. three."));
    EXPECT_THAT(result->response, ::testing::Not(HasSubstr("nine")));
}

TEST_F(RunAgent, AToolsDeadlineIsItsOwnAndTheRunGoesOn) {
    Harness h({calls("brief", "{}"), says("It took too long.")});
    const ChatResult result = h.ask("hearth/dev", kRequest);
    EXPECT_EQ(result.final_state, "answered");
    EXPECT_THAT(h.model->requests().at(1).messages.back().text(), HasSubstr("Error: "));
}

TEST_F(RunAgent, AnEffectWhoseEndIsUnknownIsSaid) {
    Harness h({calls("thrower", "{}"), says("It may have run.")});
    const ChatResult result = h.ask("hearth/dev", kRequest);
    EXPECT_EQ(result.final_state, "unknown_effect");
    const auto steps = h.in_tx([&](store::Tx& tx) { return store::list_steps(tx, result.run); });
    EXPECT_EQ(steps.at(1).state, "unknown");
    EXPECT_THAT(h.model->requests().at(1).messages.back().text(), HasSubstr("Do not repeat it"));
}

TEST_F(RunAgent, AGuestHasNoTools) {
    Harness h({calls("read_file", R"({"path": "a"})"), says("I may not.")});
    ChatRequest request = h.request("hearth/dev", {user(kRequest)});
    request.principal.role = policy::Role::guest;
    const auto result = h.chat(std::move(request));
    ASSERT_TRUE(result);
    EXPECT_EQ(result->final_state, "refused");
    EXPECT_EQ(result->tools_used, 0);
    bool recorded = false;
    for (const auto& span : h.spans(result->run)) recorded |= span.attributes.value("rule", "") == "guests_have_no_tools";
    EXPECT_TRUE(recorded);
}

TEST_F(RunAgent, ACallOfTheClientsToolEndsTheTurnAndItsResultResumesIt) {
    Harness h({calls("lamp", R"({"on": true})"), says("The lamp is on.")});
    ChatRequest first = h.request("hearth/dev", {user("Run the lamp")});
    first.client_tools.push_back({"lamp", "Switch the lamp.", {{"type", "object"}}});
    auto result = h.chat(first);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->final_state, "waiting_client");
    ASSERT_EQ(result->client_calls.size(), 1u);
    const auto call = result->client_calls[0];
    ChatRequest second = h.request("hearth/dev", {{{"role", "tool"}, {"tool_call_id", call.id}, {"content", "on"}}});
    second.client_tools = first.client_tools;
    second.conversation = result->conversation;
    result = h.chat(std::move(second));
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->response, "The lamp is on.");
    const auto messages = h.model->requests().at(1).messages;
    ASSERT_GE(messages.size(), 2u);
    EXPECT_EQ(messages[messages.size() - 2].tool_calls.at(0).id, call.id);
}

TEST_F(RunAgent, AClientsToolMayNotTakeTheNameOfOurs) {
    Harness h;
    ChatRequest request = h.request("hearth/dev", {user("hi")});
    request.client_tools.push_back({"bash", "", {{"type", "object"}}});
    const auto result = h.chat(std::move(request));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, base::Code::invalid_argument);
    EXPECT_THAT(result.error().message, HasSubstr("bash"));
}

}  // namespace
}  // namespace agents::testing
