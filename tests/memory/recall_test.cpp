#include "memory/recall.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace memory {
namespace {

using testing::ElementsAre;

store::Fact fact(const char* body, double score) {
    store::Fact out;
    out.body = body;
    out.score = score;
    return out;
}

TEST(Pack, TakesTheBestFirstAndEachTextOnce) {
    EXPECT_THAT(pack({fact("b", 0.5), fact("a", 0.9), fact("b", 0.4), fact("far", 0.1)}, 100), ElementsAre("a", "b"));
}

TEST(Pack, NeverCutsAFactButSkipsWhatDoesNotFit) {
    EXPECT_THAT(pack({fact("a long one", 0.9), fact("tiny", 0.5)}, 5), ElementsAre("tiny"));
    EXPECT_TRUE(pack({fact("a long one", 0.9)}, 5).empty());
}

}  // namespace
}  // namespace memory
