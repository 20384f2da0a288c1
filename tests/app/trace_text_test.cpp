#include "app/trace_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "app/page.h"

namespace app {
namespace {

using base::Json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct TraceText : testing::Test {
    TraceText() { setenv("TZ", "UTC", 1), tzset(); }
};

// A run that looked twice and answered, as the server tells it.
Json sample() {
    return Json::parse(R"json({"id": "01900000-0000-7000-8000-000000000001", "model": "hearth/dev", "status": "answered", "error": "", "question": "What is here?", "chain": "whole",
        "started": "2026-03-10T14:05:09.000000Z", "finished": "2026-03-10T14:05:24.300000Z", "turn": {},
        "usage": {"prompt_tokens": 4641, "cached_tokens": 2046, "output_tokens": 97, "model_calls": 2, "tool_calls": 1, "prefill_us": 11474108, "decode_us": 3728400},
        "steps": [{"state": "done", "name": "bash", "input": {}}],
        "spans": [
          {"id": "t", "parent": "c", "kind": "tool", "name": "bash", "started": "2026-03-10T14:05:19.300000Z", "duration_us": 10295, "error": "",
           "attributes": {"state": "done", "rule": "workspace_bash", "truncated": true, "facts": {"exit_code": 3}},
           "body": {"arguments": {"command": "echo one\nexit 3", "timeout": 5}, "result": "a\nb\nc\nd\ne"}},
          {"id": "m", "parent": "c", "kind": "model", "name": "dev", "started": "2026-03-10T14:05:09.010000Z", "duration_us": 10283152, "error": "",
           "attributes": {"alias": "default", "backend": "embedded", "model": "Qwen", "profile": "fast", "finish": "tool_calls",
                          "fallbacks": [{"backend": "upstream", "reason": "no connection"}],
                          "usage": {"prompt_tokens": 2046, "cached_tokens": 7, "output_tokens": 28, "forced_tokens": 11, "prefill_us": 9352478, "decode_us": 919152}}, "body": {}},
          {"id": "c", "parent": "r", "kind": "phase", "name": "copilot", "started": "2026-03-10T14:05:09.005000Z", "duration_us": 14300000, "error": "",
           "attributes": {"class": "normal", "next": "recompose", "reasons": ["names a file"], "class_changes": [{"who": "admission", "class": "normal", "why": "names a file"}, {"who": "setting", "class": "heavy", "why": "the person's effort is heavy"}]},
           "body": {"claims": [{"sentence": "I sent it.", "action": "send", "outcome": "withdrawn"}]}},
          {"id": "r", "parent": null, "kind": "run", "name": "hearth/dev", "started": "2026-03-10T14:05:09.000000Z", "duration_us": 15261398, "error": "",
           "attributes": {}, "body": {"request": "What is here?\nTell me.", "answer": "Five lines."}},
          {"id": "e", "parent": "r", "kind": "phase", "name": "critic", "started": "2026-03-10T14:05:24.300000Z", "duration_us": 900000, "error": "",
           "attributes": {"verdict": "fail", "why": "It names no file."}, "body": {}}]})json");
}

TEST_F(TraceText, TellsQuestionAnswerAndWhatWasDoneInItsOrder) {
    EXPECT_EQ(run_text(sample(), {}), R"(run 01900000-0000-7000-8000-000000000001  hearth/dev  answered
2026-03-10 14:05:09, 15.3 s, 2 model calls, 1 tool calls
prompt 4641 tokens, 2046 of them cached, 11.5 s; output 97, 3.7 s

> What is here?
> Tell me.

Five lines.

  5.0 ms  phase copilot                                                   14.3 s
            normal, then recompose; names a file
            class normal by admission
            class heavy by setting: the person's effort is heavy
            claim “I sent it.” that no step had done: withdrawn
   10 ms    model dev                                                     10.3 s
              default → embedded: Qwen, fast
              passed over upstream: no connection
              prompt 2046 tokens, 7 of them cached, 9.4 s; output 28, 11 of them
              forced, 919 ms; ended by tool_calls
  10.3 s    tool bash                                                      10 ms
              command: echo one exit 3
              timeout: 5
              → done, exit code 3, its output was cut for the model
                a
                b
                c
                … 2 lines more
  15.3 s  phase critic                                                    900 ms
            verdict fail: It names no file.
chain: whole
)");
}

TEST_F(TraceText, CutsWhatIsLongAndSaysSo) {
    Json run = sample();
    run["spans"][0]["body"]["arguments"]["command"] = std::string(3000, 'x') + "é";
    run["spans"][3]["body"]["request"] = std::string(5000, 'q');
    std::string answer;
    for (int i = 0; i < 100; ++i) answer += "line " + std::to_string(i) + "\n";
    run["spans"][3]["body"]["answer"] = answer;
    const std::string text = run_text(run, {});
    EXPECT_THAT(text, AllOf(HasSubstr("… (3010 characters)\n"), HasSubstr("line 39\n… 60 lines more\n"), Not(HasSubstr("line 40")), HasSubstr("\n  … 55 lines more")));
}

TEST_F(TraceText, KeepsToTheWidthOfTheTerminal) {
    Json run = sample();
    run["spans"][3]["body"]["answer"] = "  * a long line of many words that is broken where there are blanks, under its own margin: " + std::string(300, 'w');
    run["error"] = "something failed " + std::string(200, 'e');
    for (std::size_t columns : {40, 80, 132})
        for (const std::string& line : lines_of(run_text(run, {columns, false})))
            if (!line.starts_with("run ")) EXPECT_LE(width_of(line), columns) << line;
    EXPECT_THAT(run_text(run, {}), HasSubstr("\n  own margin:\n"));
}

TEST_F(TraceText, ColoursOnlyWhereItIsTold) {
    EXPECT_THAT(run_text(sample(), {80, false}), Not(HasSubstr("\033")));
    EXPECT_THAT(run_text(sample(), {80, true}), HasSubstr("\033[32manswered\033[0m"));
}

TEST_F(TraceText, ShowsWhatWouldActOnTheTerminal) {
    Json run = sample();
    for (const char* field : {"request", "answer"}) run["spans"][3]["body"][field] = "\x1b[2J";
    run["spans"][0]["body"]["result"] = run["spans"][0]["body"]["arguments"]["command"] = run["spans"][1]["name"] = run["error"] = "\x1b]0;";
    run["steps"][0]["state"] = "unknown";
    run["steps"][0]["input"] = {{"x", "\x1b"}};
    EXPECT_THAT(run_text(run, {}), AllOf(HasSubstr("\\u001b[2J"), Not(HasSubstr("\x1b"))));
    Json list = Json::array({run});
    list[0]["question"] = "\x1b[2J";
    EXPECT_THAT(runs_text(list, {}), AllOf(HasSubstr("\\u001b[2J"), Not(HasSubstr("\x1b"))));
}

TEST_F(TraceText, ARunThatBrokeOffHasATimelineAndDoubts) {
    Json run = sample();
    run["spans"].erase(3);
    run["spans"].erase(2);
    run["finished"] = nullptr;
    run["steps"][0] = {{"state", "unknown"}, {"name", "bash"}, {"input", {{"command", "rm x"}}}};
    EXPECT_THAT(run_text(run, {}), AllOf(HasSubstr("09, –,"), HasSubstr("> What is here?\n"), HasSubstr("\n  0.0 ms  model dev "), HasSubstr("\n  10.3 s  tool bash "),
                                         HasSubstr("in doubt: bash {\"command\":\"rm x\"}")));
}

TEST_F(TraceText, AFailureIsToldWhereItHappened) {
    Json run = sample();
    run["spans"][1]["error"] = "the model failed";
    run["spans"][1]["attributes"] = Json::object();
    run["spans"][0]["attributes"]["state"] = "refused";
    EXPECT_THAT(run_text(run, {}), AllOf(HasSubstr("              error: the model failed\n"), HasSubstr("→ refused, exit code 3, its output was cut for the model, rule")));
}

TEST_F(TraceText, TheListIsOneLineARun) {
    Json first = sample(), second = sample();
    second["id"] = "01a22583-99d6-77d7-becf-19d73eb1b3dd";
    second["model"] = "hearth";
    second["status"] = "running";
    second["finished"] = nullptr;
    second["usage"] = Json::object();
    second["question"] = "a question\nthat is longer than what is left of the line";
    EXPECT_EQ(runs_text(Json::array({second, first}), {}), R"(TIME          RUN            SCOPE  STATUS      TOOK  TOKENS  QUESTION
10 Mar 14:05  01a22583-99d6  home   running        –       0  a question that i…
10 Mar 14:05  01900000-0000  dev    answered  15.3 s    4738  What is here?
)");
}

TEST(Page, TimesAreShownAsPeopleReadThem) {
    const std::pair<long, const char*> times[] = {{0, "0.0 ms"}, {1234, "1.2 ms"}, {9960, "10 ms"}, {919152, "919 ms"}, {1049999, "1.0 s"}, {59949000, "59.9 s"}, {125000000, "2 min 5 s"}};
    for (const auto& [time, text] : times) EXPECT_EQ(shown_time(std::chrono::microseconds(time)), text);
}

}  // namespace
}  // namespace app
