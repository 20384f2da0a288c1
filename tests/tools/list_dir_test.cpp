#include "tools/list_dir.h"

#include <gmock/gmock.h>

#include "support/tool_call.h"

namespace {

TEST(ListDir, ShowsKindsAndSizes) {
    support::ToolBench bench;
    bench.put("a.txt", "12345");
    bench.put("sub/b", "");
    std::filesystem::create_symlink("/etc", bench.path() / "etc");
    const auto all = bench.call("list_dir", base::Json::object());
    EXPECT_EQ(all->text, "a.txt  5 bytes\netc (symbolic link, not followed)\nsub/\n");
    EXPECT_EQ(all->names, (std::vector<std::string>{"a.txt", "etc", "sub/"}));
    EXPECT_EQ(bench.call("list_dir", {{"path", "sub"}})->text, "b  0 bytes\n");
    EXPECT_EQ(bench.call("list_dir", {{"path", "etc"}}).ok(), false);
    EXPECT_EQ(bench.call("list_dir", {{"path", "a.txt"}}).error().code, base::Code::invalid_argument);
    EXPECT_EQ(bench.call("list_dir", {{"path", ".."}}).error().code, base::Code::permission_denied);
}

}  // namespace
