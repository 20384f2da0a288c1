#include "memory/meaning.h"

#include <gtest/gtest.h>

#include <random>

#include "memory/rank.h"

namespace memory {
namespace {

std::vector<float> some(std::mt19937& random, std::size_t width) {
    std::vector<float> out(width);
    for (float& x : out) x = std::normal_distribution<float>()(random);
    return out;
}
double exact_cosine(const std::vector<float>& a, const std::vector<float>& b) {
    double ab = 0, aa = 0, bb = 0;
    for (std::size_t i = 0; i < a.size(); ++i) ab += double(a[i]) * b[i], aa += double(a[i]) * a[i], bb += double(b[i]) * b[i];
    return ab / std::sqrt(aa * bb);
}

TEST(Meaning, BytesAreAsNearAsTheVectorsThatTheyAreOf) {
    std::mt19937 random(3);
    for (const std::size_t width : {1, 2, 64, 384, 1025})
        for (int i = 0; i < 20; ++i) {
            const auto a = some(random, width), b = some(random, width);
            EXPECT_NEAR(cosine(in_bytes(a), in_bytes(b)), exact_cosine(a, b), 0.02) << width;
        }
    EXPECT_EQ(cosine(in_bytes(std::vector<float>(8)), in_bytes(std::vector<float>(8, 1))), 0) << "zeros are near nothing";
    EXPECT_EQ(cosine("ab", "abc"), 0) << "of two widths";
}

TEST(Meaning, OneThatIsNearStandsOutAndOfOthersNoneDoes) {
    std::mt19937 random(5);
    Meanings all;
    const auto question = some(random, 64);
    for (std::size_t i = 0; i < 500; ++i) all.set(i, in_bytes(some(random, 64)));
    const Standing by_chance = standing(all.near(in_bytes(question), 500));
    EXPECT_LE(std::count_if(by_chance.worth.begin(), by_chance.worth.end(), [&](float w) { return w >= by_chance.alone; }), 1);
    auto close = question;
    for (float& x : close) x += 0.5f * std::normal_distribution<float>()(random);
    all.set(123, in_bytes(close));
    all.set(124, "of another width");
    const auto near = all.near(in_bytes(question), 600);
    EXPECT_EQ(near[550], 0) << "it has no vector";
    const Standing out = standing(near);
    EXPECT_EQ(out.worth[123], 1);
    EXPECT_LT(out.alone, 1);
    EXPECT_EQ(std::count_if(out.worth.begin(), out.worth.end(), [&](float w) { return w >= out.alone; }), 1);
}

TEST(Meaning, OfFewAndOfEqualsNoneStandsOut) {
    std::vector<float> few(15, 0.1f);
    few[3] = 0.9f;
    EXPECT_TRUE(standing(few).worth.empty());
    EXPECT_TRUE(standing(std::vector<float>(100, 0.5f)).worth.empty());
    EXPECT_TRUE(standing({}).worth.empty());
}

TEST(Meaning, WhatStandsOutIsFoundWithoutAWordOfTheQuestionAndWithNoneAllIsAsBefore) {
    Index index;
    for (const char* text : {"The spare key lies under the blue pot", "Ben plays the cello on Fridays", "The boiler is serviced every autumn"}) index.add({text});
    const Question question = question_of("Who makes music?", {});
    EXPECT_TRUE(recall(index, question).hits.empty());
    Standing meant;
    meant.worth = {0, 1, 0.5f};
    meant.alone = 0.9f;
    Cut cut;
    cut.own = true;
    cut.meant = &meant;
    const auto hits = recall(index, question, cut).hits;
    ASSERT_EQ(hits.size(), 1u);
    EXPECT_EQ(hits[0].item, 1u);
    EXPECT_EQ(why(index, hits[0]), "close in meaning");
    const auto both = recall(index, question_of("Who serviced the boiler to music?", {}), cut).hits;
    ASSERT_EQ(both.size(), 2u) << "what has words does not drive it out";
    EXPECT_EQ(both[0].item, 2u);
    EXPECT_EQ(both[1].item, 1u);
}

}  // namespace
}  // namespace memory
