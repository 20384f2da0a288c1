#include "memory/sections.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace memory {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> shown(const std::vector<Section>& sections) {
    std::vector<std::string> out;
    for (const Section& one : sections) out.push_back(one.heading + ": " + one.body);
    return out;
}

TEST(Sections, OfMarkdownStandUnderTheirHeadings) {
    const char* text = "Before all.\n\n# Manual\n\nA pump.\r\n\n## Care\n\nOil it.\nTwice a year.\n\n```\n# no heading\n\nin code\n```\n\n# End\nBye.\n#nothing\n";
    EXPECT_THAT(shown(sections_of(text, Form::markdown)), ElementsAre(": Before all.", "Manual: A pump.", "Manual > Care: Oil it.\nTwice a year.\n\n```\n# no heading\n\nin code\n```", "End: Bye.\n#nothing"));
    EXPECT_THAT(shown(sections_of("# a\n### c\nx\n## b\ny", Form::markdown)), ElementsAre("a > c: x", "a > b: y"));
    EXPECT_THAT(shown(sections_of("# a\nb", Form::text)), ElementsAre(": # a\nb"));
    EXPECT_THAT(shown(sections_of("\xEF\xBB\xBF# a\nb", Form::markdown)), ElementsAre("a: b")) << "behind a byte order mark";
    EXPECT_THAT(sections_of("", Form::markdown), IsEmpty());
    EXPECT_THAT(sections_of("\n \n# only a heading\n", Form::markdown), IsEmpty());
}

TEST(Sections, TheNameTellsTheForm) {
    EXPECT_EQ(form_of("a.md"), Form::markdown);
    EXPECT_EQ(form_of("A.MD"), Form::markdown);
    EXPECT_EQ(form_of("notes.markdown"), Form::markdown);
    for (const char* name : {"will.docx", "will.ODT", "book.epub", "page.html"}) EXPECT_EQ(form_of(name), Form::markdown) << name;
    for (const char* name : {"a.txt", "bill.pdf", "md", "", "a.md.txt"}) EXPECT_EQ(form_of(name), Form::text) << name;
}

// Random texts: no piece is too long, and no word is lost, doubled or moved.
TEST(Sections, HoldEachWordOnceInItsOrder) {
    std::mt19937 random(7);
    for (int round = 0; round < 200; ++round) {
        std::string text, words;
        for (int i = 0, n = int(random() % 2000); i < n; ++i) {
            const std::string word = "wö" + std::to_string(i);
            static constexpr const char* gaps[] = {" ", " ", " ", " ", " ", "\n", "\n\n", "\n\n\n"};
            text += word + gaps[random() % 8];
            words += word + " ";
        }
        std::string found;
        for (const Section& one : sections_of(text, round % 2 ? Form::markdown : Form::text)) {
            EXPECT_LE(one.body.size(), kSectionBytes);
            EXPECT_FALSE(one.body.empty());
            for (const char c : one.body + " ") {
                const bool gap = c == ' ' || c == '\n';
                if (!gap || (!found.empty() && found.back() != ' ')) found += gap ? ' ' : c;
            }
        }
        EXPECT_EQ(found, words);
    }
    EXPECT_EQ(sections_of(std::string(4000, 'x'), Form::text).size(), 3u);
}

}  // namespace
}  // namespace memory
