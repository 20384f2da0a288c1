#include "prompts/render.h"

#include <gtest/gtest.h>

namespace prompts {
namespace {

TEST(Render, FillsPlaceholdersAndLeavesTheRest) {
    EXPECT_EQ(*render("Hi {{ name }}, {one} {{day}}.", {{"name", "{{day}}"}, {"day", "Monday"}}),
              "Hi {{day}}, {one} Monday.");
}

TEST(Render, AMissingVariableFailsByName) {
    const auto out = render("Hi {{name}}", {});
    ASSERT_FALSE(out);
    EXPECT_NE(out.error().message.find("{{name}}"), std::string::npos);
    EXPECT_FALSE(render("Hi {{name", {{"name", "x"}}));
}

TEST(Examples, BecomeTurnsWithMatchingCallIds) {
    const auto out = examples("For readers.\n\n## user\nRead a.txt\n\n## call read_file\n{\"path\": \"a.txt\"}\n\n## tool\nhello\n\n## assistant\nIt says hello.\n");
    ASSERT_TRUE(out) << out.error().message;
    ASSERT_EQ(out->size(), 4u);
    EXPECT_EQ((*out)[1]["tool_calls"][0]["function"]["name"], "read_file");
    EXPECT_EQ((*out)[1]["tool_calls"][0]["id"], (*out)[2]["tool_call_id"]);
    EXPECT_EQ((*out)[3]["content"], "It says hello.");
}

TEST(Examples, CallsThatFollowEachOtherAreOneReply) {
    const auto out = examples("## user\nx\n## call list_dir\n{}\n## call read_file\n{\"path\": \"a\"}\n## tool\na\n## tool\nhello\n## assistant\ny\n");
    ASSERT_TRUE(out) << out.error().message;
    ASSERT_EQ(out->size(), 5u);
    ASSERT_EQ((*out)[1]["tool_calls"].size(), 2u);
    EXPECT_EQ((*out)[1]["tool_calls"][0]["id"], (*out)[2]["tool_call_id"]);
    EXPECT_EQ((*out)[1]["tool_calls"][1]["id"], (*out)[3]["tool_call_id"]);
}

TEST(Examples, ACallWithoutAResultIsNamed) {
    const auto out = examples("## user\nx\n## call list_dir\n{}\n## call read_file\n{}\n## tool\na\n## assistant\ny\n");
    ASSERT_FALSE(out);
    EXPECT_NE(out.error().message.find("example_2"), std::string::npos);
}

TEST(Examples, ABrokenCallOrHeadingIsNamed) {
    EXPECT_FALSE(examples("## call read_file\n{path}\n"));
    EXPECT_FALSE(examples("## tool\nx\n"));
    EXPECT_FALSE(examples("## robot\nx\n"));
}

}  // namespace
}  // namespace prompts
