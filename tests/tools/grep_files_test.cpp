#include "tools/grep_files.h"

#include <gmock/gmock.h>

#include "base/utf8.h"
#include "support/tool_call.h"

namespace {

using testing::HasSubstr;

TEST(GrepFiles, ShowsLinesWithContext) {
    support::ToolBench bench;
    bench.put("a.txt", "one\ntwo\nthree\nfour\nTWO\n");
    bench.put("sub/b.md", "two\n");
    bench.put("c.bin", std::string("two\0", 4));
    EXPECT_EQ(bench.call("grep_files", {{"pattern", "^two$"}})->text, "a.txt:2:two\na.txt:5:TWO\nsub/b.md:1:two\n[1 binary, large or unreadable files passed over]\n");
    EXPECT_EQ(bench.call("grep_files", {{"pattern", "two"}, {"path", "a.txt"}, {"context", 1}, {"ignore_case", false}})->text, "a.txt-1-one\na.txt:2:two\na.txt-3-three\n");
    EXPECT_EQ(bench.call("grep_files", {{"pattern", "two"}, {"path", "a.txt"}, {"ignore_case", true}})->facts["matches"], 2);
    EXPECT_EQ(bench.call("grep_files", {{"pattern", "two"}, {"include", "*.md"}})->text, "sub/b.md:1:two\n");
    EXPECT_THAT(bench.call("grep_files", {{"pattern", "absent"}, {"include", "*.txt"}})->text, HasSubstr("no line matches"));
}

TEST(GrepFiles, APatternWithoutACapitalIgnoresCase) {
    support::ToolBench bench;
    bench.put("a.txt", "Harbour\nharbour\nHARBOUR\n");
    const auto matches = [&](base::Json arguments) { return bench.call("grep_files", std::move(arguments))->facts["matches"]; };
    EXPECT_EQ(matches({{"pattern", "harbour"}}), 3);
    EXPECT_EQ(matches({{"pattern", "^\\S+our$"}}), 3) << "a letter after a backslash is a class";
    EXPECT_EQ(matches({{"pattern", "Harbour"}}), 1);
    EXPECT_EQ(matches({{"pattern", "harbour"}, {"ignore_case", false}}), 1);
}

TEST(GrepFiles, IsLinearAndSaysWhatIsWrongWithAPattern) {
    support::ToolBench bench;
    bench.put("a", std::string(100000, 'a') + "\n");
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(bench.call("grep_files", {{"pattern", "(a+)+b"}})->facts["matches"], 0);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
    EXPECT_EQ(bench.call("grep_files", {{"pattern", "("}}).error().code, base::Code::invalid_argument);
}

TEST(GrepFiles, WhatItCutsStaysText) {
    support::ToolBench bench;
    std::string many;
    for (int i = 0; i < 2000; ++i) many += "ä";
    for (const char* before : {"", "x"}) {
        const auto refused = bench.call("grep_files", {{"pattern", before + many.substr(0, 80) + "("}});
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().message, base::valid_utf8(refused.error().message));
        bench.put("a", before + many + "\n");
        const auto found = bench.call("grep_files", {{"pattern", "ä"}});
        ASSERT_TRUE(found);
        EXPECT_THAT(found->text, testing::AllOf(HasSubstr("ä […]"), testing::Not(HasSubstr("\uFFFD"))));
    }
}

TEST(GrepFiles, AFileThatCannotBeSearchedIsAnErrorOnlyWhenItIsNamed) {
    support::ToolBench bench;
    bench.put("bin/c.bin", std::string("two\0", 4));
    for (base::Json arguments : {base::Json{{"pattern", "two"}}, base::Json{{"pattern", "two"}, {"path", "bin"}}, base::Json{{"pattern", "two"}, {"include", "*.bin"}}}) {
        const auto out = bench.call("grep_files", arguments);
        ASSERT_TRUE(out.ok()) << out.error().text();
        EXPECT_EQ(out->text, "[no line matches two]\n[1 binary, large or unreadable files passed over]\n");
    }
    EXPECT_EQ(bench.call("grep_files", {{"pattern", "two"}, {"path", "bin/c.bin"}}).error().code, base::Code::unsupported);
}

TEST(GrepFiles, StopsAtItsLimit) {
    support::ToolBench bench;
    std::string many;
    for (int i = 0; i < 5000; ++i) many += "hit\n";
    bench.put("a", many);
    const auto out = bench.call("grep_files", {{"pattern", "hit"}});
    EXPECT_TRUE(out->truncated);
    EXPECT_THAT(out->text, HasSubstr("stopped after 200 matches"));
}

}  // namespace
