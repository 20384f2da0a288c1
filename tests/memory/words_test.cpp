#include "memory/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace memory {
namespace {

using testing::ElementsAre;

std::vector<std::string> content(std::string_view text) {
    std::vector<std::string> out;
    for (const Word& word : words_of(text).all)
        if (!word.stop) out.push_back(word.surface);
    return out;
}

std::vector<std::string> stems_of(std::string_view word, Language language) { return stems(words_of(word).all.at(0), language); }

TEST(Words, FunctionWordsAreToldFromOthersInBothLanguages) {
    EXPECT_THAT(content("The bin goes out on Tuesday, and I don't like it."), ElementsAre("bin", "goes", "tuesday", "like"));
    EXPECT_THAT(content("J'ai rangé l'aspirateur dans le placard qu'on n'ouvre jamais."), ElementsAre("range", "aspirateur", "placard", "ouvre", "jamais"));
}

TEST(Words, TheLanguageIsToldByTheFunctionWords) {
    EXPECT_EQ(words_of("Where is the key of the cellar?").language, Language::english);
    EXPECT_EQ(words_of("Où est la clé de la cave ?").language, Language::french);
    EXPECT_EQ(words_of("wifi: hunter2").language, Language::unclear);
}

TEST(Words, OfEveryScriptAndWithoutAccents) {
    EXPECT_THAT(content("Œuvre ŒUVRE œuvre"), ElementsAre("oeuvre", "oeuvre", "oeuvre"));
    EXPECT_THAT(content("Crème brûlée"), ElementsAre("creme", "brulee"));
    EXPECT_THAT(content("Москва 東京 ٣٤"), ElementsAre("москва", "東京", "٣٤"));
    EXPECT_THAT(content("cr\xC3\xA8me, cre\xCC\x80me"), ElementsAre("creme", "creme")) << "composed or not";
    EXPECT_THAT(content("a\xFF\xFEz\xC3"), ElementsAre("z")) << "bytes that are no UTF-8 part words";
    EXPECT_TRUE(words_of("").all.empty());
}

TEST(Words, CapitalsAndBeginningsOfSentences) {
    const auto words = words_of("Anna met Bob. Then rain fell").all;
    ASSERT_EQ(words.size(), 6u);
    EXPECT_TRUE(words[0].capital && words[0].first);
    EXPECT_TRUE(words[2].capital && !words[2].first);
    EXPECT_TRUE(words[3].first && words[3].stop);
    EXPECT_FALSE(words[4].capital || words[4].first);
}

TEST(Stems, OfALanguageOrOfBoth) {
    EXPECT_THAT(stems_of("running", Language::english), ElementsAre("run"));
    EXPECT_THAT(stems_of("mangées", Language::french), ElementsAre("mang"));
    EXPECT_EQ(stems_of("mangé", Language::french), stems_of("manger", Language::french));
    EXPECT_THAT(stems_of("marseille", Language::unclear), ElementsAre("marseill", "marseil"));
    EXPECT_THAT(stems_of("dog", Language::unclear), ElementsAre("dog"));
}

}  // namespace
}  // namespace memory
