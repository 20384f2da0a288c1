// How answers are marked, and that whatever they hold becomes messages that the API takes.
#include "server/bridges/telegram_markdown.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "server/bridges/pieces.h"

using base::Json;
using server::bridges::byte_at_unit;
using server::bridges::MarkedText;
using server::bridges::telegram_marked;
using server::bridges::telegram_marked_pieces;
using server::bridges::units_of;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

// "text | type:words type:words"
std::string shown(const std::string& markdown, bool behind_words = true) {
    const MarkedText marked = telegram_marked(markdown, behind_words);
    std::string out = marked.text + " |";
    for (const Json& entity : marked.entities) {
        const std::size_t from = entity["offset"], length = entity["length"];
        const std::size_t begin = byte_at_unit(marked.text, from), end = byte_at_unit(marked.text, from + length);
        out += " " + entity["type"].get<std::string>() + entity.value("language", "") + entity.value("url", "") + ":" + marked.text.substr(begin, end - begin);
    }
    return out;
}

}  // namespace

TEST(TelegramMarkdown, MarksWhatIsMeantAndNothingElse) {
    const std::pair<const char*, const char*> cases[] = {
        {"plain", "plain |"},
        {"a **b** c", "a b c | bold:b"},
        {"**\xf0\x9f\x99\x82 b** *c*", "\xf0\x9f\x99\x82 b c | bold:\xf0\x9f\x99\x82 b italic:c"},
        {"**a *b* c**", "a b c | italic:b bold:a b c"},
        {"_a_ __b__ ~~c~~", "a b c | italic:a bold:b strikethrough:c"},
        {"snake_case_name and 2 * 3 * 4", "snake_case_name and 2 * 3 * 4 |"},
        {"**open and * open", "**open and * open |"},
        {"`a*b*` ``x`y``", "a*b* x`y | code:a*b* code:x`y"},
        {"`open", "`open |"},
        {"\\*a\\* \\q", "*a* \\q |"},
        {"# Title\ntext", "Title\ntext | bold:Title"},
        {"#tag", "#tag |"},
        {"- one\n  * two\n-3", "• one\n  • two\n-3 |"},
        {"[the site](https://a.example/x)", "the site | text_linkhttps://a.example/x:the site"},
        {"[call](javascript:alert)", "call (javascript:alert) |"},
        {"see [it](https://a.example/Pump_(machine)), and (b)", "see it, and (b) | text_linkhttps://a.example/Pump_(machine):it"},
        {"([it](https://a.example/x))", "(it) | text_linkhttps://a.example/x:it"},
        {"[it](https://a.example/x(y)", "it | text_linkhttps://a.example/x(y:it"},
        {"![plan](https://a.example/p.png)", "plan | text_linkhttps://a.example/p.png:plan"},
        {"a[1] (x)", "a[1] (x) |"},
        {"see:\n```cpp\nint *a;\n\n# no title\n```\nend", "see:\nint *a;\n\n# no title\nend | precpp:int *a;\n\n# no title"},
        {"```\nopen", "open | pre:open"},
        {"**bold**   \n", "bold | bold:bold"},
        {"~~~\n```\n~~~", "``` | pre:```"},
    };
    for (const auto& [markdown, expected] : cases) EXPECT_EQ(shown(markdown), expected) << markdown;
    EXPECT_EQ(shown("[the bank](https://evil.example)", false), "the bank (https://evil.example) |") << "where it leads is seen";
    EXPECT_EQ(shown("```\n```"), " |");
}

TEST(TelegramMarkdown, ALongAnswerIsMeasuredAsItIsShown) {
    const std::string bold = "**" + std::string(4096, 'x') + "**";
    EXPECT_THAT(telegram_marked_pieces(bold), ElementsAre(bold));
    const std::string first(3000, 'a'), second(2000, 'b');
    EXPECT_THAT(telegram_marked_pieces(first + "\n\n" + second), ElementsAre(first, second));
    EXPECT_THAT(telegram_marked_pieces(" \n"), IsEmpty());
}

TEST(TelegramMarkdown, CodeThatIsCutIsCodeInEachPart) {
    std::string code = "Look:\n```python\n";
    for (int i = 0; i < 300; ++i) code += "    print(" + std::to_string(i) + ")  # a line\n";
    code += "```\nThat is all.";
    const auto pieces = telegram_marked_pieces(code);
    ASSERT_GE(pieces.size(), 2u);
    std::string all;
    for (const std::string& piece : pieces) {
        const MarkedText marked = telegram_marked(piece, true);
        ASSERT_EQ(marked.entities.size(), 1u);
        EXPECT_EQ(marked.entities[0].value("language", ""), "python");
        all += marked.text + "\n";
    }
    std::string expected = "Look:\n";
    for (int i = 0; i < 300; ++i) expected += "    print(" + std::to_string(i) + ")  # a line\n";
    EXPECT_EQ(all, expected + "That is all.\n");
}

// Whatever a model writes: each part fits, its marks lie within it, and none is empty.
TEST(TelegramMarkdown, AnythingBecomesMessagesThatTheApiTakes) {
    std::mt19937 random(7);
    const std::vector<std::string> bits = {"*", "**", "_", "__", "`", "```", "\n", "\n\n", " ", "[", "](", ")", "https://a.example", "!", "#", "# ", "- ", "\\", "~~", "~~~", "word", "\xf0\x9f\x99\x82", "\xc3\xa9", "\xff", std::string(700, 'z')};
    for (int round = 0; round < 400; ++round) {
        std::string markdown;
        for (unsigned n = random() % 200; n > 0; --n) markdown += bits[random() % bits.size()];
        for (const std::string& piece : telegram_marked_pieces(markdown)) {
            const MarkedText marked = telegram_marked(piece, round % 2 == 0);
            const std::size_t units = units_of(marked.text);
            ASSERT_LE(units, 4096u);
            ASSERT_LE(marked.entities.size(), 100u);
            for (const Json& entity : marked.entities) {
                ASSERT_GT(entity["length"].get<std::size_t>(), 0u);
                ASSERT_LE(entity["offset"].get<std::size_t>() + entity["length"].get<std::size_t>(), units) << piece;
            }
        }
    }
}
