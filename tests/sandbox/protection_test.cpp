// Placeholders of protected paths that are absent: what programs inside and outside find, and what is left.
#include "sandbox/protection.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "sandbox/launcher.h"
#include "support/fixtures.h"
#include "support/programs.h"

namespace sandbox {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class Placeholders : public testing::Test {
protected:
    static void SetUpTestSuite() { launcher_ = Launcher::start().value().release(); }
    static void TearDownTestSuite() { delete std::exchange(launcher_, nullptr); }
    void SetUp() override {
        if (launcher_->level() < Level::t2) GTEST_SKIP() << "no T2 on this machine: " << launcher_->probes().at(0).found;
        fs::create_directory(work_);
        std::ofstream(work_ / "notes") << "milk\n";
    }

    Outcome inside(const std::string& script) const {
        const auto workspace = Workspace::open(work_, Workspace::Access::read_write, {}).value();
        Command command;
        command.argv = {"bash", "-c", script};
        command.workspace = workspace.get();
        return launcher_->run(command, Level::t2, {}).value();
    }
    std::vector<std::string> names() const {
        std::vector<std::string> out;
        for (const auto& entry : fs::directory_iterator(work_)) out.push_back(entry.path().filename());
        return out;
    }
    void await(const std::string& name) const {
        while (!fs::exists(fs::symlink_status(work_ / name))) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }

    static inline Launcher* launcher_ = nullptr;
    support::TempDir dir_;
    const fs::path work_ = dir_.path() / "work";
};

TEST_F(Placeholders, CannotBeMovedRemovedOrWrittenThrough) {
    const Outcome out = inside(
        "for f in .git .hearth .bashrc; do (rm -rf $f; mv $f aside; mkdir -p $f/x; echo evil > $f; ln -sfn /tmp $f; touch new; mv -T new $f) 2>/dev/null; done;"
        "ls -A | grep -v -x -e notes -e new; stat -c %N .git; [ ! -e .git/config ] && echo none");
    EXPECT_THAT(out.output, HasSubstr("'.git' -> '/proc/held-by-hearth'\nnone\n"));
    EXPECT_EQ(out.output.find("aside"), std::string::npos);
    EXPECT_THAT(names(), UnorderedElementsAre("notes", "new"));
}

TEST_F(Placeholders, GitDoesNotSeeThem) {
    if (support::run_plain({"git", "--version"}, "/").exit_code != 0) GTEST_SKIP() << "git is not installed";
    support::run_plain({"bash", "-c", "git init -q; git -c user.name=a -c user.email=a@b commit -q --allow-empty -m one; rm -r .git/hooks"}, work_);
    const std::string out = inside("git status --short -uall; git add -A; git -c user.name=a -c user.email=a@b commit -qm two; git show --stat --name-only --format= HEAD").output;
    EXPECT_EQ(out, "?? notes\nnotes\n");
    EXPECT_EQ(support::run_plain({"git", "status", "--short"}, work_).output, "");
}

TEST_F(Placeholders, ReadAsAbsentFiles) {
    EXPECT_EQ(inside("[ -f .bashrc ] || echo none; cat .bashrc 2>/dev/null || echo unreadable; grep -rs . . | cut -c-7; find . -type f").output,
              "none\nunreadable\n./notes\n./notes\n");
}

TEST_F(Placeholders, ARepositoryAroundIsFoundFromInsideAndOutside) {
    if (support::run_plain({"git", "--version"}, "/").exit_code != 0) GTEST_SKIP() << "git is not installed";
    std::thread run([&] { inside("touch ready; until [ -e enough ]; do sleep 0.02; done"); });
    await("ready");
    const auto seen = support::run_plain({"bash", "-c", "git init -q .. && git rev-parse --show-prefix"}, work_);
    std::ofstream(work_ / "enough") << "";
    run.join();
    EXPECT_EQ(seen.exit_code, 0) << seen.output;
    EXPECT_THAT(seen.output, HasSubstr("work/\n"));
}

TEST_F(Placeholders, StayUntilTheLastOfSeveralRunsEnds) {
    std::thread first([&] { inside("touch ready; until [ -e enough ]; do sleep 0.02; done; mkdir .git 2>/dev/null && echo evil > .git/config"); });
    await("ready");
    EXPECT_THAT(inside("true").disarmed, testing::IsEmpty());
    EXPECT_TRUE(fs::is_symlink(work_ / ".git"));
    std::ofstream(work_ / "enough") << "";
    first.join();
    EXPECT_THAT(names(), UnorderedElementsAre("notes", "ready", "enough"));
}

TEST_F(Placeholders, WhatSomebodyOutsidePutThereIsTheirs) {
    std::thread run([&] { inside("touch ready; until [ -e enough ]; do sleep 0.02; done"); });
    await("ready");
    fs::remove(work_ / ".git"), fs::remove(work_ / ".hearth"), fs::remove(work_ / ".bashrc");
    fs::create_directories(work_ / ".git");
    fs::create_symlink("elsewhere", work_ / ".hearth");
    std::ofstream(work_ / ".bashrc") << "alias l=ls\n";
    std::ofstream(work_ / "enough") << "";
    run.join();
    EXPECT_THAT(names(), UnorderedElementsAre("notes", "ready", "enough", ".git", ".hearth", ".bashrc"));
    EXPECT_EQ(fs::read_symlink(work_ / ".hearth"), "elsewhere");
}

TEST_F(Placeholders, OneThatWasLeftBehindGoesWithTheNextRun) {
    fs::create_symlink("/proc/held-by-hearth", work_ / ".git");
    ASSERT_EQ(mknod((work_ / ".bashrc").c_str(), S_IFSOCK | 0444, 0), 0);
    EXPECT_EQ(inside("mkdir -p .git/hooks 2>/dev/null || echo held").output, "held\n");
    EXPECT_THAT(names(), UnorderedElementsAre("notes"));
}

}  // namespace
}  // namespace sandbox
