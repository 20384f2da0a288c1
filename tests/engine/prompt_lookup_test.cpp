#include "engine/prompt_lookup.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

using namespace engine;
using Tokens = std::vector<text::TokenId>;

TEST(PromptLookup, FindsWhereTheSameWasSaid) {
    PromptLookup lookup(100);
    EXPECT_EQ(lookup.find(Tokens{1, 2}).length, 0);
    Tokens text{1, 2, 3, 4, 5, 1, 2, 3};
    auto found = lookup.find(text);
    EXPECT_EQ(found.at, 3);
    EXPECT_EQ(found.length, 3);
    text.insert(text.end(), {9, 8, 2, 3});
    found = lookup.find(text);
    EXPECT_EQ(found.at, 8) << "of equal ends the newest";
    EXPECT_EQ(found.length, 2);
    text.push_back(7);
    EXPECT_EQ(lookup.find(text).length, 0) << "one token says too little";
}

TEST(PromptLookup, ARepetitionFollowsItself) {
    PromptLookup lookup(100);
    const Tokens text{5, 6, 5, 6, 5, 6};
    const auto found = lookup.find(text);
    EXPECT_EQ(found.at, 4);
    EXPECT_EQ(found.length, 4);
}

// Against a search of everything, token by token and in leaps, as accepted guesses make them.
TEST(PromptLookup, FindsTheLongestEndThatFewTokensAllow) {
    std::mt19937 random(3);
    for (int trial = 0; trial < 200; ++trial) {
        const int kinds = 2 + int(random() % 40), n = 10 + int(random() % 120);
        PromptLookup lookup(200);
        Tokens text;
        while (int(text.size()) < n) {
            for (int leap = 1 + int(random() % 4); leap > 0; --leap) text.push_back(text::TokenId(random() % unsigned(kinds)));
            const auto found = lookup.find(text);
            const auto equal = [&](int at) {
                int length = 0;
                while (length < at && length < PromptLookup::kLongest && text[std::size_t(at - 1 - length)] == text[text.size() - 1 - std::size_t(length)]) ++length;
                return length;
            };
            int longest = 0, places = 0;
            for (int at = 2; at < int(text.size()); ++at) {
                longest = std::max(longest, equal(at));
                places += equal(at) >= 2;
            }
            if (found.length > 0) {
                ASSERT_LT(found.at, int(text.size()));
                ASSERT_EQ(found.length, equal(found.at));
                ASSERT_GE(found.length, 2);
            }
            if (places <= 12) {
                ASSERT_EQ(found.length, longest >= 2 ? longest : 0) << "trial " << trial << " of " << kinds;
            }
        }
    }
}

TEST(PromptLookup, MoreTokensThanItHasRoomForAreNotEntered) {
    PromptLookup lookup(4);
    const Tokens text{1, 2, 3, 1, 2, 3, 9, 1, 2, 3, 9, 1, 2, 3};
    const auto found = lookup.find(text);
    EXPECT_EQ(found.at, 3);
    EXPECT_EQ(found.length, 3);
}
