#include "memory/rank.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace memory {
namespace {

using namespace std::chrono;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr sys_days kToday = 2026y / March / 11;
constexpr Cut kFound{100, 0, 0};  // whatever has a word of the question, or a neighbour that has one

std::vector<std::uint32_t> items(const Recalled& recalled) {
    std::vector<std::uint32_t> out;
    for (const Hit& hit : recalled.hits) out.push_back(hit.item);
    return out;
}

Index index_of(std::vector<Item> all, Context context = {}) {
    Index out(context);
    for (const Item& item : all) out.add(item);
    return out;
}

Recalled ask(const Index& index, const char* question, const Cut& cut = {}) { return recall(index, question_of(question, kToday), cut); }

// By hand, k1 1.2, b 0.75, mean length 8/3: idf(red) = ln(1 + 1.5/2.5), idf(dog) = ln(1 + 2.5/1.5).
TEST(Bm25, AsCalculatedByHand) {
    const Index index = index_of({{"red fox"}, {"red red dog"}, {"blue bird sings"}}, {0, 0});
    const auto red = recall(index, question_of("red", kToday), kFound, kPlain).hits;
    ASSERT_EQ(red.size(), 2u);
    EXPECT_EQ(red[0].item, 1u);
    EXPECT_NEAR(red[1].text, 0.8386075949367088, 1e-12);
    const auto both = recall(index, question_of("red dog", kToday), kFound, kPlain).hits;
    ASSERT_EQ(both.size(), 2u);
    EXPECT_NEAR(both[1].text, 0.3361638901016216, 1e-12);
    EXPECT_EQ(both[1].score, both[1].text) << "plain is BM25 and nothing else";
}

// Lengths with the neighbours' parts 1.55, 1.85, 1.85, 1.55.
TEST(Bm25, NeighboursOfASessionCountInPart) {
    const Index index = index_of({{"fox", "", "s"}, {"dog", "", "s"}, {"bird", "", "s"}, {"cow", "", "s"}});
    const auto hits = recall(index, question_of("fox", kToday), kFound, {1.2, 0.75, {0, 0, 0, 0, 0, 0}}).hits;
    ASSERT_EQ(hits.size(), 3u);
    EXPECT_THAT((std::vector{hits[0].item, hits[1].item, hits[2].item}), ElementsAre(0, 1, 2));
    EXPECT_NEAR(hits[1].text, 0.40279329608938547, 1e-12);
    EXPECT_NEAR(hits[2].text, 0.3466346153846154, 1e-12);
}

TEST(Bm25, WhatHasNoSessionOrAnotherHasNoNeighbours) {
    EXPECT_THAT(items(ask(index_of({{"fox"}, {"dog"}}), "fox", kFound)), ElementsAre(0));
    EXPECT_THAT(items(ask(index_of({{"fox", "", "s"}, {"dog", "", "t"}}), "fox", kFound)), ElementsAre(0));
}

TEST(Recall, OfEqualsTheLaterComesFirst) {
    EXPECT_THAT(items(ask(index_of({{"the code is four"}, {"nothing"}, {"the code is five"}}), "code")), ElementsAre(2, 0));
}

TEST(Recall, SaysWhoseWordsAQuestionAsksFor) {
    const Index index = index_of({{"I bought a bicycle", "Anna Berg", "1"}, {"I bought a bicycle", "Bob", "2"}, {"Anna, hello", "Bob", "3"}});
    const auto hits = ask(index, "What did Anna buy, a bicycle?").hits;
    ASSERT_EQ(hits.size(), 2u) << "her name leads to her, not to those who address her";
    EXPECT_EQ(hits[0].item, 0u);
    EXPECT_NEAR(hits[0].score - hits[1].score, 0.2, 1e-12);
    EXPECT_EQ(why(index, hits[0]), "has bicycle; said by Anna Berg");
    EXPECT_THAT(items(ask(index, "Anna?")), ElementsAre(2)) << "a question of nothing else looks for the name as for any word";
}

TEST(Recall, TheTimeThatAQuestionSpeaksOf) {
    const Index index = index_of({{"the dentist was kind", "", "", 2026y / February / 3}, {"the dentist was late", "", "", 2026y / March / 3}, {"rain", "", "", 2026y / February / 4}});
    EXPECT_THAT(items(ask(index, "How was the dentist last month?")), ElementsAre(0, 1));
    EXPECT_THAT(items(ask(index, "What happened yesterday?")), IsEmpty());
    EXPECT_THAT(items(ask(index, "What happened last week?")), ElementsAre(1)) << "of a time alone, too";
    EXPECT_EQ(why(index, ask(index, "What happened last week?").hits[0]), "of that time");
    const Index now = index_of({{"the plumber comes", "", "", kToday}, {"the plumber was here", "", "", kToday - days(1)}});
    EXPECT_THAT(items(ask(now, "How are you today?")), IsEmpty()) << "who speaks of now asks for nothing that was told";
    EXPECT_THAT(items(ask(now, "Was the plumber here today?")), ElementsAre(0, 1));
}

TEST(Recall, QuestionsAnswerNothing) {
    const Index index = index_of({{"Where did the ladder go?"}, {"The ladder stands behind."}});
    EXPECT_THAT(items(ask(index, "Where is the ladder?")).at(0), 1u);
}

TEST(Recall, PhrasesInARow) {
    const Index index = index_of({{"the york of new money and city halls"}, {"she flew to New York City"}});
    const auto hits = ask(index, "When did she fly to New York City?").hits;
    EXPECT_EQ(hits.at(0).item, 1u);
    EXPECT_DOUBLE_EQ(hits.at(0).phrase, 0.1);
    EXPECT_EQ(why(index, hits.at(0)), "has new, york, city; has the phrase");
}

TEST(Recall, ASlipOfTheHandFindsWhatWasMeant) {
    const Index index = index_of({{"the tournament begins on Friday"}, {"the bin goes out on Tuesday"}});
    const Recalled recalled = ask(index, "When is the torunament?");
    EXPECT_THAT(items(recalled), ElementsAre(0));
    ASSERT_EQ(recalled.repaired.size(), 1u);
    EXPECT_EQ(recalled.repaired[0].written, "torunament");
    EXPECT_EQ(recalled.repaired[0].taken, "tournament");
    EXPECT_THAT(items(recall(index, question_of("torunament", kToday), {}, kPlain)), IsEmpty());
}

TEST(Recall, InFrenchAndAcrossTheLanguages) {
    const Index index = index_of({{"Marie habite à Marseille depuis l'été"}, {"Le code du wifi est sur le frigo"}, {"Les enfants ont mangé toutes les crêpes"}, {"Paul lives in Lyon"}});
    EXPECT_THAT(items(ask(index, "Où habite Marie ?")), ElementsAre(0));
    EXPECT_THAT(items(ask(index, "Quel est le code wifi ?")), ElementsAre(1));
    EXPECT_THAT(items(ask(index, "Qui a mange les crepes ?")), ElementsAre(2)) << "without accents";
    EXPECT_THAT(items(ask(index, "Qui va manger les crêpes ?")), ElementsAre(2));
    EXPECT_THAT(items(ask(index, "Who lives in Marseille?")), testing::Contains(0u));
    EXPECT_THAT(items(ask(index, "wifi")), ElementsAre(1));
    EXPECT_THAT(items(ask(index, "Où habite Paul ?")), testing::Contains(3u));
}

TEST(Recall, ByWordsWhoseAccentsAreLeftOutOrMistyped) {
    const Index index = index_of({{"La chaudière est à la cave"}, {"The boat lies in the harbour"}, {"the pate is in the fridge"}});
    for (const char* asked : {"Where is the chaudiere?", "Where is the chuadière?", "chuadiere", "Où est la chaudière ?", "chaudieres"}) EXPECT_THAT(items(ask(index, asked)), ElementsAre(0)) << asked;
    EXPECT_THAT(items(ask(index, "Where is the pâté?")), ElementsAre(2));
    EXPECT_THAT(ask(index, "Where is the chaudiere?").repaired, IsEmpty()) << "it is spelled as people spell it";
}

TEST(Cut, NothingForWhoOnlyGreetsOrSpeaksOfSomethingElse) {
    const Index index = index_of({{"Anna is allergic to nuts"}, {"the bin goes out on Tuesday"}, {"the evening class is over"}});
    for (const char* text : {"Hello!", "Thanks, bye", "Bonjour, merci !", "What a lovely piece of music they played there, don't you think so, my old friend, evening after evening?"})
        EXPECT_THAT(items(ask(index, text)), IsEmpty()) << text;
    EXPECT_THAT(items(ask(index, "May I give Anna nuts?")), ElementsAre(0));
    EXPECT_THAT(items(ask(index, "Which meal could be cooked for dinner tonight, with fresh vegetables, when Anna comes?")), ElementsAre(0)) << "a name is enough";
}

TEST(Cut, AsManyAsItSaysAndNoneFarBehindTheBest) {
    const Index index = index_of({{"garden hose shed key"}, {"garden hose"}, {"garden"}, {"garden gate paint colour wood nails hammer saw ladder rope bucket"}});
    EXPECT_THAT(items(ask(index, "garden hose", {.items = 1})), ElementsAre(1));
    EXPECT_THAT(items(ask(index, "garden hose")), ElementsAre(1, 0)) << "the others have less than 0.35 of its score";
    EXPECT_EQ(ask(index, "garden hose", kFound).hits.size(), 4u);
    EXPECT_THAT(items(ask(index, "hose", kFound)), testing::SizeIs(2));
    EXPECT_THAT(items(ask(index, "hose", kAll)), ElementsAre(1, 0, 3, 2)) << "of what has no word the later first";
}

TEST(Cut, OwnWordsWhereAnItemMustStandForItself) {
    const Index index = index_of({{"the hotel is the Bella", "", "run"}, {"check-in is at three", "", "run"}, {"the moon is full"}});
    EXPECT_THAT(items(ask(index, "Which hotel?", {.own = true})), ElementsAre(0));
    EXPECT_THAT(items(ask(index, "When is check-in at the hotel?", {.own = true})), testing::UnorderedElementsAre(0, 1));
    EXPECT_EQ(why(index, ask(index, "Which hotel?").hits.at(1)), "near hotel");
}

// Of 3,500 the rarer word leads to enough.
TEST(Recall, ACommonWordCountsWhereRarerOnesLed) {
    Index index;
    for (int i = 0; i < 3500; ++i) index.add({i % 2 ? "apple pear" : "pear", "", "s"});
    for (int i = 0; i < 4000; ++i) index.add({"apple quince"});
    const auto hits = ask(index, "apple pear", kAll).hits;
    EXPECT_EQ(hits[0].item % 2, 1u);
    EXPECT_LT(hits[0].item, 3500u);
    EXPECT_GT(hits[0].text, hits[3499].text) << "those with both words stand before those with one";
    EXPECT_EQ(hits[3500].text, 0) << "and what has the common one alone is not looked at";
    index.add({"pear?", "", "s"});
    index.add({"the pears and apples of the pear tree"});
    const auto few = ask(index, "apple pear").hits, all = ask(index, "apple pear", kAll).hits;
    ASSERT_EQ(few.size(), 8u);
    for (std::size_t i = 0; i < few.size(); ++i) EXPECT_EQ(few[i].item, all[i].item) << "what cannot be among the best is left out, and nothing else";
    const auto both = ask(index, "apple quince", {.items = 5000}).hits;
    EXPECT_EQ(both.size(), 4000u);
}

TEST(Recall, WhatIsAddedIsFoundAtOnceAndAnEmptyIndexFindsNothing) {
    Index index;
    EXPECT_THAT(items(ask(index, "bicycle")), IsEmpty());
    index.add({"a bicycle"});
    EXPECT_THAT(items(ask(index, "bicycle")), ElementsAre(0));
    EXPECT_THAT(items(ask(index, "")), IsEmpty());
    EXPECT_GT(index.bytes(), 0u);
}

}  // namespace
}  // namespace memory
