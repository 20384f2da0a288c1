#include "agents/turn.h"

#include <gtest/gtest.h>

#include "agents/pipeline.h"

namespace agents {
namespace {

using router::ExecutionClass;
using router::Message;
using router::MessageRole;

TEST(Turn, ReadsBackWhatWasStored) {
    Turn turn;
    turn.phase = Phase::thinking;
    turn.request = "Compare the two files";
    turn.execution = ExecutionClass::heavy;
    turn.reasons = {"asks for comparison"};
    turn.outside = turn.needs_tools = true;
    turn.goal = "a comparison";
    turn.machine = "explain";
    turn.facts = {"Anna likes tables"};
    turn.sources = {{{"fact", "1"}, {"why", "has tables"}}};
    turn.label = policy::Integrity::untrusted;
    Message call = Message::make(MessageRole::assistant, "");
    call.tool_calls = {{"call_1", "read_file", "{\"path\": \"a\"}"}};
    Message result = Message::make(MessageRole::tool, "text of a");
    result.tool_call_id = "call_1";
    turn.work = {call, result};
    turn.thoughts = "1. compare";
    turn.answer = "They differ";
    turn.state = "partial";
    turn.error = "cut";
    turn.span = base::SpanId::make(base::SystemClock().now());
    turn.code = base::Code::deadline;
    turn.reasoning = "I think";
    turn.finish = router::FinishReason::length;
    turn.client_calls = {{"call_2", "theirs", "{}"}};
    turn.sums.usage.output_tokens = 7;
    turn.sums.usage.decode = std::chrono::microseconds(8);
    turn.sums.model_steps = 3, turn.sums.calls = 2, turn.sums.tools_used = 1, turn.sums.refused_calls = 4;
    turn.sums.in_doubt = {"bash ls"};
    turn.sums.model = "m";
    turn.sums.deeds = {{"bash", "ls", false, reply::Deed::End::unknown}};
    turn.changes = {{"intake", "several steps", ExecutionClass::heavy}};
    turn.claims = {{"I sent it.", "send", "withdrawn"}};
    turn.confirmation = "Remembered: x.";
    turn.asked_language = true;
    turn.best_fact = 1;
    turn.retells = true;
    const auto back = turn_from_json(to_json(turn));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(to_json(*back), to_json(turn));
    EXPECT_TRUE(back->retells);
    ASSERT_EQ(back->work.size(), 2u);
    EXPECT_EQ(back->work[0].tool_calls[0].arguments, "{\"path\": \"a\"}");
    EXPECT_FALSE(back->work[1].trusted);
    EXPECT_EQ(back->code, base::Code::deadline);
    EXPECT_EQ(back->finish, router::FinishReason::length);
    EXPECT_EQ(back->sums.calls, 2);
    EXPECT_EQ(back->sums.usage.decode.count(), 8);
    EXPECT_EQ(back->client_calls.at(0).name, "theirs");
    EXPECT_EQ(back->span, turn.span);
    EXPECT_EQ(back->label, policy::Integrity::untrusted);
    EXPECT_EQ(back->sums.deeds, turn.sums.deeds);
    EXPECT_EQ(back->claims, turn.claims);
    EXPECT_EQ(back->confirmation, turn.confirmation);
    EXPECT_TRUE(back->asked_language);
    EXPECT_EQ(back->best_fact, 1);
    ASSERT_EQ(back->changes.size(), 1u);
    EXPECT_EQ(to_json(back->changes[0]), to_json(turn.changes[0]));
}

TEST(Turn, AnUnknownPhaseOrShapeIsCorrupt) {
    EXPECT_EQ(turn_from_json({{"phase", "dreaming"}}).error().code, base::Code::corrupt);
    EXPECT_EQ(turn_from_json({{"phase", 3}}).error().code, base::Code::corrupt);
}

TEST(Phases, TheTableHasEachPhaseOnceAndInOrder) {
    int last = -1;
    for (const PhaseRow& row : phase_table()) {
        EXPECT_GT(int(row.phase), last);
        EXPECT_GT(row.deadline.count(), 0) << name(row.phase);
        EXPECT_EQ(parse_phase(name(row.phase)), row.phase);
        last = int(row.phase);
    }
    EXPECT_EQ(phase_table().size(), std::size_t(Phase::done));
}

std::string path(Turn turn) {
    std::string out;
    Phase at = after_arbiter(turn);
    while (at != Phase::write_memory) {
        out += std::string(name(at)) + " ";
        if (at == Phase::intake) at = after_intake(turn);
        else if (at == Phase::retrieve) at = after_retrieve(turn);
        else if (at == Phase::copilot) at = after_copilot(turn);
        else if (at == Phase::thinking) at = Phase::recompose;
        else at = Phase::write_memory;
    }
    return out;
}

TEST(Phases, WhereATurnGoesByTable) {
    const struct {
        ExecutionClass execution;
        bool tools, resumes, refused;
        const char* path;
    } cases[] = {
        {ExecutionClass::fast, false, false, false, "retrieve recompose "},
        {ExecutionClass::normal, false, false, false, "intake retrieve recompose "},
        {ExecutionClass::normal, true, false, false, "intake retrieve copilot recompose "},
        {ExecutionClass::heavy, false, false, false, "intake retrieve thinking recompose "},
        {ExecutionClass::heavy, true, false, false, "intake retrieve copilot thinking recompose "},
        {ExecutionClass::normal, true, false, true, "intake "},
        {ExecutionClass::normal, false, true, false, "copilot recompose "},
    };
    for (const auto& c : cases) {
        Turn turn;
        turn.execution = c.execution;
        turn.needs_tools = c.tools;
        turn.resumes_client = c.resumes;
        if (c.refused) turn.state = "refused";
        EXPECT_EQ(path(turn), c.path);
    }
}

TEST(Phases, AnAliasPerPhaseFallsBackToTheModel) {
    Options options;
    options.model = "small";
    options.phase_alias["thinking"] = "large";
    EXPECT_EQ(alias_of(options, Phase::thinking), "large");
    EXPECT_EQ(alias_of(options, Phase::intake), "small");
}

}  // namespace
}  // namespace agents
