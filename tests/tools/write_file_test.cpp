#include "tools/write_file.h"

#include <gmock/gmock.h>

#include "support/tool_call.h"

namespace {

using support::ToolBench;

TEST(WriteFile, MakesFoldersAndReplacesContent) {
    ToolBench bench;
    EXPECT_TRUE(bench.call("write_file", {{"path", "a/b/c.txt"}, {"content", "one"}}).ok());
    EXPECT_TRUE(bench.call("write_file", {{"path", (bench.path() / "a/b/c.txt").string()}, {"content", "two"}}).ok());
    EXPECT_EQ(bench.get("a/b/c.txt"), "two");
}

TEST(WriteFile, KeepsTheModeOfAnExistingFile) {
    ToolBench bench;
    bench.put("run.sh", "old");
    std::filesystem::permissions(bench.path() / "run.sh", std::filesystem::perms(0750));
    EXPECT_TRUE(bench.call("write_file", {{"path", "run.sh"}, {"content", "new"}}).ok());
    EXPECT_EQ(std::filesystem::status(bench.path() / "run.sh").permissions(), std::filesystem::perms(0750));
}

TEST(WriteFile, RefusesLinksProtectedFilesAndReadOnlyWorkspaces) {
    ToolBench bench;
    support::TempDir outside;
    std::filesystem::create_symlink(outside.path() / "x", bench.path() / "link");
    std::filesystem::create_directory_symlink(outside.path(), bench.path() / "dir");
    bench.put("one", "1");
    std::filesystem::create_hard_link(bench.path() / "one", bench.path() / "two");
    for (const char* path : {"link", "dir/x", "two", "../x", ".git/hooks/pre-commit", ".git/config", "sub/.git/config", ".bashrc", ".mcp.json", "hearth.yaml", ".git"})
        EXPECT_EQ(bench.call("write_file", {{"path", path}, {"content", "x"}}).error().code, base::Code::permission_denied) << path;
    EXPECT_TRUE(std::filesystem::is_empty(outside.path()));
    EXPECT_TRUE(bench.call("write_file", {{"path", ".github"}, {"content", "x"}}).ok());
    ToolBench still(sandbox::Workspace::Access::read_only);
    EXPECT_EQ(still.call("write_file", {{"path", "a"}, {"content", "x"}}).error().code, base::Code::permission_denied);
}

}  // namespace
