#include "engine/state_cache.h"

#include <gtest/gtest.h>

#include <numeric>

using namespace engine;

namespace {

std::vector<text::TokenId> counted(int n, text::TokenId from = 0) {
    std::vector<text::TokenId> out(std::size_t(n), 0);
    std::iota(out.begin(), out.end(), from);
    return out;
}

const BlockKey root = root_key(7, "a");

BlockKey after(const std::vector<text::TokenId>& tokens, int n) { return next_key(root, std::span(tokens).first(std::size_t(n))); }

}  // namespace

TEST(StateCache, FindsTheLongestBeginning) {
    StateCache cache(4);
    const auto tokens = counted(100), other = counted(100, 1);
    EXPECT_EQ(cache.find(root, tokens).state, -1);
    const int ten = cache.take(after(tokens, 10), 10), fifty = cache.take(after(tokens, 50), 50);
    cache.take(after(other, 60), 60);
    EXPECT_EQ(cache.find(root, tokens).state, fifty);
    EXPECT_EQ(cache.find(root, tokens).tokens, 50);
    EXPECT_EQ(cache.find(root, std::span(tokens).first(49)).state, ten);
    EXPECT_EQ(cache.find(root, std::span(tokens).first(50)).state, fifty);
    EXPECT_EQ(cache.find(root, std::span(tokens).first(9)).state, -1);
    EXPECT_EQ(cache.find(root_key(7, "b"), tokens).state, -1) << "another salt";
}

TEST(StateCache, KeepsEachOnceAndForgetsTheLeastRecentlyUsed) {
    StateCache cache(2);
    const auto tokens = counted(9);
    const int one = cache.take(after(tokens, 1), 1), two = cache.take(after(tokens, 2), 2);
    EXPECT_NE(one, two);
    EXPECT_EQ(cache.take(after(tokens, 1), 1), -1) << "kept already, and now the newest";
    EXPECT_EQ(cache.take(after(tokens, 3), 3), two);
    EXPECT_EQ(cache.find(root, std::span(tokens).first(2)).state, one);
    EXPECT_EQ(cache.take(after(tokens, 4), 4), two) << "what was found is used";
    EXPECT_EQ(StateCache(0).take(after(tokens, 1), 1), -1);
}
