#include "app/run_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace app {
namespace {

using base::Json;
using testing::HasSubstr;
using testing::Not;

const Json kRun = {{"id", "01900000-0000-7000-8000-000000000001"}, {"model", "hearth"}, {"status", "waiting_person"}, {"question", "Tidy\nup"}, {"error", ""}, {"chain", "whole"},
                   {"turn", {{"phase", "copilot"}, {"class", "heavy"}}}, {"usage", {{"prompt_tokens", 12}, {"cached_tokens", 3}, {"output_tokens", 4}}},
                   {"steps", {{{"kind", "model"}}, {{"kind", "tool"}}}}, {"inputs", {{{"text", "and more"}, {"read", false}}}},
                   {"approval", {{"id", "x"}, {"tool", "bash"}, {"arguments", {{"command", "rm \x1b[2J"}}}, {"reason", "It asks."}, {"rule", "mine"}}}, {"answer", ""}};

TEST(RunPage, TellsHowFarItIsAndWhatItWaitsFor) {
    const std::string page = run_page(kRun);
    for (const char* line : {"run       01900000-0000-7000-8000-000000000001\n", "agent     hearth\n", "state     waiting_person\n", "phase     copilot\n", "class     heavy\n",
                             "waits for your word; hearth run approve 01900000-0000-7000-8000-000000000001 grant, or deny\n", "It asks. (rule mine)\n", "added     and more (not read)\n",
                             "usage     12 prompt tokens (3 cached), 4 output tokens, 1 tool calls\n", "trace     01900000000070008000000000000001, whole; "})
        EXPECT_THAT(page, HasSubstr(line));
    EXPECT_THAT(page, Not(HasSubstr("\x1b"))) << "nothing of it acts on the terminal";
    EXPECT_THAT(page, Not(HasSubstr("error")));
}

TEST(RunPage, OneThatNobodyHasBegunHasNoPhase) {
    Json queued = kRun;
    queued["status"] = "queued";
    queued["turn"] = Json::object();
    queued["approval"] = nullptr;
    const std::string page = run_page(queued);
    EXPECT_THAT(page, Not(HasSubstr("phase")));
    EXPECT_THAT(page, Not(HasSubstr("waits for")));
}

TEST(RunPage, AStopThatNobodyHasHeardIsTold) {
    Json running = kRun;
    running["status"] = "running";
    running["stop_asked"] = nullptr;
    EXPECT_THAT(run_page(running), Not(HasSubstr("stopped")));
    running["stop_asked"] = "2026-01-02T03:04:05Z";
    EXPECT_THAT(run_page(running), HasSubstr("stopped   2026-01-02T03:04:05Z; whoever works on it has not ended it yet\n"));
    running["status"] = "cancelled";
    EXPECT_THAT(run_page(running), Not(HasSubstr("stopped")));
}

TEST(RunPage, TheAnswerStandsLastAndAFailureIsNamed) {
    Json failed = kRun;
    failed["error"] = "no folder";
    failed["answer"] = "So far.";
    const std::string page = run_page(failed);
    EXPECT_THAT(page, HasSubstr("error     no folder\n"));
    EXPECT_TRUE(page.ends_with("\n\nSo far.\n")) << page;
}

}  // namespace
}  // namespace app
