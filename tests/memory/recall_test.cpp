#include "memory/recall.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace memory {
namespace {

using testing::ElementsAre;
using testing::Field;

store::Fact fact(const char* body, double score) {
    store::Fact out;
    out.body = body;
    out.score = score;
    return out;
}

TEST(Pack, TakesTheBestFirstAndEachTextOnce) {
    EXPECT_THAT(pack({fact("b", 0.5), fact("a", 0.9), fact("b", 0.4), fact("far", 0.1)}, 100), ElementsAre(Field(&store::Fact::body, "a"), Field(&store::Fact::body, "b")));
}

TEST(Pack, NeverCutsAFactButSkipsWhatDoesNotFit) {
    EXPECT_THAT(pack({fact("a long one", 0.9), fact("tiny", 0.5)}, 5), ElementsAre(Field(&store::Fact::body, "tiny")));
    EXPECT_TRUE(pack({fact("a long one", 0.9)}, 5).empty());
}

TEST(Told, WhatThePersonDidNotSayIsMarked) {
    store::Fact own = fact("the bin goes out on Tuesday", 1);
    EXPECT_EQ(told(own), "the bin goes out on Tuesday (noted from a text, not said by the person)");
    own.trusted = true;
    EXPECT_EQ(told(own), "the bin goes out on Tuesday");
}

}  // namespace
}  // namespace memory
