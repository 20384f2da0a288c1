// Where no control group can be made, as for a user without one of his own.
#include "sandbox/memory_watch.h"

#include <gmock/gmock.h>
#include <sys/mman.h>

#include <cstring>

#include "sandbox/cgroup.h"
#include "sandbox/launcher.h"
#include "support/as_user.h"
#include "support/fixtures.h"

namespace sandbox {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kUser = "hearth";

class MemoryWatch : public testing::Test {
protected:
    void SetUp() override {
        if (geteuid() != 0) GTEST_SKIP() << "only root can become a user without control groups";
        const passwd* found = getpwnam(kUser);
        if (!found) GTEST_SKIP() << "there is no user " << kUser;
        user_ = *found;
    }
    // How a program ended, with the limit in MiB, as that user.
    std::string ended(std::uint64_t mib, const std::string& script) const {
        return support::said_as(user_, [&]() -> std::string {
            if (find_cgroup_home().complete()) return "skip: this user can make control groups";
            auto launcher = Launcher::start().value();
            if (launcher->level() < Level::t2) return "skip: no T2 on this machine";
            Command command;
            command.argv = {"python3", "-I", "-c", script};
            command.limits.memory_bytes = mib << 20;
            command.limits.wall = std::chrono::seconds(90);
            const auto out = launcher->run(command, Level::t2, {});
            if (!out) return out.error().text();
            return std::string(out->out_of_memory ? "out of memory" : "fine") + (out->memory_by_group ? " by group" : "") + " " + std::to_string(out->exit_code) +
                   ": " + out->output + launcher->probes().at(0).found;
        });
    }
    passwd user_{};
};

#define NOT_SKIPPED(said) \
    if ((said).starts_with("skip")) GTEST_SKIP() << (said)

// Each process stays below what one alone may have. They say when they have it, and keep it.
std::string together(int processes, int mib) {
    const std::string n = std::to_string(processes);
    return "import os,time\nr,w=os.pipe()\nfor i in range(" + n + "):\n  if os.fork()==0:\n    x=bytearray(" + std::to_string(mib) +
           "<<20)\n    for k in range(0,len(x),4096): x[k]=1\n    os.write(w,b'x'); time.sleep(99); os._exit(0)\n"
           "got=0\nwhile got<" + n + ": got+=len(os.read(r,1))\ntime.sleep(1); print('alive')";
}

TEST_F(MemoryWatch, ManyProcessesTogetherAreKilledForTheirSum) {
    const std::string said = ended(256, together(8, 80));
    NOT_SKIPPED(said);
    EXPECT_THAT(said, StartsWith("out of memory 137: "));
    EXPECT_THAT(said, HasSubstr("looked at every 50 ms"));
    EXPECT_THAT(ended(256, together(2, 80)), StartsWith("fine 0: alive"));
}

TEST_F(MemoryWatch, SharedPagesCountOnce) {
    const std::string said = ended(256, "import os,time\nx=bytearray(120<<20)\nfor k in range(0,len(x),4096): x[k]=1\nfor i in range(8):\n  if os.fork()==0: time.sleep(99)\ntime.sleep(1); print('alive')");
    NOT_SKIPPED(said);
    EXPECT_THAT(said, StartsWith("fine 0: alive"));
}

// Memory that no process has mapped would escape the watch.
TEST_F(MemoryWatch, MemoryThatBelongsToNoProcessIsRefused) {
    const std::string said = ended(256, "import ctypes,os\nlibc=ctypes.CDLL(None,use_errno=True)\nprint(libc.memfd_create(b'x',0),libc.shmget(0,4096,0o1600))");
    NOT_SKIPPED(said);
    EXPECT_THAT(said, HasSubstr("-1 -1"));
}

TEST(UsesMoreMemory, CountsWhatIsBelow) {
#ifdef __SANITIZE_ADDRESS__
    GTEST_SKIP() << "a sanitizer has memory of its own";
#endif
    const std::size_t bytes = 64 << 20;
    void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    std::memset(memory, 1, bytes);
    EXPECT_TRUE(uses_more_memory(getpid(), bytes));
    EXPECT_FALSE(uses_more_memory(getpid(), 100 * bytes));
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        char byte = 0;
        close(ends[1]);
        _exit(int(read(ends[0], &byte, 1)));
    }
    EXPECT_TRUE(uses_more_memory(getpid(), bytes)) << "pages shared with a child";
    munmap(memory, bytes);
    EXPECT_TRUE(uses_more_memory(getpid(), bytes)) << "now only the child has them";
    close(ends[1]), close(ends[0]);
    waitpid(child, nullptr, 0);
    EXPECT_FALSE(uses_more_memory(getpid(), 4 * bytes));
}

}  // namespace
}  // namespace sandbox
