// Attacks on the disk, and by what an earlier command left. As in attacks_test.cpp, each first runs unsandboxed and must succeed.
#include "in_house.h"

namespace attacks {
namespace {

class LateAttacks : public InHouse, public testing::WithParamInterface<Way> {
protected:
    LateAttacks() : InHouse(GetParam()) {}
};
INSTANTIATE_TEST_SUITE_P(InASandbox, LateAttacks, testing::Values(Way::made, Way::ready), [](const auto& info) { return name(info.param); });

// 11: a file system of its own, small, stands for the disk that the workspace lies on.
TEST_P(LateAttacks, FullDisksStopTheProgramAlone) {
    const fs::path mounted = dir_.path() / "small";
    struct Unmount {
        const fs::path& folder;
        ~Unmount() { run_plain({"umount", folder.string()}, "/"); }
    } const unmount{mounted};
    if (bash_plain("truncate -s 16M disk && mkfs.ext4 -q -N 64 disk && mkdir small && mount -o loop disk small && chmod 777 small").exit_code != 0)
        GTEST_SKIP() << "this machine mounts no file as a file system";
    const std::string fill = "cd small; head -c 30M /dev/zero > fill || echo full; rm -f fill; for i in $(seq 200); do : > f$i || break; done; ls | grep -c ^f; rm -f f*";
    EXPECT_THAT(bash_plain(fill).output, testing::AllOf(HasSubstr("full\n"), HasSubstr("No space left")));
    EXPECT_THAT(bash_inside(fill).output, testing::AllOf(HasSubstr("full\n"), HasSubstr("No space left")));
    EXPECT_EQ(bash_inside("cd small && echo fine > f && cat f && cd .. && echo too > g && cat g").output, "fine\ntoo\n") << "the disk outside has room";
    EXPECT_EQ(bash_inside("head -c 30M /dev/zero > big && rm big && echo yes").output, "yes\n");
}

// 11: files without content are memory of the kernel.
TEST_P(LateAttacks, InodesOfTheTemporaryFolderCountAsMemory) {
    NEEDS_PYTHON();
    const auto made_in = [](const std::string& folder) {
        return "import os\nd='" + folder + "/inodes'\nos.mkdir(d)\nfor i in range(100000): os.close(os.open(d+'/'+str(i),os.O_CREAT))\nprint('made them')";
    };
    EXPECT_THAT(run_plain({kPython, "-I", "-c", made_in(dir_.path().string())}, dir_.path(), 120s).output, HasSubstr("made them"));
    sandbox::Limits limits;
    limits.memory_bytes = 64 << 20;
    const Outcome out = python_inside(made_in("/tmp"), limits);
    if (!out.memory_by_group) GTEST_SKIP() << "without control groups only the memory of processes is limited";
    EXPECT_THAT(out.output, Not(HasSubstr("made them")));
    EXPECT_EQ(bash_inside("echo alive", limits).output, "alive\n");
}

// 23: what one command leaves in its environment, another does not find; nor does it find a program of its own name.
TEST_P(LateAttacks, ACommandPoisonsNoLaterOne) {
    const std::string poison = "mkdir -p bin; printf '#!/bin/sh\\necho poisoned\\n' > bin/git; chmod +x bin/git; export PATH=$PWD/bin:$PATH GIT_SSH_COMMAND=evil BASH_ENV=$PWD/bin/git; git";
    EXPECT_THAT(bash_plain(poison).output, HasSubstr("poisoned"));
    EXPECT_EQ(bash_inside(poison).output, "poisoned\n") << "within its own command it may";
    EXPECT_EQ(bash_inside("env | grep -e GIT_ -e BASH_ENV -e \"$PWD/bin\"; command -v git | grep \"$PWD\"; true").output, "");
}

// 22: the folder is changed first, and only then written in.
TEST_P(LateAttacks, ChangingTheFolderReachesNoHook) {
    const std::string write = "mkdir -p .git/hooks; cd .git/hooks && echo evil > pre-commit; cd ..; echo evil > config";
    ASSERT_THAT(bash_plain(write + "; cat hooks/pre-commit").output, HasSubstr("evil\n"));
    fs::remove_all(dir_.path() / ".git");
    bash_inside(write);
    EXPECT_FALSE(fs::exists(dir_.path() / ".git/hooks/pre-commit"));
    EXPECT_FALSE(fs::exists(dir_.path() / ".git/config"));
}

}  // namespace
}  // namespace attacks
