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

TEST(Question, AsksForWhatWas) {
    for (const char* text : {"What was her former address?", "Where did she live before?", "Where did Anna used to work?", "Quelle était son ancienne adresse ?", "où habitait-elle avant ?", "which car do we no longer have"})
        EXPECT_TRUE(question_of(text, {}).past) << text;
    for (const char* text : {"Where does she live?", "Call me before nine", "How old is Anna?", "Is the oven used for bread?", "Où habite-t-elle ?", "rappelle-moi avant midi"}) EXPECT_FALSE(question_of(text, {}).past) << text;
}

TEST(Question, AsksForWhatWasTalkedAbout) {
    const std::chrono::sys_days today{std::chrono::year(2026) / 5 / 6};
    for (const char* text : {"What did we say last week?", "Which film did you recommend?", "what did I tell you about the boat", "Do you remember the name of that shop?", "What happened yesterday?",
                             "Qu'avons-nous dit de la fête ?", "Je t'ai dit quoi sur la voiture ?", "que s'est-il passé la semaine dernière ?"})
        EXPECT_TRUE(question_of(text, today).talk) << text;
    for (const char* text : {"What is the weather?", "What is the weather today?", "Remind me on 7 May to call Anna", "What is planned this week?", "Remember that the boat is green", "Quel temps fait-il ?", "Who wrote Emma?"})
        EXPECT_FALSE(question_of(text, today).talk) << text;
}

TEST(Question, KnowsTheStemsOfTheOtherLanguageToo) {
    const Question q = question_of("Where in Marseille does she live?", {});
    EXPECT_THAT(q.words.at(0).stems, ElementsAre("marseill"));
    EXPECT_THAT(q.words.at(0).others, ElementsAre("marseil"));
    EXPECT_THAT(question_of("Marseille", {}).words.at(0).stems, ElementsAre("marseill", "marseil"));
}

}  // namespace
}  // namespace memory
