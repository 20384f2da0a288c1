#include "net/yaml.h"

#include <gtest/gtest.h>

namespace {

TEST(Yaml, PlainWordsAreValuesAndQuotedOnesTexts) {
    const auto yaml = net::parse_yaml("a: 12\nb: '12'\nc: [true, \"true\", 1.5, -3, ~, x y]\nd:\n  e: |\n    two\n    lines\nversion: 1.2.3\n", "f.yaml");
    ASSERT_TRUE(yaml) << yaml.error().text();
    EXPECT_EQ(yaml->value.dump(), R"({"a":12,"b":"12","c":[true,"true",1.5,-3,null,"x y"],"d":{"e":"two\nlines\n"},"version":"1.2.3"})");
}

TEST(Yaml, KnowsTheLineOfEachValue) {
    const auto yaml = net::parse_yaml("a: 1\nlist:\n  - x: 1\n    y/z: 2\n  - 3\n", "f.yaml");
    ASSERT_TRUE(yaml) << yaml.error().text();
    EXPECT_EQ(yaml->line("/a"), 1);
    EXPECT_EQ(yaml->line("/list"), 2);
    EXPECT_EQ(yaml->line("/list/0/y~1z"), 4);
    EXPECT_EQ(yaml->line("/list/1"), 5);
}

TEST(Yaml, ErrorsNameFileAndLine) {
    for (const auto& [text, line, said] : std::initializer_list<std::tuple<std::string, int, std::string>>{
             {"a: 1\nb: @\n", 2, ""}, {"a: 1\nb: 2\na: 3\n", 3, "'a' stands twice"}, {"? [x]\n: 1\n", 1, "must be a text"}, {"a: &x\n  b: *x\n", 1, "more values"}}) {
        const auto yaml = net::parse_yaml(text, "f.yaml");
        ASSERT_FALSE(yaml) << text;
        EXPECT_EQ(yaml.error().message.find("f.yaml, line " + std::to_string(line) + ": "), 0u) << yaml.error().message;
        EXPECT_NE(yaml.error().message.find(said), std::string::npos) << yaml.error().message;
    }
}

TEST(Yaml, AliasesOfAliasesEnd) {
    std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 9; ++i) {
        const std::string before = "*a" + std::to_string(i - 1);
        text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
        for (int n = 0; n < 9; ++n) text += ", " + before;
        text += "]\n";
    }
    EXPECT_FALSE(net::parse_yaml(text, "f.yaml"));
}

}  // namespace
