#include "base/regex.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace base {
namespace {

struct Case {
    const char* pattern;
    const char* text;
    bool search, whole;
};

TEST(Regex, FindsAndMatches) {
    const Case cases[] = {
        {"a+", "baa", true, false},        {"^a*$", "aaa", true, true},        {"^a*$", "ab", false, false},
        {"a|bc", "xbc", true, false},      {"a|bc", "bc", true, true},         {"", "x", true, false},
        {"a{2,3}", "a", false, false},     {"^a{2,3}$", "aaaa", false, false}, {"((){10000}){10000}a", "a", true, true}, {"(ab)*", "abab", true, true},
        {"[^\\d]", "7", false, false},     {"[a-c-]+", "a-c", true, true},     {"^.$", "é", true, true},
        {"^.$", "\n", false, false},       {"\\bfoo\\b", "a foo!", true, false}, {"\\bfoo\\b", "afoo", false, false},
        {"\\p{Lu}", "é", false, false},    {"\\p{Lu}", "É", true, true},       {"^\\p{Letter}+$", "πé", true, true},
        {"\\u{1F432}", "🐲", true, true},  {"^\\uD83D\\uDC32*$", "🐲🐲", true, true}, {"a{,2}", "a{,2}", true, true},
        {"\\cA", "\x01", true, true},      {"(?<year>\\d{4})-\\d\\d", "2026-03", true, true}, {"x??y", "xy", true, true},
        {"\\s", "\xC2\xA0", true, true},   {"a\\.b", "axb", false, false},     {"[\\w]", "_", true, true},
        {"a{2}{x}", "aa{x}", true, true},
    };
    for (const Case& c : cases) {
        const auto r = Regex::compile(c.pattern);
        ASSERT_TRUE(r.ok()) << r.error().text();
        EXPECT_EQ(r->search(c.text), c.search) << c.pattern << " in " << c.text;
        EXPECT_EQ(r->matches(c.text), c.whole) << c.pattern << " whole " << c.text;
    }
}

TEST(Regex, RefusesByName) {
    const std::pair<const char*, const char*> cases[] = {
        {"(a", "( without )"}, {"a)", "unmatched )"}, {"[a", "[ without ]"}, {"*a", "nothing to repeat"}, {"(?=a)", "look-around"},
        {"(a)\\1", "back-reference"}, {"\\p{Nope}", "Nope"}, {"a{3,2}", "out of order"}, {"[z-a]", "out of order"}, {"\\q", "\\q"},
        {"(a{1000}){1000}", "20000 instructions"}, {"a\\", "too early"},
        {"a{2}{3}", "at byte 4 nothing to repeat"}, {"a{2}?{3,}", "at byte 5 nothing to repeat"}, {"a+{2}", "at byte 2 nothing to repeat"},
        {"a{2}*", "at byte 4 nothing to repeat"}, {"a++", "nothing to repeat"}, {"({2})", "at byte 1 nothing to repeat"},
    };
    for (auto [pattern, why] : cases) {
        const auto r = Regex::compile(pattern);
        ASSERT_FALSE(r.ok()) << pattern;
        EXPECT_THAT(r.error().message, ::testing::HasSubstr(why)) << pattern;
        EXPECT_THAT(r.error().message, ::testing::HasSubstr(pattern));
    }
}

TEST(Regex, PatternsThatExplodeElsewhereAreLinearHere) {
    const auto r = Regex::compile("^(a+)+(a|aa)*(.*)*b$");
    ASSERT_TRUE(r.ok());
    EXPECT_FALSE(r->search(std::string(20000, 'a')));
    EXPECT_TRUE(r->search(std::string(20000, 'a') + "b"));
}

// The classes of Unicode are long: each costs what it holds, and not a walk over all characters.
TEST(Regex, ManyPropertiesAreCheapOrRefused) {
    std::string many;
    for (int i = 0; i < 100; ++i) many += "\\p{L}";
    EXPECT_TRUE(Regex::compile("\\p{L}{10000}")->matches([] { std::string text; for (int i = 0; i < 10000; ++i) text += "é"; return text; }()));
    EXPECT_TRUE(Regex::compile(many).ok());
    for (int i = 0; i < 4; ++i) many += many;
    const auto refused = Regex::compile(many);
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().message, ::testing::HasSubstr("too many Unicode properties"));
}

}  // namespace
}  // namespace base
