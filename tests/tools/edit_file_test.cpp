#include "tools/edit_file.h"

#include <gmock/gmock.h>

#include "support/tool_call.h"

namespace {

using support::ToolBench;
using testing::HasSubstr;

TEST(EditFile, ReplacesTheOneOccurrence) {
    ToolBench bench;
    bench.put("a.py", "x = 1\ny = 2\n");
    EXPECT_THAT(bench.call("edit_file", {{"path", "a.py"}, {"old_string", "y = 2"}, {"new_string", "y = 3\nz = 4"}})->text, HasSubstr("line 2"));
    EXPECT_EQ(bench.get("a.py"), "x = 1\ny = 3\nz = 4\n");
}

TEST(EditFile, SaysHowManyAndWhereWhenAmbiguous) {
    ToolBench bench;
    bench.put("a", "foo\nbar\nfoo foo\n");
    const auto out = bench.call("edit_file", {{"path", "a"}, {"old_string", "foo"}, {"new_string", "qux"}});
    EXPECT_EQ(out.error().code, base::Code::conflict);
    EXPECT_THAT(out.error().message, HasSubstr("3 times"));
    EXPECT_THAT(out.error().message, HasSubstr("lines 1, 3, 3"));
    EXPECT_EQ(bench.get("a"), "foo\nbar\nfoo foo\n");
    EXPECT_EQ(bench.call("edit_file", {{"path", "a"}, {"old_string", "foo"}, {"new_string", "foofoo"}, {"replace_all", true}})->facts["replaced"], 3);
    EXPECT_EQ(bench.get("a"), "foofoo\nbar\nfoofoo foofoo\n");
}

TEST(EditFile, SaysWhatIsNearWhenMissing) {
    ToolBench bench;
    bench.put("a", "one\n    two\n");
    const auto out = bench.call("edit_file", {{"path", "a"}, {"old_string", "\ttwo\nthree"}, {"new_string", "x"}});
    EXPECT_EQ(out.error().code, base::Code::not_found);
    EXPECT_THAT(out.error().message, HasSubstr("line 2"));
    EXPECT_EQ(bench.call("edit_file", {{"path", "a"}, {"old_string", ""}, {"new_string", "x"}}).error().code, base::Code::invalid_argument);
    EXPECT_EQ(bench.call("edit_file", {{"path", "a"}, {"old_string", "one"}, {"new_string", "one"}}).error().code, base::Code::invalid_argument);
}

}  // namespace
