#include "tools/bash.h"

#include <gmock/gmock.h>

#include "support/tool_call.h"

namespace {

using base::Code;
using support::ToolBench;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class Bash : public testing::Test {
protected:
    static void SetUpTestSuite() { launcher_ = sandbox::Launcher::start().value().release(); }
    static void TearDownTestSuite() { delete std::exchange(launcher_, nullptr); }
    void SetUp() override {
        if (launcher_->level() < sandbox::Level::t2) GTEST_SKIP() << "no T2 on this machine: " << launcher_->probes().at(0).found;
    }
    static sandbox::Launcher* launcher_;
    ToolBench bench_{sandbox::Workspace::Access::read_write, launcher_};
};
sandbox::Launcher* Bash::launcher_ = nullptr;

TEST_F(Bash, SaysWhatTheCommandSaidAndHowItEnded) {
    const auto out = bench_.call("bash", {{"command", "pwd; echo oops >&2; exit 3"}});
    ASSERT_TRUE(out.ok()) << out.error().text();
    EXPECT_EQ(out->text, bench_.path().string() + "\noops\n[exit code 3]");
    EXPECT_EQ(out->facts["exit_code"], 3);
    EXPECT_EQ(out->facts["timed_out"], false);
    EXPECT_EQ(out->facts["level"], "T2");
    EXPECT_FALSE(out->truncated);
    EXPECT_EQ(bench_.call("bash", {{"command", "printf x"}})->text, "x\n[exit code 0]");
    EXPECT_EQ(bench_.call("bash", {{"command", "kill -SEGV $$"}})->text, "[exit code 139: signal 11]");
    EXPECT_THAT(bench_.call("bash", {{"command", "no-such-program"}})->text, EndsWith("[exit code 127]"));
}

TEST_F(Bash, ReadsWhatItIsGiven) {
    EXPECT_EQ(bench_.call("bash", {{"command", "tr a-z A-Z"}, {"stdin", "loud\n"}})->text, "LOUD\n[exit code 0]");
    EXPECT_EQ(bench_.call("bash", {{"command", "cat"}})->text, "[exit code 0]");
}

TEST_F(Bash, GivesVariablesToTheProgramAlone) {
    tools::OpenSecrets secrets;
    std::string text = "canary-of-a-bash-call";
    secrets.emplace("secret:github", base::SecretValue::take(text));
    bench_.secrets = &secrets;
    const base::Json env = {{"TOKEN", "secret:github"}, {"MODE", "a b=c"}, {"EMPTY", ""}};
    EXPECT_EQ(bench_.call("bash", {{"command", "echo $TOKEN,$MODE,$EMPTY,$HOME; env -u TOKEN bash -c 'echo $TOKEN,$MODE'"}, {"env", env}})->text,
              "canary-of-a-bash-call,a b=c,,/tmp\n,a b=c\n[exit code 0]");
    const auto seen = bench_.call("bash", {{"command", "cat /proc/[0-9]*/cmdline /proc/1/environ | tr '\\0' ' '; ls /proc/self/fd"}, {"env", env}});
    EXPECT_THAT(seen->text, testing::Not(HasSubstr("canary")));
    EXPECT_THAT(bench_.call("bash", {{"command", "env"}})->text, testing::Not(testing::AnyOf(HasSubstr("canary"), HasSubstr("TOKEN")))) << "the next call has its own";
    EXPECT_EQ(bench_.call("bash", {{"command", "touch done"}, {"env", {{"OTHER", "secret:other"}}}}).error().code, Code::unavailable) << "a handle is never the text in its place";
}

TEST_F(Bash, ChecksItsVariables) {
    base::Json many = base::Json::object();
    for (int i = 0; i < 33; ++i) many["V" + std::to_string(i)] = "x";
    for (const base::Json& env : {base::Json{{"", "x"}}, base::Json{{"A=B", "x"}}, base::Json{{"1A", "x"}}, base::Json{{"A B", "x"}}, base::Json{{"A", 1}}, base::Json{{"A", {{"B", "x"}}}}, base::Json("A=x"),
                                  base::Json{{"A", std::string("x\0y", 3)}}, many}) {
        const auto out = bench_.call("bash", {{"command", "true"}, {"env", env}});
        ASSERT_FALSE(out.ok()) << env.dump();
        EXPECT_EQ(out.error().code, Code::invalid_argument) << env.dump();
    }
}

TEST_F(Bash, ChecksItsArguments) {
    for (const base::Json& arguments : {base::Json{{"cmd", "true"}}, base::Json::object(), base::Json{{"command", 1}}, base::Json{{"command", "true"}, {"timeout_seconds", 0}},
                                        base::Json{{"command", "true"}, {"timeout_seconds", 31}}, base::Json{{"command", "true"}, {"timeout_seconds", 1.5}},
                                        base::Json{{"command", "true"}, {"stdin", 5}}, base::Json{{"command", "true"}, {"cwd", "/"}}, base::Json{{"command", "true"}, {"sandbox", false}},
                                        base::Json{{"command", std::string("true\0false", 10)}}}) {
        const auto out = bench_.call("bash", arguments);
        ASSERT_FALSE(out.ok()) << arguments.dump();
        EXPECT_EQ(out.error().code, Code::invalid_argument) << arguments.dump();
        EXPECT_FALSE(out.error().message.empty());
    }
}

TEST_F(Bash, CutsLongOutputInTheMiddle) {
    const auto out = bench_.call("bash", {{"command", "seq 100000"}});
    EXPECT_TRUE(out->truncated);
    EXPECT_THAT(out->text, StartsWith("1\n2\n"));
    EXPECT_THAT(out->text, EndsWith("\n100000\n[exit code 0]"));
    EXPECT_THAT(out->text, HasSubstr("bytes cut here"));
    EXPECT_LT(out->text.size(), 70000u);
    EXPECT_EQ(out->facts["output_bytes"], 588895);
}

TEST_F(Bash, OutputThatIsNoTextBecomesText) {
    EXPECT_EQ(bench_.call("bash", {{"command", "printf 'a\\xff\\xfeb\\n'"}})->text, "a\xEF\xBF\xBD\xEF\xBF\xBD" "b\n[exit code 0]");
}

TEST_F(Bash, IsKilledAtItsDeadline) {
    const auto start = std::chrono::steady_clock::now();
    const auto out = bench_.call("bash", {{"command", "echo begun; sleep 60"}, {"timeout_seconds", 1}});
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
    EXPECT_EQ(out->text, "begun\n[killed: the deadline of 1 s passed]");
    EXPECT_EQ(out->facts["timed_out"], true);
}

TEST_F(Bash, SaysThatMemoryWasTheReason) {
    const auto out = bench_.call("bash", {{"command", "head -c 700M /dev/zero | tail; exit 137"}});
    EXPECT_EQ(out->facts["out_of_memory"], true);
    EXPECT_THAT(out->text, HasSubstr("[killed: out of memory, 512 MiB for all its processes together; exit code"));
}

TEST_F(Bash, TellsWhatItTookOutOfARepository) {
    if (bench_.call("bash", {{"command", "git --version"}})->facts["exit_code"] != 0) GTEST_SKIP() << "git is not installed";
    const auto out = bench_.call("bash", {{"command", "git init -q sub; git -C sub config core.pager evil"}});
    EXPECT_EQ(out->text, "[sub/.git/config: core.pager is taken out, git would obey it outside the sandbox]\n[exit code 0]");
    EXPECT_EQ(out->facts["disarmed"], 1);
}

// Nothing runs below the level that it needs, nor without a sandbox or a workspace.
class LowLauncher final : public sandbox::Launcher {
public:
    base::Result<sandbox::Outcome> run(const sandbox::Command&, sandbox::Level required, base::StopToken) override {
        asked = required;
        return base::error(Code::permission_denied, "programs need sandbox level T2");
    }
    sandbox::Level level() const override { return sandbox::Level::t0; }
    base::Probes probes() const override { return {}; }
    sandbox::Level asked = sandbox::Level::t0;
};

TEST(BashWithoutASandbox, IsRefused) {
    LowLauncher low;
    ToolBench below(sandbox::Workspace::Access::read_write, &low);
    EXPECT_EQ(below.call("bash", {{"command", "touch made"}}).error().code, Code::permission_denied);
    EXPECT_EQ(low.asked, sandbox::Level::t2);
    ToolBench without;
    EXPECT_EQ(without.call("bash", {{"command", "touch made"}}).error().code, Code::unavailable);
    EXPECT_FALSE(std::filesystem::exists(without.path() / "made"));
}

TEST_F(Bash, AReadOnlyWorkspaceStaysAsItIs) {
    ToolBench still(sandbox::Workspace::Access::read_only, launcher_);
    EXPECT_THAT(still.call("bash", {{"command", "touch made"}})->text, HasSubstr("Read-only file system"));
    EXPECT_TRUE(std::filesystem::is_empty(still.path()));
}

}  // namespace
