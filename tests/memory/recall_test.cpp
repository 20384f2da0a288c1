#include "memory/recall.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace memory {
namespace {

using testing::ElementsAre;

RecalledFact fact(const char* body, int day = 0) {
    RecalledFact out;
    out.fact.body = body;
    out.fact.created = base::TimePoint(std::chrono::days(20000 + day));
    return out;
}

std::vector<std::string> bodies(const std::vector<RecalledFact>& facts) {
    std::vector<std::string> out;
    for (const RecalledFact& one : facts) out.push_back(one.fact.body);
    return out;
}

TEST(Pack, TakesEachTextOnceAndTellsTheLaterLater) {
    EXPECT_THAT(bodies(pack({fact("b", 2), fact("a", 1), fact("b", 0)}, 100)), ElementsAre("a", "b"));
}

TEST(Pack, NeverCutsAFactButSkipsWhatDoesNotFit) {
    EXPECT_THAT(bodies(pack({fact("a long one"), fact("tiny"), fact("x")}, 5)), ElementsAre("tiny", "x"));
    EXPECT_TRUE(pack({fact("a long one")}, 5).empty());
}

TEST(Told, WithItsDayAndWhatThePersonDidNotSayIsMarked) {
    store::Fact own = fact("the bin goes out on Tuesday").fact;
    EXPECT_EQ(told(own), "the bin goes out on Tuesday (noted on 2024-10-04 from a text, not said by the person)");
    own.trusted = true;
    EXPECT_EQ(told(own), "the bin goes out on Tuesday (told on 2024-10-04)");
}

TEST(Told, OfWhatWasReplacedUntilWhenItHeld) {
    store::Fact old = fact("the bin goes out on Monday").fact;
    old.trusted = true;
    old.until = old.created + std::chrono::days(3);
    EXPECT_EQ(told(old), "the bin goes out on Monday (told on 2024-10-04; it held until 2024-10-07, when something newer was told)");
}

TEST(Told, OfWhatWasSaidWhatLiesAroundTheWordsFound) {
    RecalledSegment one;
    one.segment.asked = "Which paint for the boat?";
    one.segment.answered = std::string(1000, 'x') + " then take Marine green, two coats of it " + std::string(1000, 'y');
    one.segment.said = base::TimePoint(std::chrono::days(20000));
    one.segment.trusted = true;
    one.words = {"marine", "coats"};
    const std::string text = told(one);
    EXPECT_THAT(text, testing::StartsWith("On 2024-10-04 the person said “Which paint for the boat?” and was answered “… "));
    EXPECT_THAT(text, testing::HasSubstr("take Marine green, two coats"));
    EXPECT_LT(text.size(), 800u);
    one.segment.trusted = false;
    EXPECT_THAT(told(one), testing::HasSubstr("a text from outside"));
}

TEST(Source, SaysWhichFactOfWhichRunAndWhyItWasRecalled) {
    RecalledFact one = fact("the bin goes out on Tuesday");
    one.why = "has bin";
    EXPECT_EQ(source_of(one)["why"], "has bin");
    EXPECT_TRUE(source_of(one)["run"].is_null());
    one.fact.source = base::RunId::make(base::TimePoint{});
    EXPECT_EQ(source_of(one)["run"], one.fact.source.text());
    EXPECT_EQ(source_of(one)["told"], "2024-10-04T00:00:00.000000Z");
}

}  // namespace
}  // namespace memory
