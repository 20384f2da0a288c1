// Markdown as WhatsApp shows it.
#include "server/bridges/whatsapp_markdown.h"

#include <gtest/gtest.h>

using server::bridges::whatsapp_marked;

TEST(WhatsAppMarkdown, IsShownByItsOwnSigns) {
    const std::pair<const char*, const char*> cases[] = {
        {"plain", "plain"}, {"a **bold** word", "a *bold* word"}, {"*both* and __all__", "_both_ and *all*"}, {"~~gone~~", "~gone~"}, {"call `f(x)` now", "call `f(x)` now"},
        {"**bold and *both***", "*bold and _both_*"}, {"# Title\ntext", "*Title*\ntext"}, {"2 * 3 * 4", "2 * 3 * 4"}, {"[the bank](https://bank.example)", "the bank (https://bank.example)"},
        {"\xf0\x9f\x99\x82 **\xc3\xa9t\xc3\xa9**!", "\xf0\x9f\x99\x82 *\xc3\xa9t\xc3\xa9*!"}, {"", ""},
    };
    for (const auto& [markdown, expected] : cases) EXPECT_EQ(whatsapp_marked(markdown), expected) << markdown;
    const std::string code = whatsapp_marked("```python\nx = **y**\n```");
    EXPECT_EQ(code.substr(0, 3), "```");
    EXPECT_NE(code.find("x = **y**"), code.npos) << "nothing in code is a mark";
    EXPECT_EQ(code.substr(code.size() - 3), "```");
}
