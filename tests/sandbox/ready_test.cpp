// Sandboxes that are made before the call that they serve: they are as others, and know nothing older than the call.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "sandbox/launcher.h"
#include "support/fixtures.h"
#include "support/programs.h"
#include "support/waiting_sandbox.h"

namespace sandbox {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::HasSubstr;

void put(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
}

// What a file below /proc says, up to a NUL; nothing once its process has ended, which an iterator of the stream would throw.
std::string said_by(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::string out;
    std::getline(in, out, '\0');
    return out;
}

// The waiters on this machine whose launcher is a child of this process.
std::vector<pid_t> waiters() {
    std::vector<pid_t> out;
    const auto parent = [](pid_t pid) {
        const std::string stat = said_by("/proc/" + std::to_string(pid) + "/stat");
        return stat.empty() ? 0 : std::stoi(stat.substr(stat.rfind(')') + 4));
    };
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        if (!std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c); })) continue;
        if (!said_by(entry.path() / "cmdline").starts_with("/proc/self/fd/")) continue;
        pid_t above = std::stoi(name);
        for (int i = 0; i < 4 && above; ++i) above = parent(above);  // pid 1 inside, bubblewrap, launcher
        if (above == getpid()) out.push_back(std::stoi(name));
    }
    return out;
}

// Whether there are so many at some time from now on.
bool await_waiters(std::size_t count, std::chrono::milliseconds patience) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (waiters().size() != count) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(5ms);
    }
    return true;
}

class Ready : public testing::Test {
protected:
    void SetUp() override {
        launcher_ = Launcher::start().value();
        if (launcher_->level() < Level::t2) GTEST_SKIP() << "no T2 on this machine: " << launcher_->probes().at(0).found;
        work_ = dir_.path() / "work";
        fs::create_directory(work_);
        workspace_ = Workspace::open(work_, Workspace::Access::read_write, {}).value();
        limits_.open_files = 200;  // so that the sandbox that is ready after the launcher's own trial serves no test
    }
    Command shell(const std::string& script) const {
        Command command;
        command.argv = {"bash", "-c", script};
        command.workspace = workspace_.get();
        command.limits = limits_;
        return command;
    }
    Outcome run(const Command& command) const {
        auto outcome = launcher_->run(command, Level::t2, {});
        if (!outcome) throw std::runtime_error(outcome.error().text());
        return *outcome;
    }
    Outcome run(const std::string& script) const { return run(shell(script)); }

    void make_ready() const {
        run("true");
        ASSERT_TRUE(support::await_waiting_sandbox()) << "no sandbox was ever ready";
    }
    Outcome run_ready(const std::string& script) const {
        const Outcome out = run(script);
        EXPECT_TRUE(out.was_ready);
        return out;
    }

    std::unique_ptr<Launcher> launcher_;
    support::TempDir dir_;
    fs::path work_;
    std::unique_ptr<Workspace> workspace_;
    Limits limits_;
};

TEST_F(Ready, IsAsASandboxThatIsMadeForTheCall) {
    put(work_ / "sub/file", "x");
    put(work_ / ".git/config", "[core]\n");
    put(work_ / "state/secret", "canary");
    fs::create_symlink("sub/file", work_ / ".profile");
    workspace_ = Workspace::open(work_, Workspace::Access::read_write, {work_ / "state"}).value();
    Command look = shell(
        "echo $$ $PPID; tr '\\0' '\\n' < /proc/self/environ; env; tr '\\0' ' ' < /proc/$$/cmdline; pwd; readlink /proc/self/cwd /proc/self/exe /proc/self/root;"
        "ls -l /proc/$$/fd > /tmp/fd; sed -E 's/.*[0-9]:[0-9]+ //; s/pipe:.*/pipe/' /tmp/fd; rm /tmp/fd; ps -e -o pid,ppid,pgid,sid,tty,comm; hostname; umask; trap; cat /proc/self/limits;"
        "grep -vE '^(Vm|Rss|.*ctxt)' /proc/self/status; grep -E '^(Sig|Cap|Sec|NoNew|Uid|Gid|Groups|State)' /proc/1/status; sed -E 's/hearth-[0-9-]+/hearth/' /proc/self/cgroup; cat /etc/passwd /etc/group;"
        "sed -E 's/^[0-9]+ [0-9]+ [0-9]+:[0-9]+ //; s/master:[0-9]+/master/' /proc/self/mountinfo | sort; ls -AnR --time-style=+ /dev /tmp; ls -An --time-style=+ / /etc | grep -v proc$ | tr -s ' '; cat");  // /proc's links, whose number widens a column, count the whole machine's processes
    look.stdin_text = "the input\n";
    look.working_directory = "sub";
    const Outcome made = run(look);
    EXPECT_FALSE(made.was_ready);
    EXPECT_THAT(made.output, HasSubstr("the input"));
    make_ready();
    const Outcome ready = run(look);
    EXPECT_TRUE(ready.was_ready);
    EXPECT_EQ(ready.output, made.output);
    EXPECT_EQ(ready.exit_code, made.exit_code);
    EXPECT_EQ(ready.memory_by_group, made.memory_by_group);
}

TEST_F(Ready, LeavesNothingInTheFolder) {
    make_ready();
    EXPECT_TRUE(fs::is_empty(work_));
}

TEST_F(Ready, HoldsTheSettingsThatAreThereWhenItIsUsed) {
    put(work_ / ".git/config", "[core]\n");
    put(work_ / ".git/hooks/pre-commit", "#!/bin/sh\n");
    make_ready();
    // As git and editors do: a new file takes the old one's place.
    put(work_ / "new", "[user]\n");
    fs::rename(work_ / "new", work_ / ".git/config");
    fs::rename(work_ / ".git/hooks", work_ / "old");
    put(work_ / ".git/hooks/post-commit", "#!/bin/sh\n");
    put(work_ / ".bashrc", "# mine\n");
    const Outcome out = run_ready("for f in .git/config .git/hooks/post-commit .git/hooks/new .bashrc .zshrc; do echo evil >> $f && echo wrote $f; done 2>/dev/null; mv .git aside 2>/dev/null; cat .bashrc");
    EXPECT_EQ(out.output, "# mine\n");
    EXPECT_EQ(support::read_text(work_ / ".git/config"), "[user]\n");
    EXPECT_FALSE(fs::exists(work_ / ".git/hooks/new"));
}

TEST_F(Ready, HoldsAGitFolderThatHasComeMeanwhile) {
    make_ready();
    put(work_ / ".git/config", "[core]\n");
    EXPECT_EQ(run_ready("(echo evil >> .git/config) 2>/dev/null || echo refused; echo fine > .git/HEAD; cat .git/HEAD").output, "refused\nfine\n");
    make_ready();
    fs::remove_all(work_ / ".git");
    EXPECT_EQ(run_ready("(mkdir -p .git/hooks && echo evil > .git/hooks/x) 2>/dev/null || echo refused").output, "refused\n");
    EXPECT_FALSE(fs::exists(work_ / ".git"));
}

TEST_F(Ready, ShowsTheFolderThatItIsCalledFor) {
    put(work_ / "which", "old");
    make_ready();
    fs::rename(work_, dir_.path() / "moved");
    put(work_ / "which", "new");
    put(work_ / ".git/config", "[core]\n");
    workspace_ = Workspace::open(work_, Workspace::Access::read_write, {}).value();
    EXPECT_EQ(run_ready("cat which; (echo evil >> .git/config) 2>/dev/null; ls -A " + (dir_.path()).string()).output, "newwork\n");
    make_ready();
    put(dir_.path() / "other/which", "other");
    workspace_ = Workspace::open(dir_.path() / "other", Workspace::Access::read_only, {}).value();
    EXPECT_EQ(run_ready("cat which; ls " + work_.string() + " 2>/dev/null; touch x 2>/dev/null || echo fixed").output, "otherfixed\n");
    make_ready();
    Command without = shell("ls -A . " + work_.string() + " 2>/dev/null; pwd; echo x > here; cat here");
    without.workspace = nullptr;
    EXPECT_EQ(run(without).output, ".:\n/workspace\nx\n");
}

TEST_F(Ready, AFolderThatWasClosedMeanwhileIsClosed) {
    if (geteuid() != 0) GTEST_SKIP() << "only root can hand a folder to another user";
    ASSERT_EQ(chown(work_.c_str(), 12345, 12345), 0);
    make_ready();
    const auto said = [&] {
        const auto out = launcher_->run(shell("echo ran"), Level::t2, {});
        return out ? out->output : out.error().message;
    };
    EXPECT_EQ(said(), "ran\n");
    make_ready();
    chmod(work_.c_str(), 0);
    EXPECT_THAT(said(), HasSubstr(work_.string() + ": its owner may not enter it"));
    chmod(work_.c_str(), 0700);
    EXPECT_EQ(said(), "ran\n");
    // Another's rights, another's sandbox.
    make_ready();
    chmod(work_.c_str(), 0777);
    ASSERT_EQ(chown(work_.c_str(), 12346, 12346), 0);
    EXPECT_EQ(run("touch mine; stat -c %u mine").was_ready, false);
    struct stat about{};
    ASSERT_EQ(stat((work_ / "mine").c_str(), &about), 0);
    EXPECT_EQ(about.st_uid, 12346u);
}

// Of a symbolic link both ends are obeyed.
TEST_F(Ready, HoldsLinksAndWhatTheyLeadTo) {
    put(work_ / "dot/rc", "mine\n");
    fs::create_symlink("dot/rc", work_ / ".bashrc");
    fs::create_symlink(work_ / "dot/rc", work_ / ".profile");
    fs::create_symlink("/nowhere", work_ / ".zshrc");
    make_ready();
    EXPECT_EQ(run_ready("{ for f in .bashrc .profile dot/rc; do echo evil >> $f && echo wrote $f; done; for f in .bashrc .profile .zshrc dot/rc; do rm $f && echo removed $f; done; } 2>/dev/null; cat .bashrc").output, "mine\n");
}

TEST_F(Ready, ServesOnlyTheSameLimits) {
    make_ready();
    limits_.tmp_bytes = 4 << 20;
    EXPECT_FALSE(run("true").was_ready);
    make_ready();
    EXPECT_NE(run_ready("head -c 6M /dev/zero > /tmp/x 2>/dev/null").exit_code, 0);
    make_ready();
    limits_.file_bytes = 1 << 20;
    EXPECT_FALSE(run("true").was_ready);
    // What is the call's own does not matter.
    make_ready();
    limits_.wall = 250ms, limits_.output_bytes = 2000;
    std::this_thread::sleep_for(300ms);
    const Outcome fast = run_ready("sleep 0.1; seq 5000");
    EXPECT_TRUE(fast.output_cut);
    EXPECT_FALSE(fast.timed_out) << "the time before the call counted";
    limits_.wall = 5s;
    make_ready();
    limits_.wall = 250ms;
    const Outcome slow = run_ready("sleep 60");
    EXPECT_TRUE(slow.timed_out);
    EXPECT_GE(slow.wall, 250ms);
    EXPECT_LT(slow.wall, 1500ms);
}

TEST_F(Ready, ServesOneCall) {
    make_ready();
    run_ready("echo left > /tmp/left; echo left > /dev/shm/left; (setsid sleep 1000 &)");
    make_ready();
    EXPECT_EQ(run_ready("cat /tmp/left /dev/shm/left 2>/dev/null; ps -e -o comm= | grep sleep; echo end").output, "end\n");
    make_ready();
    Outcome outs[2];
    std::thread other([&] { outs[0] = run("sleep 0.5; ls /tmp"); });
    outs[1] = run("sleep 0.5; ls /tmp");
    other.join();
    EXPECT_NE(outs[0].was_ready, outs[1].was_ready);
    EXPECT_EQ(outs[0].exit_code + outs[1].exit_code, 0);
}

TEST_F(Ready, AtMostTwoWait) {
    for (int i = 0; i < 5; ++i) {
        limits_.open_files = 100 + i;
        make_ready();
        EXPECT_LE(waiters().size(), 3u) << "one may be on its way out";
    }
    std::this_thread::sleep_for(300ms);
    EXPECT_EQ(waiters().size(), 2u);
    limits_.open_files = 103;
    EXPECT_TRUE(run("true").was_ready) << "the last ones stay";
    launcher_.reset();
    EXPECT_TRUE(await_waiters(0, 10s));
}

TEST_F(Ready, OneThatNobodyCallsIsGivenUp) {
    launcher_.reset();
    ASSERT_TRUE(await_waiters(0, 30s));
    constexpr auto kept = 1000ms;
    launcher_ = Launcher::start({.keep_ready = kept}).value();
    bool seen = false;
    for (int i = 0; i < 20 && !seen; ++i) {  // on a busy machine one is given up before it is made
        run("true");
        seen = await_waiters(1, kept);
    }
    ASSERT_TRUE(seen);
    ASSERT_TRUE(await_waiters(0, 30s));
    EXPECT_FALSE(run("true").was_ready);
}

// The call lies before it, and it has not taken it.
TEST_F(Ready, OneThatDiesBeforeItBeginsIsNoErrorOfItsRun) {
    make_ready();
    const auto ready = waiters();
    ASSERT_FALSE(ready.empty());
    for (pid_t pid : ready) kill(pid, SIGSTOP);
    std::optional<base::Result<Outcome>> out;
    std::thread caller([&] { out = launcher_->run(shell("echo ran >> ran; cat ran"), Level::t2, {}); });
    std::this_thread::sleep_for(500ms);
    for (pid_t pid : ready) kill(pid, SIGKILL);
    caller.join();
    ASSERT_TRUE(out->ok()) << out->error().text();
    EXPECT_EQ((*out)->output, "ran\n");
    EXPECT_EQ((*out)->exit_code, 0);
}

TEST_F(Ready, OneThatDiedIsNoErrorOfTheNextRun) {
    make_ready();
    for (pid_t pid : waiters()) kill(pid, SIGKILL);
    EXPECT_EQ(run("echo ran").output, "ran\n");
}

}  // namespace
}  // namespace sandbox
