// That nothing of a reply loads by itself, however it is cut. What CommonMark and GFM renderers make of it was tried with markdown-it
// and cmark-gfm over random texts; their ways around it that were found are among these.
#include "agents/reply/inert.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace agents::reply {
namespace {

const struct {
    const char *text, *inert;
} kCases[] = {
    // images become links
    {"See ![it](http://evil/?q=4711).", "See \\![it](http://evil/?q=4711)."},
    {"![it][r]\n\n[r]: http://evil/", "\\![it][r]\n\n[r]: http://evil/"},
    {"[![a](http://evil/i)](http://evil/)", "[\\![a](http://evil/i)](http://evil/)"},
    {"\\![it](http://evil/)", "\\![it](http://evil/)"},
    {"\\\\![it](http://evil/)", "\\\\\\![it](http://evil/)"},
    {"http://evil/\\![it](http://evil/)", "http://evil/\\&#33;[it](http://evil/)"},
    // tags are text
    {"<img src=http://evil/>", "&lt;img src=http://evil/>"},
    {"\\<img src=http://evil/>", "\\&lt;img src=http://evil/>"},
    {"a <b style='background:url(http://evil/)'>", "a &lt;b style='background:url(http://evil/)'>"},
    {"x<script>y</script>", "x&lt;script>y&lt;/script>"},
    {"<!-- ` --><img src=x>", "&lt;!-- ` -->&lt;img src=x>"},
    {"<div>\n```\n<img src=x>\n```", "&lt;div>\n```\n<img src=x>\n```"},
    // what loads nothing stays
    {"2 < 3, a<b, vector<int> and <https://example.org/a?b=c>", "2 < 3, a&lt;b, vector<int> and <https://example.org/a?b=c>"},
    {"Wow! [a link](http://x/) and !important", "Wow! [a link](http://x/) and !important"},
    // code stays
    {"Write `<img src=x>` or ``![a](`b`)``.", "Write `<img src=x>` or ``![a](`b`)``."},
    {"```html\n<img src=x>\n```\n<img src=y>", "```html\n<img src=x>\n```\n&lt;img src=y>"},
    {"~~~\n```\n![a](b)\n~~~~\n![a](b)", "~~~\n```\n![a](b)\n~~~~\n\\![a](b)"},
    {"```\n<img src=x>", "```\n<img src=x>"},
    // what may be none is taken for none
    {"` ![a](b)", "` \\![a](b)"},
    {"a ` b\nc ` ![a](b) ` d", "a ` b\nc ` \\![a](b) ` d"},
    {"| ` | ![a](b) ` |", "| ` | \\![a](b) ` |"},
    {"$ ` $ ![a](b) `", "$ ` $ \\![a](b) `"},
    {"http://x/` ![a](b) `", "http://x/` \\![a](b) `"},
    {"[a](`) ![a](b) `", "[a](`) \\![a](b) `"},
    {"<x:`> ` ![a](b) `", "&lt;x:`> ` \\![a](b) `"},
    {"- a\n\n  ```\n![a](b)", "- a\n\n  ```\n\\![a](b)"},
    {"- a\n\n  ```\n     ```\n```\n![a](b)", "- a\n\n  ```\n     ```\n```\n\\![a](b)"},
    {"$$\n```\n$$\n![a](b)", "$$\n```\n$$\n\\![a](b)"},
    {"```\rx\r```\r![a](b)", "```\rx\r```\r\\![a](b)"},
    {"``` | a\n-|-\n![a](b)", "``` | a\n-|-\n\\![a](b)"},
};

TEST(Inert, WhatLoadsByItselfIsTextAndTheRestStays) {
    for (const auto& [text, expected] : kCases) EXPECT_EQ(inert(text), expected) << text;
}

TEST(Inert, ItIsTheSameHoweverTheTextIsCutAndTakesNothingTwice) {
    const std::vector<std::string> parts = {"`", "```", "~~~", "\n", "\n\n", "\r", " ", "    ", "- ", "> ", "|", "$$", "\\", "![x](http://e/i)", "![", "](u)", "<img ", "<b>", "<https://e/", ">", "<!--", "a", "<a@", "]", "(", "é"};
    std::mt19937 chance(7);
    for (int i = 0; i < 3000; ++i) {
        std::string text, cut;
        for (std::size_t n = 1 + chance() % 20; n > 0; --n) text += parts[chance() % parts.size()];
        const std::string whole = inert(text);
        Inert stream;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t n = 1 + chance() % 4;
            cut += stream.take(std::string_view(text).substr(at, n));
            at += n;
        }
        cut += stream.finish();
        ASSERT_EQ(cut, whole) << text;
        ASSERT_EQ(inert(whole), whole) << text;
    }
}

TEST(Inert, BehindALineThatIsTooLongToJudgeNothingIsCode) {
    const std::string image = "\n![a](b)";
    for (const std::string& before : {"```\n" + std::string(3000, '`'), "```" + std::string(3000, 'x') + "`", "`" + std::string(3000, 'x') + "`"})
        EXPECT_EQ(inert(before + image), before + "\n\\![a](b)") << before.substr(0, 8);
}

TEST(Inert, PlainTextIsNotHeldBack) {
    Inert stream;
    EXPECT_EQ(stream.take("It is five o'clock"), "It is five o'clock");
    EXPECT_EQ(stream.take(", and "), ", and ");
    EXPECT_EQ(stream.take("no "), "no ");
}

TEST(Inert, ALongTextOfOneSignEnds) {
    for (const char* part : {"`", "<a", "![", "``` ", "<x:", "$", "\\", "` `` "}) {
        std::string text;
        while (text.size() < 200'000) text += part;
        EXPECT_GE(inert(text).size(), text.size()) << part;
    }
}

}  // namespace
}  // namespace agents::reply
