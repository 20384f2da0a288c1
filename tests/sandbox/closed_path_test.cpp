// Workspaces whose path the sandbox's user may not walk: opened by another, handed over as a descriptor.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <thread>

#include "sandbox/launcher.h"
#include "support/as_user.h"
#include "support/fixtures.h"

namespace sandbox {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kUser = "hearth";

std::string said_as(const passwd& user, const std::function<std::string(Launcher&)>& work) {
    return support::said_as(user, [&] {
        auto launcher = Launcher::start();
        return launcher ? work(**launcher) : launcher.error().text();
    });
}

class ClosedPath : public ::testing::Test {
protected:
    void SetUp() override {
        if (geteuid() != 0) GTEST_SKIP() << "only root can open what another user may not reach";
        const passwd* found = getpwnam(kUser);
        if (!found) GTEST_SKIP() << "there is no user " << kUser;
        user_ = *found;
        fs::permissions(dir_.path(), fs::perms(0700));
        make(work_);
    }

    // A repository where that user may write everything, beside a secret.
    void make(const fs::path& folder) const {
        fs::create_directories(folder / ".git/hooks");
        for (const char* open : {"", ".git", ".git/hooks"}) chmod((folder / open).c_str(), 0777);
        put(folder / ".git/config", "[core]\n", 0666);
        put(folder / "notes.txt", "milk\n", 0644);
        put(folder / "private.txt", "canary\n", 0600);
        put(folder.parent_path() / "beside.txt", "canary\n", 0644);
    }
    static void put(const fs::path& file, const std::string& text, unsigned mode) {
        std::ofstream(file) << text;
        chmod(file.c_str(), mode);
    }

    static std::string run(Launcher& launcher, Workspace& workspace, const std::string& script) {
        if (launcher.level() < Level::t2) return "no T2 on this machine";
        Command command;
        command.argv = {"bash", "-c", script};
        command.workspace = &workspace;
        // In a sandbox that is made for it, and in one that was made before.
        Command before = command;
        before.argv = {"true"};
        const auto outcome = launcher.run(command, Level::t2, {});
        if (!outcome) return outcome.error().text();
        for (bool ready = false; !ready; std::this_thread::sleep_for(std::chrono::milliseconds(200))) {
            const auto ran = launcher.run(before, Level::t2, {});
            if (!ran) return ran.error().text();
            ready = ran->was_ready;
        }
        const auto again = launcher.run(command, Level::t2, {});
        return !again ? again.error().text() : again->output == outcome->output || !again->was_ready ? outcome->output : outcome->output + "then " + again->output;
    }

    // The script's output in a workspace that root opened.
    std::string inside(const std::string& script, Workspace::Access access = Workspace::Access::read_write, const std::vector<fs::path>& masked = {}) const {
        return in_folder(work_, script, access, masked);
    }
    std::string in_folder(const fs::path& folder, const std::string& script, Workspace::Access access = Workspace::Access::read_write,
                          const std::vector<fs::path>& masked = {}) const {
        const int opened = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const auto work = [&](Launcher& launcher) {
            auto workspace = Workspace::from_fd(Fd(dup(opened)), folder, access, masked);
            return workspace ? run(launcher, **workspace, script) : workspace.error().text();
        };
        const std::string said = said_as(user_, work);
        close(opened);
        return said;
    }

    support::TempDir dir_;
    fs::path work_ = dir_.path() / "work";
    passwd user_{};
};

TEST_F(ClosedPath, ProgramsReadAndWriteAsTheModesSay) {
    EXPECT_EQ(inside("pwd; cat notes.txt; echo bread > new.txt; ls -A; stat -c %u new.txt"),
              work_.string() + "\nmilk\n.bash_login\n.bash_logout\n.bash_profile\n.bashrc\n.git\n.gitconfig\n.hearth\n.mcp.json\n.profile\n.zlogin\n.zprofile\n"
                               ".zshenv\n.zshrc\nhearth.yaml\nnew.txt\nnotes.txt\nprivate.txt\n65534\n");
    struct stat about{};
    ASSERT_EQ(stat((work_ / "new.txt").c_str(), &about), 0);
    EXPECT_EQ(about.st_uid, user_.pw_uid);
    EXPECT_THAT(inside("cat private.txt; echo x >> notes.txt"), AllOf(HasSubstr("private.txt: Permission denied"), HasSubstr("notes.txt: Permission denied")));
    EXPECT_EQ(support::read_text(work_ / "notes.txt"), "milk\n");
}

TEST_F(ClosedPath, NothingElseOfTheHostIsThere) {
    EXPECT_EQ(inside("ls -A " + dir_.path().string() + "; ls -A /tmp; cat " + (dir_.path() / "beside.txt").string() + " /tmp/../beside.txt 2>/dev/null"),
              "work\n" + dir_.path().filename().string() + "\n");
    EXPECT_THAT(inside("readlink /proc/1/cwd /proc/1/root; cat /proc/*/environ"), Not(HasSubstr("canary")));
}

TEST_F(ClosedPath, WhatProgramsOutsideObeyCannotBeWritten) {
    const std::string attack =
        "for f in .git/hooks/pre-commit .git/config .bashrc .git/commondir; do (echo evil >> $f) 2>/dev/null && echo wrote $f; done;"
        "mv .git aside 2>/dev/null && echo moved; mkdir -p .hearth/x 2>/dev/null && echo made";
    // The attack is real: unsandboxed, that user can.
    const int opened = open(work_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const auto plain = [&](Launcher&) {
        const Fd hook(openat(opened, ".git/hooks/plain", O_WRONLY | O_CREAT, 0755)), rc(openat(opened, ".profile", O_WRONLY | O_CREAT, 0644));
        return std::string(hook && rc ? "wrote" : "could not");
    };
    EXPECT_EQ(said_as(user_, plain), "wrote");
    close(opened);
    EXPECT_EQ(inside(attack), "wrote .git/commondir\n");  // removed afterwards: git obeys no absent one
    EXPECT_EQ(support::read_text(work_ / ".git/config"), "[core]\n");
    for (const char* absent : {".bashrc", ".git/commondir", ".git/hooks/pre-commit", ".hearth", "aside"}) EXPECT_FALSE(fs::exists(work_ / absent)) << absent;
}

TEST_F(ClosedPath, EveryMountIsAsInAWorkspaceThatIsReachable) {
    support::TempDir open;
    fs::permissions(open.path(), fs::perms(0755));
    make(open.path() / "work");
    const std::string mounts = "awk '{ print $5, $6 }' /proc/self/mountinfo; grep -E '^(Cap|NoNewPrivs|Seccomp:|Groups)' /proc/self/status; "
                               "id; for x in user mnt pid net ipc uts; do unshare --$x true 2>/dev/null && echo $x; done; mount -t tmpfs x /tmp 2>/dev/null && echo mounted";
    for (const auto access : {Workspace::Access::read_write, Workspace::Access::read_only}) {
        std::string closed = inside(mounts, access), reached = in_folder(open.path() / "work", mounts, access);
        EXPECT_THAT(closed, AllOf(HasSubstr(work_.string() + (access == Workspace::Access::read_only ? " ro," : " rw,")), HasSubstr("CapEff:\t0000000000000000"), HasSubstr("CapBnd:\t0000000000000000")));
        for (std::size_t at; (at = closed.find(dir_.path().string())) != closed.npos;) closed.replace(at, dir_.path().string().size(), open.path().string());
        EXPECT_EQ(closed, reached);
    }
}

TEST_F(ClosedPath, ReadOnlyAndMaskedHoldThere) {
    EXPECT_THAT(inside("echo x > new.txt; cat notes.txt", Workspace::Access::read_only), AllOf(HasSubstr("Read-only file system"), HasSubstr("milk")));
    EXPECT_FALSE(fs::exists(work_ / "new.txt"));
    fs::create_directories(work_ / "state");
    put(work_ / "state/secret", "canary", 0644);
    EXPECT_EQ(inside("ls -A state 2>/dev/null; cat state/secret 2>/dev/null; echo end", Workspace::Access::read_write, {work_ / "state"}), "end\n");
    EXPECT_THAT(inside("cat state/secret", Workspace::Access::read_write, {work_ / "state"}), HasSubstr("Permission denied"));
}

TEST_F(ClosedPath, RootsLauncherBecomesTheOwnerAndReachesItToo) {
    ASSERT_EQ(chown(work_.c_str(), 12345, 12345), 0);
    chmod(work_.c_str(), 0700);
    auto launcher = Launcher::start().value();
    if (launcher->level() < Level::t2) GTEST_SKIP() << "no T2 on this machine: " << launcher->probes().at(0).found;
    auto workspace = Workspace::open(work_, Workspace::Access::read_write, {}).value();
    EXPECT_EQ(run(*launcher, *workspace, "cat notes.txt; echo x > mine; grep CapEff /proc/self/status; id -u; cat private.txt 2>/dev/null"),
              "milk\nCapEff:\t0000000000000000\n65534\n");
    struct stat about{};
    ASSERT_EQ(stat((work_ / "mine").c_str(), &about), 0);
    EXPECT_EQ(about.st_uid, 12345u);
}

TEST_F(ClosedPath, AClosedFolderIsRefusedByName) {
    chmod(work_.c_str(), 0700);
    const std::string said = inside("true");
    EXPECT_THAT(said, AllOf(HasSubstr(work_.string() + " is closed to the user hearth"), HasSubstr("chmod")));
}

}  // namespace
}  // namespace sandbox
