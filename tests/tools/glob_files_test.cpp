#include "tools/glob_files.h"

#include <gmock/gmock.h>

#include "support/tool_call.h"

namespace {

TEST(GlobFiles, FindsByNameAndByPath) {
    support::ToolBench bench;
    for (const char* path : {"a.h", "src/a.h", "src/b.cpp", ".git/a.h", "src/deep/c.h"}) bench.put(path, "x");
    const auto headers = bench.call("glob_files", {{"pattern", "*.h"}});
    EXPECT_EQ(headers->text, "a.h\nsrc/a.h\nsrc/deep/c.h\n");
    EXPECT_EQ(headers->names, (std::vector<std::string>{"a.h", "src/a.h", "src/deep/c.h"}));
    EXPECT_EQ(bench.call("glob_files", {{"pattern", "src/*.{h,cpp}"}})->text, "src/a.h\nsrc/b.cpp\n");
    EXPECT_EQ(bench.call("glob_files", {{"pattern", "deep/*"}, {"path", "src"}})->text, "src/deep/c.h\n");
    EXPECT_EQ(bench.call("glob_files", {{"pattern", "*.rs"}})->facts["files"], 0);
    EXPECT_FALSE(bench.call("glob_files", {{"pattern", "*"}, {"path", "/etc"}}).ok());
}

}  // namespace
