#include "base/utf8.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace base {
namespace {

TEST(Utf8, ACutEndsWithAWholeCharacter) {
    const struct {
        std::string_view text;
        std::size_t most;
        std::string_view cut;
    } cases[] = {
        {"abc", 3, "abc"}, {"abc", 2, "ab"}, {"", 0, ""}, {"ä", 0, ""}, {"ä", 1, ""}, {"ä", 2, "ä"}, {"xää", 4, "xä"}, {"xää", 3, "xä"}, {"xää", 2, "x"},
        {"€€", 5, "€"}, {"€€", 4, "€"}, {"€€", 3, "€"}, {"🜁🜁", 7, "🜁"}, {"🜁🜁", 5, "🜁"}, {"🜁", 3, ""},
        {"\x80\x80\x80\x80\x80\x80", 5, "\x80\x80\x80\x80\x80"},  // no character at all: some bytes of it
    };
    for (const auto& c : cases) EXPECT_EQ(beginning(c.text, c.most), c.cut) << c.text << " " << c.most;
}

TEST(Utf8, WhatIsNoneBecomesTheReplacementCharacter) {
    EXPECT_EQ(valid_utf8("ä€🜁 x"), "ä€🜁 x");
    EXPECT_EQ(valid_utf8(std::string_view("a\0b", 3)), std::string_view("a\0b", 3));
    EXPECT_EQ(valid_utf8("Gateway nicht verf\xfcgbar"), "Gateway nicht verf\uFFFDgbar");
    EXPECT_EQ(valid_utf8("cut \xe2\x82"), "cut \uFFFD\uFFFD");
    EXPECT_EQ(valid_utf8("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD");  // a surrogate
    EXPECT_EQ(valid_utf8("\xc0\xaf"), "\uFFFD\uFFFD");            // overlong
}

// Errors quote what they are about, and travel as far as any text does.
TEST(Utf8, ErrorsAboutJsonAreText) {
    const auto parsed = parse_json("\"caf\xe9\"");
    ASSERT_FALSE(parsed);
    EXPECT_EQ(valid_utf8(parsed.error().message), parsed.error().message);
    std::string many;
    for (int i = 0; i < 60; ++i) many += "ä";
    for (const char* before : {"", "x"}) {
        const auto field = integer_field(Json{{"n", before + many}}, "n");
        ASSERT_FALSE(field);
        EXPECT_EQ(valid_utf8(field.error().message), field.error().message);
    }
}

}  // namespace
}  // namespace base
