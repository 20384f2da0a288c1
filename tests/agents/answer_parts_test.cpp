// An answer of several parts: its headings, and what the grammar lets through.
#include "agents/answer_parts.h"

#include <gtest/gtest.h>

#include "text/grammar.h"

namespace agents::testing {
namespace {

std::string part(const std::string& name, const std::string& arguments) { return part_of({"id", name, arguments}); }

TEST(AnswerParts, AreHeadedByTheToolAndItsFirstText) {
    EXPECT_EQ(part("list_dir", R"({"path": "."})"), "list_dir .");
    EXPECT_EQ(part("read_file", R"({"offset": 3, "path": "a b.txt"})"), "read_file a b.txt");
    EXPECT_EQ(part("now", "{}"), "now");
    EXPECT_EQ(part("now", "{\"broken"), "now");
    EXPECT_EQ(part("bash", R"({"command": "ls\nwc"})"), "bash ls");
}

TEST(AnswerParts, ALongHeadingIsCutBetweenCharacters) {
    const std::string heading = part("x", "{\"a\": \"" + std::string(77, 'a') + "äöü\"}");
    EXPECT_EQ(heading, "x " + std::string(77, 'a') + "…");
}

TEST(AnswerParts, OneIsFree) {
    EXPECT_EQ(rules_of_parts({}), "answer ::= words\n");
    EXPECT_EQ(rules_of_parts({"list_dir ."}), rules_of_parts({}));
}

TEST(AnswerParts, EachIsToldOfInOrder) {
    const auto grammar = text::Grammar::from_ebnf("root ::= answer\n" + rules_of_parts({"list_dir .", "grep_files \"a\\b\""}));
    ASSERT_TRUE(grammar) << grammar.error().text();
    const auto accepts = [&](const std::string& text) { return (*grammar)->accepts(text); };
    EXPECT_TRUE(accepts("`list_dir .`: a and b\n- c\n\n`grep_files \"a\\b\"`: nothing"));
    EXPECT_FALSE(accepts("`list_dir .`: a and b")) << "the second part is missing";
    EXPECT_FALSE(accepts("`list_dir .`: \n\n`grep_files \"a\\b\"`: nothing")) << "the first part is empty";
    EXPECT_FALSE(accepts("`grep_files \"a\\b\"`: nothing\n\n`list_dir .`: a and b"));
    EXPECT_FALSE(accepts("`list_dir .`: " + std::string(1000, 'a') + "\n\n`grep_files \"a\\b\"`: nothing")) << "a line without an end";
}

}  // namespace
}  // namespace agents::testing
