#include "sandbox/git_config.h"

#include <gmock/gmock.h>

namespace sandbox {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kInit = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n";
constexpr const char* kRemote = "[remote \"origin\"]\n\turl = /srv/a b.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n";

TEST(GitConfig, WhatGitItselfWritesStaysAsItIs) {
    const std::string text = std::string(kInit) + kRemote + "[user]\n\tname = Ann Lee\n\temail = ann@example.org\n";
    const DisarmedConfig out = disarm_config(text, "");
    EXPECT_EQ(out.text, text);
    EXPECT_THAT(out.removed, IsEmpty());
}

TEST(GitConfig, WhatRunsACommandGoes) {
    for (const char* line : {"[core]\nfsmonitor = x", "[core] fsmonitor = x", "[CORE]\nfsMonitor = x", "[core]\n\tfsmonitor", "[core]\nhooksPath = h", "[core]\nworktree = /",
                             "[core]\nsshCommand = x", "[core]\npager = x", "[include]\npath = x", "[includeIf \"gitdir:/\"]\npath = x", "[alias]\nst = !x",
                             "[filter \"f\"]\nclean = x", "[filter.f]\nclean = x", "[diff \"d\"]\ntextconv = x", "[remote \"o\"]\nuploadpack = x", "[remote \"o\"]\nurl = ext::sh -c x",
                             "[branch \"b\"]\nremote = ext::x", "[submodule \"s\"]\nupdate = !x", "[credential]\nhelper = x", "[gpg]\nprogram = x", "[url \"ext::\"]\ninsteadOf = a",
                             "\xEF\xBB\xBF[core]\r\nfsmonitor = x\r\n", "[core]\nfilemode = true\n[core \"x\"]\nfsmonitor = y", "[user]\nname = a\\\nb\n[core]\nfsmonitor = x"}) {
        const DisarmedConfig out = disarm_config(line, "");
        EXPECT_EQ(out.removed.size(), 1u) << line;
        for (const char* word : {"fsmonitor", "hooks", "ext::", "path", "!", "clean", "uploadpack"}) EXPECT_EQ(out.text.find(word), std::string::npos) << out.text;
    }
    EXPECT_THAT(disarm_config("[remote \"a.b\"]\nvcs = x\n[core]\neditor = y", "").removed, ElementsAre("remote.a.b.vcs", "core.editor"));
}

// What one reader takes for a comment or a part of a value, another may not: only what was understood is written.
TEST(GitConfig, NothingThatWasNotUnderstoodIsKept) {
    EXPECT_EQ(disarm_config("[user]\nname = a ; [core] fsmonitor=x\n", "").text, "[user]\n\tname = a\n");
    EXPECT_EQ(disarm_config("[user]\nname = \"a\\n[core]\\nfsmonitor = x\"\n", "").text, "[user]\n\tname = a\\n[core]\\nfsmonitor = x\n");
    EXPECT_EQ(disarm_config("[user]\nname = a\n[core\nfsmonitor = x\n", "").text, "[user]\n\tname = a\n");
    EXPECT_EQ(disarm_config("[user]\nname = \"  a # b \"\n", "").text, "[user]\n\tname = \"  a # b \"\n");
    EXPECT_EQ(disarm_config("[remote \"a\\\"]\n[core]\n\"]\nurl = x\n", "").text, "");
    EXPECT_EQ(disarm_config(std::string("[user]\nname = a\0b\n", 18), "").text, "");
    EXPECT_EQ(disarm_config("no section", "").text, "");
    EXPECT_EQ(disarm_config("", "").text, "");
}

TEST(GitConfig, WhatWasThereBeforeStays) {
    const std::string before = std::string(kInit) + "[filter \"lfs\"]\n\tclean = git-lfs clean -- %f\n\trequired = true\n";
    const DisarmedConfig out = disarm_config(before + "[filter \"x\"]\n\tclean = evil\n[filter \"lfs\"]\n\tclean = evil\n[user]\n\tname = Ann\n", before);
    EXPECT_EQ(out.text, before + "[user]\n\tname = Ann\n");
    EXPECT_THAT(out.removed, ElementsAre("filter.x.clean", "filter.lfs.clean"));
}

}  // namespace
}  // namespace sandbox
