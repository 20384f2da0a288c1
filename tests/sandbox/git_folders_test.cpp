// Repositories below the root: what a program leaves in them that the person's own git would run. Each attack first
// runs unsandboxed and must succeed.
#include "sandbox/git_folders.h"

#include <gmock/gmock.h>

#include <fstream>
#include <iostream>
#include <thread>

#include "sandbox/launcher.h"
#include "support/fixtures.h"
#include "support/programs.h"

namespace sandbox {
namespace {

namespace fs = std::filesystem;
using support::run_plain;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct Attack {
    const char* name;
    const char* before;  // by the person
    const char* plant;   // by the program; $evil is a command that leaves a file
    const char* git;     // by the person, afterwards
};

const Attack kAttacks[] = {
    {"settings of a new repository", "", "git init -q sub; git -C sub config core.fsmonitor \"$evil\"", "git -C sub status"},
    {"an included file", "", "git init -q sub; git -C sub config include.path ../more; printf '[core]\\n\\tfsmonitor=\"%s\"\\n' \"$evil\" > sub/more", "git -C sub status"},
    {"a hook of a new repository", "", "git init -q sub; printf '#!/bin/sh\\n%s\\n' \"$evil\" > sub/.git/hooks/pre-commit; chmod +x sub/.git/hooks/pre-commit", "git -C sub commit --allow-empty -m x"},
    {"a folder of hooks that is a link", "", "git init -q sub; rm -rf sub/.git/hooks; mkdir h; printf '#!/bin/sh\\n%s\\n' \"$evil\" > h/pre-commit; chmod +x h/pre-commit; ln -s ../../h sub/.git/hooks", "git -C sub commit --allow-empty -m x"},
    {"settings behind a link", "", "git init -q sub; cp sub/.git/config c; git config -f c core.fsmonitor \"$evil\"; ln -sf ../../c sub/.git/config", "git -C sub status"},
    {"settings of one worktree", "", "git init -q sub; git -C sub config extensions.worktreeConfig true; git -C sub config --worktree core.fsmonitor \"$evil\"", "git -C sub status"},
    {"a bare repository", "", "git init -q --bare x; git -C x config core.bare false; git -C x config core.worktree .; git -C x config core.fsmonitor \"$evil\"", "git -C x status"},
    {"a repository kept elsewhere", "", "git init -q --separate-git-dir=g sub; git -C sub config core.fsmonitor \"$evil\"", "git -C sub status"},
    {"a repository behind a link", "", "git init -q g; mv g/.git h; mkdir sub; ln -s ../h sub/.git; git -C sub config core.fsmonitor \"$evil\"", "git -C sub status"},
    {"a gitlink", "git init -q; git commit -q --allow-empty -m one", "git init -q sub; git -C sub commit -q --allow-empty -m one; git update-index --add --cacheinfo 160000,$(git -C sub rev-parse HEAD),sub; git -C sub config core.fsmonitor \"$evil\"", "git status"},
    {"a submodule", "git init -q", "git init -q sub; mkdir -p .git/modules; mv sub/.git .git/modules/sub; echo 'gitdir: ../.git/modules/sub' > sub/.git; git -C sub config core.fsmonitor \"$evil\"", "git -C sub status"},
    {"a repository among the objects", "git init -q", "git init -q sub; mv sub/.git .git/objects/zz; echo 'gitdir: ../.git/objects/zz' > sub/.git; git -C sub config core.fsmonitor \"$evil\"", "git -C sub status"},
    {"a worktree with other common settings", "git init -q; git commit -q --allow-empty -m one", "git worktree add -q wt; cp -r .git common; git config -f common/config core.fsmonitor \"$evil\"; rm common/HEAD; echo ../../../common > .git/worktrees/wt/commondir", "git -C wt status"},
    {"a repository put in another's place", "git init -q sub", "mv sub old; cp -r old sub; git -C sub config core.fsmonitor \"$evil\"", "git -C sub status"},
    {"a repository folder put in another's place", "git init -q sub", "mv sub/.git sub/old; cp -r sub/old sub/.git; git -C sub config core.fsmonitor \"$evil\"", "git -C sub status"},
    {"a hook of a repository without any", "git init -q sub; rm -rf sub/.git/hooks", "mkdir sub/.git/hooks; printf '#!/bin/sh\\n%s\\n' \"$evil\" > sub/.git/hooks/pre-commit; chmod +x sub/.git/hooks/pre-commit", "git -C sub commit --allow-empty -m x"},
    {"a repository with the settings of another", "git init -q sub", "cp -r sub/.git common; git config -f common/config core.fsmonitor \"$evil\"; echo ../../common > sub/.git/commondir", "git -C sub status"},
    {"an unfinished rebase", "git init -q; git commit -q --allow-empty -m one; echo 1 > f; git add f; git commit -qm two; GIT_SEQUENCE_EDITOR='sed -i 1ibreak' git rebase -q -i --root",
     "printf ' x\t%s\n' \"$evil\" >> .git/rebase-merge/git-rebase-todo", "git rebase --continue"},
    {"a rebase that a program began", "git init -q; git commit -q --allow-empty -m one; echo 1 > f; git add f; git commit -qm two",
     "GIT_SEQUENCE_EDITOR='sed -i 1ibreak' git rebase -q -i --root; mv .git/rebase-merge r; echo \"exec $evil\" >> r/git-rebase-todo; ln -s ../r .git/rebase-merge", "git rebase --continue"},
    {"a repository that only lets pass", "", "mkdir p; git init -q p/sub; git -C p/sub config core.fsmonitor \"$evil\"; chmod 0 p/sub/.git/config; chmod 0644 p/sub/.git/config; chmod 0111 p", "git -C p/sub status"},
};

class GitFoldersTest : public testing::Test {
protected:
    static void SetUpTestSuite() { launcher_ = Launcher::start().value().release(); }
    static void TearDownTestSuite() { delete std::exchange(launcher_, nullptr); }
    void SetUp() override {
        if (launcher_->level() < Level::t2) GTEST_SKIP() << "no T2 on this machine: " << launcher_->probes().at(0).found;
        if (run_plain({"git", "--version"}, "/").exit_code != 0) GTEST_SKIP() << "git is not installed";
    }
    static std::string with_names(const fs::path& folder, const std::string& script) {
        return "export GIT_AUTHOR_NAME=n GIT_AUTHOR_EMAIL=e GIT_COMMITTER_NAME=n GIT_COMMITTER_EMAIL=e; cd " + folder.string() + "; evil=\"touch $PWD/executed;false\"; " + script;
    }
    static support::Ran plain(const fs::path& folder, const std::string& script) { return run_plain({"env", "-u", "BASH_ENV", "bash", "-c", with_names(folder, script)}, folder, std::chrono::seconds(120)); }
    static Outcome inside(const fs::path& folder, const std::string& script) {
        const auto workspace = Workspace::open(folder, Workspace::Access::read_write, {}).value();
        Command command;
        command.argv = {"bash", "-c", with_names(folder, script)};
        command.workspace = workspace.get();
        command.limits.wall = std::chrono::seconds(120);
        return launcher_->run(command, Level::t2, {}).value();
    }
    static bool executed(const fs::path& folder, const std::string& git) {
        fs::remove(folder / "executed");
        plain(folder, git + " >/dev/null 2>&1");
        return fs::exists(folder / "executed");
    }

    static Launcher* launcher_;
    support::TempDir dir_;
};
Launcher* GitFoldersTest::launcher_ = nullptr;

TEST_F(GitFoldersTest, NothingThatAProgramLeftIsRun) {
    for (const Attack& attack : kAttacks) {
        SCOPED_TRACE(attack.name);
        support::TempDir open_house, house;
        plain(open_house.path(), std::string(attack.before) + "\n" + attack.plant);
        EXPECT_TRUE(executed(open_house.path(), attack.git)) << "the attack is not real";
        ASSERT_EQ(plain(house.path(), attack.before).exit_code, 0);
        const Outcome out = inside(house.path(), attack.plant);
        EXPECT_FALSE(executed(house.path(), attack.git)) << out.output;
        for (const std::string& line : out.disarmed) EXPECT_THAT(line, HasSubstr("taken out"));
        EXPECT_FALSE(executed(house.path(), attack.git)) << "the second time";
    }
}

TEST_F(GitFoldersTest, PartsOfSeveralRunsMakeNoneEither) {
    inside(dir_.path(), "git init -q --bare x; git -C x config core.bare false; git -C x config core.worktree .; mkdir y; mv x/HEAD y; git config -f x/config core.fsmonitor \"$evil\"");
    const Outcome out = inside(dir_.path(), "mv y/HEAD x");
    EXPECT_FALSE(executed(dir_.path(), "git -C x status"));
    EXPECT_THAT(out.disarmed, testing::ElementsAre(HasSubstr("x/config: core.worktree, core.fsmonitor are taken out")));
}

TEST_F(GitFoldersTest, ProgramsAtTheSameTimeDoNotVouchForEachOther) {
    std::thread first([&] { inside(dir_.path(), "git init -q sub; git -C sub config core.fsmonitor \"$evil\"; touch ready; until [ -e enough ]; do sleep 0.05; done"); });
    while (!fs::exists(dir_.path() / "ready")) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    const Outcome second = inside(dir_.path(), "true");
    EXPECT_THAT(second.disarmed, testing::ElementsAre(HasSubstr("sub/.git/config: core.fsmonitor is taken out")));
    std::ofstream(dir_.path() / "enough") << "";
    first.join();
    EXPECT_FALSE(executed(dir_.path(), "git -C sub status"));
}

TEST_F(GitFoldersTest, NothingIsLeftByARunWhoseServerWasKilled) {
    const pid_t server = fork();
    if (server == 0) {
        launcher_ = Launcher::start().value().release();
        inside(dir_.path(), "git init -q sub; git -C sub config core.fsmonitor \"$evil\"; touch ready; sleep 60");
        _exit(0);
    }
    while (!fs::exists(dir_.path() / "ready")) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_THAT(support::read_text(dir_.path() / "sub/.git/config"), HasSubstr("fsmonitor"));
    kill(server, SIGKILL);
    waitpid(server, nullptr, 0);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (support::read_text(dir_.path() / "sub/.git/config").find("fsmonitor") != std::string::npos && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_FALSE(executed(dir_.path(), "git -C sub status"));
}

TEST_F(GitFoldersTest, RepositoriesMadeInsideWorkInsideAndOutside) {
    const Outcome out = inside(dir_.path(), "set -e; git init -q a; git -C a config user.name Ann; echo 1 > a/f; git -C a add f; git -C a commit -qm one; git clone -q a b; "
                                            "git -C a worktree add -q ../wt; echo 2 > wt/f; git -C wt commit -qam two; git -C b log --format=%s");
    EXPECT_EQ(out.exit_code, 0) << out.output;
    EXPECT_THAT(out.output, HasSubstr("one\n"));
    EXPECT_THAT(out.disarmed, IsEmpty());
    EXPECT_EQ(plain(dir_.path(), "git -C a config user.name; git -C b config remote.origin.url; git -C wt log --format=%s; git -C b status --short; git -C b fetch -q && echo fetched").output,
              "Ann\n" + (dir_.path() / "a").string() + "\ntwo\none\nfetched\n");
}

TEST_F(GitFoldersTest, WhatThePersonSetUpStaysAndIsReadOnly) {
    const char* set_up = "for i in $(seq 20); do git init -q r$i; git -C r$i config core.pager more; printf '#!/bin/sh\\n' > r$i/.git/hooks/pre-push; chmod +x r$i/.git/hooks/pre-push; done; "
                         "git init -q; git config alias.x '!true'";
    ASSERT_EQ(plain(dir_.path(), set_up).exit_code, 0);
    const std::string all = "for i in . $(seq -f r%g 20); do cat $i/.git/config; ls $i/.git/hooks | grep -v sample; done | md5sum";
    const std::string before = plain(dir_.path(), all).output;
    EXPECT_THAT(inside(dir_.path(), "true").disarmed, IsEmpty());
    EXPECT_EQ(plain(dir_.path(), all).output, before);
    // Held by mounts or, where there are many, set back afterwards; further harmless settings may come.
    const Outcome out = inside(dir_.path(), "for i in $(seq 20); do git -C r$i config core.fsmonitor \"$evil\"; echo \"$evil\" > r$i/.git/hooks/post-index-change; chmod +x r$i/.git/hooks/*; done 2>/dev/null; "
                                            "git config core.fsmonitor \"$evil\" 2>&1");
    EXPECT_THAT(out.output, HasSubstr("busy"));
    EXPECT_EQ(plain(dir_.path(), all).output, before);
    EXPECT_FALSE(executed(dir_.path(), "for i in $(seq 20); do git -C r$i status; done; git status"));
}

TEST_F(GitFoldersTest, ARebaseThatIsUnderWayGoesOn) {
    ASSERT_EQ(plain(dir_.path(), "git init -q; git commit -q --allow-empty -m one; echo 1 > f; git add f; git commit -qm two; "
                                 "GIT_SEQUENCE_EDITOR='sed -i -e 1ibreak -e \\$aexec\\ touch\\ mine' git rebase -q -i --root").exit_code, 0);
    EXPECT_THAT(inside(dir_.path(), "git status > /dev/null; printf 'exec touch theirs\\n' >> .git/rebase-merge/git-rebase-todo").disarmed,
                testing::ElementsAre(HasSubstr("a command is taken out")));
    EXPECT_EQ(plain(dir_.path(), "git rebase --continue >/dev/null 2>&1; git log --format=%s; ls").output, "two\none\nf\nmine\n");
}

TEST_F(GitFoldersTest, FilesThatOnlyLookAlikeStay) {
    ASSERT_EQ(inside(dir_.path(), "mkdir -p app/refs app/hooks; echo 'fsmonitor = x' > app/config; echo x > app/hooks/run; echo y > app/HEAD; echo .git > .gitignore; mkdir .github; echo z > .github/config").disarmed.size(), 0u);
    EXPECT_EQ(support::read_text(dir_.path() / "app/config"), "fsmonitor = x\n");
    EXPECT_EQ(support::read_text(dir_.path() / "app/hooks/run"), "x\n");
    EXPECT_EQ(support::read_text(dir_.path() / ".github/config"), "z\n");
}

// The file tools could put the parts together as well.
TEST_F(GitFoldersTest, FileToolsWriteNoRepository) {
    ASSERT_EQ(plain(dir_.path(), "git init -q; mkdir -p part/objects part/refs other; echo x > other/HEAD; git init -q --bare bare").exit_code, 0);
    const auto workspace = Workspace::open(dir_.path(), Workspace::Access::read_write, {}).value();
    for (const char* path : {".git/modules/x/config", ".git/modules/x/y/hooks/pre-commit", ".git/worktrees/w/config.worktree", ".git/worktrees/w/commondir", ".git/rebase-merge/git-rebase-todo", "sub/.git/modules/x/HEAD", "sub/.git",
                             "part/HEAD", "other/commondir", "bare/config", "bare/hooks/pre-commit", "bare/x/y"})
        EXPECT_EQ(workspace->write(path, "x").error().code, base::Code::permission_denied) << path;
    for (const char* path : {"notes/HEAD", "part/x", "other/refs/x", ".git/info/exclude", "config", "hooks/x"}) EXPECT_TRUE(workspace->write(path, "x").ok()) << path;
    EXPECT_EQ(workspace->write("other/objects/x", "x").error().code, base::Code::permission_denied) << "it completes a repository";
}

}  // namespace
}  // namespace sandbox
