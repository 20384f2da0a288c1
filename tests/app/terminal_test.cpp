#include "app/terminal.h"

#include <gtest/gtest.h>

#include "base/unicode.h"

namespace app {
namespace {

TEST(Visible, LeavesTextAlone) {
    for (const char* text : {"", "two lines\n\tand a tab", "Grüße, 你好, שלום, مرحبا, 🙂", "a\\b \"c\" \\u001b"}) EXPECT_EQ(visible(text), text);
}

TEST(Visible, ShowsWhatWouldActOnTheTerminal) {
    EXPECT_EQ(visible("\x1b]0;owned\x07"), "\\u001b]0;owned\\u0007");
    EXPECT_EQ(visible("100 %\rdone\b\b"), "100 %\\u000ddone\\u0008\\u0008");
    EXPECT_EQ(visible(std::string("a\0b\x7f", 4)), "a\\u0000b\\u007f");
    EXPECT_EQ(visible("\xc2\x9b" "2J\xc2\x9d"), "\\u009b2J\\u009d");
    EXPECT_EQ(visible("file\u202Ecod.exe\u2066x\u2069"), "file\\u202ecod.exe\\u2066x\\u2069");
}

TEST(Visible, EveryControlCharacterAndEveryOverride) {
    for (char32_t c = 0; c < 0x2100; ++c) {
        const bool acts = c != '\n' && c != '\t' && (base::category(c) == base::Category::Cc || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069));
        char form[8];
        std::snprintf(form, sizeof form, "\\u%04x", unsigned(c));
        EXPECT_EQ(visible(base::utf8(c)), acts ? form : base::utf8(c)) << form;
    }
}

TEST(Visible, BytesThatAreNoUtf8AreReplaced) {
    EXPECT_EQ(visible("a\x9b" "b"), "a\uFFFDb");  // a C1 control of eight-bit terminals
    EXPECT_EQ(visible("\xe2\x82"), "\uFFFD\uFFFD");
    EXPECT_EQ(visible("\xc0\x9b\xff"), "\uFFFD\uFFFD\uFFFD");
}

TEST(Visible, KeepsTheValuesOfJson) {
    const base::Json value = {{"text", "\x1b[2J\u009b\u202e\x7f\n"}};
    for (const int indent : {-1, 2}) {
        const std::string printed = visible(value.dump(indent));
        EXPECT_EQ(base::Json::parse(printed), value);
        for (const char c : printed) EXPECT_TRUE(c == '\n' || (c >= 32 && c < 127)) << printed;
    }
}

TEST(VisibleStream, IsTheWholeTextWhereverItIsCut) {
    const std::string text = "é\x1b[1m你\u202e好\u009b🙂 \xff\xe2\x82 end\xe2\x82";
    for (std::size_t first = 0; first <= text.size(); ++first)
        for (std::size_t second = first; second <= text.size(); ++second) {
            VisibleStream stream;
            std::string out = stream.feed(text.substr(0, first));
            out += stream.feed(text.substr(first, second - first));
            out += stream.feed(text.substr(second));
            out += stream.finish();
            ASSERT_EQ(out, visible(text)) << first << ", " << second;
        }
}

TEST(VisibleStream, WholeCharactersComeAtOnce) {
    VisibleStream stream;
    EXPECT_EQ(stream.feed("ab\xe4\xbd"), "ab");
    EXPECT_EQ(stream.feed("\xa0"), "你");
    EXPECT_EQ(stream.finish(), "");
}

TEST(OneLine, CutsBetweenCharacters) {
    EXPECT_EQ(one_line("a\nb\tc", 10), "a b c");
    EXPECT_EQ(one_line("你好", 5), "你…");
    EXPECT_EQ(one_line("你好", 6), "你好");
    EXPECT_EQ(one_line("\x1b[2Jabc", 3), "\\u001b[2…");
}

}  // namespace
}  // namespace app
