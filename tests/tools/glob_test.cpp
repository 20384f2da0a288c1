#include "tools/glob.h"

#include <gtest/gtest.h>

namespace {

bool matches(const std::string& pattern, const std::string& path) { return tools::Glob::parse(pattern)->matches(path); }

TEST(Glob, MatchesByComponent) {
    struct Row {
        const char *pattern, *path;
        bool expected;
    };
    const Row rows[] = {
        {"*.cpp", "a.cpp", true},        {"*.cpp", "d/a.cpp", false},     {"**/*.cpp", "a.cpp", true},      {"**/*.cpp", "d/e/a.cpp", true},
        {"src/**", "src/a/b", true},     {"src/**", "src", false},        {"src/**/x", "src/x", true},      {"src/**/x", "src/a/b/x", true},
        {"src/**/x", "srcx", false},     {"a?c", "abc", true},            {"a?c", "a/c", false},            {"[a-c]x", "bx", true},
        {"[!a-c]x", "bx", false},        {"[!a-c]x", "dx", true},         {"[]]", "]", true},               {"{a,b}.h", "b.h", true},
        {"{a,b}.h", "c.h", false},       {"{a,b{c,d}}e", "bde", true},    {"x{,y}", "x", true},             {"\\*", "*", true},
        {"\\*", "a", false},             {"{a", "{a", true},              {"**/b/**/c", "a/b/c", true},     {"**/b/**/c", "b/x/y/c", true},
        {"**/b", "ab", false},           {"*", "", true},                 {"a**", "a/b", true},             {"[a", "[a", true},
    };
    for (const Row& row : rows) EXPECT_EQ(matches(row.pattern, row.path), row.expected) << row.pattern << " against " << row.path;
}

TEST(Glob, StaysLinearAndBounded) {
    EXPECT_FALSE(matches(std::string(400, '*') + "b", std::string(4000, 'a')));
    std::string wide;
    for (int i = 0; i < 10; ++i) wide += "{a,b,c}";
    EXPECT_FALSE(tools::Glob::parse(wide).ok());
    EXPECT_FALSE(tools::Glob::parse("").ok());
}

}  // namespace
