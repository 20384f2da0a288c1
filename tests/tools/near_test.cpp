#include "tools/near.h"

#include <gmock/gmock.h>

#include "support/tool_call.h"

namespace {

using support::ToolBench;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(Near, CountsEdits) {
    EXPECT_EQ(tools::edits_between("", "abc"), 3u);
    EXPECT_EQ(tools::edits_between("Kitten", "sitting"), 3u);
    EXPECT_EQ(tools::edits_between("README", "readme"), 0u);
    EXPECT_EQ(tools::edits_between("flaw", "lawn"), 2u);
}

TEST(Near, AMissingFileIsToldWithItsNearestNames) {
    ToolBench bench;
    for (const char* name : {"README.md", "docs/guide.md", "src/utils.py", "LICENSE"}) bench.put(name, "x\n");
    const auto told = [&](const char* tool, base::Json arguments) { return bench.call(tool, std::move(arguments)).error(); };
    EXPECT_EQ(told("read_file", {{"path", "README"}}).code, base::Code::not_found);
    EXPECT_THAT(told("read_file", {{"path", "README"}}).text(), AllOf(HasSubstr("README.md"), Not(HasSubstr("LICENSE"))));
    EXPECT_THAT(told("read_file", {{"path", "guide.md"}}).text(), HasSubstr("docs/guide.md"));
    EXPECT_THAT(told("read_file", {{"path", "src/util.py"}}).text(), HasSubstr("src/utils.py"));
    EXPECT_THAT(told("list_dir", {{"path", "doc/"}}).text(), HasSubstr("docs"));
    EXPECT_THAT(told("edit_file", {{"path", "licence"}, {"old_string", "x"}, {"new_string", "y"}}).text(), HasSubstr("LICENSE"));
    EXPECT_THAT(told("grep_files", {{"pattern", "x"}, {"path", "sources"}}).text(), Not(HasSubstr("near")));
    EXPECT_THAT(told("read_file", {{"path", "zebra.txt"}}).text(), Not(HasSubstr("near")));
}

}  // namespace
