#include "sandbox/launcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include "sandbox/protection.h"
#include "support/fixtures.h"

namespace sandbox {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using std::chrono::milliseconds;

class LauncherTest : public ::testing::Test {
protected:
    static void SetUpTestSuite() { launcher_ = Launcher::start().value().release(); }
    static void TearDownTestSuite() { delete std::exchange(launcher_, nullptr); }
    void SetUp() override {
        if (launcher_->level() < Level::t2) GTEST_SKIP() << "no T2 on this machine: " << launcher_->probes().at(0).found;
        workspace_ = Workspace::open(folder_.path(), Workspace::Access::read_write, {}).value();
    }
    Command shell(const std::string& script) const {
        Command command;
        command.argv = {"bash", "-c", script};
        command.workspace = workspace_.get();
        return command;
    }
    static Outcome run(const Command& command, base::StopToken stop = {}) {
        auto outcome = launcher_->run(command, Level::t2, stop);
        if (!outcome) throw std::runtime_error(outcome.error().text());
        return *outcome;
    }
    Outcome run(const std::string& script) const { return run(shell(script)); }

    static Launcher* launcher_;
    support::TempDir folder_;
    std::unique_ptr<Workspace> workspace_;
};
Launcher* LauncherTest::launcher_ = nullptr;

TEST_F(LauncherTest, RunsAProgramAndReturnsItsOutputAndCode) {
    const Outcome outcome = run("echo out; echo err >&2; exit 7");
    EXPECT_EQ(outcome.exit_code, 7);
    EXPECT_EQ(outcome.output, "out\nerr\n");
    EXPECT_EQ(outcome.level, Level::t2);
    EXPECT_FALSE(outcome.timed_out || outcome.cancelled || outcome.output_cut || outcome.out_of_memory);
    EXPECT_EQ(run("kill -TERM $$").exit_code, 128 + SIGTERM);
}

TEST_F(LauncherTest, FeedsStandardInput) {
    Command command = shell("wc -c");
    command.stdin_text = std::string(100000, 'x');
    EXPECT_EQ(run(command).output, "100000\n");
    command.stdin_text.clear();
    EXPECT_EQ(run(command).output, "0\n");
}

TEST_F(LauncherTest, WorksInTheWorkspaceAtItsOwnPath) {
    fs::create_directory(folder_.path() / "sub");
    EXPECT_EQ(run("pwd; echo made > sub/new.txt").output, folder_.path().string() + "\n");
    EXPECT_EQ(support::read_text(folder_.path() / "sub/new.txt"), "made\n");
    Command command = shell("pwd");
    command.working_directory = "sub";
    EXPECT_EQ(run(command).output, (folder_.path() / "sub").string() + "\n");
    command.working_directory = "../..";
    EXPECT_EQ(launcher_->run(command, Level::t2, {}).error().code, base::Code::permission_denied);
}

TEST_F(LauncherTest, AReadOnlyWorkspaceStaysAsItIs) {
    workspace_ = Workspace::open(folder_.path(), Workspace::Access::read_only, {}).value();
    EXPECT_THAT(run("echo x > new.txt").output, HasSubstr("Read-only file system"));
    EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(LauncherTest, OfANarrowedWorkspaceProgramsWriteInItsFoldersAlone) {
    for (const char* folder : {"prompts/inner", "code", "real"}) fs::create_directories(folder_.path() / folder);
    fs::create_directory_symlink("real", folder_.path() / "skills");
    std::ofstream(folder_.path() / "code/a.c") << "int a;\n";
    const std::string attack =
        "echo one > prompts/a.md; echo two > prompts/inner/b.md;"
        "(echo evil > code/a.c; echo evil > new.c; echo evil > skills/x; rm -rf code; mv code prompts/code; mv prompts elsewhere; ln code/a.c prompts/a.c;"
        " ln -s ../code prompts/out; echo evil > prompts/out/a.c; mount -o remount,rw .; mount --bind prompts code; echo evil > .git/config; mkdir -p .git/hooks/x;"
        " chmod -R 777 code; touch code) 2>/dev/null; echo end";
    // The attack is real: where all may be written, it succeeds.
    EXPECT_EQ(run("cp -r . /tmp/w && cd /tmp/w && " + attack + "; ls code elsewhere/code/a.c 2>/dev/null | head -1").output.substr(0, 4), "end\n");
    workspace_->narrow({"prompts", "skills"});
    for (int time : {1, 2}) {  // the first may be made for the call, the second lay ready
        SCOPED_TRACE(time);
        EXPECT_EQ(run(attack).output, "end\n");
        EXPECT_EQ(support::read_text(folder_.path() / "prompts/a.md"), "one\n");
        EXPECT_EQ(support::read_text(folder_.path() / "prompts/inner/b.md"), "two\n");
        EXPECT_EQ(support::read_text(folder_.path() / "code/a.c"), "int a;\n");
        for (const char* absent : {"new.c", "elsewhere", "real/x", "prompts/a.c", ".git"}) EXPECT_FALSE(fs::exists(folder_.path() / absent)) << absent;
    }
}

TEST_F(LauncherTest, WhatANarrowedWorkspaceHoldsUnderASecondNameStaysAsItIs) {
    for (const char* folder : {"prompts/inner", "code"}) fs::create_directories(folder_.path() / folder);
    std::ofstream(folder_.path() / "code/a.c") << "int a;\n";
    std::ofstream(folder_.path() / "prompts/own.md") << "";
    for (const char* name : {"prompts/hard.c", "prompts/inner/hard.c"}) fs::create_hard_link(folder_.path() / "code/a.c", folder_.path() / name);
    const std::string attack = "for f in prompts/hard.c prompts/inner/hard.c; do (echo evil > $f; echo evil >> $f; chmod 777 $f; rm $f; mv $f prompts/soft.c) 2>/dev/null; done; echo mine > prompts/own.md; echo end";
    workspace_->narrow({"prompts"});
    for (int time : {1, 2}) {
        SCOPED_TRACE(time);
        EXPECT_EQ(run(attack).output, "end\n");
        EXPECT_EQ(support::read_text(folder_.path() / "code/a.c"), "int a;\n");
        EXPECT_EQ(support::read_text(folder_.path() / "prompts/own.md"), "mine\n") << "the folder is open";
    }
    for (int i = 0; i < kMostSecondNames; ++i) fs::create_hard_link(folder_.path() / "code/a.c", folder_.path() / ("prompts/more" + std::to_string(i)));
    EXPECT_THAT(run("echo evil > prompts/more1; echo more > prompts/own.md").output, HasSubstr("Read-only file system"));
    EXPECT_EQ(support::read_text(folder_.path() / "prompts/own.md"), "mine\n") << "too many to be held: nothing is open";
    EXPECT_EQ(support::read_text(folder_.path() / "code/a.c"), "int a;\n");
}

TEST_F(LauncherTest, WithoutAWorkspaceThereIsAnEmptyFolder) {
    Command command = shell("pwd; ls -A | wc -l; echo x > here && cat here");
    command.workspace = nullptr;
    EXPECT_EQ(run(command).output, "/workspace\n0\nx\n");
}

TEST_F(LauncherTest, HidesMaskedFolders) {
    fs::create_directories(folder_.path() / "state");
    std::ofstream(folder_.path() / "state/secret") << "canary";
    fs::create_directories(folder_.path() / "state/inner");
    workspace_ = Workspace::open(folder_.path(), Workspace::Access::read_write, {folder_.path() / "state", folder_.path() / "state/inner"}).value();
    EXPECT_EQ(run("(mv state other; umount state; chmod 755 state; ls -A state other; cat state/secret) 2>/dev/null; echo end").output, "end\n");
    for (const char* look : {"ls state", "cat state/secret", "cat state/nothing", "ls state/inner", "cd state"}) EXPECT_THAT(run(look).output, HasSubstr("ermission denied")) << look;
    EXPECT_TRUE(fs::exists(folder_.path() / "state/secret"));
}

TEST_F(LauncherTest, HidesMaskedFiles) {
    std::ofstream(folder_.path() / "key.pem") << "canary";
    workspace_ = Workspace::open(folder_.path(), Workspace::Access::read_write, {folder_.path() / "key.pem"}).value();
    const std::string tries = "cat key.pem; mv key.pem other; rm -f key.pem; umount key.pem; chmod 666 key.pem; (echo x > key.pem); cat key.pem other";
    EXPECT_EQ(run("(" + tries + ") 2>/dev/null; echo end").output, "end\n");
    EXPECT_THAT(run("cat key.pem").output, HasSubstr("Permission denied"));
    EXPECT_EQ(support::read_text(folder_.path() / "key.pem"), "canary");
}

TEST_F(LauncherTest, CutsOutputInTheMiddleAndCountsIt) {
    Command command = shell("seq 100000");
    command.limits.output_bytes = 1000;
    const Outcome outcome = run(command);
    EXPECT_TRUE(outcome.output_cut);
    EXPECT_EQ(outcome.output_bytes, 588895u);
    EXPECT_TRUE(outcome.output.starts_with("1\n2\n"));
    EXPECT_TRUE(outcome.output.ends_with("\n100000\n"));
    EXPECT_THAT(outcome.output, HasSubstr("[… 587895 bytes cut here …]"));
}

TEST_F(LauncherTest, KillsWhatWritesWithoutEnd) {
    Command command = shell("yes");
    command.limits.drain_bytes = 8 << 20;
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.exit_code, 128 + SIGKILL);
    EXPECT_LT(outcome.wall, milliseconds(5000));
    EXPECT_LT(outcome.output.size(), 2u << 20);
}

TEST_F(LauncherTest, HonoursTheDeadline) {
    Command command = shell("trap '' TERM; exec sleep 60");
    command.limits.wall = milliseconds(200);
    const Outcome outcome = run(command);
    EXPECT_TRUE(outcome.timed_out);
    EXPECT_EQ(outcome.exit_code, 128 + SIGKILL);
    EXPECT_LT(outcome.wall, milliseconds(2000));
}

TEST_F(LauncherTest, StopsWhenAsked) {
    base::StopSource source;
    std::thread other([&] { std::this_thread::sleep_for(milliseconds(100)), source.request_stop(); });
    const Outcome outcome = run(shell("sleep 60"), source.token());
    other.join();
    EXPECT_TRUE(outcome.cancelled);
    const Outcome late = run(shell("sleep 60"), base::StopSource({}, std::chrono::steady_clock::now() + milliseconds(100)).token());
    EXPECT_TRUE(late.timed_out);
}

TEST_F(LauncherTest, RunsManyAtOnce) {
    std::vector<std::thread> threads;
    std::vector<std::string> outputs(8);
    for (std::size_t i = 0; i < outputs.size(); ++i)
        threads.emplace_back([&, i] { outputs[i] = run("sleep 0.1; echo " + std::to_string(i)).output; });
    for (std::thread& thread : threads) thread.join();
    for (std::size_t i = 0; i < outputs.size(); ++i) EXPECT_EQ(outputs[i], std::to_string(i) + "\n");
    for (const auto& entry : fs::directory_iterator(folder_.path())) ADD_FAILURE() << "left behind: " << entry.path();
}

TEST_F(LauncherTest, NamesAProgramThatIsMissing) {
    Command command = shell("");
    command.argv = {"no-such-program"};
    const auto outcome = launcher_->run(command, Level::t2, {});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, base::Code::not_found);
    EXPECT_THAT(outcome.error().message, HasSubstr("no-such-program"));
}

TEST_F(LauncherTest, RefusesALevelThatTheMachineLacks) {
    const auto outcome = launcher_->run(shell("true"), Level::t3, {});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, base::Code::permission_denied);
    EXPECT_FALSE(outcome.error().remedy.empty());
}

TEST_F(LauncherTest, RunsAsTheOwnerOfAnUnprivilegedWorkspace) {
    if (geteuid() != 0) GTEST_SKIP() << "only root can hand a folder to another user";
    ASSERT_EQ(chown(folder_.path().c_str(), 12345, 12345), 0);
    const Outcome outcome = run("echo x > mine && stat -c %u . && id -un");
    EXPECT_EQ(outcome.output, "65534\nsandbox\n");
    struct stat about{};
    ASSERT_EQ(stat((folder_.path() / "mine").c_str(), &about), 0);
    EXPECT_EQ(about.st_uid, 12345u);
}

TEST(LauncherDeath, IsReportedAndNothingRunsAfterwards) {
    const std::string before = support::read_text("/proc/self/task/" + std::to_string(getpid()) + "/children");
    auto launcher = Launcher::start().value();
    if (launcher->level() < Level::t2) GTEST_SKIP() << "no T2 on this machine";
    const std::string after = support::read_text("/proc/self/task/" + std::to_string(getpid()) + "/children");
    ASSERT_TRUE(after.starts_with(before));
    ASSERT_EQ(kill(std::stoi(after.substr(before.size())), SIGKILL), 0);
    Command command;
    command.argv = {"true"};
    for (int i = 0; i < 2; ++i) {
        const auto outcome = launcher->run(command, Level::t2, {});
        ASSERT_FALSE(outcome);
        EXPECT_EQ(outcome.error().code, base::Code::unavailable);
    }
    EXPECT_EQ(launcher->probes().at(0).health, base::Health::failed);
}

// Whether every child of this process ends in time.
bool all_end(milliseconds patience) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (waitpid(-1, nullptr, WNOHANG) >= 0) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(milliseconds(1));
    }
    return true;
}

// A process that has run one program, and has the next sandbox ready or in the making.
[[noreturn]] void start_once(const fs::path& folder) {
    auto launcher = Launcher::start().value();
    const auto workspace = Workspace::open(folder, Workspace::Access::read_write, {}).value();
    Command command;
    command.argv = {"true"};
    command.workspace = workspace.get();
    (void)launcher->run(command, Level::t2, {});
    std::ofstream(folder / "ready") << "yes";
    for (;;) pause();
}

// A process that runs program after program until it or its launcher is killed.
[[noreturn]] void start_without_end(const fs::path& folder) {
    auto launcher = Launcher::start().value();
    const auto workspace = Workspace::open(folder, Workspace::Access::read_write, {}).value();
    Command command;
    command.argv = {"sleep", "0.002"};
    command.workspace = workspace.get();
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            while (launcher->run(command, Level::t2, {})) {}
        });
    std::ofstream(folder / "ready") << "yes";
    for (std::thread& thread : threads) thread.join();
    launcher.reset();
    _exit(0);
}

pid_t first_child_of(pid_t process) {
    pid_t child = 0;
    std::istringstream(support::read_text("/proc/" + std::to_string(process) + "/task/" + std::to_string(process) + "/children")) >> child;
    return child;
}
pid_t itself(pid_t process) { return process; }

// Kills such a process, or its launcher, again and again; its exit status is how often something outlived both.
[[noreturn]] void kill_servers(int rounds, void (*serve)(const fs::path&), std::chrono::microseconds step, pid_t (*victim)(pid_t server)) {
    // What nobody else waits for becomes a child of this process.
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int outlived = 0;
    for (int round = 0; round < rounds; ++round) {
        const support::TempDir folder;
        const pid_t server = fork();
        if (server == 0) serve(folder.path());
        while (!fs::exists(folder.path() / "ready")) std::this_thread::sleep_for(milliseconds(1));
        std::this_thread::sleep_for(round * step % std::chrono::milliseconds(60));
        kill(victim(server), SIGKILL);
        if (all_end(milliseconds(5000))) continue;
        ++outlived;
        std::istringstream pids(support::read_text("/proc/self/task/" + std::to_string(getpid()) + "/children"));
        for (pid_t pid = 0; pids >> pid;) {
            std::cerr << "round " << round << ": " << pid << " " << support::read_text("/proc/" + std::to_string(pid) + "/wchan") << "\n";
            kill(pid, SIGKILL);
        }
        all_end(milliseconds(5000));
    }
    _exit(outlived);
}

// How often in so many rounds.
int outlived(int rounds, void (*serve)(const fs::path&), std::chrono::microseconds step, pid_t (*victim)(pid_t server) = itself) {
    const pid_t watcher = fork();
    if (watcher == 0) kill_servers(rounds, serve, step, victim);
    int status = 0;
    return waitpid(watcher, &status, 0) == watcher && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(LauncherDeath, OfTheServerWhileProgramsStartLeavesNoProcess) {
    if (Launcher::start().value()->level() < Level::t2) GTEST_SKIP() << "no T2 on this machine";
    EXPECT_EQ(outlived(40, start_without_end, std::chrono::microseconds(7919)), 0) << "times in 40 something outlived its server";
}

TEST(LauncherDeath, WhileProgramsStartLeavesNoProcess) {
    if (Launcher::start().value()->level() < Level::t2) GTEST_SKIP() << "no T2 on this machine";
    EXPECT_EQ(outlived(40, start_without_end, std::chrono::microseconds(7919), first_child_of), 0) << "times in 40 something outlived the launcher";
}

TEST(LauncherDeath, OfTheServerBetweenProgramsLeavesNoProcess) {
    if (Launcher::start().value()->level() < Level::t2) GTEST_SKIP() << "no T2 on this machine";
    EXPECT_EQ(outlived(20, start_once, std::chrono::microseconds(3001)), 0) << "times in 20 something outlived its server";
}

}  // namespace
}  // namespace sandbox
