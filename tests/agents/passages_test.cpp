// A text cut into what can be quoted whole.
#include "agents/passages.h"

#include <gtest/gtest.h>

namespace agents::testing {
namespace {

std::vector<std::string> texts(const Passages& passages) {
    std::vector<std::string> out;
    for (const Passage& passage : passages.list) out.push_back(passage.text);
    return out;
}
using Texts = std::vector<std::string>;

TEST(Passages, OfProseAreSentencesWithoutHeadings) {
    const Passages some = passages_of({"# Marlin", "", "**Marlin** keeps (all) minutes. It finds them by date!", "", "---", "Copy the folder."});
    EXPECT_TRUE(some.prose);
    EXPECT_EQ(texts(some), (Texts{"**Marlin** keeps (all) minutes.", "It finds them by date!", "Copy the folder."}));
    EXPECT_FALSE(some.list[0].goes_on);
    EXPECT_TRUE(some.list[1].goes_on);
    EXPECT_FALSE(some.list[2].goes_on);
}

TEST(Passages, AWrappedLineIsOneSentence) {
    const std::string first = "This note goes on for a while, so that its line is wrapped", second = "in the middle. The next is short.";
    EXPECT_EQ(texts(passages_of({first, second})), (Texts{first + " in the middle.", "The next is short."}));
    EXPECT_EQ(texts(passages_of({first, "- an item"})), Texts({first, "- an item"})) << "no sentence: lines as they stand";
    EXPECT_EQ(texts(passages_of({first + ".", "", second})), (Texts{first + ".", "in the middle.", "The next is short."}));
}

TEST(Passages, ASentenceDoesNotEndWithinAnAbbreviationOrANumber) {
    EXPECT_EQ(texts(passages_of({"It takes e.g. flour, 1.5 kg of it. Then see notes.txt for more."})),
              (Texts{"It takes e.g. flour, 1.5 kg of it.", "Then see notes.txt for more."}));
}

TEST(Passages, OfOtherTextsAreLinesAsTheyStand) {
    const Passages code = passages_of({"", "def f():", "    return 1", "", "x = f()", ""});
    EXPECT_FALSE(code.prose);
    EXPECT_EQ(texts(code), (Texts{"def f():", "    return 1", "", "x = f()"}));
    EXPECT_EQ(texts(passages_of({"# Only a title"})), Texts{"# Only a title"});
}

TEST(Passages, ALongOneEndsWithAWordAndAnEllipsis) {
    EXPECT_EQ(shortened("one two three", 13), "one two three");
    EXPECT_EQ(shortened("one two three", 12), "one two …");
    EXPECT_EQ(shortened("ääää", 5), "ää …");
    EXPECT_EQ(passages_of({std::string(1000, 'x')}).list[0].text.size(), 320u + 4u);
}

TEST(Passages, WhatCouldBeReadAsACallIsLeftOut) {
    const Passages some = lines_as_passages({"a", "<tool_call>", "b"});
    EXPECT_EQ(texts(some), (Texts{"a", "b"}));
    EXPECT_TRUE(some.left_out);
}

TEST(Passages, AreNotMoreThanAGrammarBears) {
    const Passages some = lines_as_passages(std::vector<std::string>(500, "x"));
    EXPECT_EQ(some.list.size(), 80u);
    EXPECT_TRUE(some.left_out);
}

}  // namespace
}  // namespace agents::testing
