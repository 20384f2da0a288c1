// Where attacks by programs are tried: in a sandbox made for the call, and in one that was ready before.
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>

#include <fstream>

#include "sandbox/launcher.h"
#include "support/fixtures.h"
#include "support/programs.h"
#include "support/waiting_sandbox.h"

namespace attacks {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using sandbox::Command;
using sandbox::Level;
using sandbox::Outcome;
using support::Ran;
using support::run_plain;
using testing::HasSubstr;
using testing::Not;

inline constexpr char kSecret[] = "canary-7f3a-of-the-house";
inline constexpr char kPython[] = "/usr/bin/python3";

inline void put(const fs::path& file, const std::string& content) {
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
}

// Secrets that the server's process holds when its launcher starts: an inherited descriptor, the environment.
struct House {
    support::TempDir dir;
    int leaked = -1;
    base::Result<std::unique_ptr<sandbox::Launcher>> launcher = base::error(base::Code::internal, "not started");
    House() {
        put(dir.path() / "secret", kSecret);
        leaked = open((dir.path() / "secret").c_str(), O_RDONLY);  // without O_CLOEXEC
        setenv("HEARTH_TEST_CANARY", kSecret, 1);
        setenv("BASH_ENV", (dir.path() / "evil.sh").c_str(), 1);
        setenv("LD_PRELOAD", "", 1);
        put(dir.path() / "evil.sh", "echo poisoned\n");
        launcher = sandbox::Launcher::start();
    }
};
inline House& house() {
    static House one;
    return one;
}

enum class Way { made, ready };
inline std::string name(Way way) { return way == Way::made ? "made" : "ready"; }

class InHouse : public testing::Test {
protected:
    explicit InHouse(Way way) : way_(way) {}
    void SetUp() override {
        ASSERT_TRUE(house().launcher.ok()) << house().launcher.error().text();
        if (launcher().level() < Level::t2) GTEST_SKIP() << "this machine reaches sandbox level " << sandbox::name(launcher().level());
        workspace_ = sandbox::Workspace::open(dir_.path(), sandbox::Workspace::Access::read_write, {}).value();
    }
    static sandbox::Launcher& launcher() { return **house().launcher; }

    Outcome inside(Command command, base::StopToken stop = {}) {
        prepare(command);
        const auto start = std::chrono::steady_clock::now();
        const auto outcome = launcher().run(command, Level::t2, stop);
        took_ = std::chrono::steady_clock::now() - start;
        if (!outcome) throw std::runtime_error(outcome.error().text());
        EXPECT_EQ(outcome->level, Level::t2);
        EXPECT_EQ(outcome->was_ready, way_ == Way::ready);
        return *outcome;
    }
    Outcome inside(std::vector<std::string> argv, sandbox::Limits limits = {}) {
        Command command;
        command.argv = std::move(argv);
        command.workspace = workspace_.get();
        command.limits = limits;
        return inside(std::move(command));
    }
    Outcome bash_inside(const std::string& script, sandbox::Limits limits = {}) { return inside({"bash", "-c", script}, limits); }
    Outcome python_inside(const std::string& script, sandbox::Limits limits = {}) { return inside({"python3", "-I", "-c", script}, limits); }
    Ran bash_plain(const std::string& script, std::chrono::milliseconds wall = 20s) { return run_plain({"bash", "-c", script}, dir_.path(), wall); }
    Ran python_plain(const std::string& script) { return run_plain({kPython, "-I", "-c", script}, dir_.path()); }
    static bool has_python() { return fs::exists(kPython); }

    // With limits that no run had before, the sandbox is made for the call; after a run with the same ones it is ready.
    void prepare(Command& command) {
        static std::uint64_t runs = 0;
        command.limits.file_bytes -= ++runs;
        Command before = command;
        before.argv = {"true"};
        if (way_ == Way::made) return;
        launcher().run(before, Level::t2, {}).value();
        ASSERT_TRUE(support::await_waiting_sandbox()) << "no sandbox was ever ready";
    }

    const Way way_;
    std::chrono::steady_clock::duration took_{};  // the last run
    support::TempDir dir_;
    std::unique_ptr<sandbox::Workspace> workspace_;
};

}  // namespace attacks

#define NEEDS_PYTHON() \
    if (!has_python()) GTEST_SKIP() << "the attack is written in Python and " << kPython << " is absent"
