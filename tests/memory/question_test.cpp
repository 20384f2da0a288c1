#include "memory/question.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace memory {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> surfaces(const Question& question) {
    std::vector<std::string> out;
    for (const Sought& one : question.words) out.push_back(one.surface);
    return out;
}

TEST(Question, LooksForItsContentWordsEachOnce) {
    const Question q = question_of("Please, which dog barked at the other dog?", {});
    EXPECT_THAT(surfaces(q), ElementsAre("dog", "barked"));
    EXPECT_EQ(q.words[0].count, 2);
    EXPECT_THAT(q.words[1].stems, ElementsAre("bark"));
    EXPECT_THAT(question_of("Hello, thanks!", {}).words, IsEmpty());
    EXPECT_THAT(question_of("Bonjour, merci !", {}).words, IsEmpty());
}

TEST(Question, LooksForQuotedWordsAndNamesOfSeveral) {
    EXPECT_THAT(question_of("Who said \"never again\" and «plus jamais»?", {}).phrases, ElementsAre(ElementsAre("never", "again"), ElementsAre("plus", "jamais")));
    EXPECT_THAT(question_of("When did Anna fly to New York City?", {}).phrases, ElementsAre(ElementsAre("new", "york", "city")));
    EXPECT_THAT(question_of("Anna called. Bob came. A \"dangling quote", {}).phrases, IsEmpty());
}

TEST(Question, KnowsTheStemsOfTheOtherLanguageToo) {
    const Question q = question_of("Where in Marseille does she live?", {});
    EXPECT_THAT(q.words.at(0).stems, ElementsAre("marseill"));
    EXPECT_THAT(q.words.at(0).others, ElementsAre("marseil"));
    EXPECT_THAT(question_of("Marseille", {}).words.at(0).stems, ElementsAre("marseill", "marseil"));
}

}  // namespace
}  // namespace memory
