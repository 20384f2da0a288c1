#include "base/stop.h"

#include <gtest/gtest.h>

using base::StopReason;
using base::StopSource;
using namespace std::chrono_literals;

TEST(Stop, ARequestReachesChildrenAndNotParents) {
    StopSource parent;
    StopSource child(parent.token()), sibling(parent.token());
    child.request_stop();
    EXPECT_TRUE(child.token().stopped());
    EXPECT_FALSE(parent.token().stopped());
    parent.request_stop();
    EXPECT_EQ(sibling.token().reason(), StopReason::cancelled);
}

TEST(Stop, CallbacksRunOnceAndAtOnceWhenLate) {
    StopSource parent;
    StopSource child(parent.token());
    int calls = 0;
    auto guard = child.token().on_stop([&] { ++calls; });
    auto dropped = child.token().on_stop([&] { calls += 100; });
    dropped.release();
    parent.request_stop();
    parent.request_stop();
    EXPECT_EQ(calls, 1);
    auto late = child.token().on_stop([&] { calls += 10; });
    EXPECT_EQ(calls, 11);
}

TEST(Stop, TheEarliestDeadlineHoldsAndIsItsOwnReason) {
    const auto now = std::chrono::steady_clock::now();
    StopSource outer({}, now - 1ms);
    StopSource inner(outer.token(), now + 1h);
    EXPECT_EQ(inner.token().deadline(), now - 1ms);
    EXPECT_EQ(inner.token().reason(), StopReason::deadline);
    EXPECT_EQ(inner.token().error("the search").code, base::Code::deadline);
    EXPECT_FALSE(base::StopToken().deadline());
}
