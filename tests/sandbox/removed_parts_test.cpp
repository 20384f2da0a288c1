// Attack 25: what a sandbox is made of goes away while the server runs. Nothing may then run without it, and the probe says so.
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>

#include "sandbox/launcher.h"
#include "support/as_user.h"
#include "support/fixtures.h"
#include "support/waiting_sandbox.h"

namespace sandbox {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// What `work` says in a process whose mounts are its own.
std::string said_with_own_mounts(const std::function<std::string(Launcher&)>& work) {
    const passwd* const root = getpwnam("root");
    return support::said_as(*root, [&]() -> std::string {
        if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return "skip: this machine gives no mounts of one's own";
        auto launcher = Launcher::start().value();
        return launcher->level() < Level::t2 ? "skip: no T2 on this machine: " + launcher->probes().at(0).found : work(*launcher);
    });
}

std::string told(const base::Result<Outcome>& outcome) {
    if (!outcome) return std::string(base::name(outcome.error().code)) + ": " + outcome.error().message;
    return "ran: " + outcome->output + (outcome->timed_out ? "timed out " : "") + std::to_string(outcome->exit_code) + " ";
}
std::string health(const Launcher& launcher) {
    const base::Probe probe = launcher.probes().at(0);
    return (probe.health == base::Health::ok ? "ok " : "failed ") + probe.found;
}

class RemovedParts : public testing::Test {
protected:
    void SetUp() override {
        if (geteuid() != 0) GTEST_SKIP() << "only root can take the parts away";
    }
};

#define NOT_SKIPPED(said) \
    if ((said).starts_with("skip")) GTEST_SKIP() << (said)

TEST_F(RemovedParts, WithoutBubblewrapNothingRunsUntilItIsBack) {
    const std::string said = said_with_own_mounts([](Launcher& launcher) -> std::string {
        Command command;
        command.argv = {"sh", "-c", "grep -c '^Seccomp:.2' /proc/self/status"};
        std::string out = told(launcher.run(command, Level::t2, {}));
        out += health(launcher) + "\n";
        if (mount("/dev/null", "/usr/bin/bwrap", nullptr, MS_BIND, nullptr) != 0) return "skip: /usr/bin/bwrap cannot be covered";
        for (int i = 0; i < 3; ++i) {
            const auto outcome = launcher.run(command, Level::t2, {});
            const bool begun_before = i == 0 && outcome;  // one that was ready, or just being made: the next is made behind its answer
            if (!begun_before) out += "without: " + told(outcome) + "\n" + health(launcher) + "\n";
        }
        umount("/usr/bin/bwrap");
        out += "again " + told(launcher.run(command, Level::t2, {}));
        return out + health(launcher);
    });
    NOT_SKIPPED(said);
    EXPECT_THAT(said, StartsWith("ran: 1\n0 ok T2"));
    EXPECT_THAT(said, HasSubstr("without: unavailable: "));
    EXPECT_THAT(said, HasSubstr("failed programs are refused: "));
    EXPECT_EQ(said.find("without: ran"), said.npos) << said;
    EXPECT_THAT(said, HasSubstr("again ran: 1\n0 ok T2"));
}

TEST_F(RemovedParts, WithoutControlGroupsTheLimitsHoldAllTheSame) {
    const std::string said = said_with_own_mounts([](Launcher& launcher) -> std::string {
        Command command;
        command.argv = {"sh", "-c", "echo 1"};
        const auto grouped = launcher.run(command, Level::t2, {});
        if (!grouped || !grouped->memory_by_group) return "skip: no control groups here";
        if (mount("none", "/sys/fs/cgroup", "tmpfs", MS_RDONLY, nullptr) != 0) return "skip: the control groups cannot be covered";
        command.argv = {"python3", "-I", "-c", "x=bytearray(600<<20)\nfor i in range(0,len(x),4096): x[i]=1\nprint('ate it')"};
        command.limits.memory_bytes = 128 << 20;
        const auto eaten = launcher.run(command, Level::t2, {});
        command.argv = {"bash", "-c", "for i in $(seq 300); do sleep 30 & done; echo 300 started; wait"};
        command.limits = {};
        command.limits.processes = 40;
        const auto bombed = launcher.run(command, Level::t2, {});
        return told(eaten) + "\nbomb " + told(bombed) + "\n" + health(launcher);
    });
    NOT_SKIPPED(said);
    EXPECT_EQ(said.find("ate it"), said.npos) << said;
    EXPECT_THAT(said, HasSubstr("bomb ran: 137 ")) << "it was killed, and not for its time";
    EXPECT_THAT(said, HasSubstr("looked at every 50 ms"));
}

}  // namespace
}  // namespace sandbox
